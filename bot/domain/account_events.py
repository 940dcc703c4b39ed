"""
The carrier's events that are about the account or about a link, not about a text's way.

Sources: developers.telnyx.com (configurable spend limits, hosted SMS, replaced link click) and the OpenAPI description.
A link click has neither envelope nor id; hosted number orders have more event types than the guides name, all beginning
alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.domain.ids import CarrierMessageId
from bot.domain.phone import Address

#: The event types of hosted number orders all begin so.
HOSTED_ORDERS = "messaging_hosted_numbers_orders."
SPEND_LIMIT = "messaging-profile.spend-limit-reached"
LINK_CLICKED = "link_clicked"


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkClick:
    """A customer opened a link that the carrier had shortened for us."""

    carrier_id: CarrierMessageId  #: The text that held it.
    url: str  #: Where it led.
    clicker: Address | None
    clicked_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendLimitReached:
    """
    The day's limit that the team set itself on a messaging profile is used up.

    The carrier takes no more by that profile until midnight UTC, unless the limit is raised.
    """

    profile_id: str
    limit: str  #: As the carrier writes money: `10.00`.
    cost: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HostedOrderChange:
    """Something happened to an order for hosting a number."""

    change: str  #: What follows the dot of the event type: `created`, `updated`, …
    order_id: str
    status: str
    numbers: tuple[tuple[Address, str], ...]  #: Each number with its own status.


AccountEvent = LinkClick | SpendLimitReached | HostedOrderChange


def find_reset(now: datetime) -> datetime:
    """Return when a day's spend limit begins anew: the next midnight UTC (configurable spend limits)."""
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return today + timedelta(days=1)
