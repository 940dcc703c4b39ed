"""
Between rows and what is said: conversations, messages, deliveries, schedules. Of a job's row see `storage.queue`.

Messages and conversations are read column by column in the order that their SELECT has, which stands beside the function
that reads it. How their ids and words are packed, `storage/packing.py` says.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Any

from bot.domain.conversation import Conversation, Medium, Parties
from bot.domain.delivery import Delivery
from bot.domain.ids import (
    CarrierMessageId,
    ConversationId,
    MessageId,
    RecurrenceId,
    ScheduleId,
    SlackTs,
    UserId,
)
from bot.domain.message import Message
from bot.domain.phone import Address
from bot.domain.schedule import Schedule, ScheduleState
from storage.moments import from_micros
from storage.packing import unpack_carrier_id, unpack_id, unpack_ts
from storage.words import DIRECTIONS, MARKS, ORIGINS, STATES, STATUSES


def write_ours(parties: Parties) -> str:
    """
    Return our side of *parties* as its column has it: `+13125550100`, or `whatsapp:+13125550100`.

    With the medium in the column that is unique with *theirs*, promise 3 holds for each medium by itself.
    """
    return parties.ours if parties.medium is Medium.SMS else f"{parties.medium.value}:{parties.ours}"


def read_parties(ours: str, theirs: str) -> Parties:
    """Return the parties that the two columns hold."""
    group = tuple(Address(part) for part in theirs.split(",")) if "," in theirs else (Address(theirs),)
    if ":" not in ours:
        return Parties(ours=Address(ours), theirs=group)
    medium, _, address = ours.partition(":")
    return Parties(ours=Address(address), theirs=group, medium=Medium(medium))


#: A whole conversation, for `read_conversation`; a WHERE follows.
SELECT_CONVERSATION = """
SELECT c.number, c.id, c.ours, c.theirs, (SELECT name FROM names WHERE number = c.channel), c.thread_ts, c.root,
    (SELECT name FROM names WHERE number = c.previous_channel), c.previous_ts, c.created_at, c.active_at
FROM packed_conversations c"""
#: A whole message, for `read_message`; a WHERE follows.
SELECT_MESSAGE = """
SELECT m.number, m.id, c.id, m.direction, m.origin, m.state, m.text, (SELECT name FROM names WHERE number = m.author),
    CASE m.sender WHEN 0 THEN c.theirs ELSE m.sender END, (SELECT name FROM names WHERE number = m.channel), m.slack_ts,
    m.carrier_id, m.created_at, m.due_at, m.mark_shown, m.mark_tried, m.erased_at, m.turn
FROM packed_messages m JOIN packed_conversations c ON c.number = m.conversation"""
#: The copies of a message, for `read_delivery`, each with its recipient; a WHERE follows.
SELECT_DELIVERY = """
SELECT d.status, d.occurred_at, d.code, d.title, d.detail, CASE d.recipient WHEN 0 THEN c.theirs ELSE d.recipient END
FROM packed_messages m JOIN packed_conversations c ON c.number = m.conversation
JOIN packed_deliveries d ON d.message = m.number"""


def read_conversation(row: sqlite3.Row, parties: Parties | None = None) -> Conversation:
    """Return the conversation of a row of SELECT_CONVERSATION; *parties*: by which it was found, if it was."""
    (_, packed, ours, theirs, channel, ts, root, previous_channel, previous_ts, created, active) = row
    return Conversation(
        id=ConversationId(unpack_id(packed)),
        parties=read_parties(ours, theirs) if parties is None else parties,
        channel_id=channel,
        created_at=from_micros(created),
        thread_ts=None if ts is None else SlackTs(unpack_ts(ts)),
        root=root,
        previous_channel_id=previous_channel,
        previous_thread_ts=None if previous_ts is None else SlackTs(unpack_ts(previous_ts)),
        active_at=None if active is None else from_micros(active),
    )


def read_message(row: sqlite3.Row) -> Message:
    """Return the message of a row of SELECT_MESSAGE."""
    (
        _,
        packed,
        conversation,
        direction,
        origin,
        state,
        text,
        author,
        sender,
        channel,
        ts,
        carrier_id,
        created,
        due,
        mark_shown,
        mark_tried,
        erased,
        turn,
    ) = row
    return Message(
        id=MessageId(unpack_id(packed)),
        conversation_id=ConversationId(unpack_id(conversation)),
        direction=DIRECTIONS[direction],
        origin=ORIGINS[origin],
        state=STATES[state],
        text=text,
        created_at=from_micros(created),
        author=author,
        sender=sender,
        channel_id=channel,
        slack_ts=None if ts is None else SlackTs(unpack_ts(ts)),
        carrier_id=None if carrier_id is None else CarrierMessageId(unpack_carrier_id(carrier_id)),
        due_at=None if due is None else from_micros(due),
        mark_shown=None if mark_shown is None else MARKS[mark_shown],
        mark_tried=None if mark_tried is None else MARKS[mark_tried],
        erased_at=None if erased is None else from_micros(erased),
        turn=turn,
    )


def read_delivery(row: Iterable[Any]) -> tuple[Address, Delivery]:
    """Return the recipient and the delivery of a row of SELECT_DELIVERY."""
    (status, occurred, code, title, detail, recipient) = row
    delivery = Delivery(
        status=STATUSES[status], occurred_at=from_micros(occurred), code=code, title=title, detail=detail
    )
    return Address(recipient), delivery


#: A whole schedule, for `read_schedule`; a WHERE follows.
SELECT_SCHEDULE = """
SELECT s.*, m.id AS message_id, n.id AS next_message_id
FROM schedules s JOIN packed_messages m ON m.number = s.message LEFT JOIN packed_messages n ON n.number = s.next_message"""


def read_schedule(row: sqlite3.Row) -> Schedule:
    """Return the schedule of a row of SELECT_SCHEDULE."""
    return Schedule(
        id=ScheduleId(row["id"]),
        message_id=MessageId(unpack_id(row["message_id"])),
        state=ScheduleState(row["state"]),
        due_at=from_micros(row["due_at"]),
        zone=row["zone"],
        author=UserId(row["author"]),
        created_at=from_micros(row["created_at"]),
        unless_reply=bool(row["unless_reply"]),
        next_message_id=None if row["next_message_id"] is None else MessageId(unpack_id(row["next_message_id"])),
        recurrence_id=None if row["recurrence_id"] is None else RecurrenceId(row["recurrence_id"]),
    )
