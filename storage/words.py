"""
Closed words, each by a number in the file: its place in the tuples below.

A word is only ever added at the end, for the file has the numbers. The views of the schema say the words again, for a
person with `sqlite3`; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from bot.domain.delivery import DeliveryStatus
from bot.domain.message import Direction, Mark, Origin, State

Word = TypeVar("Word", bound=StrEnum)

# The frequent ones first: nought and one take no byte beyond the row's header.
DIRECTIONS = (Direction.INBOUND, Direction.OUTBOUND)
ORIGINS = (Origin.PHONE, Origin.THREAD, Origin.COMMAND, Origin.FORM, Origin.SCHEDULE, Origin.CORRECTION)
STATES = (
    State.RECEIVED,
    State.ACCEPTED,
    State.NOTE,
    State.BLOCKED,
    State.CONFIRMING,
    State.WAITING,
    State.UNDER_WAY,
    State.REFUSED,
    State.UNSETTLED,
    State.CANCELLED,
)
MARKS = (
    Mark.DELIVERED,
    Mark.WAITING,
    Mark.READ,
    Mark.UNCONFIRMED,
    Mark.FAILED,
    Mark.UNSETTLED,
    Mark.NOTE,
    Mark.BLOCKED,
)
STATUSES = (
    DeliveryStatus.DELIVERED,
    DeliveryStatus.SENT,
    DeliveryStatus.OTHER,
    DeliveryStatus.SCHEDULED,
    DeliveryStatus.QUEUED,
    DeliveryStatus.SENDING,
    DeliveryStatus.UNKNOWN,
    DeliveryStatus.DELIVERY_UNCONFIRMED,
    DeliveryStatus.CANCELLED,
    DeliveryStatus.EXPIRED,
    DeliveryStatus.SENDING_FAILED,
    DeliveryStatus.DELIVERY_FAILED,
    DeliveryStatus.READ,
)


def _number(words: tuple[Word, ...]) -> Mapping[Word, int]:
    return {word: number for number, word in enumerate(words)}


DIRECTION_CODES = _number(DIRECTIONS)
ORIGIN_CODES = _number(ORIGINS)
STATE_CODES = _number(STATES)
MARK_CODES = _number(MARKS)
STATUS_CODES = _number(STATUSES)
