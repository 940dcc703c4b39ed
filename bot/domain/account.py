"""What people see of the carrier account at a glance: gathered facts, and the small picture of the last days."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from urllib.parse import urlsplit

from bot.domain.delivery import CONFIRMED, FAILED, UNCONFIRMED, DeliveryStatus

#: What the carrier gave for one thing of its account, unchecked.
Record = Mapping[str, Any]
_PORTS: Final = {"http": 80, "https": 443}
#: How many squares the longest bar of the picture has.
_WIDTH: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class DayCount:
    """What became of the texts of one day (UTC), one for each recipient."""

    day: date
    delivered: int = 0
    failed: int = 0
    unconfirmed: int = 0
    under_way: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.delivered + self.failed + self.unconfirmed + self.under_way


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """What texts cost since a moment."""

    amount: Decimal
    currency: str
    is_whole: bool  #: False: there were more records than were asked for, so it is at least this.


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """How the program itself fares."""

    waiting: int  #: Jobs that are due or will be.
    oldest: timedelta  #: How long the oldest due one has been due.
    parked: int  #: Jobs that were given up and wait for a person.
    troubles: Mapping[str, str]  #: Parts that do not work, and what is wrong.


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountView:
    """The account as it was seen at one moment. What could not be had is None, and named in *missing*."""

    seen_at: datetime
    profile: Record | None
    numbers: Sequence[Record] | None
    short_codes: Sequence[Record] | None
    names: Sequence[Record] | None
    autoresponses: Sequence[Record] | None
    spending: Spending | None
    optouts: int
    days: Sequence[DayCount]
    pulse: Pulse
    missing: Mapping[str, str]  #: What could not be had, and why, in words.


def count_days(outcomes: Iterable[tuple[date, DeliveryStatus, int]], *, first: date, days: int) -> tuple[DayCount, ...]:
    """Return the counts of *days* days from *first* on, oldest first, days without texts among them."""
    counts: dict[date, dict[str, int]] = {}
    for day, status, count in outcomes:
        field = (
            "failed"
            if status in FAILED
            else "delivered"
            if status in CONFIRMED
            else "unconfirmed"
            if status in UNCONFIRMED
            else "under_way"
        )
        of_day = counts.setdefault(day, {})
        of_day[field] = of_day.get(field, 0) + count
    return tuple(
        DayCount(day=day, **counts.get(day, {})) for day in (first + timedelta(days=number) for number in range(days))
    )


def draw_bar(count: DayCount, most: int) -> str:
    """
    Return the day's texts as a row of squares: green delivered, red failed, yellow unconfirmed, white under way.

    *most*: the largest total of the picture, whose row is the longest. What there is at all has a square at least.
    """
    parts = ((count.delivered, "🟩"), (count.failed, "🟥"), (count.unconfirmed, "🟨"), (count.under_way, "⬜"))
    scale = _WIDTH / most if most > _WIDTH else 1.0
    return "".join(square * max(1, round(number * scale)) for number, square in parts if number)


def points_to(profile: Record, webhook_url: str | None) -> bool | None:
    """Tell whether the profile's webhook is ours; None where nobody has said what our address is."""
    if webhook_url is None:
        return None
    return name_same_place(str(profile.get("webhook_url") or ""), webhook_url)


def name_same_place(one: str, other: str) -> bool:
    """Tell whether what is sent to *one* web address arrives at *other*: by case of host, port, last slash and query."""
    try:
        first, second = _read_place(one), _read_place(other)
    except ValueError:  # a port that is none
        return False
    return first == second


def _read_place(address: str) -> tuple[str, str | None, int | None, str]:
    parts = urlsplit(address)
    return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme), parts.path.rstrip("/")


def describe_abilities(number: Record, *, has_whatsapp: bool) -> str:
    """Return what one of our numbers can do: `SMS, MMS, WhatsApp`."""
    features = number.get("features")
    known = features if isinstance(features, Mapping) else {}
    abilities = [name for name, key in (("SMS", "sms"), ("MMS", "mms")) if known.get(key)]
    if has_whatsapp:
        abilities.append("WhatsApp")
    return ", ".join(abilities) or "no texts"
