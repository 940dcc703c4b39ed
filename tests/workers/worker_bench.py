"""A worker on a real queue, and a flow that the test decides about."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta

from bot.chance import SeededChance
from bot.domain.job import Job, Kind, NewJob, Pool
from bot.observe import Metrics
from bot.workers.worker import Flow, JointFlow, Worker
from tests.storage.rig import Rig, running

KIND = Kind.POST_TEXT
_STATUS = "SELECT status FROM jobs WHERE key = ?"


class Bench:
    """A rig, a worker on its queue, and a flow that the test decides about; *together*: what does several, if anything."""

    KIND = KIND

    def __init__(self, rig: Rig, *, limit: int = 4, together: JointFlow | None = None, pool: Pool = Pool.POST) -> None:
        self.rig = rig
        self.seen: list[Job] = []
        self.flow: Flow = self.finish
        self.metrics = Metrics()
        self.worker = Worker(
            pool,
            {KIND: self._do},
            rig.workbench,
            joint_flows={} if together is None else {KIND: together},
            limit=limit,
            clock=rig.clock,
            chance=SeededChance(1),
            metrics=self.metrics,
        )

    async def _do(self, job: Job) -> None:
        self.seen.append(job)
        await self.flow(job)

    async def finish(self, job: Job) -> None:
        async with self.rig.store.transaction("finish") as kept:
            await kept.queue.finish(job)

    def fail(self, error: Exception) -> None:
        """Let every attempt from now on end with *error*."""

        async def flow(job: Job) -> None:
            raise error

        self.flow = flow

    async def add(self, *jobs: NewJob) -> None:
        async with self.rig.store.transaction("add") as kept:
            for job in jobs:
                await kept.queue.enqueue(job)

    def status(self, key: str = "a") -> str:
        ((status,),) = self.rig.look(_STATUS, key)
        return str(status)

    def count(self, outcome: str) -> float:
        return self.metrics.jobs.labels(KIND, outcome).value

    async def wait_of_next(self) -> timedelta:
        due_at = await self.rig.workbench.next_due(Pool.POST)
        assert due_at is not None
        return due_at - self.rig.clock.now()

    def running(self) -> AbstractAsyncContextManager[asyncio.Task[None]]:
        return running(self.worker)


async def until(condition: Callable[[], bool]) -> None:
    """Let everybody else have turns until *condition* holds; SQLite answers from a thread: turns cannot be counted."""

    async def look() -> None:
        while not condition():  # noqa: ASYNC110 - a condition of the table has no event
            await asyncio.sleep(0)

    await asyncio.wait_for(look(), 10)


def hold(bench: Bench) -> tuple[asyncio.Event, Callable[[Job], Awaitable[None]]]:
    go_on = asyncio.Event()

    async def flow(job: Job) -> None:
        await go_on.wait()
        await bench.finish(job)

    return go_on, flow
