"""Keeping the database in shape: figures of the backlog, old jobs forgotten, the write-ahead log kept short."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from bot.clock import Clock
from storage.database import Database
from storage.facts import FactRows
from storage.moments import to_micros

#: How long a finished job's key is kept. Slack's delayed events come for a day, the carrier's retries for hours; the
#: texts themselves are recognised for ever by their own ids.
KEEP_FINISHED = timedelta(days=30)
_BATCH = 1_000
_CHECKED = "checked_at"
#: How often the moment of a check is written: together more than what a webhook brings, which is most of all we store.
_COPIES = 1_000

_BACKLOG = """
SELECT pool, status, COUNT(*) AS jobs FROM jobs
WHERE status IN ('waiting', 'ready', 'running', 'parked')
GROUP BY pool, status"""
#: A post to a thread is due when it is made. Each attempt that fails has it due anew, and so it would never be overdue.
_OLDEST = """
SELECT MIN(CASE WHEN pool = 'post' AND lane IS NOT NULL AND attempts > 0 THEN created_at ELSE due_at END) AS since
FROM jobs WHERE status = 'ready'"""
_FORGET = (
    "DELETE FROM jobs WHERE id IN (SELECT id FROM jobs WHERE status = 'done' AND finished_at < ? LIMIT ?) RETURNING id"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """What is still to be done."""

    jobs: dict[tuple[str, str], int]  #: By pool and status.
    age: timedelta  #: How long the oldest due job has been due; zero where none is.


class Upkeep:
    """Reads and tidies the whole file."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def check_writing(self) -> None:
        """
        Write something. Raises NotStored when that cannot be done.

        A full disk often has room for a line yet, in the log as it is; so this takes more of it than a webhook does, and
        every page of it is another each time, for SQLite leaves out what stays the same.
        """
        async with self._database.write() as connection:
            await FactRows(connection).set_fact(_CHECKED, " ".join([self._clock.now().isoformat()] * _COPIES))

    async def read_backlog(self) -> Backlog:
        """Return what is still to be done."""
        rows = await self._database.read(_BACKLOG)
        oldest = (await self._database.read(_OLDEST))[0]["since"]
        now = to_micros(self._clock.now())
        age = 0 if oldest is None else max(0, now - oldest)
        return Backlog(
            jobs={(row["pool"], row["status"]): row["jobs"] for row in rows}, age=timedelta(microseconds=age)
        )

    async def forget_finished(self) -> int:
        """Delete the finished jobs that no repetition can ask for any more; return how many."""
        before = to_micros(self._clock.now() - KEEP_FINISHED)
        forgotten = 0
        while True:
            async with self._database.write() as connection:
                rows = list(await connection.execute_fetchall(_FORGET, (before, _BATCH)))
            forgotten += len(rows)
            if len(rows) < _BATCH:
                return forgotten
