"""Small facts that outlive a restart, by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import aiosqlite

_FIND = "SELECT value FROM facts WHERE name = ?"
_FIND_SOME = "SELECT name, value FROM facts WHERE name IN (%s)"
_SET = "INSERT INTO facts (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"


class FactRows:
    """`bot.ports.Facts` on SQLite."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection

    async def find_fact(self, name: str) -> str | None:
        """Return the fact."""
        rows = list(await self._connection.execute_fetchall(_FIND, (name,)))
        return str(rows[0]["value"]) if rows else None

    async def find_facts(self, names: Sequence[str]) -> Mapping[str, str]:
        """Return those of the facts that are there, by name."""
        statement = _FIND_SOME % ", ".join("?" * len(names))
        rows = await self._connection.execute_fetchall(statement, tuple(names))
        return {str(row["name"]): str(row["value"]) for row in rows}

    async def set_fact(self, name: str, value: str) -> None:
        """Set or replace the fact."""
        await self._connection.execute_fetchall(_SET, (name, value))
