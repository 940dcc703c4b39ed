"""What is known of customers besides what they wrote: which clock is theirs."""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from bot.domain.phone import Address, is_phone, time_zones


def find_zones(addresses: Sequence[Address]) -> frozenset[ZoneInfo]:
    """Return every zone in which one of *addresses* may be: by their numbers."""
    names = {zone for address in addresses if is_phone(address) for zone in time_zones(address)}
    return frozenset(ZoneInfo(name) for name in names)
