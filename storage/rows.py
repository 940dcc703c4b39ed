"""Between rows and what is said: conversations, messages, deliveries, schedules. Of a job's row see `storage.queue`."""

from __future__ import annotations

import sqlite3

from bot.domain.conversation import Conversation, Medium, Parties
from bot.domain.delivery import Delivery, DeliveryStatus
from bot.domain.ids import (
    CarrierMessageId,
    ChannelId,
    ConversationId,
    MessageId,
    RecurrenceId,
    ScheduleId,
    SlackTs,
    UserId,
)
from bot.domain.message import Direction, Mark, Message, Origin, State
from bot.domain.phone import Address
from bot.domain.schedule import Schedule, ScheduleState
from storage.moments import from_micros, from_micros_or_none


def write_ours(parties: Parties) -> str:
    """
    Return our side of *parties* as its column has it: `+13125550100`, or `whatsapp:+13125550100`.

    With the medium in the column that is unique with *theirs*, promise 3 holds for each medium by itself.
    """
    return parties.ours if parties.medium is Medium.SMS else f"{parties.medium.value}:{parties.ours}"


def read_parties(ours: str, theirs: str) -> Parties:
    """Return the parties that the two columns hold."""
    prefix, colon, address = ours.partition(":")
    medium = Medium(prefix) if colon else Medium.SMS
    return Parties(
        ours=Address(address if colon else ours),
        theirs=tuple(Address(part) for part in theirs.split(",")),
        medium=medium,
    )


def read_conversation(row: sqlite3.Row) -> Conversation:
    """Return the conversation of a whole row."""
    return Conversation(
        id=ConversationId(row["id"]),
        parties=read_parties(row["ours"], row["theirs"]),
        channel_id=ChannelId(row["channel_id"]),
        created_at=from_micros(row["created_at"]),
        thread_ts=None if row["thread_ts"] is None else SlackTs(row["thread_ts"]),
        root=row["root"],
        previous_channel_id=None if row["previous_channel_id"] is None else ChannelId(row["previous_channel_id"]),
        previous_thread_ts=None if row["previous_thread_ts"] is None else SlackTs(row["previous_thread_ts"]),
        active_at=from_micros_or_none(row["active_at"]),
    )


def read_message(row: sqlite3.Row) -> Message:
    """Return the message of a whole row."""
    return Message(
        id=MessageId(row["id"]),
        conversation_id=ConversationId(row["conversation_id"]),
        direction=Direction(row["direction"]),
        origin=Origin(row["origin"]),
        state=State(row["state"]),
        text=row["text"],
        created_at=from_micros(row["created_at"]),
        author=None if row["author"] is None else UserId(row["author"]),
        sender=row["sender"],
        channel_id=None if row["channel_id"] is None else ChannelId(row["channel_id"]),
        slack_ts=None if row["slack_ts"] is None else SlackTs(row["slack_ts"]),
        carrier_id=None if row["carrier_id"] is None else CarrierMessageId(row["carrier_id"]),
        due_at=from_micros_or_none(row["due_at"]),
        mark_shown=None if row["mark_shown"] is None else Mark(row["mark_shown"]),
        mark_tried=None if row["mark_tried"] is None else Mark(row["mark_tried"]),
        erased_at=from_micros_or_none(row["erased_at"]),
        turn=row["turn"],
    )


def read_delivery(row: sqlite3.Row) -> Delivery:
    """Return the delivery of a whole row."""
    return Delivery(
        status=DeliveryStatus(row["status"]),
        occurred_at=from_micros(row["occurred_at"]),
        code=row["code"],
        title=row["title"],
        detail=row["detail"],
    )


def read_schedule(row: sqlite3.Row) -> Schedule:
    """Return the schedule of a whole row."""
    return Schedule(
        id=ScheduleId(row["id"]),
        message_id=MessageId(row["message_id"]),
        state=ScheduleState(row["state"]),
        due_at=from_micros(row["due_at"]),
        zone=row["zone"],
        author=UserId(row["author"]),
        created_at=from_micros(row["created_at"]),
        unless_reply=bool(row["unless_reply"]),
        next_message_id=None if row["next_message_id"] is None else MessageId(row["next_message_id"]),
        recurrence_id=None if row["recurrence_id"] is None else RecurrenceId(row["recurrence_id"]),
    )
