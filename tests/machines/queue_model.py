"""What the model of the queue is made of: a job as the table should have it, a row of the table, and a greedy worker."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from bot.domain.job import Job, Pool, Status


@dataclass(slots=True, kw_only=True)
class ModelJob:
    """What the table should say of one job."""

    id: int
    key: str
    pool: Pool
    lane: str | None
    status: Status
    due_at: datetime
    attempts: int = 0
    surprises: int = 0
    started_at: datetime | None = None
    unsettled_at: datetime | None = None
    lease_until: datetime | None = None
    token: str | None = None

    @property
    def as_row(self) -> tuple[object, ...]:
        """The job as `LOOK` reads it."""
        return (
            self.id, self.key, self.pool, self.lane, self.status, self.due_at, self.attempts, self.surprises,
            self.started_at, self.unsettled_at, self.lease_until, self.token,
        )  # fmt: skip


class Row(NamedTuple):
    """What the table says of one job."""

    id: int
    key: str
    pool: str
    lane: str | None
    status: str
    due_at: datetime
    attempts: int
    surprises: int
    started_at: datetime | None
    unsettled_at: datetime | None
    lease_until: datetime | None
    token: str | None


LOOK = """
SELECT id, key, pool, lane, status, due_at, attempts, surprises, started_at, unsettled_at, lease_until, token
FROM jobs WHERE kind != 'noted' ORDER BY id"""


class Greedy:
    """A worker that takes whatever is made for it, and begins nothing."""

    def __init__(self) -> None:
        self.taken: list[Job] = []
        self._numbers = itertools.count(1)
        self._kept = 0

    @property
    def is_at_rest(self) -> bool:
        """Whether no place is kept for a job that was not made, or was given up."""
        return self._kept == 0

    def reserve(self) -> str:
        self._kept += 1
        return f"handed over {next(self._numbers)}"

    def release(self) -> None:
        self._kept -= 1

    def take(self, job: Job) -> None:
        self._kept -= 1
        self.taken.append(job)
