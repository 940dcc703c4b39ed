"""Small made-up things to store."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from bot.domain.conversation import Parties, make_parties
from bot.domain.ids import ConversationId, MessageId, RecurrenceId, ScheduleId, UserId
from bot.domain.job import Kind, NewJob, Pool
from bot.domain.message import Direction, Message, Origin, State
from bot.domain.phone import Address
from bot.domain.recurrence import Recurrence, Rule
from bot.domain.schedule import Schedule, ScheduleState

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
OURS = Address("+13125550142")
ANA = Address("+17735550118")
BOB = Address("+14155550163")
PAIR = make_parties(OURS, [ANA])
GROUP = make_parties(OURS, [BOB, ANA])


def make_job(key: str, **changes: Any) -> NewJob:
    """Return a job to be enqueued under *key*."""
    fields: dict[str, Any] = {"kind": Kind.POST_TEXT, "pool": Pool.POST, "key": key, "body": f"body of {key}"}
    return NewJob(**(fields | changes))


def make_message(name: str, **changes: Any) -> Message:
    """Return an outbound message of the conversation `pair`."""
    fields: dict[str, Any] = {
        "id": MessageId(name),
        "conversation_id": ConversationId("pair"),
        "direction": Direction.OUTBOUND,
        "origin": Origin.THREAD,
        "state": State.WAITING,
        "text": f"text of {name}",
        "created_at": NOW,
    }
    return Message(**(fields | changes))


def make_schedule(name: str, message: str, **changes: Any) -> Schedule:
    """Return a schedule of *message*, due in an hour."""
    fields: dict[str, Any] = {
        "id": ScheduleId(name),
        "message_id": MessageId(message),
        "state": ScheduleState.WAITING,
        "due_at": NOW + timedelta(hours=1),
        "zone": "America/Chicago",
        "author": UserId("U1"),
        "created_at": NOW,
    }
    return Schedule(**(fields | changes))


def make_recurrence(name: str, **changes: Any) -> Recurrence:
    """Return a text that goes every Monday at nine, in the conversation `pair`."""
    fields: dict[str, Any] = {
        "id": RecurrenceId(name),
        "conversation_id": ConversationId("pair"),
        "active": True,
        "rule": Rule(rrule="FREQ=WEEKLY;BYDAY=MO", began_on=datetime(2026, 11, 23, 9, 0)),  # noqa: DTZ001 - a wall's
        "zone": "America/Chicago",
        "text": f"text of {name}",
        "author": UserId("U1"),
        "created_at": NOW,
    }
    return Recurrence(**(fields | changes))


def pair_of(ours: str, *theirs: str) -> Parties:
    """Return parties of plain strings."""
    return make_parties(Address(ours), [Address(name) for name in theirs])
