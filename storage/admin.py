"""
What the commands for the shell do with the database file, beside a bridge that may be running on it.

They never bring a file up to date: that is the bridge's to do, and under a running one of an older version it would be
a fault. Opening a file that is not there, or is another version's, raises Broken with what to do.
"""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import aiosqlite

from bot.domain.ids import JobId
from bot.domain.job import Pool, Status
from bot.errors import Broken
from storage.database import BUSY_MILLISECONDS, Database
from storage.migrate import SCHEMA
from storage.moments import from_micros, from_micros_or_none, to_micros
from storage.place import check_place, check_version

_PRAGMAS = (
    f"PRAGMA busy_timeout = {BUSY_MILLISECONDS}",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
)
_UNFINISHED = (Status.PARKED, Status.READY, Status.RUNNING, Status.WAITING)
#: Parked first, then what should have been done by now, longest due first; then the rest as it falls due.
_LIST = """
SELECT * FROM jobs WHERE kind <> 'noted' AND pool IN ({pools}) AND status IN ({statuses})
ORDER BY status <> 'parked', NOT (status = 'ready' AND due_at <= ?), due_at, id LIMIT ?"""
_COUNT = "SELECT COUNT(*) AS jobs FROM jobs WHERE kind <> 'noted' AND pool IN ({pools}) AND status IN ({statuses})"
_FIND = "SELECT * FROM jobs WHERE id = ?"
_PARKED = "SELECT id FROM jobs WHERE status = 'parked' ORDER BY id"


@asynccontextmanager
async def open_existing(path: Path) -> AsyncIterator[Database]:
    """Open the database at *path* as it is. Raises Broken when there is none of this program's version."""
    _require_current(path)
    async with AsyncExitStack() as stack:
        writer, reader = [await _connect(stack, path) for _ in range(2)]
        yield Database(path, writer, reader)


def _require_current(path: Path) -> None:
    if not path.exists():
        raise Broken(f"There is no database at {path}. Set DATABASE_URL, or start the bridge once: python -m bot")
    problem = check_place(path)
    if problem is not None:
        raise Broken(f"The database cannot be used: {problem}")
    version = check_version(path)
    if version is None or version[0] < SCHEMA:
        raise Broken(
            f"The database {path} is not up to date. Start the bridge once, which brings it up to date: python -m bot"
        )
    if version[1] > SCHEMA:
        raise Broken(f"The database {path} was made by a newer Textbridge; use that one.")


async def _connect(stack: AsyncExitStack, path: Path) -> aiosqlite.Connection:
    connection = await stack.enter_async_context(aiosqlite.connect(path, isolation_level=None))
    connection.row_factory = sqlite3.Row
    for pragma in _PRAGMAS:
        await connection.execute_fetchall(pragma)
    return connection


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRow:
    """A job as a person looks at it, claimed or not."""

    id: JobId
    kind: str  #: A `Kind`, or one that only another version knows.
    pool: str
    key: str
    lane: str | None
    status: Status
    body: str  #: May hold texts and numbers.
    attempts: int
    surprises: int
    due_at: datetime
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    lease_until: datetime | None
    unsettled: bool
    trouble: str | None


async def list_jobs(
    database: Database, now: datetime, *, pools: Sequence[Pool] = (), statuses: Sequence[Status] = (), limit: int
) -> tuple[int, Sequence[JobRow]]:
    """Return how many jobs there are in *pools* (none: all) and *statuses* (none: all unfinished), and the first."""
    chosen: tuple[str, ...] = (*(pools or tuple(Pool)), *(statuses or _UNFINISHED))
    marks = {
        "pools": ", ".join("?" for _ in pools or tuple(Pool)),
        "statuses": ", ".join("?" for _ in statuses or _UNFINISHED),
    }
    count = await database.read(_COUNT.format(**marks), chosen)
    rows = await database.read(_LIST.format(**marks), (*chosen, to_micros(now), limit))
    return int(count[0]["jobs"]), [_read_row(row) for row in rows]


async def find_job(database: Database, job_id: JobId) -> JobRow | None:
    """Return the job with this number."""
    rows = await database.read(_FIND, (job_id,))
    return _read_row(rows[0]) if rows else None


async def list_parked(database: Database) -> Sequence[JobId]:
    """Return the numbers of all parked jobs, oldest first."""
    return [JobId(row["id"]) for row in await database.read(_PARKED)]


def _read_row(row: sqlite3.Row) -> JobRow:
    return JobRow(
        id=JobId(row["id"]),
        kind=row["kind"],
        pool=row["pool"],
        key=row["key"],
        lane=row["lane"],
        status=Status(row["status"]),
        body=row["body"],
        attempts=row["attempts"],
        surprises=row["surprises"],
        due_at=from_micros(row["due_at"]),
        created_at=from_micros(row["created_at"]),
        started_at=from_micros_or_none(row["started_at"]),
        finished_at=from_micros_or_none(row["finished_at"]),
        lease_until=from_micros_or_none(row["lease_until"]),
        unsettled=row["unsettled_at"] is not None,
        trouble=row["trouble"],
    )
