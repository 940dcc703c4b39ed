"""The audit: added to inside transactions, read page by page. That nothing else can be done to it, the schema holds."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime

import aiosqlite

from bot.domain.audit import Actor, AuditAction, AuditEntry
from bot.domain.phone import Address
from storage.connection import change
from storage.database import Database
from storage.moments import from_micros, to_micros, to_micros_or_none

_RECORD = """
INSERT INTO audit (key, at, actor, action, numbers, subject, detail) VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (key) DO NOTHING"""
#: By the order of recording, which is that of time but for a clock that was set back.
_PAGE = """
SELECT * FROM audit WHERE id > ?1
    AND (?2 IS NULL OR at >= ?2) AND (?3 IS NULL OR at < ?3)
    AND (?4 IS NULL OR actor = ?4) AND (?5 IS NULL OR INSTR(numbers, ?5) > 0)
    AND (?6 = '' OR INSTR(?6, ',' || action || ',') > 0)
ORDER BY id LIMIT ?7"""
_FIRST = "SELECT MIN(id) AS first FROM audit WHERE at >= ?"
#: How many entries are in memory at a time.
_ROWS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """Which entries are wanted; what is None, or empty, does not matter."""

    since: datetime | None = None
    until: datetime | None = None  #: Up to, and not including, this moment.
    actor: Actor | None = None
    number: Address | None = None
    actions: frozenset[AuditAction] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRow:
    """An entry as a person looks at it."""

    id: int
    at: datetime
    actor: Actor
    action: str  #: An `AuditAction`, or one that only another version knows.
    numbers: tuple[Address, ...]
    subject: str | None
    detail: Mapping[str, str]


class AuditRows:
    """`bot.ports.Audit` on SQLite."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection

    async def record(self, entry: AuditEntry) -> bool:
        """Add *entry*; False, and nothing done, if its key is known."""
        added = await change(
            self._connection,
            _RECORD,
            (
                entry.key,
                to_micros(entry.at),
                entry.actor,
                entry.action,
                f",{','.join(entry.numbers)}," if entry.numbers else "",
                entry.subject,
                json.dumps(dict(entry.detail), ensure_ascii=False, sort_keys=True),
            ),
        )
        return bool(added)


async def read_audit(database: Database, wanted: AuditFilter) -> AsyncIterator[AuditRow]:
    """Yield the entries that *wanted* lets through, oldest first, however many: a page at a time is in memory."""
    after = 0
    if wanted.since is not None:
        first = (await database.read(_FIRST, (to_micros(wanted.since),)))[0]["first"]
        if first is None:
            return
        after = int(first) - 1
    while True:
        rows = await database.read(_PAGE, _read_parameters(wanted, after))
        for row in rows:
            yield _read_row(row)
        if len(rows) < _ROWS:
            return
        after = int(rows[-1]["id"])


def _read_parameters(wanted: AuditFilter, after: int) -> tuple[object, ...]:
    return (
        after,
        to_micros_or_none(wanted.since),
        to_micros_or_none(wanted.until),
        wanted.actor,
        None if wanted.number is None else f",{wanted.number},",
        f",{','.join(sorted(wanted.actions))}," if wanted.actions else "",
        _ROWS,
    )


def _read_row(row: sqlite3.Row) -> AuditRow:
    return AuditRow(
        id=row["id"],
        at=from_micros(row["at"]),
        actor=Actor(row["actor"]),
        action=row["action"],
        numbers=tuple(Address(number) for number in row["numbers"].strip(",").split(",") if number),
        subject=row["subject"],
        detail=json.loads(row["detail"]),
    )
