"""
The real store without its threads: the same SQL on the same file, run where it is called.

aiosqlite gives each connection a thread. Thousands of short lives of a process would spend their time on hand-overs, and
would not repeat themselves exactly, which counting crossings needs. `PRAGMA synchronous` is OFF here: these tests kill a
process, not the machine, and what was written to a file survives that.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, cast

import aiosqlite

from storage.database import Database
from storage.migrate import migrate
from storage.store import SqliteStore, StoreTransaction
from tests.doubles.border import Border, Side, prepared_at

_transaction_name: ContextVar[str] = ContextVar("transaction_name", default="queue")


class DirectConnection:
    """As much of `aiosqlite.Connection` as storage uses."""

    def __init__(self, path: Path, border: Border) -> None:
        self._border = border
        self._changes_before = 0
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.row_factory = sqlite3.Row

    @property
    def total_changes(self) -> int:
        return self._connection.total_changes

    async def execute_fetchall(self, sql: str, parameters: Iterable[Any] = ()) -> list[sqlite3.Row]:
        return self._connection.execute(sql, tuple(parameters)).fetchall()

    async def executemany(self, sql: str, parameters: Iterable[Iterable[Any]]) -> None:
        self._connection.executemany(sql, [tuple(each) for each in parameters])

    async def commit(self) -> None:
        self._connection.commit()
        if self._connection.total_changes != self._changes_before:
            self._changes_before = self._connection.total_changes
            self._border.effects += 1

    async def close(self) -> None:
        self._connection.close()


class DirectExecutor(ThreadPoolExecutor):
    """Does at once, where it is asked, what `asyncio.to_thread` would have done on a thread."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Do it; what it raises is its result."""
        done: Future[Any] = Future()
        try:
            done.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - whoever awaits it gets it
            done.set_exception(error)
        return done


class BorderDatabase(Database):
    """A database whose commits pass the border."""

    def __init__(self, path: Path, border: Border) -> None:
        writer, reader = (cast("aiosqlite.Connection", DirectConnection(path, border)) for _ in range(2))
        super().__init__(path, writer, reader)
        self._border = border

    @asynccontextmanager
    async def write(
        self, *, is_urgent: bool = False, then: Callable[[], None] | None = None
    ) -> AsyncIterator[aiosqlite.Connection]:
        """Open a write transaction. One that changed nothing crosses nothing: it makes no difference whether it was."""
        name = f"commit {_transaction_name.get()}"
        async with super().write(is_urgent=is_urgent, then=then) as connection:
            changes = connection.total_changes
            yield connection
            changed = connection.total_changes != changes
            if changed:
                self._border.cross(name, Side.BEFORE)
        if name == "commit prepare send":
            prepared_at.set(next(self._border.sequence))
        if changed:
            self._border.cross(name, Side.AFTER)


class BorderStore(SqliteStore):
    """A store whose transactions tell the border their names."""

    @asynccontextmanager
    async def transaction(self, name: str) -> AsyncIterator[StoreTransaction]:
        token = _transaction_name.set(name)
        try:
            async with super().transaction(name) as transaction:
                yield transaction
        finally:
            _transaction_name.reset(token)


def make_empty_file(path: Path) -> None:
    """Make a database file of the newest schema, to be copied."""
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("PRAGMA synchronous = OFF")
        migrate(connection)
        connection.execute("PRAGMA journal_mode = WAL")
    finally:
        connection.close()


def copy_file(template: Path, path: Path) -> None:
    """Make *path* a copy of *template* if it is not there yet."""
    if not path.exists():
        shutil.copyfile(template, path)


async def open_database(path: Path, border: Border) -> BorderDatabase:
    """Open the file at *path*."""
    database = BorderDatabase(path, border)
    for pragma in ("PRAGMA synchronous = OFF", "PRAGMA foreign_keys = ON", "PRAGMA wal_autocheckpoint = 0"):
        await database._writer.execute_fetchall(pragma)
    await database.reader.execute_fetchall("PRAGMA query_only = ON")
    return database
