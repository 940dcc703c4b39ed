"""A conversation: one of our addresses and one customer, or one group of them, with its thread in Slack."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain.ids import ChannelId, ConversationId, SlackTs
from bot.domain.phone import Address

#: Our side of a conversation whose number the carrier picks from the profile's pool.
POOL = Address("pool")


class Medium(StrEnum):
    """By what a conversation travels. The same two numbers may talk by both, in a thread each."""

    SMS = "sms"  #: Texts, with or without pictures (MMS).
    WHATSAPP = "whatsapp"  #: WhatsApp, for numbers of ours that have it.


@dataclass(frozen=True, slots=True, kw_only=True)
class Parties:
    """Who talks to whom, and by what. *theirs* is sorted and without repetition, so that equal parties compare equal."""

    ours: Address
    theirs: tuple[Address, ...]
    medium: Medium = Medium.SMS

    @property
    def is_group(self) -> bool:
        """Whether there is more than one customer."""
        return len(self.theirs) > 1

    @property
    def can_be_texted(self) -> bool:
        """Whether there is a number or a short code among them: what texts from a name only takes no answer."""
        if self.medium is Medium.WHATSAPP:  # people there may hide their number behind an id, which takes answers
            return True
        return not all(any(letter.isalpha() for letter in address) for address in self.theirs)

    @property
    def key(self) -> str:
        """*theirs* as one string, the database's form."""
        return ",".join(self.theirs)


def make_parties(ours: Address, theirs: Iterable[Address], medium: Medium = Medium.SMS) -> Parties:
    """Return the parties of a conversation, in their one normal form. *theirs* must not be empty."""
    distinct = tuple(sorted(set(theirs)))
    if not distinct:
        msg = "a conversation needs somebody at the other end"
        raise ValueError(msg)
    return Parties(ours=ours, theirs=distinct, medium=medium)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """The conversation's identity and where its thread stands now."""

    id: ConversationId
    parties: Parties
    channel_id: ChannelId  #: Where its thread is, or will be opened.
    created_at: datetime
    thread_ts: SlackTs | None = None  #: The root of the thread; None: not opened yet, or lost.
    root: int = 0  #: How many roots it has had; part of the root's key, so each is posted once.
    previous_channel_id: ChannelId | None = None  #: Where the lost thread stood, to link to it.
    previous_thread_ts: SlackTs | None = None
    active_at: datetime | None = None  #: When anything was last said, by either side.


def is_one_way(parties: Parties) -> bool:
    """Tell whether our side is a name, to which nobody can answer."""
    return parties.ours != POOL and any(letter.isalpha() for letter in parties.ours)


def was_quiet(conversation: Conversation, now: datetime, notice_after: timedelta) -> bool:
    """Tell whether the thread has been silent for so long that the channel should be shown the next text, too."""
    return conversation.active_at is not None and now - conversation.active_at >= notice_after
