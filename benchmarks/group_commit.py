"""The floors' store: group commit and nothing else. One thread, one hop and one `COMMIT` for whatever has come."""

from __future__ import annotations

import asyncio
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

_CREATE = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "CREATE TABLE inbox (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, body TEXT NOT NULL) STRICT",
    "CREATE TABLE posted (key TEXT PRIMARY KEY, thread TEXT NOT NULL, ts TEXT NOT NULL) STRICT",
)
INBOX = "INSERT INTO inbox (key, body) VALUES (?, ?) ON CONFLICT (key) DO NOTHING"
POSTED = "INSERT INTO posted (key, thread, ts) VALUES (?, ?, ?)"

#: A statement and its parameters.
Row = tuple[str, tuple[str, ...]]


class Store:
    """A file, and the one thread that writes to it."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        for statement in _CREATE:
            self._connection.execute(statement)
        self._thread = ThreadPoolExecutor(max_workers=1)
        self._lock = asyncio.Lock()
        self._pending: list[tuple[Row, asyncio.Future[None]]] = []
        self._arrived = asyncio.Event()

    async def put(self, row: Row) -> None:
        """Return when *row* is on disk, with whatever else came meanwhile."""
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._pending.append((row, stored))
        self._arrived.set()
        await stored

    async def put_alone(self, row: Row) -> None:
        """Return when *row* is on disk, in a transaction of its own."""
        async with self._lock:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._write, [row])

    async def run(self) -> None:
        """Commit what has come, batch by batch."""
        loop = asyncio.get_running_loop()
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            batch, self._pending = self._pending, []
            await loop.run_in_executor(self._thread, self._write, [row for row, _ in batch])
            for _, stored in batch:
                if not stored.done():
                    stored.set_result(None)

    def _write(self, rows: list[Row]) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        for statement in dict.fromkeys(statement for statement, _ in rows):
            self._connection.executemany(statement, [values for which, values in rows if which == statement])
        self._connection.execute("COMMIT")
