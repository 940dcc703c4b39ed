"""
A connection that runs what is quick where it is asked for, and hands only what may take long to its thread.

A statement that finds its rows by an index takes some ten microseconds; the way to aiosqlite's thread and back takes
sixty, and much more while the loop is busy, for each hand-over waits for the interpreter's lock. So, by its query plan:

- a statement that searches by indices runs at once, on the loop's own thread;
- one that reads a whole table goes to the thread, and so does COMMIT, which waits for the disk, and BEGIN where another
  process holds the file.

SQLite's own mutex keeps two threads from being inside one connection; while the thread has something of it under way,
everything is queued behind that, so that the loop never waits for the mutex.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterable
from contextlib import suppress
from enum import Enum
from pathlib import Path
from typing import Any

import aiosqlite

#: What may run at once: it is about rows, or about savepoints, which are in memory. Anything else is about the file.
_QUICK_WORDS = ("SELECT", "INSERT", "UPDATE", "DELETE", "SAVEPOINT", "RELEASE", "ROLLBACK TO")
#: It waits only where another process holds the file.
BEGIN = "BEGIN IMMEDIATE"
LAST_ROW = "SELECT last_insert_rowid()"
_MOST_KNOWN = 1_000
_CHUNK = 64


class _Speed(Enum):
    """Where a statement may run."""

    QUICK = "quick"  #: Where it is asked for.
    QUICK_INSIDE = "quick_inside"  #: Likewise, within a transaction.
    SLOW = "slow"  #: On the thread.


#: Looked at with every statement; by their class they would cost a search each time.
_QUICK, _QUICK_INSIDE = _Speed.QUICK, _Speed.QUICK_INSIDE


class NearConnection(aiosqlite.Connection):
    """An `aiosqlite.Connection` in autocommit mode whose quick statements need no thread."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            lambda: sqlite3.connect(path, isolation_level=None, check_same_thread=False), iter_chunk_size=_CHUNK
        )
        self._speeds: dict[str, _Speed] = {}
        self._under_way = 0
        self._patience: int | None = None  #: In milliseconds, while the connection has none; None while it has it.

    async def execute_fetchall(  # type: ignore[override] # aiosqlite's may also be entered; nobody here does
        self, sql: str, parameters: Iterable[Any] | None = None
    ) -> list[sqlite3.Row]:
        """Return the rows of *sql*, at once if its plan says that it is quick."""
        values = () if parameters is None else tuple(parameters)
        if self._under_way == 0 and self._connection is not None:
            speed = self._speeds.get(sql) or self._learn(sql, values)
            # Outside a transaction, what writes also commits, and that waits for the disk.
            if speed is _QUICK or (speed is _QUICK_INSIDE and self._connection.in_transaction):
                return self._connection.execute(sql, values).fetchall()
            if sql == BEGIN and self._begin_at_once():
                return []
        if sql == BEGIN:
            await self._execute(self._begin_patiently)
            return []
        return list(await super().execute_fetchall(sql, values))

    def _begin_at_once(self) -> bool:
        """Begin if nobody else holds the file; False if that has to be waited for, or fails."""
        self._lose_patience()
        try:
            self._conn.execute(BEGIN)
        except sqlite3.OperationalError:
            return False
        return True

    def _begin_patiently(self) -> None:
        if self._patience is not None:
            self._conn.execute(f"PRAGMA busy_timeout = {self._patience}")
            self._patience = None
        self._conn.execute(BEGIN)

    def _lose_patience(self) -> None:
        """Have the connection wait for nobody until it must: to have it so for each BEGIN alone takes longer than a BEGIN."""
        if self._patience is None:
            ((self._patience,),) = self._conn.execute("PRAGMA busy_timeout").fetchall()
            self._conn.execute("PRAGMA busy_timeout = 0")

    async def executemany(  # type: ignore[override] # likewise
        self, sql: str, parameters: Iterable[Iterable[Any]]
    ) -> None:
        """Run *sql* with each of *parameters*, at once if its plan says that it is quick."""
        rows = [tuple(values) for values in parameters]
        if rows and self._under_way == 0 and self._connection is not None and self._is_quick(sql, rows[0]):
            self._conn.executemany(sql, rows)
        else:
            await super().executemany(sql, rows)

    async def restart_log(self, statement: str) -> None:
        """Have *statement* move what is left in the log and begin it anew; not done while somebody reads from it."""
        await self._execute(self._try_at_once, statement)

    def _try_at_once(self, statement: str) -> None:
        self._lose_patience()
        with suppress(sqlite3.OperationalError):  # the log then goes on; tried again later
            self._conn.execute(statement).fetchall()

    async def scan(self, sql: str, parameters: Iterable[Any] = ()) -> list[sqlite3.Row]:
        """Return the rows of *sql*, never at once: it counts, or reads many."""
        return list(await super().execute_fetchall(sql, tuple(parameters)))

    async def _execute(self, fn: Any, *args: Any, **kwargs: Any) -> Any:
        if not self._running or self._connection is None:
            return await super()._execute(fn, *args, **kwargs)  # type: ignore[no-untyped-call] # says that it is closed
        loop = asyncio.get_running_loop()

        def run() -> Any:
            try:
                return fn(*args, **kwargs)
            finally:
                # Told by the thread and not by whoever asked: one who is cancelled leaves the statement running, and
                # what takes it back must not overtake it.
                loop.call_soon_threadsafe(self._end_one)

        self._under_way += 1
        return await super()._execute(run)  # type: ignore[no-untyped-call] # aiosqlite's own

    def _end_one(self) -> None:
        self._under_way -= 1

    def _is_quick(self, sql: str, values: tuple[Any, ...]) -> bool:
        speed = self._speeds.get(sql) or self._learn(sql, values)
        return speed is _QUICK or (speed is _QUICK_INSIDE and self._conn.in_transaction)

    def _learn(self, sql: str, values: tuple[Any, ...]) -> _Speed:
        if len(self._speeds) >= _MOST_KNOWN:
            self._speeds.clear()
        speed = self._speeds[sql] = self._read_plan(sql, values)
        return speed

    def _read_plan(self, sql: str, values: tuple[Any, ...]) -> _Speed:
        if not sql.lstrip().startswith(_QUICK_WORDS):
            return _Speed.SLOW
        try:
            plan = self._conn.execute(f"EXPLAIN QUERY PLAN {sql}", values).fetchall()
        except sqlite3.Error:
            return _Speed.SLOW  # what is wrong with it is told when it is run
        if sql == LAST_ROW:
            return _Speed.QUICK  # its plan, too, says SCAN: of one constant row
        if any(step[3].startswith("SCAN") for step in plan):
            return _Speed.SLOW
        return _Speed.QUICK if sql.lstrip().startswith("SELECT") else _Speed.QUICK_INSIDE


async def change(connection: aiosqlite.Connection, sql: str, parameters: Iterable[Any] = ()) -> int:
    """
    Run *sql* and return how many rows it changed.

    `RETURNING` would tell that, too, and which: SQLite makes a table of what it returns, and that takes as long as all else
    that is done to a small row.
    """
    before = connection.total_changes
    await connection.execute_fetchall(sql, parameters)
    return connection.total_changes - before


async def insert(connection: aiosqlite.Connection, sql: str, parameters: Iterable[Any] = ()) -> int | None:
    """Run *sql*, which adds a row at most, and return the number of that row; None where it added none."""
    if not await change(connection, sql, parameters):
        return None
    ((number,),) = await connection.execute_fetchall(LAST_ROW)
    return int(number)
