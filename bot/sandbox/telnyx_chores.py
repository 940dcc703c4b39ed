"""The simulated carrier's background work: every task it starts, who of them sleeps, and when all is quiet."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any

from bot.clock import Clock, ManualClock


class Chores:
    """
    Tracked background tasks.

    What goes wrong in one is kept and raised by the next `settle` or `stop`: a simulator must not fail silently.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tasks: set[asyncio.Task[None]] = set()
        self._resting: set[asyncio.Task[Any]] = set()
        self._waiting: dict[asyncio.Event, asyncio.Task[Any]] = {}
        self._changed = asyncio.Event()
        self._failures: list[BaseException] = []

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Begin *work* in the background."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finish)

    async def sleep(self, span: timedelta, *, long: bool = False) -> None:
        """Sleep by the clock; for *long*, nobody who waits for quiet has to wait: it is a schedule's due time."""
        task = asyncio.current_task()
        rests = task is not None and span > timedelta(0) and (long or isinstance(self._clock, ManualClock))
        if not rests or task is None:
            await self._clock.sleep(span)
            return
        self._resting.add(task)
        self._changed.set()
        try:
            await self._clock.sleep(span)
        finally:
            self._resting.discard(task)

    async def wait_at_most(self, event: asyncio.Event, span: timedelta) -> None:
        """Return once `open` was called for *event* or *span* has passed by the clock."""
        task = asyncio.current_task()
        waits = [asyncio.ensure_future(event.wait()), asyncio.ensure_future(self._clock.sleep(span))]
        if task is not None and isinstance(self._clock, ManualClock):
            self._resting.add(task)
            self._waiting[event] = task
            self._changed.set()
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)
            self.open(event)

    def open(self, event: asyncio.Event) -> None:
        """Set *event*; who waits for it is at work again from now on, not only from its next turn on."""
        event.set()
        if (task := self._waiting.pop(event, None)) is not None:
            self._resting.discard(task)

    async def settle(self) -> None:
        """
        Return once no task is at work.

        A task asleep on a manual clock is not at work: only the caller can wake it.
        """
        while self._tasks - self._resting:
            self._changed.clear()
            await self._changed.wait()
        self._raise_failures()

    async def stop(self) -> None:
        """End every task and wait until each has ended."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._raise_failures()

    def _finish(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._changed.set()
        if not task.cancelled() and (failure := task.exception()) is not None:
            self._failures.append(failure)

    def _raise_failures(self) -> None:
        if self._failures:
            failures, self._failures = self._failures, []
            message = "the simulated carrier's own work failed"
            raise BaseExceptionGroup(message, failures)
