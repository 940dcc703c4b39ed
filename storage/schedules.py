"""Texts for later."""

from __future__ import annotations

from collections.abc import Sequence

import aiosqlite

from bot.domain.ids import MessageId, ScheduleId
from bot.domain.schedule import Schedule, ScheduleState
from storage.rows import read_schedule, to_micros

_ADD = """
INSERT INTO schedules (id, message_id, state, due_at, zone, author, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO NOTHING RETURNING id"""
_FIND = "SELECT * FROM schedules WHERE id = ?"
_FIND_BY_MESSAGE = "SELECT * FROM schedules WHERE message_id = ?"
_SET_STATE = "UPDATE schedules SET state = ? WHERE id = ?"
_PENDING = "SELECT * FROM schedules WHERE state IN ('waiting', 'at_carrier', 'taking_back') ORDER BY due_at, id"


class ScheduleRows:
    """`bot.ports.Schedules` on SQLite."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection

    async def add(self, schedule: Schedule) -> bool:
        """Store *schedule*; False if its id is taken."""
        rows = await self._connection.execute_fetchall(
            _ADD,
            (
                schedule.id,
                schedule.message_id,
                schedule.state,
                to_micros(schedule.due_at),
                schedule.zone,
                schedule.author,
                to_micros(schedule.created_at),
            ),
        )
        return bool(list(rows))

    async def find(self, schedule_id: ScheduleId) -> Schedule | None:
        """Return the schedule."""
        rows = list(await self._connection.execute_fetchall(_FIND, (schedule_id,)))
        return read_schedule(rows[0]) if rows else None

    async def find_by_message(self, message_id: MessageId) -> Schedule | None:
        """Return the schedule of a message, if it is a scheduled one."""
        rows = list(await self._connection.execute_fetchall(_FIND_BY_MESSAGE, (message_id,)))
        return read_schedule(rows[0]) if rows else None

    async def set_state(self, schedule_id: ScheduleId, state: ScheduleState) -> None:
        """Set how far it got."""
        await self._connection.execute_fetchall(_SET_STATE, (state, schedule_id))

    async def list_pending(self) -> Sequence[Schedule]:
        """Return all that have not gone out, soonest first."""
        return [read_schedule(row) for row in await self._connection.execute_fetchall(_PENDING)]
