"""
What became of a text at the carrier: a ranked merge of whatever was reported, in whatever order.

Receipts come late, early, twice and out of order, so a report never *sets* the state: it is merged into what is known.
The merge takes the higher rank, then the later moment, then the greater code: commutative, associative and idempotent.
A delivery once confirmed stays confirmed, whatever else is claimed later.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class DeliveryStatus(StrEnum):
    """The carrier's words for one recipient (`to[].status`), and `other` for words it may add."""

    OTHER = "other"  #: A word we do not know; counts for nothing.
    SCHEDULED = "scheduled"  #: Held by the carrier until its time.
    QUEUED = "queued"  #: Accepted, not yet handed on.
    SENDING = "sending"  #: Being handed on.
    SENT = "sent"  #: The recipient's network has it.
    UNKNOWN = "unknown"  #: Final for a group member whose network does not report.
    DELIVERY_UNCONFIRMED = "delivery_unconfirmed"  #: Final; no confirmation will come.
    CANCELLED = "cancelled"  #: Taken back before its time.
    EXPIRED = "expired"  #: Final; not delivered in time.
    SENDING_FAILED = "sending_failed"  #: Final; never left the carrier.
    DELIVERY_FAILED = "delivery_failed"  #: Final; the recipient's network refused it.
    DELIVERED = "delivered"  #: Final; confirmed.
    READ = "read"  #: Final; opened (WhatsApp, RCS).


_RANK = {
    DeliveryStatus.OTHER: 0,
    DeliveryStatus.SCHEDULED: 1,
    DeliveryStatus.QUEUED: 2,
    DeliveryStatus.SENDING: 3,
    DeliveryStatus.SENT: 4,
    DeliveryStatus.UNKNOWN: 5,
    DeliveryStatus.DELIVERY_UNCONFIRMED: 5,
    DeliveryStatus.CANCELLED: 6,
    DeliveryStatus.EXPIRED: 7,
    DeliveryStatus.SENDING_FAILED: 7,
    DeliveryStatus.DELIVERY_FAILED: 7,
    DeliveryStatus.DELIVERED: 8,
    DeliveryStatus.READ: 9,
}

FAILED = frozenset({DeliveryStatus.EXPIRED, DeliveryStatus.SENDING_FAILED, DeliveryStatus.DELIVERY_FAILED})
UNCONFIRMED = frozenset({DeliveryStatus.UNKNOWN, DeliveryStatus.DELIVERY_UNCONFIRMED})
CONFIRMED = frozenset({DeliveryStatus.DELIVERED, DeliveryStatus.READ})
FINAL = FAILED | UNCONFIRMED | CONFIRMED | {DeliveryStatus.CANCELLED}


def read_status(word: object) -> DeliveryStatus:
    """Return the status that the carrier's *word* names; `OTHER` for anything unheard of. Never raises."""
    try:
        return DeliveryStatus(word.lower() if isinstance(word, str) else "")
    except ValueError:
        return DeliveryStatus.OTHER


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What is known of one recipient's copy."""

    status: DeliveryStatus
    occurred_at: datetime
    code: str | None = None  #: The carrier's error code, when it failed.
    title: str | None = None
    detail: str | None = None

    @property
    def rank(self) -> int:
        """How far along the status is; only ever grows for one recipient."""
        return _RANK[self.status]

    def order(self) -> tuple[int, datetime, str, str, str, str]:
        """Return its place among all that may be known of a copy. The order is total, so merging is associative."""
        return (self.rank, self.occurred_at, self.status, self.code or "", self.title or "", self.detail or "")


def merge(known: Delivery | None, reported: Delivery) -> Delivery:
    """Return what is known once *reported* is taken into account."""
    if known is None:
        return reported
    return max(known, reported, key=Delivery.order)


def worst(deliveries: Iterable[Delivery]) -> Delivery | None:
    """
    Return the delivery that decides the mark of a message with several recipients; None for none.

    A failure outweighs all; then what is still under way; then the unconfirmed; then the confirmed.
    """
    found = list(deliveries)
    if not found:
        return None

    def badness(delivery: Delivery) -> tuple[int, int, str]:
        if delivery.status in FAILED:
            return (4, delivery.rank, delivery.status)
        if delivery.status not in FINAL:
            return (3, -delivery.rank, delivery.status)
        if delivery.status in UNCONFIRMED:
            return (2, 0, delivery.status)
        return (0 if delivery.status in CONFIRMED else 1, -delivery.rank, delivery.status)

    return max(found, key=badness)
