"""
The queue against a model of it in memory: two workers, lanes, lost leases, restarts, and people who meddle.

After every step the whole table must be what the model says; and what the queue promises is checked apart from the
model, on the table alone, so that a mistake which the two share is seen all the same.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Coroutine, Iterable, Sequence
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from bot.clock import ManualClock
from bot.domain.job import LEASE, Job, Pool, Status
from bot.errors import LeaseLost
from storage.moments import from_micros_or_none
from tests.machines.effort import FAST, choose_effort
from tests.machines.queue_model import LOOK, Greedy, ModelJob, Row
from tests.storage.rig import Rig, open_rig
from tests.storage.samples import make_job

T = TypeVar("T")

#: Linux keeps this folder in memory. Durability is tested elsewhere; here it would only cost time.

POOLS = (Pool.POST, Pool.SEND)
LANES = ("ana", "bob")
UNFINISHED = (Status.WAITING, Status.READY, Status.RUNNING)
HEADS = (Status.READY, Status.RUNNING)

MEDDLING = ("drop", "hasten", "bring back", "set aside", "note", "fail")
numbers = st.integers(min_value=0, max_value=99)
seldom = st.sampled_from((False, False, False, True))
keys = st.integers(min_value=0, max_value=30).map(lambda number: f"key {number}")
lanes = st.sampled_from((*LANES, None))
pools = st.sampled_from(POOLS)
delays = st.sampled_from((timedelta(0), timedelta(0), timedelta(seconds=30)))
spans = st.sampled_from((0, 1, 30, 100, 200)).map(lambda seconds: timedelta(seconds=seconds))


def choose(things: Sequence[T], which: int) -> T:
    """Return one of *things*."""
    return things[which % len(things)]


class QueueMachine(RuleBasedStateMachine):
    """Drives the queue and its model side by side."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = tempfile.TemporaryDirectory(dir=FAST)
        self.stack = AsyncExitStack()
        self.clock = ManualClock()
        self.jobs: list[ModelJob] = []
        self.claims: list[Job] = []  # all that were ever made, those that were lost or ended too
        self.enqueued: set[str] = set()  # keys for which the queue said yes
        self.noted: set[str] = set()
        self.next_id = 1
        self.greedy = Greedy()
        self.brought_back: set[int] = set()  # by a person, and so out of their order
        self.run(self._open())
        self.ready: set[tuple[str, int, datetime]] = set()  # (pool, id, due) at the step before

    # ---------------------------------------------------------------------------------------------------- machinery

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    async def _open(self) -> None:
        path = Path(self.folder.name) / "textbridge.db"
        self.rig: Rig = await self.stack.enter_async_context(open_rig(path, self.clock))
        await self.rig.tell_writer("PRAGMA synchronous = OFF")

    async def _read(self) -> list[Row]:
        times = {"due_at", "started_at", "unsettled_at", "lease_until"}
        return [
            Row._make(
                from_micros_or_none(value) if name in times else value
                for name, value in zip(Row._fields, row, strict=True)
            )
            for row in await self.rig.database.read(LOOK)
        ]

    def of_lane(self, lane: str | None, statuses: Iterable[Status]) -> list[ModelJob]:
        return [job for job in self.jobs if lane is not None and job.lane == lane and job.status in statuses]

    def promote(self, lane: str | None) -> None:
        if not self.of_lane(lane, HEADS):
            for job in self.of_lane(lane, [Status.WAITING])[:1]:
                job.status = Status.READY

    def find(self, key: str) -> ModelJob | None:
        return next((job for job in self.jobs if job.key == key), None)

    def is_mine(self, job: Job) -> ModelJob | None:
        return next((known for known in self.jobs if known.id == job.id and known.token == job.token), None)

    def release(self, known: ModelJob, status: Status) -> None:
        known.status, known.token, known.lease_until = status, None, None
        if status is not Status.READY:
            self.promote(known.lane)

    def add_to_model(self, key: str, pool: Pool, lane: str | None, delay: timedelta) -> bool:
        if key in self.enqueued or key in self.noted:
            return False
        self.enqueued.add(key)
        status = Status.WAITING if self.of_lane(lane, HEADS) else Status.READY
        due_at = self.clock.now() + delay
        self.jobs.append(ModelJob(id=self.next_id, key=key, pool=pool, lane=lane, status=status, due_at=due_at))
        self.next_id += 1
        return True

    def teardown(self) -> None:
        try:
            self.run(self.work_off())
        finally:
            self.run(self.stack.aclose())
            self.loop.close()
            self.folder.cleanup()

    # -------------------------------------------------------------------------------------------------------- rules

    @rule(wanted=st.lists(st.tuples(keys, pools, lanes, delays), min_size=1, max_size=4), handed_over=st.booleans())
    def enqueue(self, wanted: list[tuple[str, Pool, str | None, timedelta]], *, handed_over: bool) -> None:
        async def work() -> list[bool]:
            async with self.rig.store.transaction("enqueue") as kept:
                return [
                    await kept.queue.enqueue(
                        make_job(key, pool=pool, lane=lane, due_at=self.clock.now() + delay if delay else None)
                    )
                    for key, pool, lane, delay in wanted
                ]

        expected = [self.add_to_model(*job) for job in wanted]
        for pool in POOLS:
            self.rig.workbench.hand_to(pool, self.greedy if handed_over else None)
        assert self.run(work()) == expected
        for pool in POOLS:
            self.rig.workbench.hand_to(pool, None)
        self.note_handed_over({key for key, _, _, _ in wanted} if handed_over else set())

    def note_handed_over(self, keys: set[str]) -> None:
        """Of the jobs with *keys*, those that are ready in the model were begun where they were made, if just made."""
        taken, self.greedy.taken = self.greedy.taken, []
        assert self.greedy.is_at_rest
        now = self.clock.now()
        for job in taken:
            known = self.jobs_by_id[job.id]
            assert known.key in keys
            assert (known.status, known.attempts, known.due_at) == (Status.READY, 0, now)
            known.status, known.token, known.lease_until = Status.RUNNING, job.token, now + LEASE
            known.attempts, known.started_at = 1, now
        self.claims += taken

    @rule(pool=pools, limit=st.integers(min_value=1, max_value=3))
    def claim(self, pool: Pool, limit: int) -> None:
        self.claim_some(pool, limit)

    @rule(span=spans, everything=st.booleans())
    def lose_and_claim(self, span: timedelta, *, everything: bool) -> None:
        """Let claims be lost and others take them over, so that the losers find somebody else at their work."""
        self.run(self.clock.advance(span))
        self.take_back(everything=everything)
        for pool in POOLS:
            self.claim_some(pool, 3)

    def claim_some(self, pool: Pool, limit: int) -> None:
        now = self.clock.now()
        due = [job for job in self.jobs if job.pool == pool and job.status == Status.READY and job.due_at <= now]
        expected = sorted(due, key=lambda job: (job.due_at, job.id))[:limit]

        claimed = self.run(self.rig.workbench.claim(pool, limit))

        assert sorted(job.id for job in claimed) == sorted(job.id for job in expected)
        for job in claimed:
            known = self.jobs_by_id[job.id]
            assert (job.key, job.lane, job.pool, job.body) == (
                known.key,
                known.lane,
                known.pool,
                f"body of {known.key}",
            )
            assert job.unsettled == (known.unsettled_at is not None)
            assert job.started_at == (known.unsettled_at or now)
            known.status, known.token, known.lease_until = Status.RUNNING, job.token, now + LEASE
            known.attempts += 1
            known.started_at = now
            assert (job.attempts, job.surprises) == (known.attempts, known.surprises)
        self.claims += claimed

    def choose_claim(self, which: int, *, stale: bool) -> Job:
        """Return a claim that still holds, or, if *stale* or there is none, any that ever did."""
        return choose([job for job in self.claims if self.is_mine(job) and not stale] or self.claims, which)

    def choose_key(self, which: int) -> str:
        """Return the key of a job that there is; now and then one of none."""
        return choose([*(job.key for job in self.jobs), "nobody", "key 0"], which)

    @property
    def jobs_by_id(self) -> dict[int, ModelJob]:
        return {job.id: job for job in self.jobs}

    @precondition(lambda self: self.claims)
    @rule(which=numbers, stale=seldom, follow_up=st.none() | st.tuples(keys, lanes))
    def finish(self, which: int, follow_up: tuple[str, str | None] | None, *, stale: bool) -> None:
        job = self.choose_claim(which, stale=stale)

        async def work() -> None:
            async with self.rig.store.transaction("finish") as kept:
                if follow_up:
                    key, lane = follow_up
                    await kept.queue.enqueue(make_job(key, lane=lane))
                await kept.queue.finish(job)

        known = self.is_mine(job)
        if known is None:
            with pytest.raises(LeaseLost):
                self.run(work())
            return
        self.run(work())
        if follow_up:
            self.add_to_model(follow_up[0], Pool.POST, follow_up[1], timedelta(0))
        self.release(known, Status.DONE)

    @precondition(lambda self: self.claims)
    @rule(which=numbers, stale=seldom, wait=spans, unsettled=st.booleans(), surprise=st.booleans())
    def retry(self, which: int, wait: timedelta, *, stale: bool, unsettled: bool, surprise: bool) -> None:
        job = self.choose_claim(which, stale=stale)
        due_at = self.clock.now() + wait
        work = self.rig.workbench.retry(job, due_at=due_at, unsettled=unsettled, surprise=surprise, trouble="none")
        known = self.is_mine(job)
        if known is None:
            with pytest.raises(LeaseLost):
                self.run(work)
            return
        self.run(work)
        known.due_at = due_at
        known.surprises += surprise
        if unsettled:
            known.unsettled_at = known.unsettled_at or known.started_at
        self.release(known, Status.READY)

    @precondition(lambda self: self.claims)
    @rule(which=numbers, stale=seldom)
    def park(self, which: int, *, stale: bool) -> None:
        job = self.choose_claim(which, stale=stale)
        known = self.is_mine(job)
        if known is None:
            with pytest.raises(LeaseLost):
                self.run(self.rig.workbench.park(job, trouble="none"))
            return
        self.run(self.rig.workbench.park(job, trouble="none"))
        self.release(known, Status.PARKED)

    @rule(acts=st.lists(st.tuples(st.sampled_from(MEDDLING), numbers, spans), min_size=1, max_size=3))
    def meddle(self, acts: list[tuple[str, int, timedelta]]) -> None:
        for how, which, wait in acts:
            key = self.choose_key(which)
            match how:
                case "drop":
                    self.drop(key)
                case "hasten":
                    self.hasten(key, wait)
                case "bring back":
                    self.bring_back(key)
                case "set aside":
                    self.set_aside(key)
                case "note":
                    self.note_once(key)
                case _:
                    self.enqueue_and_fail(key)

    def enqueue_and_fail(self, key: str) -> None:
        async def work() -> None:
            async with self.rig.store.transaction("enqueue") as kept:
                await kept.queue.enqueue(make_job(key, lane=LANES[0]))
                raise KeyError

        with pytest.raises(KeyError):
            self.run(work())

    def note_once(self, key: str) -> None:
        async def work() -> bool:
            async with self.rig.store.transaction("note") as kept:
                return await kept.queue.note_once(key)

        new = key not in self.enqueued | self.noted
        assert self.run(work()) is new
        if new:
            self.noted.add(key)
            self.next_id += 1

    def drop(self, key: str) -> None:
        async def work() -> bool:
            async with self.rig.store.transaction("drop") as kept:
                return await kept.queue.drop(key)

        known = self.find(key)
        droppable = known is not None and known.status in (Status.READY, Status.WAITING)
        assert self.run(work()) is droppable
        if known is not None and droppable:
            self.release(known, Status.DONE)

    def hasten(self, key: str, wait: timedelta) -> None:
        due_at = self.clock.now() + wait

        async def work() -> bool:
            async with self.rig.store.transaction("hasten") as kept:
                return await kept.queue.hasten(key, due_at)

        known = self.find(key)
        movable = known is not None and known.status in (Status.READY, Status.WAITING)
        assert self.run(work()) is movable
        if known is not None and movable:
            known.due_at = due_at

    def bring_back(self, key: str) -> None:
        known = self.find(key)
        job_id = known.id if known else 0

        async def work() -> bool:
            async with self.rig.store.transaction("again") as kept:
                return await kept.queue.try_again(job_id)

        parked = known is not None and known.status is Status.PARKED
        assert self.run(work()) is parked
        if known is not None and parked:
            known.status = Status.WAITING if self.of_lane(known.lane, HEADS) else Status.READY
            known.attempts = known.surprises = 0
            known.due_at = self.clock.now()
            self.brought_back.add(known.id)

    def set_aside(self, key: str) -> None:
        known = self.find(key)
        job_id = known.id if known else 0

        async def work() -> bool:
            async with self.rig.store.transaction("aside") as kept:
                return await kept.queue.set_aside(job_id)

        unclaimed = known is not None and known.status in (Status.READY, Status.WAITING)
        assert self.run(work()) is unclaimed
        if known is not None and unclaimed:
            self.release(known, Status.PARKED)

    @rule(span=spans)
    def advance(self, span: timedelta) -> None:
        self.run(self.clock.advance(span))

    @rule()
    def restart(self) -> None:
        """Die without a word, claims in hand, and start again."""
        self.run(self.stack.aclose())
        self.run(self._open())
        self.take_back(everything=True)

    def take_back(self, *, everything: bool) -> None:
        taken = [
            job
            for job in self.jobs
            if job.status is Status.RUNNING
            and (everything or (job.lease_until is not None and job.lease_until < self.clock.now()))
        ]
        assert self.run(self.rig.workbench.sweep(everything=everything)) == len(taken)
        for job in taken:
            job.unsettled_at = job.unsettled_at or job.started_at
            self.release(job, Status.READY)

    # --------------------------------------------------------------------------------------------------- invariants

    @invariant()
    def all_promises_hold(self) -> None:
        rows = self.run(self._read())
        assert [tuple(row) for row in rows] == [job.as_row for job in self.jobs]
        assert sorted(row.key for row in rows) == sorted(self.enqueued)
        for lane in LANES:
            self.check_lane([row for row in rows if row.lane == lane])
        for row in rows:
            assert (row.status == Status.RUNNING) == (row.lease_until is not None) == (row.token is not None)
        self.run(self.check_answers())
        self.check_bell(rows)

    def check_lane(self, rows: list[Row]) -> None:
        """See that it has one head at most, and one at least if anybody waits, and that who came first goes first."""
        heads = [row for row in rows if row.status in HEADS]
        waiting = [row for row in rows if row.status == Status.WAITING]
        assert len(heads) <= 1
        assert heads or not waiting
        for head in heads:
            assert {row.id for row in waiting if row.id < head.id} <= self.brought_back

    async def check_answers(self) -> None:
        for pool in POOLS:
            ready = [job.due_at for job in self.jobs if job.pool == pool and job.status is Status.READY]
            assert await self.rig.workbench.next_due(pool) == min(ready, default=None)
        lane = LANES[self.next_id % len(LANES)]
        async with self.rig.store.reading() as kept:
            assert await kept.queue.is_busy(lane) == bool(self.of_lane(lane, UNFINISHED))

    def check_bell(self, rows: list[Row]) -> None:
        """See that whoever waits for work was woken for all that has become ready, or due at another time."""
        ready = {(row.pool, row.id, row.due_at) for row in rows if row.status == Status.READY}
        assert {pool for pool, _, _ in ready - self.ready} <= self.rig.bell.heard
        self.ready = ready
        self.rig.bell.heard.clear()

    # ---------------------------------------------------------------------------------------------------- the end

    async def work_off(self) -> None:
        """Let everybody die, and then do all there is to do: nothing may be left, and each lane goes in its order."""
        await self.rig.workbench.sweep(everything=True)
        for row in await self._read():
            if row.status == Status.PARKED:
                async with self.rig.store.transaction("again") as kept:
                    await kept.queue.try_again(row.id)
        order: dict[str, list[int]] = {}
        while True:
            await self.clock.advance(timedelta(hours=1))
            jobs = [job for pool in POOLS for job in await self.rig.workbench.claim(pool, 3)]
            if not jobs:
                break
            for job in jobs:
                if job.lane is not None:
                    order.setdefault(job.lane, []).append(job.id)
                async with self.rig.store.transaction("finish") as kept:
                    await kept.queue.finish(job)
        assert {row.status for row in await self._read()} <= {Status.DONE}
        for ids in order.values():
            assert ids[1:] == sorted(ids[1:])  # the first may be a head that a person's word came too late for


def test_the_queue_keeps_its_promises_under_any_sequence_of_steps() -> None:
    run_state_machine_as_test(QueueMachine, settings=choose_effort(examples=60, steps=40))
