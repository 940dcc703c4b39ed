"""
The database file: one connection that writes, one that reads, and the one discipline that both obey.

- One lock around every write, `BEGIN IMMEDIATE` always: a deferred transaction that reads and then writes fails at once
  with SQLITE_BUSY_SNAPSHOT, whatever the time-out.
- `BEGIN` stands inside the `try`. What goes to the connection's thread runs there in the order it was asked for, so the
  rollback of a cancelled transaction comes after whatever of it still runs. See `storage.connection` for what does not.
- Commit and rollback are run to their end even when the task is cancelled, and the lock is held until then. A cancelled
  task may therefore have committed: callers must not take CancelledError for "nothing happened".
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import aiosqlite

from bot.errors import NotStored
from storage.connection import NearConnection
from storage.migrate import migrate
from storage.rush import Rush

T = TypeVar("T")

#: How long SQLite itself waits for another process (a backup, the `queue` command) that holds the file.
BUSY_MILLISECONDS = 1_000

_WRITER = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    f"PRAGMA busy_timeout = {BUSY_MILLISECONDS}",
    "PRAGMA temp_store = MEMORY",
)
_READER = (
    "PRAGMA query_only = ON",
    f"PRAGMA busy_timeout = {BUSY_MILLISECONDS}",
)


async def run_to_end(work: Coroutine[Any, Any, T]) -> T:
    """Await *work* to its end even if this task is cancelled meanwhile; the cancellation is raised afterwards."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError as error:
            if task.cancelled():
                raise
            cancelled = error
        except Exception:  # noqa: BLE001 - raised again by result() below
            break
    if cancelled is not None:
        raise cancelled
    return task.result()


class Database:
    """An open database file. Make it with `open_database`."""

    def __init__(self, path: Path, writer: aiosqlite.Connection, reader: aiosqlite.Connection) -> None:
        self.path = path
        self.reader = reader
        self.rush = Rush()
        self._writer = writer
        self._lock = asyncio.Lock()

    @asynccontextmanager
    async def write(self) -> AsyncIterator[aiosqlite.Connection]:
        """
        Open a write transaction: committed and on disk when the block ends, rolled back on any exception.

        Raises NotStored when SQLite cannot: locked, full, read-only, failing.
        """
        async with self._lock:
            try:
                await self._writer.execute_fetchall("BEGIN IMMEDIATE")
                yield self._writer
                await run_to_end(self._writer.commit())
            except BaseException as error:
                await run_to_end(self._roll_back())
                if isinstance(error, sqlite3.OperationalError):
                    raise _explain(error) from error
                raise

    async def _roll_back(self) -> None:
        try:
            await self._writer.execute_fetchall("ROLLBACK")
        except sqlite3.OperationalError as error:
            # Nothing was begun, or SQLite has already rolled back by itself (disk full): both are what was wanted.
            if "no transaction is active" not in str(error):
                raise

    async def read(self, sql: str, parameters: tuple[Any, ...] = ()) -> list[sqlite3.Row]:
        """Return the rows of a query on what is committed."""
        async with self.reading() as connection:
            if isinstance(connection, NearConnection):
                return await connection.scan(sql, parameters)
            return list(await connection.execute_fetchall(sql, parameters))

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[aiosqlite.Connection]:
        """Lend the connection that reads, for queries on what is committed. Raises NotStored when SQLite cannot."""
        try:
            yield self.reader
        except sqlite3.OperationalError as error:
            raise _explain(error) from error

    async def close(self) -> None:
        """Close both connections; an open one would keep its thread, and with it the process, alive."""
        await run_to_end(_close(self.reader, self._writer))


def _explain(error: sqlite3.OperationalError) -> NotStored:
    return NotStored(
        f"the database refuses: {error}", person="Textbridge cannot write to its database just now. Nothing was sent."
    )


async def open_database(path: Path) -> Database:
    """
    Open the database at *path*, made and migrated if need be.

    Raises Broken when a newer program owns the file, OSError or sqlite3.Error when it cannot be opened.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    await asyncio.to_thread(_migrate_file, path)
    writer = await NearConnection(path)
    reader: aiosqlite.Connection | None = None
    try:
        writer.row_factory = sqlite3.Row
        for pragma in _WRITER:
            await writer.execute_fetchall(pragma)
        reader = await NearConnection(path)
        reader.row_factory = sqlite3.Row
        for pragma in _READER:
            await reader.execute_fetchall(pragma)
    except BaseException:
        await run_to_end(_close(*(connection for connection in (reader, writer) if connection is not None)))
        raise
    return Database(path, writer, reader)


async def _close(*connections: aiosqlite.Connection) -> None:
    """Close each, whatever becomes of the others: one piece of work, so that a cancellation cannot come between."""
    async with AsyncExitStack() as stack:
        for connection in connections:
            stack.push_async_callback(connection.close)


def _migrate_file(path: Path) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        for pragma in _WRITER:
            connection.execute(pragma)
        migrate(connection)
    finally:
        connection.close()
