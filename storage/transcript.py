"""Everything that is kept of one number, for `export`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.domain.consent import Consent
from bot.domain.conversation import Conversation
from bot.domain.delivery import Delivery
from bot.domain.media import Media
from bot.domain.message import Message
from bot.domain.phone import Address
from bot.domain.schedule import Schedule
from bot.ports import ConsentEntry
from storage.consents import ConsentRows
from storage.database import Database
from storage.deliveries import DeliveryRows
from storage.media import MediaRows
from storage.rows import read_conversation, read_message, read_schedule

#: Of whose parties the number is one: `theirs` holds several with commas between for a group.
OF_NUMBER = "INSTR(',' || theirs || ',', ',' || ? || ',') > 0"
_CONVERSATIONS = f"SELECT * FROM conversations WHERE {OF_NUMBER} ORDER BY created_at, id"  # noqa: S608 - a constant
_MESSAGES = "SELECT * FROM messages WHERE conversation_id = ? ORDER BY created_at, rowid"
_SCHEDULE = "SELECT * FROM schedules WHERE message_id = ?"


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscriptLine:
    """One text, and what became of it."""

    message: Message
    deliveries: Mapping[Address, Delivery]
    schedule: Schedule | None
    media: Sequence[Media]


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """One number's conversations, each with its texts in order, and the evidence on its consent, newest first."""

    conversations: Sequence[tuple[Conversation, Sequence[TranscriptLine]]]
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
            deliveries, consents, media = DeliveryRows(connection), ConsentRows(connection), MediaRows(connection)
            conversations = []
            for row in await connection.execute_fetchall(_CONVERSATIONS, (address,)):
                lines = []
                for found in await connection.execute_fetchall(_MESSAGES, (row["id"],)):
                    message = read_message(found)
                    schedules = list(await connection.execute_fetchall(_SCHEDULE, (message.id,)))
                    lines.append(
                        TranscriptLine(
                            message=message,
                            deliveries=await deliveries.of_message(message.id),
                            schedule=read_schedule(schedules[0]) if schedules else None,
                            media=await media.of_message(message.id),
                        )
                    )
                conversations.append((read_conversation(row), lines))
            return Transcript(
                conversations=conversations,
                consent=await consents.get(address),
                history=await consents.history(address),
            )
        finally:
            await connection.execute_fetchall("ROLLBACK")
