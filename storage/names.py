"""Slack's channels and users, each by a small number that all tables refer to."""

from __future__ import annotations

import aiosqlite

_FIND = "SELECT number FROM names WHERE name = ?"
_ADD = "INSERT INTO names (name) VALUES (?) RETURNING number"


class Names:
    """The numbers of names, for one connection that may write."""

    def __init__(self, connection: aiosqlite.Connection, *, committed: aiosqlite.Connection | None = None) -> None:
        """
        Make it for *connection*; what another one sees that reads what is *committed* is remembered.

        A name once committed keeps its number. What a transaction gives and takes back may be another name's next time:
        so nothing is remembered that was only seen from inside one.
        """
        self._connection = connection
        self._committed = committed
        self._known: dict[str, int] = {}

    async def find_or_add(self, name: str) -> int:
        """Return the number of *name*, given now if it has none, in the caller's transaction."""
        number = self._known.get(name)
        if number is not None:
            return number
        if self._committed is not None:
            for row in await self._committed.execute_fetchall(_FIND, (name,)):
                self._known[name] = int(row[0])
                return int(row[0])
        rows = list(await self._connection.execute_fetchall(_FIND, (name,)))
        if not rows:
            rows = list(await self._connection.execute_fetchall(_ADD, (name,)))
        return int(rows[0][0])
