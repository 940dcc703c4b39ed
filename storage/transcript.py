"""What was said, read as a record: for `/sms history`, and for `export`."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiosqlite

from bot.domain.consent import Consent
from bot.domain.contact import Contact
from bot.domain.conversation import Conversation
from bot.domain.ids import ConversationId, MessageId
from bot.domain.phone import Address
from bot.domain.recurrence import Recurrence
from bot.ports import ConsentEntry
from bot.ports.record import RecordedText
from storage.consents import ConsentRows
from storage.contacts import ContactRows
from storage.conversations import ConversationRows
from storage.database import Database
from storage.deliveries import DeliveryRows
from storage.media import MediaRows
from storage.names import Names
from storage.packing import pack_id
from storage.recurrences import ALL_IN, read_recurrence
from storage.rows import SELECT_CONVERSATION, SELECT_MESSAGE, read_conversation, read_message
from storage.schedules import ScheduleRows

#: Of whose parties the number is one: `theirs` holds several with commas between for a group.
OF_NUMBER = "INSTR(',' || theirs || ',', ',' || ? || ',') > 0"
#: Rows in memory at a time.
_PAGE = 200
_CONVERSATIONS = f"""
{SELECT_CONVERSATION} WHERE (? IS NULL OR {OF_NUMBER}) AND (c.created_at, c.number) > (?, ?)
ORDER BY c.created_at, c.number LIMIT ?"""
_MESSAGES = f"""
{SELECT_MESSAGE} WHERE c.id = ? AND (m.created_at, m.number) > (?, ?)
ORDER BY m.created_at, m.number LIMIT ?"""
_ADDRESSES = """
SELECT address FROM consent_changes WHERE address > ?1 UNION SELECT address FROM contacts WHERE address > ?1
ORDER BY address LIMIT ?2"""
_WITH = f"m.conversation IN (SELECT number FROM packed_conversations WHERE {OF_NUMBER})"  # noqa: S608 - constants
_COUNT = f"SELECT COUNT(*) AS texts FROM packed_messages m WHERE {_WITH}"  # noqa: S608 - a constant
_PLACE = "(SELECT created_at, number FROM packed_messages WHERE id = ?)"
_NEWEST = f"{SELECT_MESSAGE} WHERE {_WITH} ORDER BY m.created_at DESC, m.number DESC LIMIT ?"
_OLDER = f"""
{SELECT_MESSAGE} WHERE {_WITH} AND (m.created_at, m.number) < {_PLACE}
ORDER BY m.created_at DESC, m.number DESC LIMIT ?"""
_NEWER = f"""
{SELECT_MESSAGE} WHERE {_WITH} AND (m.created_at, m.number) > {_PLACE}
ORDER BY m.created_at, m.number LIMIT ?"""


class RecordRows:
    """`bot.ports.record.Record` on SQLite."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection
        self._conversations = ConversationRows(connection, Names(connection))
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
            rows = await self._connection.execute_fetchall(_OLDER, (address, pack_id(than), limit))
        return await self._complete(rows)

    async def list_newer(self, address: Address, *, than: MessageId, limit: int) -> Sequence[RecordedText]:
        """Return at most *limit* texts after *than*, the oldest first; none for an unknown one."""
        return await self._complete(await self._connection.execute_fetchall(_NEWER, (address, pack_id(than), limit)))

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
        """Return the text of a *row* of SELECT_MESSAGE, with what became of it."""
        message = read_message(row)
        return RecordedText(
            message=message,
            conversation=conversation,
            deliveries=await self._deliveries.of_message(message.id),
            schedule=await self._schedules.find_by_message(message.id),
            media=await self._media.of_message(message.id),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonRecord:
    """Who somebody is, whether they may be texted, and all evidence on it, newest first."""

    contact: Contact | None
    consent: Consent
    history: Sequence[ConsentEntry]


class RecordReader:
    """All that is kept of one number, or of everybody where none is named, a page at a time however much there is."""

    def __init__(self, connection: aiosqlite.Connection, address: Address | None) -> None:
        self._connection = connection
        self._address = address
        self._record = RecordRows(connection)
        self._consents = ConsentRows(connection)
        self._contacts = ContactRows(connection)

    async def conversations(self) -> AsyncIterator[Conversation]:
        """Yield the conversations, oldest first."""
        after: tuple[object, ...] = (-1, -1)
        while True:
            rows = list(
                await self._connection.execute_fetchall(_CONVERSATIONS, (self._address, self._address, *after, _PAGE))
            )
            for row in rows:
                yield read_conversation(row)
            if len(rows) < _PAGE:
                return
            after = (rows[-1]["created_at"], rows[-1]["number"])

    async def texts(self, conversation: Conversation) -> AsyncIterator[RecordedText]:
        """Yield the texts of *conversation*, oldest first."""
        after: tuple[object, ...] = (-1, -1)
        while True:
            rows = list(await self._connection.execute_fetchall(_MESSAGES, (pack_id(conversation.id), *after, _PAGE)))
            for row in rows:
                yield await self._record.complete(row, conversation)
            if len(rows) < _PAGE:
                return
            after = (rows[-1]["created_at"], rows[-1]["number"])

    async def list_repeating(self, conversation: Conversation) -> Sequence[Recurrence]:
        """Return the texts that repeat, or did, in *conversation*, oldest first."""
        rows = await self._connection.execute_fetchall(ALL_IN, (pack_id(conversation.id),))
        return [read_recurrence(row) for row in rows]

    async def people(self) -> AsyncIterator[PersonRecord]:
        """Yield what is known of the number, or of each on whom there is evidence or who was given a name."""
        if self._address is not None:
            yield await self._read_person(self._address)
            return
        after = ""
        while True:
            rows = list(await self._connection.execute_fetchall(_ADDRESSES, (after, _PAGE)))
            for row in rows:
                yield await self._read_person(Address(row["address"]))
            if len(rows) < _PAGE:
                return
            after = rows[-1]["address"]

    async def _read_person(self, address: Address) -> PersonRecord:
        return PersonRecord(
            contact=await self._contacts.find_contact(address),
            consent=await self._consents.get(address),
            history=await self._consents.history(address),
        )


@asynccontextmanager
async def read_record(database: Database, address: Address | None) -> AsyncIterator[RecordReader]:
    """Open all that is kept of *address* (None: of everybody), as it is at one moment; a bridge goes on writing."""
    async with database.reading() as connection:
        await connection.execute_fetchall("BEGIN")
        try:
            yield RecordReader(connection, address)
        finally:
            await connection.execute_fetchall("ROLLBACK")
