"""Texts for later."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import aiosqlite

from bot.domain.ids import ConversationId, MessageId, RecurrenceId, ScheduleId
from bot.domain.schedule import Schedule, ScheduleState
from storage.connection import change
from storage.moments import to_micros
from storage.packing import pack_id
from storage.rows import SELECT_SCHEDULE, read_schedule

_NUMBER = "(SELECT number FROM packed_messages WHERE id = ?)"
_ADD = f"""
INSERT INTO schedules (id, message, state, due_at, zone, author, created_at, unless_reply, recurrence_id)
VALUES (?, {_NUMBER}, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING"""  # noqa: S608 - constants
_FIND = f"{SELECT_SCHEDULE} WHERE s.id = ?"
_FIND_BY_MESSAGE = f"{SELECT_SCHEDULE} WHERE m.id = ?"
_SET_STATE = "UPDATE schedules SET state = ? WHERE id = ?"
_PENDING = f"{SELECT_SCHEDULE} WHERE s.state IN ('waiting', 'at_carrier', 'taking_back') ORDER BY s.due_at, s.id"
#: The + has it begin with what waits for a reply, and not with every message of the conversation.
_UNLESS_REPLY = f"""
{SELECT_SCHEDULE} WHERE s.state IN ('waiting', 'at_carrier', 'taking_back') AND s.unless_reply = 1
AND +m.conversation = (SELECT number FROM packed_conversations WHERE id = ?)
ORDER BY s.due_at, s.id"""  # noqa: S608 - constants
#: Asked for each text that comes in, and nearly always: no.
_IS_ANY_UNLESS_REPLY = """
SELECT EXISTS (SELECT 1 FROM recurrences r WHERE r.conversation = c.number AND r.active = 1 AND r.unless_reply = 1)
    OR EXISTS (SELECT 1 FROM schedules s JOIN packed_messages m ON m.number = s.message
        WHERE s.state IN ('waiting', 'at_carrier', 'taking_back') AND s.unless_reply = 1 AND +m.conversation = c.number)
FROM packed_conversations c WHERE c.id = ?"""
_OF_RECURRENCE = f"{SELECT_SCHEDULE} WHERE s.recurrence_id = ? AND s.state <> 'cancelled' ORDER BY s.due_at, s.id"
_REFERRING = {"message_id": "message", "next_message_id": "next_message"}

#: What of a schedule may change, and so may stand in an UPDATE.
_CHANGEABLE = frozenset({"message_id", "state", "due_at", "unless_reply", "next_message_id"})


class ScheduleRows:
    """`bot.ports.Schedules` on SQLite."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection

    async def add(self, schedule: Schedule) -> bool:
        """Store *schedule*; False if its id is taken."""
        added = await change(
            self._connection,
            _ADD,
            (
                schedule.id,
                pack_id(schedule.message_id),
                schedule.state,
                to_micros(schedule.due_at),
                schedule.zone,
                schedule.author,
                to_micros(schedule.created_at),
                schedule.unless_reply,
                schedule.recurrence_id,
            ),
        )
        return bool(added)

    async def find(self, schedule_id: ScheduleId) -> Schedule | None:
        """Return the schedule."""
        rows = list(await self._connection.execute_fetchall(_FIND, (schedule_id,)))
        return read_schedule(rows[0]) if rows else None

    async def find_by_message(self, message_id: MessageId) -> Schedule | None:
        """Return the schedule of a message, if it is a scheduled one."""
        rows = list(await self._connection.execute_fetchall(_FIND_BY_MESSAGE, (pack_id(message_id),)))
        return read_schedule(rows[0]) if rows else None

    async def set_state(self, schedule_id: ScheduleId, state: ScheduleState) -> None:
        """Set how far it got."""
        await self._connection.execute_fetchall(_SET_STATE, (state, schedule_id))

    async def list_pending(self) -> Sequence[Schedule]:
        """Return all that have not gone out, soonest first."""
        return [read_schedule(row) for row in await self._connection.execute_fetchall(_PENDING)]

    async def update(self, schedule_id: ScheduleId, **changes: object) -> None:
        """Set fields of the schedule by their names; who made it stays."""
        unknown = changes.keys() - _CHANGEABLE
        if unknown:
            msg = f"these fields of a schedule never change: {', '.join(sorted(unknown))}"
            raise ValueError(msg)
        # Names checked above, values bound.
        settings = ", ".join(
            f"{_REFERRING[name]} = {_NUMBER}" if name in _REFERRING else f"{name} = ?" for name in changes
        )
        await self._connection.execute_fetchall(
            f"UPDATE schedules SET {settings} WHERE id = ?",  # noqa: S608 - constants
            (*(_to_column(name, value) for name, value in changes.items()), schedule_id),
        )

    async def list_unless_reply(self, conversation_id: ConversationId) -> Sequence[Schedule]:
        """Return what has not gone out to the conversation and is taken back when they write."""
        rows = await self._connection.execute_fetchall(_UNLESS_REPLY, (pack_id(conversation_id),))
        return [read_schedule(row) for row in rows]

    async def is_any_unless_reply(self, conversation_id: ConversationId) -> bool:
        """Tell whether anything to the conversation, waiting or repeating, is taken back when they write."""
        rows = await self._connection.execute_fetchall(_IS_ANY_UNLESS_REPLY, (pack_id(conversation_id),))
        return any(row[0] for row in rows)

    async def list_occurrences(self, recurrence_id: RecurrenceId) -> Sequence[Schedule]:
        """Return the times of a text that repeats that were not taken back, the earliest first."""
        return [read_schedule(row) for row in await self._connection.execute_fetchall(_OF_RECURRENCE, (recurrence_id,))]


def _to_column(name: str, value: object) -> object:
    if name in _REFERRING:
        return None if value is None else pack_id(str(value))
    return to_micros(value) if isinstance(value, datetime) else value
