"""Tasks that must live as long as the process does, and how they end with it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any

from bot.clock import Clock
from bot.domain.job import choose_wait
from bot.errors import RetryLater
from bot.observe import Log

_log = Log("supervise")


async def sleep_unless(clock: Clock, span: timedelta, event: asyncio.Event) -> None:
    """Return after *span*, or as soon as *event* is set, which is then cleared."""
    alarms = {asyncio.ensure_future(event.wait()), asyncio.ensure_future(clock.sleep(span))}
    try:
        await asyncio.wait(alarms, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for alarm in alarms:
            alarm.cancel()
        await asyncio.gather(*alarms, return_exceptions=True)
    event.clear()


class Supervisor:
    """Starts named tasks, starts them again when they fail, and stops them all in the end."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._stopping = False

    def start(self, name: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run *work* until it returns or `stop` is called; after a failure, again, at growing intervals."""
        self._tasks[name] = asyncio.create_task(self._keep_running(name, work), name=name)

    async def _keep_running(self, name: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        failures = 0
        while True:
            try:
                await work()
            except Exception as error:  # noqa: BLE001 - a supervised task must not die of anything
                failures += 1
                if self._stopping:  # it failed while putting its things away, which ate the cancellation
                    _log.error("A part of the program failed while it stopped.", error=error, part=name)
                    return
                if isinstance(error, RetryLater):  # nothing of ours failed: where it came about does not matter
                    _log.warning(
                        "A part of the program cannot go on for now and is started again.",
                        part=name,
                        failures=failures,
                        trouble=error.log,
                    )
                else:
                    _log.error(
                        "A part of the program failed and is started again.", error=error, part=name, failures=failures
                    )
                await self._clock.sleep(choose_wait(failures, 1.0))
            else:
                return

    async def stop(self) -> None:
        """Cancel all and wait until each has ended."""
        self._stopping = True
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        self._tasks.clear()
