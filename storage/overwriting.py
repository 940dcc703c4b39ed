"""Throwing words away so that they are gone from the file, and not only from its tables."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiosqlite

from storage.database import Database


@asynccontextmanager
async def overwriting(connection: aiosqlite.Connection) -> AsyncIterator[None]:
    """Have SQLite write zeros over whatever is removed meanwhile."""
    await connection.execute_fetchall("PRAGMA secure_delete = ON")
    try:
        yield
    finally:
        await connection.execute_fetchall("PRAGMA secure_delete = OFF")


async def throw_away(database: Database, sql: str, *parameters: float) -> int:
    """Run *sql*, which returns each row that it changed, and return how many; what stood in them is written over."""
    async with database.write() as connection, overwriting(connection):
        return len(list(await connection.execute_fetchall(sql, parameters)))
