"""A text, in either direction: what it is, how far it got, and which mark tells so in Slack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import assert_never

from bot.domain.delivery import CONFIRMED, FAILED, UNCONFIRMED, Delivery, DeliveryStatus, worst
from bot.domain.ids import CarrierMessageId, ChannelId, ConversationId, MessageId, SlackTs, UserId


class Direction(StrEnum):
    """Named from the team's side."""

    INBOUND = "inbound"  #: Phone to Slack.
    OUTBOUND = "outbound"  #: Slack to phone.


class Origin(StrEnum):
    """Where a text came from."""

    PHONE = "phone"  #: A customer wrote it.
    THREAD = "thread"  #: A teammate wrote it in the conversation's thread.
    COMMAND = "command"  #: `/sms` typed with number and text.
    FORM = "form"  #: The `/sms` form.
    SCHEDULE = "schedule"  #: Falls due later.
    CORRECTION = "correction"  #: [Send correction] after an edit.


class State(StrEnum):
    """How far a text got. Inbound texts are `received` and stay so."""

    RECEIVED = "received"  #: Inbound.
    NOTE = "note"  #: For teammates; never sent.
    BLOCKED = "blocked"  #: Not sent: opted out, not allowed, too long, unsupported.
    CONFIRMING = "confirming"  #: Waits for its author to press Send.
    WAITING = "waiting"  #: Will be sent: in hold, in quiet hours, scheduled, or its turn has not come.
    UNDER_WAY = "under_way"  #: The request is stored and was, or may have been, handed to the carrier.
    ACCEPTED = "accepted"  #: The carrier has it; the deliveries tell the rest.
    REFUSED = "refused"  #: The carrier said no.
    UNSETTLED = "unsettled"  #: Nobody knows whether it went out; a person decides.
    CANCELLED = "cancelled"  #: Taken back before it went out.


class Mark(StrEnum):
    """The reaction on a message of ours: Slack's short names."""

    WAITING = "hourglass_flowing_sand"
    DELIVERED = "white_check_mark"
    READ = "eyes"
    UNCONFIRMED = "grey_question"
    FAILED = "x"
    UNSETTLED = "warning"
    NOTE = "memo"
    BLOCKED = "no_entry"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One text of one conversation."""

    id: MessageId
    conversation_id: ConversationId
    direction: Direction
    origin: Origin
    state: State
    text: str
    created_at: datetime
    author: UserId | None = None  #: The teammate who wrote it; None for a customer's.
    sender: str | None = None  #: Who of a group wrote it (inbound), an address.
    channel_id: ChannelId | None = None  #: Where it stands in Slack, once it does.
    slack_ts: SlackTs | None = None
    carrier_id: CarrierMessageId | None = None
    due_at: datetime | None = None  #: Not before this moment: hold, quiet hours, schedule.
    mark_shown: Mark | None = None  #: The mark that Slack confirmed.
    mark_tried: Mark | None = None  #: A mark whose reaction was asked for and not confirmed: it may be there.
    erased_at: datetime | None = None  #: When its words and pictures were erased; only what became of it is left.
    turn: int = 0  #: How often it was put in line to be sent again, after it had been taken out.


#: How long a text may wait before the hourglass is shown, in seconds.
PATIENCE_SECONDS = 4


def choose_mark(
    message: Message, deliveries: Sequence[Delivery], now: datetime, *, shows_read: bool = False
) -> Mark | None:
    """
    Return the one mark that *message* should show at *now*; *shows_read*: that it was read counts for more than delivered.

    Pure in all it is given: whoever shows marks asks again each time, so a burst of receipts needs one reaction.
    """
    match message.state:
        case State.RECEIVED | State.CANCELLED:
            return None
        case State.NOTE:
            return Mark.NOTE
        case State.BLOCKED:
            return Mark.BLOCKED
        case State.REFUSED:
            return Mark.FAILED
        case State.UNSETTLED:
            return Mark.UNSETTLED
        case State.CONFIRMING:
            return Mark.WAITING
        case State.WAITING | State.UNDER_WAY:
            return Mark.WAITING if (now - message.created_at).total_seconds() >= PATIENCE_SECONDS else None
        case State.ACCEPTED:
            return _mark_of_delivery(message, worst(deliveries), shows_read=shows_read)
        case _:
            assert_never(message.state)


def _mark_of_delivery(message: Message, delivery: Delivery | None, *, shows_read: bool) -> Mark | None:
    if delivery is not None:
        if delivery.status in FAILED:
            return Mark.FAILED
        if delivery.status is DeliveryStatus.READ and shows_read:
            return Mark.READ
        if delivery.status in CONFIRMED:
            return Mark.DELIVERED
        if delivery.status in UNCONFIRMED:
            return Mark.UNCONFIRMED
    # Accepted and still on its way: an hourglass already there stays until the end is known, so that a mark is
    # removed once and not twice (reactions.remove allows about 20 a minute).
    return Mark.WAITING if Mark.WAITING in (message.mark_shown, message.mark_tried) else None
