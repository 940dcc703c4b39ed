"""The conversations and their threads."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import aiosqlite

from bot.domain.conversation import Conversation, Parties
from bot.domain.ids import ChannelId, ConversationId, SlackTs
from bot.domain.phone import Address
from storage.moments import to_micros
from storage.rows import read_conversation, write_ours

_CREATE = """
INSERT INTO conversations (id, ours, theirs, channel_id, created_at) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (ours, theirs) DO NOTHING"""
_FIND = "SELECT * FROM conversations WHERE ours = ? AND theirs = ?"
_GET = "SELECT * FROM conversations WHERE id = ?"
_FIND_BY_THREAD = """
SELECT c.* FROM threads t JOIN conversations c ON c.id = t.conversation_id WHERE t.channel_id = ? AND t.thread_ts = ?"""
_ADD_THREAD = """
INSERT INTO threads (channel_id, thread_ts, conversation_id) VALUES (?, ?, ?) ON CONFLICT (channel_id, thread_ts) DO NOTHING"""
_OPEN_THREAD = "UPDATE conversations SET channel_id = ?, thread_ts = ?, root = root + 1 WHERE id = ?"
_LOSE_THREAD = """
UPDATE conversations SET
    previous_channel_id = CASE WHEN thread_ts IS NULL THEN previous_channel_id ELSE channel_id END,
    previous_thread_ts = COALESCE(thread_ts, previous_thread_ts),
    thread_ts = NULL,
    root = root + 1,
    channel_id = ?
WHERE id = ?"""
_FIND_WITH = "SELECT * FROM conversations WHERE INSTR(',' || theirs || ',', ',' || ? || ',') > 0 ORDER BY id"
_TOUCH = "UPDATE conversations SET active_at = MAX(COALESCE(active_at, 0), ?) WHERE id = ?"
_RENAME = """
UPDATE conversations SET ours = ?1 WHERE id = ?2
AND NOT EXISTS (SELECT 1 FROM conversations o JOIN conversations c ON c.id = ?2 WHERE o.ours = ?1 AND o.theirs = c.theirs)"""
_ACTIVE = "SELECT * FROM conversations WHERE active_at >= ? ORDER BY active_at DESC LIMIT ?"
_UNANSWERED = """
SELECT * FROM conversations c WHERE active_at >= ?
AND (SELECT direction FROM messages m WHERE m.conversation_id = c.id AND m.state NOT IN ('note', 'blocked', 'cancelled')
    ORDER BY m.created_at DESC, m.rowid DESC LIMIT 1) = 'inbound'
ORDER BY active_at DESC LIMIT ?"""


class ConversationRows:
    """`bot.ports.Conversations` on SQLite."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection

    async def get_or_create(
        self, parties: Parties, *, new_id: ConversationId, channel_id: ChannelId, now: datetime
    ) -> Conversation:
        """Return the one conversation of *parties*, made now under *new_id* if there was none."""
        found = await self.find(parties)
        if found is not None:
            return found
        await self._connection.execute_fetchall(
            _CREATE, (new_id, write_ours(parties), parties.key, channel_id, to_micros(now))
        )
        return await self.get(new_id)

    async def get(self, conversation_id: ConversationId) -> Conversation:
        """Return the conversation; KeyError if there is none."""
        rows = list(await self._connection.execute_fetchall(_GET, (conversation_id,)))
        if not rows:
            raise KeyError(conversation_id)
        return read_conversation(rows[0])

    async def find(self, parties: Parties) -> Conversation | None:
        """Return the conversation of *parties*, if they have one."""
        rows = list(await self._connection.execute_fetchall(_FIND, (write_ours(parties), parties.key)))
        return read_conversation(rows[0]) if rows else None

    async def find_by_thread(self, channel_id: ChannelId, thread_ts: SlackTs) -> Conversation | None:
        """Return the conversation to which the thread belongs or ever belonged."""
        rows = list(await self._connection.execute_fetchall(_FIND_BY_THREAD, (channel_id, thread_ts)))
        return read_conversation(rows[0]) if rows else None

    async def find_with(self, address: Address) -> Sequence[Conversation]:
        """Return every conversation that *address* is part of, alone or in a group."""
        return [read_conversation(row) for row in await self._connection.execute_fetchall(_FIND_WITH, (address,))]

    async def open_thread(self, conversation_id: ConversationId, channel_id: ChannelId, thread_ts: SlackTs) -> None:
        """Record that the conversation's thread now has its root there."""
        await self._connection.execute_fetchall(_ADD_THREAD, (channel_id, thread_ts, conversation_id))
        await self._connection.execute_fetchall(_OPEN_THREAD, (channel_id, thread_ts, conversation_id))

    async def remember_thread(self, conversation_id: ConversationId, channel_id: ChannelId, thread_ts: SlackTs) -> None:
        """Record that what is written under *thread_ts* belongs to the conversation, whose own thread stays."""
        await self._connection.execute_fetchall(_ADD_THREAD, (channel_id, thread_ts, conversation_id))

    async def lose_thread(self, conversation_id: ConversationId, *, channel_id: ChannelId) -> None:
        """Record that the thread is gone; the next one will be opened in *channel_id* and link to the old."""
        await self._connection.execute_fetchall(_LOSE_THREAD, (channel_id, conversation_id))

    async def touch(self, conversation_id: ConversationId, now: datetime) -> None:
        """Record that something was said."""
        await self._connection.execute_fetchall(_TOUCH, (to_micros(now), conversation_id))

    async def rename(self, conversation_id: ConversationId, ours: Address) -> None:
        """Record under which of our numbers the conversation really runs; nothing if another already has it."""
        await self._connection.execute_fetchall(_RENAME, (ours, conversation_id))

    async def list_active(self, *, since: datetime, limit: int) -> Sequence[Conversation]:
        """Return those in which something was said after *since*: at most *limit*, the newest first."""
        rows = await self._connection.execute_fetchall(_ACTIVE, (to_micros(since), limit))
        return [read_conversation(row) for row in rows]

    async def list_unanswered(self, *, since: datetime, limit: int) -> Sequence[Conversation]:
        """Return those in which a customer had the last word, after *since*: at most *limit*, the newest first."""
        rows = await self._connection.execute_fetchall(_UNANSWERED, (to_micros(since), limit))
        return [read_conversation(row) for row in rows]
