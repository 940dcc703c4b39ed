"""The texts of all conversations."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

import aiosqlite

from bot.domain.delivery import FINAL
from bot.domain.ids import CarrierMessageId, ChannelId, ConversationId, MessageId, SlackTs
from bot.domain.message import Direction, Message, State
from bot.domain.phone import Address
from storage.connection import change
from storage.moments import to_micros, to_micros_or_none
from storage.names import Names
from storage.packing import pack_carrier_id, pack_id, pack_ts
from storage.rows import SELECT_MESSAGE, read_message
from storage.words import DIRECTION_CODES, MARK_CODES, ORIGIN_CODES, STATE_CODES, STATUS_CODES

_INBOUND, _OUTBOUND = DIRECTION_CODES[Direction.INBOUND], DIRECTION_CODES[Direction.OUTBOUND]
_ADD = """
INSERT INTO packed_messages (id, conversation, direction, origin, state, text, author, sender, channel, slack_ts,
    carrier_id, created_at, due_at, mark_shown, mark_tried)
VALUES (?1, (SELECT number FROM packed_conversations WHERE id = ?2), ?3, ?4, ?5, ?6, ?7,
    IIF(?8 = (SELECT theirs FROM packed_conversations WHERE id = ?2), 0, ?8), ?9, ?10, ?11, ?12, ?13, ?14, ?15)
ON CONFLICT DO NOTHING"""
_GET = f"{SELECT_MESSAGE} WHERE m.id = ?"
_BY_CARRIER_ID = f"{SELECT_MESSAGE} WHERE m.carrier_id = ?"
#: Each half by its own index: several of a customer's texts may stand in one message, of ours each in its own.
_PLACE = "m.channel = (SELECT number FROM names WHERE name = ?1) AND m.slack_ts = ?2"
_IN_SLACK = f"""
{SELECT_MESSAGE} WHERE {_PLACE} AND m.direction = {_OUTBOUND} UNION ALL
{SELECT_MESSAGE} WHERE {_PLACE} AND m.direction = {_INBOUND} LIMIT 1"""
_RECENT = f"{SELECT_MESSAGE} WHERE c.id = ? ORDER BY m.created_at DESC, m.number DESC LIMIT ?"
#: All are looked at, in the order of the file. The plus: and not by the carrier's ids, which lie scattered.
_SILENT = f"""
{SELECT_MESSAGE} WHERE m.direction = {_OUTBOUND} AND m.state = {STATE_CODES[State.ACCEPTED]} AND +m.carrier_id IS NOT NULL
AND MAX(m.created_at, COALESCE(m.due_at, m.created_at)) BETWEEN ? AND ?
AND NOT EXISTS (SELECT 1 FROM packed_deliveries d WHERE d.message = m.number AND d.status IN ({{final}}))
ORDER BY m.created_at LIMIT 1000"""  # noqa: S608 - constants
_OUTBOUND_IN = f"""
{SELECT_MESSAGE}
WHERE c.id = ? AND m.direction = {_OUTBOUND} AND m.state IN ({{states}})
ORDER BY m.created_at"""
_OUTBOUND_TO = f"""
{SELECT_MESSAGE}
WHERE m.direction = {_OUTBOUND} AND m.state IN ({{states}})
AND m.conversation IN (SELECT number FROM packed_conversations WHERE INSTR(',' || theirs || ',', ',' || ? || ',') > 0)
ORDER BY m.created_at"""  # noqa: S608 - constants
_UPDATE = "UPDATE packed_messages SET {settings} WHERE id = ?"

#: What of a message may change, the column of each, and what turns it into what the column has.
_CHANGEABLE: Mapping[str, tuple[str, Callable[[Any], object]]] = {
    "state": ("state = ?", STATE_CODES.__getitem__),
    "text": ("text = ?", str),
    "channel_id": ("channel = ?", int),  # its number
    "slack_ts": ("slack_ts = ?", pack_ts),
    "carrier_id": ("carrier_id = ?", pack_carrier_id),
    "created_at": ("created_at = ?", to_micros),
    "due_at": ("due_at = ?", to_micros),
    "mark_shown": ("mark_shown = ?", MARK_CODES.__getitem__),
    "mark_tried": ("mark_tried = ?", MARK_CODES.__getitem__),
    "turn": ("turn = ?", int),
}


@cache
def _write_update(names: tuple[str, ...]) -> str:
    """Return the statement that sets *names*, of which flows have a dozen combinations; ValueError for others' names."""
    unknown = set(names) - _CHANGEABLE.keys()
    if unknown:
        msg = f"these fields of a message never change: {', '.join(sorted(unknown))}"
        raise ValueError(msg)
    return _UPDATE.format(settings=", ".join(_CHANGEABLE[name][0] for name in names))


class MessageRows:
    """`bot.ports.Messages` on SQLite."""

    def __init__(self, connection: aiosqlite.Connection, names: Names) -> None:
        self._connection = connection
        self._names = names

    async def add(self, message: Message) -> bool:
        """Store *message*; False, and nothing changed, if one with its carrier id or its place in Slack is known."""
        added = await change(
            self._connection,
            _ADD,
            (
                pack_id(message.id),
                pack_id(message.conversation_id),
                DIRECTION_CODES[message.direction],
                ORIGIN_CODES[message.origin],
                STATE_CODES[message.state],
                message.text,
                None if message.author is None else await self._names.find_or_add(message.author),
                message.sender,
                None if message.channel_id is None else await self._names.find_or_add(message.channel_id),
                None if message.slack_ts is None else pack_ts(message.slack_ts),
                None if message.carrier_id is None else pack_carrier_id(message.carrier_id),
                to_micros(message.created_at),
                to_micros_or_none(message.due_at),
                None if message.mark_shown is None else MARK_CODES[message.mark_shown],
                None if message.mark_tried is None else MARK_CODES[message.mark_tried],
            ),
        )
        return bool(added)

    async def get(self, message_id: MessageId) -> Message:
        """Return the message; KeyError if there is none."""
        rows = list(await self._connection.execute_fetchall(_GET, (pack_id(message_id),)))
        if not rows:
            raise KeyError(message_id)
        return read_message(rows[0])

    async def find_by_carrier_id(self, carrier_id: CarrierMessageId) -> Message | None:
        """Return the message that the carrier calls so."""
        rows = list(await self._connection.execute_fetchall(_BY_CARRIER_ID, (pack_carrier_id(carrier_id),)))
        return read_message(rows[0]) if rows else None

    async def find_in_slack(self, channel_id: ChannelId, slack_ts: SlackTs) -> Message | None:
        """Return the message that stands there."""
        rows = list(await self._connection.execute_fetchall(_IN_SLACK, (channel_id, pack_ts(slack_ts))))
        return read_message(rows[0]) if rows else None

    async def update(self, message_id: MessageId, **changes: object) -> None:
        """Set fields of the message by their names; the identity and the direction stay."""
        if not changes:
            return
        sql = _write_update(tuple(changes))
        values = dict(changes)
        if values.get("channel_id") is not None:
            values["channel_id"] = await self._names.find_or_add(str(values["channel_id"]))
        columns = [None if value is None else _CHANGEABLE[name][1](value) for name, value in values.items()]
        await self._connection.execute_fetchall(sql, (*columns, pack_id(message_id)))

    async def find_recent(self, conversation_id: ConversationId, limit: int) -> Sequence[Message]:
        """Return the conversation's newest *limit* messages, newest first."""
        rows = await self._connection.execute_fetchall(_RECENT, (pack_id(conversation_id), limit))
        return [read_message(row) for row in rows]

    async def find_silent(self, *, since: datetime, until: datetime) -> Sequence[Message]:
        """Return outbound messages that the carrier accepted between these moments and never told the end of."""
        sql = _SILENT.format(final=", ".join("?" for _ in FINAL))
        parameters = (to_micros(since), to_micros(until), *sorted(STATUS_CODES[status] for status in FINAL))
        return [read_message(row) for row in await self._connection.execute_fetchall(sql, parameters)]

    async def find_outbound_in(self, conversation_id: ConversationId, states: Sequence[State]) -> Sequence[Message]:
        """Return the conversation's outbound messages in one of *states*, oldest first."""
        sql = _OUTBOUND_IN.format(states=", ".join("?" for _ in states))
        parameters = (pack_id(conversation_id), *(STATE_CODES[state] for state in states))
        return [read_message(row) for row in await self._connection.execute_fetchall(sql, parameters)]

    async def find_outbound_to(self, address: Address, states: Sequence[State]) -> Sequence[Message]:
        """Return the outbound messages in one of *states* to conversations that *address* is part of."""
        sql = _OUTBOUND_TO.format(states=", ".join("?" for _ in states))
        parameters = (*(STATE_CODES[state] for state in states), address)
        return [read_message(row) for row in await self._connection.execute_fetchall(sql, parameters)]
