"""A clock for tests of the whole program: time passes by itself, as fast as told, and can be made to leap."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from datetime import UTC, datetime, timedelta

#: A Friday, nine in the morning in Chicago.
START = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)


class MovingClock:
    """`bot.clock.Clock` whose seconds may be shorter than real ones. One event loop only."""

    def __init__(self, start: datetime = START, *, rate: float = 1.0) -> None:
        """Begin at *start*; *rate* is how many of its seconds pass in a real one."""
        self._start = start
        self._rate = rate
        self._base = 0.0
        self._set_by = timedelta(0)
        self._since = time.monotonic()
        self._order = itertools.count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._alarm: asyncio.TimerHandle | None = None

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self.monotonic()) + self._set_by

    def monotonic(self) -> float:
        return self._base + (time.monotonic() - self._since) * self._rate

    async def sleep(self, span: timedelta) -> None:
        if span <= timedelta(0):
            await asyncio.sleep(0)
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.monotonic() + span.total_seconds(), next(self._order), future))
        self._set_alarm()
        await future

    def set_rate(self, rate: float) -> None:
        """Let time pass faster or slower from now on."""
        self._base, self._since, self._rate = self.monotonic(), time.monotonic(), rate
        self._set_alarm()

    def leap(self, span: timedelta) -> None:
        """Let *span* be over, all at once."""
        self._base += span.total_seconds()
        self._wake()

    def set_by(self, span: timedelta) -> None:
        """Set the time of day, forth or back, without letting time pass."""
        self._set_by += span

    def close(self) -> None:
        """Wake nobody any more."""
        if self._alarm is not None:
            self._alarm.cancel()

    def _wake(self) -> None:
        now = self.monotonic()
        while self._sleepers and self._sleepers[0][0] <= now:
            future = heapq.heappop(self._sleepers)[2]
            if not future.done():
                future.set_result(None)
        self._set_alarm()

    def _set_alarm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        while self._sleepers and self._sleepers[0][2].done():
            heapq.heappop(self._sleepers)
        if self._sleepers:
            wait = max(0.0, (self._sleepers[0][0] - self.monotonic()) / self._rate)
            self._alarm = asyncio.get_running_loop().call_later(wait, self._wake)
