"""What was said, read as a record: for `/sms history`, and for `export`."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import aiosqlite

from bot.domain.consent import Consent
from bot.domain.conversation import Conversation
from bot.domain.ids import ConversationId, MessageId
from bot.domain.phone import Address
from bot.ports import ConsentEntry
from bot.ports.record import RecordedText
from storage.consents import ConsentRows
from storage.conversations import ConversationRows
from storage.database import Database
from storage.deliveries import DeliveryRows
from storage.media import MediaRows
from storage.rows import read_conversation, read_message
from storage.schedules import ScheduleRows

#: Of whose parties the number is one: `theirs` holds several with commas between for a group.
OF_NUMBER = "INSTR(',' || theirs || ',', ',' || ? || ',') > 0"
_CONVERSATIONS = f"SELECT * FROM conversations WHERE {OF_NUMBER} ORDER BY created_at, id"  # noqa: S608 - a constant
_MESSAGES = "SELECT * FROM messages WHERE conversation_id = ? ORDER BY created_at, rowid"
_WITH = f"m.conversation_id IN (SELECT id FROM conversations WHERE {OF_NUMBER})"  # noqa: S608
_COUNT = f"SELECT COUNT(*) AS texts FROM messages m WHERE {_WITH}"  # noqa: S608 - likewise
_PLACE = "(SELECT created_at, rowid FROM messages WHERE id = ?)"
_NEWEST = f"SELECT * FROM messages m WHERE {_WITH} ORDER BY m.created_at DESC, m.rowid DESC LIMIT ?"  # noqa: S608
_OLDER = f"""
SELECT * FROM messages m WHERE {_WITH} AND (m.created_at, m.rowid) < {_PLACE}
ORDER BY m.created_at DESC, m.rowid DESC LIMIT ?"""  # noqa: S608
_NEWER = f"""
SELECT * FROM messages m WHERE {_WITH} AND (m.created_at, m.rowid) > {_PLACE}
ORDER BY m.created_at, m.rowid LIMIT ?"""  # noqa: S608


class RecordRows:
    """`bot.ports.record.Record` on SQLite."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection
        self._conversations = ConversationRows(connection)
        self._deliveries = DeliveryRows(connection)
        self._schedules = ScheduleRows(connection)
        self._media = MediaRows(connection)

    async def count_texts(self, address: Address) -> int:
        """Return how many texts there are."""
        (row,) = await self._connection.execute_fetchall(_COUNT, (address,))
        return int(row["texts"])

    async def list_older(self, address: Address, *, than: MessageId | None, limit: int) -> Sequence[RecordedText]:
        """Return at most *limit* texts before *than* (None: the newest), the newest first; none for an unknown one."""
        if than is None:
            rows = await self._connection.execute_fetchall(_NEWEST, (address, limit))
        else:
            rows = await self._connection.execute_fetchall(_OLDER, (address, than, limit))
        return await self._complete(rows)

    async def list_newer(self, address: Address, *, than: MessageId, limit: int) -> Sequence[RecordedText]:
        """Return at most *limit* texts after *than*, the oldest first; none for an unknown one."""
        return await self._complete(await self._connection.execute_fetchall(_NEWER, (address, than, limit)))

    async def _complete(self, rows: Iterable[sqlite3.Row]) -> Sequence[RecordedText]:
        known: dict[ConversationId, Conversation] = {}
        texts = []
        for row in rows:
            message = read_message(row)
            conversation = known.get(message.conversation_id)
            if conversation is None:
                conversation = known[message.conversation_id] = await self._conversations.get(message.conversation_id)
            texts.append(await self.complete(row, conversation))
        return texts

    async def complete(self, row: sqlite3.Row, conversation: Conversation) -> RecordedText:
        """Return the text of a whole *row*, with what became of it."""
        message = read_message(row)
        return RecordedText(
            message=message,
            conversation=conversation,
            deliveries=await self._deliveries.of_message(message.id),
            schedule=await self._schedules.find_by_message(message.id),
            media=await self._media.of_message(message.id),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """One number's conversations, each with its texts in order, and the evidence on its consent, newest first."""

    conversations: Sequence[tuple[Conversation, Sequence[RecordedText]]]
    consent: Consent
    history: Sequence[ConsentEntry]

    @property
    def is_empty(self) -> bool:
        """Whether the number was never heard of."""
        return not self.conversations and not self.history


async def read_transcript(database: Database, address: Address) -> Transcript:
    """Return all that is kept of *address*, at one moment."""
    async with database.reading() as connection:
        # One read transaction: a running bridge goes on writing meanwhile.
        await connection.execute_fetchall("BEGIN")
        try:
            record, consents = RecordRows(connection), ConsentRows(connection)
            conversations = []
            for row in await connection.execute_fetchall(_CONVERSATIONS, (address,)):
                conversation = read_conversation(row)
                found = await connection.execute_fetchall(_MESSAGES, (conversation.id,))
                conversations.append((conversation, [await record.complete(each, conversation) for each in found]))
            return Transcript(
                conversations=conversations,
                consent=await consents.get(address),
                history=await consents.history(address),
            )
        finally:
            await connection.execute_fetchall("ROLLBACK")
