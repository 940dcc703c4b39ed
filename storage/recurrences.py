"""Texts that repeat."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime

import aiosqlite

from bot.domain.ids import ConversationId, RecurrenceId, UserId
from bot.domain.recurrence import Recurrence, Rule
from storage.connection import change
from storage.moments import from_micros, to_micros
from storage.packing import pack_id, unpack_id

_NUMBER = "(SELECT number FROM packed_conversations WHERE id = ?)"
_ADD = f"""
INSERT INTO recurrences (id, conversation, active, rrule, began_on, zone, text, author, created_at, unless_reply,
    number, occurs_on, revision)
VALUES (?, {_NUMBER}, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING"""  # noqa: S608 - constants
_SELECT = (
    "SELECT r.*, c.id AS conversation_id FROM recurrences r JOIN packed_conversations c ON c.number = r.conversation"
)
_FIND = f"{_SELECT} WHERE r.id = ?"
_UPDATE = """
UPDATE recurrences SET active = ?, rrule = ?, began_on = ?, zone = ?, text = ?, unless_reply = ?, number = ?,
    occurs_on = ?, revision = ?
WHERE id = ?"""
_ACTIVE = f"{_SELECT} WHERE r.active = 1 ORDER BY r.created_at, r.id"
_ACTIVE_IN = f"{_SELECT} WHERE r.active = 1 AND r.conversation = {_NUMBER} ORDER BY r.created_at, r.id"
#: All of a conversation, for `read_recurrence`.
ALL_IN = f"{_SELECT} WHERE c.id = ? ORDER BY r.created_at, r.id"


class RecurrenceRows:
    """`bot.ports.Recurrences` on SQLite."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection

    async def add(self, recurrence: Recurrence) -> bool:
        """Store *recurrence*; False if its id is taken."""
        added = await change(
            self._connection,
            _ADD,
            (
                recurrence.id,
                pack_id(recurrence.conversation_id),
                recurrence.active,
                recurrence.rule.rrule,
                recurrence.rule.began_on.isoformat(),
                recurrence.zone,
                recurrence.text,
                recurrence.author,
                to_micros(recurrence.created_at),
                recurrence.unless_reply,
                recurrence.number,
                None if recurrence.occurs_on is None else recurrence.occurs_on.isoformat(),
                recurrence.revision,
            ),
        )
        return bool(added)

    async def find(self, recurrence_id: RecurrenceId) -> Recurrence | None:
        """Return the text that repeats."""
        rows = list(await self._connection.execute_fetchall(_FIND, (recurrence_id,)))
        return read_recurrence(rows[0]) if rows else None

    async def save(self, recurrence: Recurrence) -> None:
        """Store what has changed of *recurrence*: whether, when and what it sends, and how far it got."""
        await self._connection.execute_fetchall(
            _UPDATE,
            (
                recurrence.active,
                recurrence.rule.rrule,
                recurrence.rule.began_on.isoformat(),
                recurrence.zone,
                recurrence.text,
                recurrence.unless_reply,
                recurrence.number,
                None if recurrence.occurs_on is None else recurrence.occurs_on.isoformat(),
                recurrence.revision,
                recurrence.id,
            ),
        )

    async def list_active(self, conversation_id: ConversationId | None = None) -> Sequence[Recurrence]:
        """Return what still repeats: in one conversation, or everywhere."""
        query = (_ACTIVE, ()) if conversation_id is None else (_ACTIVE_IN, (pack_id(conversation_id),))
        return [read_recurrence(row) for row in await self._connection.execute_fetchall(*query)]


def read_recurrence(row: sqlite3.Row) -> Recurrence:
    """Return the text that repeats of a whole row, with its conversation's id."""
    return Recurrence(
        id=RecurrenceId(row["id"]),
        conversation_id=ConversationId(unpack_id(row["conversation_id"])),
        active=bool(row["active"]),
        rule=Rule(rrule=row["rrule"], began_on=datetime.fromisoformat(row["began_on"])),
        zone=row["zone"],
        text=row["text"],
        author=UserId(row["author"]),
        created_at=from_micros(row["created_at"]),
        unless_reply=bool(row["unless_reply"]),
        number=row["number"],
        occurs_on=None if row["occurs_on"] is None else datetime.fromisoformat(row["occurs_on"]),
        revision=row["revision"],
    )
