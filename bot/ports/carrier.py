"""The carrier, as the flows need it, and what it answers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from bot.domain.account import Spending
from bot.domain.delivery import DeliveryStatus
from bot.domain.ids import CarrierMessageId, MessageId
from bot.domain.phone import Address


@dataclass(frozen=True, slots=True, kw_only=True)
class CarrierRequest:
    """A request to the carrier exactly as it goes out, every time it goes out."""

    message_id: MessageId
    path: str  #: Such as `/messages`.
    idempotency_key: str
    body: bytes
    created_at: datetime
    attempted_at: datetime | None = None  #: When the newest attempt began whose outcome is unknown.
    attempts: int = 0  #: Made since an outcome was last known.


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """The carrier's yes to a send."""

    carrier_id: CarrierMessageId
    sender: str | None  #: The number that it chose, or ours.
    parts: int | None  #: As the carrier counts them.
    statuses: Mapping[Address, DeliveryStatus]  #: One for each recipient.


@dataclass(frozen=True, slots=True, kw_only=True)
class CarrierOptout:
    """One line of the carrier's own list of people who opted out."""

    address: Address
    ours: Address | None
    keyword: str | None
    created_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundRecord:
    """One line of the carrier's record of inbound texts: who and when, without the words."""

    carrier_id: CarrierMessageId
    sender: Address
    ours: Address
    created_at: datetime


class Carrier(Protocol):
    """
    The carrier's API. One call is one request: no retries in here.

    Raises RetryLater when the request certainly had no effect, OutcomeUnknown when it may have had one, CarrierRefused
    when it was understood and refused.
    """

    async def send(self, request: CarrierRequest) -> Acceptance:
        """Make *request*, byte for byte, under its key."""
        ...

    async def cancel(self, carrier_id: CarrierMessageId) -> None:
        """Take a scheduled message back; CarrierRefused if it is too late or unknown."""
        ...

    async def find_message(self, carrier_id: CarrierMessageId) -> Mapping[str, Any] | None:
        """Return the carrier's record of a message of the last ten days; None if it has none."""
        ...

    async def list_optouts(self) -> Sequence[CarrierOptout]:
        """Return the carrier's whole list, all pages."""
        ...

    async def list_outbound(self, recipient: Address, *, since: datetime) -> Sequence[CarrierMessageId]:
        """Return the texts to *recipient* that the carrier has on record from *since* on, oldest first."""
        ...

    def list_inbound(self, *, since: datetime) -> AsyncIterator[Sequence[InboundRecord]]:
        """Yield the inbound texts that the carrier has on record from *since* on, page by page, oldest first."""
        ...

    async def sum_cost(self, *, since: datetime) -> Spending:
        """Return what outbound texts cost from *since* on, by the carrier's records."""
        ...

    async def check_access(self) -> None:
        """Raise CarrierRefused if the API key is refused, RetryLater if the carrier cannot be reached."""
        ...
