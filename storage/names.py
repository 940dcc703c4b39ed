"""Slack's channels and users, each by a small number that all tables refer to."""

from __future__ import annotations

import aiosqlite

_FIND = "SELECT number FROM names WHERE name = ?"
_ADD = "INSERT INTO names (name) VALUES (?) RETURNING number"


async def find_or_add_name(connection: aiosqlite.Connection, name: str) -> int:
    """
    Return the number of *name*, given now if it has none, in the caller's transaction.

    Nothing of it is remembered: what a transaction gave and took back may be another name's next time.
    """
    rows = list(await connection.execute_fetchall(_FIND, (name,)))
    if not rows:
        rows = list(await connection.execute_fetchall(_ADD, (name,)))
    return int(rows[0][0])
