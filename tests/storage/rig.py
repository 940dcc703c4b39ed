"""A whole storage floor on one file, for tests: the database, all that stands on it, and a clock that stands still."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.chance import SeededChance
from bot.clock import ManualClock
from bot.workers.worker import Worker
from storage.database import Database, open_database
from storage.inbox import GroupedInbox
from storage.queue import Bell, WorkbenchRows
from storage.store import SqliteStore


class HeardBell(Bell):
    """A bell that remembers for which pools it rang."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: set[str] = set()

    def ring(self, pools: Iterable[str]) -> None:
        rung = set(pools)
        self.heard |= rung
        super().ring(rung)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rig:
    """Everything that stands on one open file."""

    database: Database
    store: SqliteStore
    workbench: WorkbenchRows
    inbox: GroupedInbox
    bell: HeardBell
    clock: ManualClock

    def look(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Return what another process would see in the file."""
        connection = sqlite3.connect(self.database.path)
        try:
            return connection.execute(sql, parameters).fetchall()
        finally:
            connection.close()

    async def tell_writer(self, sql: str) -> list[Any]:
        """Run *sql* on the connection that writes, outside any transaction of its own."""
        return list(await self.database._writer.execute_fetchall(sql))

    @property
    def writer_is_idle(self) -> bool:
        """Whether no transaction is open and nobody holds the lock."""
        return not self.database._writer.in_transaction and not self.database._lock.locked()


def build_rig(database: Database, clock: ManualClock) -> Rig:
    """Put everything on an open *database*."""
    bell = HeardBell()
    return Rig(
        database=database,
        store=SqliteStore(database, bell, clock),
        workbench=WorkbenchRows(database, bell, clock, SeededChance(7)),
        inbox=GroupedInbox(database, bell, clock),
        bell=bell,
        clock=clock,
    )


@asynccontextmanager
async def open_rig(path: Path, clock: ManualClock | None = None) -> AsyncIterator[Rig]:
    """Open the file, made if need be, and close it in the end."""
    database = await open_database(path)
    try:
        # Nothing here waits for another process in real time: who finds the file locked is told so at once.
        for connection in (database._writer, database.reader):
            await connection.execute_fetchall("PRAGMA busy_timeout = 0")
        yield build_rig(database, clock or ManualClock())
    finally:
        await database.close()


@asynccontextmanager
async def running(work: GroupedInbox | Worker) -> AsyncIterator[asyncio.Task[None]]:
    """Keep *work* at it while the block runs."""
    task = asyncio.create_task(work.run())
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@asynccontextmanager
async def locked_by_another(path: Path) -> AsyncIterator[None]:
    """Hold the file's write lock on a connection of one's own, as a backup in another process would."""
    other = sqlite3.connect(path, isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")
    finally:
        other.close()
