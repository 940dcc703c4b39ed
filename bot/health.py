"""Whether every part is able to work: asked of the platforms now and then, not at each request to `/readyz`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from datetime import timedelta
from typing import Any

from bot.clock import Clock
from bot.errors import TextbridgeError
from bot.observe import Log, Metrics

_log = Log("health")

#: How often a part that works is asked again, and one that does not.
_WELL = timedelta(seconds=30)
_UNWELL = timedelta(seconds=2)

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

    def report(self) -> Mapping[str, str | None]:
        """Return each part and what is wrong with it; None: nothing."""
        return dict(self._problems)

    @property
    def is_ready(self) -> bool:
        """Whether every part works."""
        return all(problem is None for problem in self._problems.values())

    async def wait_asked(self) -> None:
        """Return when every part was asked once, whatever it answered."""
        await self._asked.wait()

    def watch(self, part: str) -> Callable[[], Coroutine[Any, Any, None]]:
        """Return a task that keeps the finding on *part* up to date: one for each, so that none waits for another."""

        async def keep_watching() -> None:
            while True:
                await self._check(part)
                await self._clock.sleep(_WELL if self._problems[part] is None else _UNWELL)

        return keep_watching

    async def _check(self, part: str) -> None:
        before = self._problems[part]
        try:
            await self._checks[part]()
        except TextbridgeError as error:
            self._problems[part] = error.log
        else:
            self._problems[part] = None
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
