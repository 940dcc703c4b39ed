"""
Memory after a burst: the pages that it took and nothing stands on any more go back to the system.

Hundreds of posts under way hold some megabytes, and what is freed of that the C library keeps for the next time. With
`malloc_trim` (glibc's; where there is none, nothing is done) it gives back every page that is free, in a few milliseconds
and on a thread: not while there is much to do, and not for a handful of jobs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from bot.observe import Metrics

#: So many jobs are a burst, or as good as one.
_MANY = 1_000
#: So few between two looks are none.
_FEW = 20
#: At which quiet look, counted from the last that was not, it is given back: at once, and when connections are closed.
_LOOKS = (1, 30)


def trim_memory() -> None:
    """Give the system every page back that the C library's allocator keeps, and uses for nothing."""
    import ctypes  # noqa: PLC0415 - a start is mostly imports, and this is for later

    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


class Memory:
    """Looks how much is being done. Give it a look every second or so."""

    def __init__(self, metrics: Metrics, *, trim: Callable[[], None] = trim_memory) -> None:
        self._metrics = metrics
        self._trim = trim
        self._done = 0.0  #: Jobs, at the last look.
        self._begun = 0.0  #: The same when it was last given back, or owed: what came since may be another burst.
        self._quiet = 0  #: How many looks in a row were quiet.
        self._owed: tuple[int, ...] = ()  #: Those of _LOOKS at which it is still to be given back.

    async def give_back(self) -> None:
        """Look, and give memory back if much was done and hardly anything is being done now."""
        done = sum(jobs.value for _, jobs in self._metrics.jobs.list_figures())
        self._quiet = self._quiet + 1 if done - self._done <= _FEW else 0
        self._done = done
        if done - self._begun >= _MANY:
            self._begun, self._owed = done, _LOOKS
        if self._owed and self._quiet == self._owed[0]:
            self._begun, self._owed = done, self._owed[1:]
            await asyncio.to_thread(self._trim)
