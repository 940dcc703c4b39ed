"""What was said, to be read as a record: by people in Slack, and by whoever exports it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.domain.conversation import Conversation
from bot.domain.delivery import Delivery
from bot.domain.ids import MessageId
from bot.domain.media import Media
from bot.domain.message import Message
from bot.domain.phone import Address
from bot.domain.schedule import Schedule


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedText:
    """One text, and what became of it."""

    message: Message
    conversation: Conversation
    deliveries: Mapping[Address, Delivery]
    schedule: Schedule | None
    media: Sequence[Media]


class Record(Protocol):
    """Every text exchanged with somebody, in all conversations that they are part of."""

    async def count_texts(self, address: Address) -> int:
        """Return how many texts there are."""
        ...

    async def list_older(self, address: Address, *, than: MessageId | None, limit: int) -> Sequence[RecordedText]:
        """Return at most *limit* texts before *than* (None: the newest), the newest first; none for an unknown one."""
        ...

    async def list_newer(self, address: Address, *, than: MessageId, limit: int) -> Sequence[RecordedText]:
        """Return at most *limit* texts after *than*, the oldest first; none for an unknown one."""
        ...
