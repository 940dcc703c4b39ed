"""What a customer's clock shows, said only where it says something new."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from bot.domain.phone import is_phone, time_zones
from bot.domain.places import describe_their_clock

CHICAGO = ZoneInfo("America/Chicago")
#: Half past nine in the morning in Chicago, on a Saturday.
AT = datetime(2026, 11, 21, 15, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("number", "said"),
    [
        ("+14155550101", "7:30 AM PST"),
        ("+13125550101", None),
        ("+12125550101", "10:30 AM EST"),
        ("+442079460101", "3:30 PM GMT"),
        ("+81312345678", "Sun 22 Nov, 12:30 AM JST"),
        ("+9779812345678", "9:15 PM UTC+5:45"),
        ("+18005550101", None),  # toll-free: nobody knows where
        ("72345", None),
        ("ACME", None),
    ],
)
def test_their_clock_is_said_where_it_shows_something_else(number: str, said: str | None) -> None:
    assert (
        describe_their_clock(AT, CHICAGO, [ZoneInfo(name) for name in time_zones(number)] if is_phone(number) else [])
        == said
    )


def test_of_a_region_with_two_clocks_both_are_said() -> None:
    zones = (ZoneInfo("America/New_York"), ZoneInfo("America/Denver"))
    assert describe_their_clock(AT, CHICAGO, zones) == "8:30 AM MST or 10:30 AM EST"


def test_what_shows_the_same_that_day_is_not_said_though_it_differs_in_summer() -> None:
    phoenix, denver = ZoneInfo("America/Phoenix"), ZoneInfo("America/Denver")
    assert describe_their_clock(AT, denver, (phoenix,)) is None
    summer = datetime(2027, 7, 1, 15, 30, tzinfo=UTC)
    assert describe_their_clock(summer, denver, (phoenix,)) == "8:30 AM MST"
