"""What a team knows of a customer besides what they wrote: their name, and which clock is theirs."""

from __future__ import annotations

import functools
import zoneinfo
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.domain.ids import UserId
from bot.domain.phone import Address, is_phone, time_zones
from bot.domain.when import format_time

#: The regions of the IANA database in which people live; the rest are aliases of other eras.
_REGIONS = frozenset(
    {"Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """One customer, as teammates set it."""

    address: Address
    name: str | None
    zone: str | None  #: IANA name; None: where their number was issued.
    set_by: UserId  #: Whoever changed it last.
    set_at: datetime


def choose_zones(address: Address, contact: Contact | None) -> frozenset[str]:
    """Return the names of every zone where *address* may be: the one set for the contact, else those of the number."""
    if contact is not None and contact.zone is not None:
        return frozenset({contact.zone})
    return frozenset(time_zones(address)) if is_phone(address) else frozenset()


@functools.cache
def list_zones() -> tuple[str, ...]:
    """Return the names of all zones that can be set, sorted."""
    return tuple(sorted(name for name in zoneinfo.available_timezones() if name.partition("/")[0] in _REGIONS))


def search_zones(typed: str, most: int) -> Sequence[str]:
    """Return at most *most* zones whose name holds what was *typed*, those whose city begins with it first."""
    wanted = "_".join(typed.split()).casefold()
    found = [name for name in list_zones() if wanted in name.casefold()]
    return sorted(found, key=lambda name: (not name.casefold().rpartition("/")[2].startswith(wanted), name))[:most]


def describe_zone(name: str, now: datetime) -> str:
    """Return a zone as people choose it: `America/Denver, 8:05 AM now`."""
    return f"{name.replace('_', ' ')}, {format_time(now.astimezone(ZoneInfo(name)))} now"
