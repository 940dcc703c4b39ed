"""What clocks elsewhere show."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.domain.when import format_date, format_time, name_zone

#: So many readings of a clock are worth saying; a toll-free number may be anywhere.
_MOST_SAID = 2


def read_zone(name: str | None) -> ZoneInfo:
    """Return the IANA time zone called *name*, UTC where there is none such."""
    try:
        return ZoneInfo(name or "UTC")
    except (KeyError, ValueError, OSError):
        return ZoneInfo("UTC")


def describe_their_clock(at: datetime, ours: ZoneInfo, theirs: Collection[ZoneInfo]) -> str | None:
    """
    Say what clocks in *theirs* show at the moment *at*: `7:30 AM PST`, with the day where it is another.

    None where they show the same as those in *ours*, or where nobody can tell.
    """
    here = at.astimezone(ours)
    shown = {there.utcoffset(): there for there in (at.astimezone(zone) for zone in theirs)}
    if not shown or len(shown) > _MOST_SAID or set(shown) == {here.utcoffset()}:
        return None
    readings = []
    for there in sorted(shown.values(), key=lambda each: each.replace(tzinfo=None)):
        day = "" if there.date() == here.date() else f"{format_date(there)}, "
        readings.append(f"{day}{format_time(there)} {name_zone(there)}")
    return " or ".join(readings)
