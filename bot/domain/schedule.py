"""A text for later: who holds it when, and when it is handed over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain.ids import MessageId, RecurrenceId, ScheduleId, UserId


class ScheduleState(StrEnum):
    """Who holds it."""

    WAITING = "waiting"  #: We do: its time is too near or too far for the carrier.
    AT_CARRIER = "at_carrier"  #: The carrier does, and sends it even if we are down.
    TAKING_BACK = "taking_back"  #: Someone cancelled or changed it; the carrier has not given it back yet.
    SENT = "sent"  #: Its time came and it went out.
    CANCELLED = "cancelled"  #: Taken back in time.
    FAILED = "failed"  #: Refused; its author was told.


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """One text, due at one moment."""

    id: ScheduleId
    message_id: MessageId
    state: ScheduleState
    due_at: datetime
    zone: str  #: The author's time zone, in which the moment was said.
    author: UserId
    created_at: datetime
    unless_reply: bool = False  #: Taken back by itself when they write first.
    next_message_id: MessageId | None = None  #: What goes in its stead once the carrier has given it back.
    recurrence_id: RecurrenceId | None = None  #: Of which text that repeats it is one time.


#: The carrier's window for `send_at` (developers.telnyx.com, schedule SMS and MMS messages), less what a slow hand-over
#: may take: a request made just inside the limit must still be inside it when it arrives.
SOONEST = timedelta(minutes=5) + timedelta(seconds=30)
FURTHEST = timedelta(days=5) - timedelta(hours=1)
#: The carrier does not take back what is due within this span.
POINT_OF_NO_RETURN = timedelta(minutes=1)
#: A text that could not go at its time still goes within this span, as any text waits for a carrier; later a person
#: decides. One that repeats waits less: `bot.domain.recurrence.MOST_LATE`.
MOST_LATE = timedelta(hours=24)
#: So long before its time at the least people are told that the carrier does not take a text.
TELL_AHEAD = timedelta(hours=1)


class HandOver(StrEnum):
    """What to do with a scheduled text now."""

    SEND_NOW = "send_now"  #: Due, or past due: an ordinary send.
    WAIT = "wait"  #: Not yet; `next_moment` says until when.
    TO_CARRIER = "to_carrier"  #: Within the carrier's window: hand it over with `send_at`.


def choose_hand_over(due_at: datetime, now: datetime) -> HandOver:
    """Return what to do at *now* with a text due at *due_at*."""
    remaining = due_at - now
    if remaining <= timedelta(0):
        return HandOver.SEND_NOW
    if remaining < SOONEST or remaining > FURTHEST:
        return HandOver.WAIT
    return HandOver.TO_CARRIER


def next_moment(due_at: datetime, now: datetime) -> datetime:
    """Return when to ask `choose_hand_over` again: now, the opening of the carrier's window, or the due time."""
    match choose_hand_over(due_at, now):
        case HandOver.SEND_NOW | HandOver.TO_CARRIER:
            return now
        case HandOver.WAIT:
            return due_at if due_at - now < SOONEST else due_at - FURTHEST
