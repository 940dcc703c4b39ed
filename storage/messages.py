"""The texts of all conversations."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

import aiosqlite

from bot.domain.delivery import FINAL
from bot.domain.ids import CarrierMessageId, ChannelId, ConversationId, MessageId, SlackTs
from bot.domain.message import Message, State
from bot.domain.phone import Address
from storage.moments import to_micros, to_micros_or_none
from storage.rows import read_message

_ADD = """
INSERT INTO messages (id, conversation_id, direction, origin, state, text, author, sender, channel_id, slack_ts,
    carrier_id, created_at, due_at, mark_shown, mark_tried)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING id"""
_GET = "SELECT * FROM messages WHERE id = ?"
_BY_CARRIER_ID = "SELECT * FROM messages WHERE carrier_id = ?"
#: Each half by its own index: several of a customer's texts may stand in one message, of ours each in its own.
_IN_SLACK = """
SELECT * FROM messages WHERE channel_id = ?1 AND slack_ts = ?2 AND direction = 'outbound' UNION ALL
SELECT * FROM messages WHERE channel_id = ?1 AND slack_ts = ?2 AND direction = 'inbound' LIMIT 1"""
_RECENT = "SELECT * FROM messages WHERE conversation_id = ? ORDER BY created_at DESC, rowid DESC LIMIT ?"
_SILENT = """
SELECT * FROM messages m
WHERE direction = 'outbound' AND state = 'accepted' AND carrier_id IS NOT NULL
AND MAX(created_at, COALESCE(due_at, created_at)) BETWEEN ? AND ?
AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.message_id = m.id AND d.status IN ({final}))
ORDER BY created_at LIMIT 1000"""
_OUTBOUND_TO = """
SELECT m.* FROM messages m JOIN conversations c ON c.id = m.conversation_id
WHERE m.direction = 'outbound' AND m.state IN ({states}) AND INSTR(',' || c.theirs || ',', ',' || ? || ',') > 0
ORDER BY m.created_at"""

#: What of a message may change, and so may stand in an UPDATE.
_CHANGEABLE = frozenset(
    {
        "state",
        "text",
        "channel_id",
        "slack_ts",
        "carrier_id",
        "created_at",
        "due_at",
        "mark_shown",
        "mark_tried",
        "turn",
    }
)


class MessageRows:
    """`bot.ports.Messages` on SQLite."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection

    async def add(self, message: Message) -> bool:
        """Store *message*; False, and nothing changed, if one with its carrier id or its place in Slack is known."""
        rows = await self._connection.execute_fetchall(
            _ADD,
            (
                message.id,
                message.conversation_id,
                message.direction,
                message.origin,
                message.state,
                message.text,
                message.author,
                message.sender,
                message.channel_id,
                message.slack_ts,
                message.carrier_id,
                to_micros(message.created_at),
                to_micros_or_none(message.due_at),
                message.mark_shown,
                message.mark_tried,
            ),
        )
        return bool(list(rows))

    async def get(self, message_id: MessageId) -> Message:
        """Return the message; KeyError if there is none."""
        rows = list(await self._connection.execute_fetchall(_GET, (message_id,)))
        if not rows:
            raise KeyError(message_id)
        return read_message(rows[0])

    async def find_by_carrier_id(self, carrier_id: CarrierMessageId) -> Message | None:
        """Return the message that the carrier calls so."""
        rows = list(await self._connection.execute_fetchall(_BY_CARRIER_ID, (carrier_id,)))
        return read_message(rows[0]) if rows else None

    async def find_in_slack(self, channel_id: ChannelId, slack_ts: SlackTs) -> Message | None:
        """Return the message that stands there."""
        rows = list(await self._connection.execute_fetchall(_IN_SLACK, (channel_id, slack_ts)))
        return read_message(rows[0]) if rows else None

    async def update(self, message_id: MessageId, **changes: object) -> None:
        """Set fields of the message by their names; the identity and the direction stay."""
        unknown = changes.keys() - _CHANGEABLE
        if unknown:
            msg = f"these fields of a message never change: {', '.join(sorted(unknown))}"
            raise ValueError(msg)
        if not changes:
            return
        settings = ", ".join(f"{name} = ?" for name in changes)  # names checked above, values bound
        await self._connection.execute_fetchall(
            f"UPDATE messages SET {settings} WHERE id = ?",  # noqa: S608
            (*(_to_column(value) for value in changes.values()), message_id),
        )

    async def find_recent(self, conversation_id: ConversationId, limit: int) -> Sequence[Message]:
        """Return the conversation's newest *limit* messages, newest first."""
        return [read_message(row) for row in await self._connection.execute_fetchall(_RECENT, (conversation_id, limit))]

    async def find_silent(self, *, since: datetime, until: datetime) -> Sequence[Message]:
        """Return outbound messages that the carrier accepted between these moments and never told the end of."""
        sql = _SILENT.format(final=", ".join("?" for _ in FINAL))
        parameters = (to_micros(since), to_micros(until), *sorted(FINAL))
        return [read_message(row) for row in await self._connection.execute_fetchall(sql, parameters)]

    async def find_outbound_to(self, address: Address, states: Sequence[State]) -> Sequence[Message]:
        """Return the outbound messages in one of *states* to conversations that *address* is part of."""
        sql = _OUTBOUND_TO.format(states=", ".join("?" for _ in states))
        return [read_message(row) for row in await self._connection.execute_fetchall(sql, (*states, address))]


def _to_column(value: object) -> object:
    if isinstance(value, datetime):
        return to_micros(value)
    if isinstance(value, StrEnum):
        return value.value
    return value
