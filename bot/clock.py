"""
Time, for the whole program: nothing else reads a clock or sleeps.

The system clock runs the product; the manual one lets a test decide when a moment has come, so that no test ever waits.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """The time of day and the passing of time."""

    def now(self) -> datetime:
        """Return the present moment as an aware UTC datetime. May jump when the machine's clock is set."""
        ...

    def monotonic(self) -> float:
        """Return seconds that only ever grow: for spans, never for dates."""
        ...

    async def sleep(self, span: timedelta) -> None:
        """Return after *span*; at once, but not before other tasks had a turn, when it is zero or less."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Return the present moment as an aware UTC datetime."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return the machine's monotonic seconds."""
        return time.monotonic()

    async def sleep(self, span: timedelta) -> None:
        """Sleep on the running event loop."""
        await asyncio.sleep(max(0.0, span.total_seconds()))


class ManualClock:
    """A clock that stands still until `advance` moves it. Single loop only."""

    def __init__(self, start: datetime | None = None) -> None:
        self._now = start or datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
        self._elapsed = 0.0
        self._order = itertools.count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        """Return the moment at which the clock stands."""
        return self._now

    def monotonic(self) -> float:
        """Return the seconds by which the clock was advanced."""
        return self._elapsed

    async def sleep(self, span: timedelta) -> None:
        """Return once `advance` has passed *span*."""
        if span <= timedelta(0):
            await asyncio.sleep(0)
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._elapsed + span.total_seconds(), next(self._order), future))
        await future

    def jump(self, span: timedelta) -> None:
        """Set the time of day by *span*, back or forth, without letting time pass: an operator moved the clock."""
        self._now += span

    async def advance(self, span: timedelta) -> None:
        """Let *span* pass, waking each sleeper at its own moment and in order."""
        target = self._elapsed + span.total_seconds()
        while self._sleepers and self._sleepers[0][0] <= target:
            due, _, future = heapq.heappop(self._sleepers)
            self._pass_until(due)
            if not future.done():
                future.set_result(None)
            for _ in range(5):  # a woken task may sleep again within this advance
                await asyncio.sleep(0)
        self._pass_until(target)
        await asyncio.sleep(0)

    def _pass_until(self, elapsed: float) -> None:
        if elapsed > self._elapsed:
            self._now += timedelta(seconds=elapsed - self._elapsed)
            self._elapsed = elapsed
