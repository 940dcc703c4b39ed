"""The conversations and their threads."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import aiosqlite

from bot.domain.conversation import Conversation, Parties
from bot.domain.delivery import FAILED
from bot.domain.ids import ChannelId, ConversationId, SlackTs
from bot.domain.message import Direction, State
from bot.domain.phone import Address
from storage.moments import to_micros
from storage.names import Names
from storage.packing import pack_id, pack_ts
from storage.rows import SELECT_CONVERSATION, read_conversation, write_ours
from storage.words import DIRECTION_CODES, STATE_CODES, STATUS_CODES

_CREATE = """
INSERT INTO packed_conversations (id, ours, theirs, channel, created_at) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (ours, theirs) DO NOTHING"""
_FIND = f"{SELECT_CONVERSATION} WHERE c.ours = ? AND c.theirs = ?"
_GET = f"{SELECT_CONVERSATION} WHERE c.id = ?"
_FIND_BY_THREAD = f"""
{SELECT_CONVERSATION} JOIN packed_threads t ON t.conversation = c.number
WHERE t.channel = (SELECT number FROM names WHERE name = ?) AND t.thread_ts = ?"""  # noqa: S608 - constants
_ADD_THREAD = """
INSERT INTO packed_threads (channel, thread_ts, conversation)
VALUES (?, ?, (SELECT number FROM packed_conversations WHERE id = ?)) ON CONFLICT (channel, thread_ts) DO NOTHING"""
_OPEN_THREAD = "UPDATE packed_conversations SET channel = ?, thread_ts = ?, root = root + 1 WHERE id = ?"
_LOSE_THREAD = """
UPDATE packed_conversations SET
    previous_channel = CASE WHEN thread_ts IS NULL THEN previous_channel ELSE channel END,
    previous_ts = COALESCE(thread_ts, previous_ts),
    thread_ts = NULL,
    root = root + 1,
    channel = ?
WHERE id = ?"""
_FIND_WITH = f"{SELECT_CONVERSATION} WHERE INSTR(',' || c.theirs || ',', ',' || ? || ',') > 0 ORDER BY c.number"
_TOUCH = "UPDATE packed_conversations SET active_at = MAX(COALESCE(active_at, 0), ?) WHERE id = ?"
_RENAME = """
UPDATE packed_conversations SET ours = ?1 WHERE id = ?2
AND NOT EXISTS (SELECT 1 FROM packed_conversations o JOIN packed_conversations c ON c.id = ?2
    WHERE o.ours = ?1 AND o.theirs = c.theirs)"""
_ACTIVE = f"{SELECT_CONVERSATION} WHERE c.active_at >= ? ORDER BY c.active_at DESC LIMIT ?"
_UNSENT = ", ".join(str(STATE_CODES[state]) for state in (State.NOTE, State.BLOCKED, State.CANCELLED, State.REFUSED))
_FAILED = ", ".join(str(STATUS_CODES[status]) for status in sorted(FAILED))
_UNANSWERED = f"""
{SELECT_CONVERSATION} WHERE c.active_at >= ?
AND (SELECT m.direction FROM packed_messages m WHERE m.conversation = c.number AND m.state NOT IN ({_UNSENT})
        AND NOT EXISTS (SELECT 1 FROM packed_deliveries d WHERE d.message = m.number AND d.status IN ({_FAILED}))
    ORDER BY m.created_at DESC, m.number DESC LIMIT 1) = {DIRECTION_CODES[Direction.INBOUND]}
AND NOT EXISTS (SELECT 1 FROM consents s WHERE s.address = c.theirs
    AND (s.stopped_by_customer IS NOT NULL OR s.stopped_by_hand IS NOT NULL))
ORDER BY c.active_at DESC LIMIT ?"""  # noqa: S608 - constants


class ConversationRows:
    """`bot.ports.Conversations` on SQLite."""

    def __init__(self, connection: aiosqlite.Connection, names: Names) -> None:
        self._connection = connection
        self._names = names

    async def get_or_create(
        self, parties: Parties, *, new_id: ConversationId, channel_id: ChannelId, now: datetime
    ) -> Conversation:
        """Return the one conversation of *parties*, made now under *new_id* if there was none."""
        found = await self.find(parties)
        if found is not None:
            return found
        await self._connection.execute_fetchall(
            _CREATE,
            (
                pack_id(new_id),
                write_ours(parties),
                parties.key,
                await self._names.find_or_add(channel_id),
                to_micros(now),
            ),
        )
        return await self.get(new_id)

    async def get(self, conversation_id: ConversationId) -> Conversation:
        """Return the conversation; KeyError if there is none."""
        rows = list(await self._connection.execute_fetchall(_GET, (pack_id(conversation_id),)))
        if not rows:
            raise KeyError(conversation_id)
        return read_conversation(rows[0])

    async def find(self, parties: Parties) -> Conversation | None:
        """Return the conversation of *parties*, if they have one."""
        rows = list(await self._connection.execute_fetchall(_FIND, (write_ours(parties), parties.key)))
        return read_conversation(rows[0], parties) if rows else None

    async def find_by_thread(self, channel_id: ChannelId, thread_ts: SlackTs) -> Conversation | None:
        """Return the conversation to which the thread belongs or ever belonged."""
        rows = list(await self._connection.execute_fetchall(_FIND_BY_THREAD, (channel_id, pack_ts(thread_ts))))
        return read_conversation(rows[0]) if rows else None

    async def find_with(self, address: Address) -> Sequence[Conversation]:
        """Return every conversation that *address* is part of, alone or in a group."""
        return [read_conversation(row) for row in await self._connection.execute_fetchall(_FIND_WITH, (address,))]

    async def open_thread(self, conversation_id: ConversationId, channel_id: ChannelId, thread_ts: SlackTs) -> None:
        """Record that the conversation's thread now has its root there."""
        place = await self._add_thread(conversation_id, channel_id, thread_ts)
        await self._connection.execute_fetchall(_OPEN_THREAD, place)

    async def remember_thread(self, conversation_id: ConversationId, channel_id: ChannelId, thread_ts: SlackTs) -> None:
        """Record that what is written under *thread_ts* belongs to the conversation, whose own thread stays."""
        await self._add_thread(conversation_id, channel_id, thread_ts)

    async def lose_thread(self, conversation_id: ConversationId, *, channel_id: ChannelId) -> None:
        """Record that the thread is gone; the next one will be opened in *channel_id* and link to the old."""
        await self._connection.execute_fetchall(
            _LOSE_THREAD, (await self._names.find_or_add(channel_id), pack_id(conversation_id))
        )

    async def touch(self, conversation_id: ConversationId, now: datetime) -> None:
        """Record that something was said."""
        await self._connection.execute_fetchall(_TOUCH, (to_micros(now), pack_id(conversation_id)))

    async def rename(self, conversation_id: ConversationId, ours: Address) -> None:
        """Record under which of our numbers the conversation really runs; nothing if another already has it."""
        await self._connection.execute_fetchall(_RENAME, (ours, pack_id(conversation_id)))

    async def list_active(self, *, since: datetime, limit: int) -> Sequence[Conversation]:
        """Return those in which something was said after *since*: at most *limit*, the newest first."""
        rows = await self._connection.execute_fetchall(_ACTIVE, (to_micros(since), limit))
        return [read_conversation(row) for row in rows]

    async def list_unanswered(self, *, since: datetime, limit: int) -> Sequence[Conversation]:
        """Return those in which a customer had the last word, after *since*: at most *limit*, the newest first."""
        rows = await self._connection.execute_fetchall(_UNANSWERED, (to_micros(since), limit))
        return [read_conversation(row) for row in rows]

    async def _add_thread(
        self, conversation_id: ConversationId, channel_id: ChannelId, thread_ts: SlackTs
    ) -> tuple[object, ...]:
        channel = await self._names.find_or_add(channel_id)
        place = (channel, pack_ts(thread_ts), pack_id(conversation_id))
        await self._connection.execute_fetchall(_ADD_THREAD, place)
        return place
