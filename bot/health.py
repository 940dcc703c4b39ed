"""
Whether every part is able to work.

Asked now and then; and when somebody wants to know, but not more often than every two seconds, however many want to.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any

from bot.clock import Clock
from bot.errors import TextbridgeError
from bot.observe import Log, Metrics
from bot.workers.supervise import sleep_unless

_log = Log("health")

#: How often a part that works is asked again, and one that does not.
_WELL = timedelta(seconds=30)
_UNWELL = timedelta(seconds=2)
#: How old a finding may be that is told to somebody who asks, and how long they wait for a newer one, in real seconds.
_FRESH_SECONDS = 2.0
_PATIENCE_SECONDS = 1.0
#: A part that takes so long to answer is not able to work, whatever it says in the end.
_SILENT_SECONDS = 5.0

#: Returns when the part works; raises a TextbridgeError that says what is wrong when it does not.
Check = Callable[[], Awaitable[object]]


class Health:
    """The newest findings on each part."""

    def __init__(self, checks: Mapping[str, Check], *, clock: Clock, metrics: Metrics) -> None:
        self._checks = checks
        self._clock = clock
        self._metrics = metrics
        self._problems: dict[str, str | None] = dict.fromkeys(checks, "not checked yet")
        self._unasked = set(checks)
        self._asked = asyncio.Event()  #: Set when every part was asked once.
        self._began_at: dict[str, float | None] = dict.fromkeys(checks)  #: Of the check that is under way.
        self._found_at: dict[str, float] = {}
        self._wanted = {part: asyncio.Event() for part in checks}
        self._found = {part: asyncio.Event() for part in checks}

    def report(self) -> Mapping[str, str | None]:
        """Return each part and what is wrong with it; None: nothing."""
        now = self._clock.monotonic()
        found = dict(self._problems)
        for part, began_at in self._began_at.items():
            if began_at is not None and now - began_at > _SILENT_SECONDS:
                found[part] = found[part] or f"no answer for {int(now - began_at)} s"
        return found

    async def examine(self) -> Mapping[str, str | None]:
        """Return what `report` does, asking anew what was asked some time ago; who does not answer at once is told later."""
        now = self._clock.monotonic()
        stale = [part for part, found_at in self._found_at.items() if now - found_at > _FRESH_SECONDS]
        for part in stale:
            self._wanted[part].set()
        with suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE_SECONDS):
                for part in stale:
                    await self._found[part].wait()
        return self.report()

    async def wait_asked(self) -> None:
        """Return when every part was asked once, whatever it answered."""
        await self._asked.wait()

    def watch(self, part: str) -> Callable[[], Coroutine[Any, Any, None]]:
        """Return a task that keeps the finding on *part* up to date: one for each, so that none waits for another."""

        async def keep_watching() -> None:
            while True:
                await self._check(part)
                wait = _WELL if self._problems[part] is None else _UNWELL
                await sleep_unless(self._clock, wait, self._wanted[part])

        return keep_watching

    async def _check(self, part: str) -> None:
        before = self._problems[part]
        self._began_at[part] = self._clock.monotonic()
        try:
            await self._checks[part]()
        except TextbridgeError as error:
            self._problems[part] = error.log
        else:
            self._problems[part] = None
        finally:
            self._began_at[part] = None
        self._found_at[part] = self._clock.monotonic()
        found, self._found[part] = self._found[part], asyncio.Event()
        found.set()
        self._unasked.discard(part)
        if not self._unasked:
            self._asked.set()
        self._metrics.ready.labels(part).set(1 if self._problems[part] is None else 0)
        if before != self._problems[part]:
            problem = self._problems[part]
            if problem is None:
                _log.info("A part is able to work.", part=part)
            else:
                _log.warning("A part is not able to work.", part=part, problem=problem)
