"""What the bridge's machine expects of each text, and how soon."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any

from hypothesis import strategies as st

from bot.domain.delivery import DeliveryStatus
from bot.domain.job import Pool
from bot.domain.message import Mark
from bot.domain.phone import Address
from tests.doubles.bench import ANA, BOB, CEM, Request
from tests.doubles.slack import SlackMessage, Whisper

PEOPLE = (ANA, BOB, CEM)


class Haste(StrEnum):
    """How soon something that happened is worked on."""

    LATER = "later"  #: Whenever.
    DELIVERED = "delivered"  #: It is in the inbox.
    DONE = "done"  #: All that is due is done.
    TORN = "torn"  #: The process dies while it takes it in, right before that is on disk.


hastes = st.sampled_from((Haste.LATER, Haste.DELIVERED, Haste.DONE, Haste.DONE, Haste.TORN))
#: `unanswered`: the carrier takes it, and its answer is lost; `edited`, `deleted`: Slack tells of that first.
kinds_of_reply = st.sampled_from(
    ("reply", "reply", "reply", "reply", "unanswered", "edited", "deleted", "note", "refused")
)
people = st.sampled_from(PEOPLE)
places = st.integers(min_value=0, max_value=30)
spans = st.sampled_from((0.2, 1, 5, 7, 35, 100, 300)).map(lambda seconds: timedelta(seconds=seconds))
pools = st.sampled_from((*((pool,) for pool in Pool), tuple(Pool), tuple(Pool), tuple(Pool)))
MARKS = {
    DeliveryStatus.DELIVERED: Mark.DELIVERED,
    DeliveryStatus.DELIVERY_FAILED: Mark.FAILED,
    DeliveryStatus.DELIVERY_UNCONFIRMED: Mark.UNCONFIRMED,
}


@dataclass(slots=True, kw_only=True)
class Inbound:
    """A customer's text."""

    sender: Address
    text: str
    request: Request
    quotes: str | None = None  #: What it is a tapback to.


@dataclass(slots=True, kw_only=True)
class Outbound:
    """What a teammate wants sent; *token* begins each version of it."""

    to: Address
    token: str
    message: SlackMessage | None = None  #: Where it was written in a thread.
    request: Request | None = None
    is_note: bool = False
    refused: bool = False
    taken_back: bool = False  #: Deleted, or cancelled, at whatever moment.
    promised_unsent: bool = False  #: Somebody was told that it is not sent.
    deletion: Request | None = None  #: That tells of its deletion, and was made before the one that tells of itself.
    versions: list[str] = field(default_factory=list)

    @property
    def is_deleted_first(self) -> bool:
        """Whether we had certainly heard of its deletion before we heard of it."""
        return (
            self.deletion is not None
            and self.request is not None
            and 0 < self.deletion.taken.stored < self.request.taken.began
        )


def is_card_of(message: SlackMessage, who: Address) -> bool:
    return message.thread_ts is None and message.text.startswith("📱") and who in message.text


def is_stray(message: SlackMessage) -> bool:
    """Tell whether it went beside its thread, whose root is gone: it stands there until the program takes it back."""
    return message.thread_ts is None and bool(message.texts) and not message.text.startswith("📱")


def has_said_stop(inbound: Sequence[Inbound], who: Address, moment: int) -> bool:
    """Tell whether *who* had certainly said STOP, and not lifted it, by *moment*, a place in the order of events."""
    said = [each for each in inbound if each.sender == who]
    stops = [each.request.taken for each in said if each.text == "STOP" and 0 < each.request.taken.stored < moment]
    starts = [each.request.taken for each in said if each.text == "START" and 0 < each.request.taken.began < moment]
    # A START that may have been read after the STOP may have lifted it.
    return any(all(0 < start.stored < stop.began for start in starts) for stop in stops)


def check_order(placed: Any) -> None:
    """See that nothing stands before what had been taken in before it was first offered."""
    ordered = sorted(placed, key=lambda each: each[1])
    for position, (later, _) in enumerate(ordered):
        for earlier, _ in ordered[:position]:
            assert not 0 < later.taken.stored < earlier.taken.began, "overtaken"


def has_newest_words(wanted: Outbound, went_out: str, whispers: Sequence[Whisper]) -> bool:
    """Tell whether the newest words went out, or their author was told that they came too late."""
    newest = wanted.versions[-1]
    return went_out == newest or any(newest in whisper.text for whisper in whispers)
