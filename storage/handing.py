"""
Jobs that are begun where they are made.

Most jobs are due at once, and a worker waits for them. Then the INSERT claims the job, and when it is on disk the worker is
given it as it is: nothing is searched for, and no row is moved from one index to another. A crash in between leaves what
any crash leaves, a claim that nobody holds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.domain.job import Job, Pool

if TYPE_CHECKING:  # the ports bring half of what we know with them, for which no answer waits
    from bot.ports import Taker


class Takers:
    """Who takes new jobs, by pool."""

    def __init__(self) -> None:
        self._takers: dict[Pool, Taker] = {}

    def set_taker(self, pool: Pool, taker: Taker | None) -> None:
        """Have new jobs of *pool* offered to *taker*; None: to nobody."""
        if taker is None:
            self._takers.pop(pool, None)
        else:
            self._takers[pool] = taker

    def find_taker(self, pool: Pool) -> Taker | None:
        """Return who takes new jobs of *pool*."""
        return self._takers.get(pool)


class Handover:
    """What one transaction hands on. Either `pass_on` or `give_up` ends it; whatever comes second does nothing."""

    def __init__(self) -> None:
        self._made: list[tuple[Taker, Job]] = []

    def add(self, taker: Taker, job: Job) -> None:
        """Hand *job*, which this transaction claims in a place kept by *taker*, to it after the commit."""
        self._made.append((taker, job))

    def pass_on(self) -> None:
        """Give each job to who takes it: they are on disk."""
        made, self._made = self._made, []
        for taker, job in made:
            taker.take(job)

    def give_up(self) -> None:
        """Give the places back: nothing is on disk."""
        made, self._made = self._made, []
        for taker, _ in made:
            taker.release()
