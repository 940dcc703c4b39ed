"""Quiet hours: by the recipient's clock, the strictest where there are several, and right when clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.policy import QuietHours, find_quiet_hours, read_quiet_hours

NEW_YORK, CHICAGO = ZoneInfo("America/New_York"), ZoneInfo("America/Chicago")
DENVER, LOS_ANGELES = ZoneInfo("America/Denver"), ZoneInfo("America/Los_Angeles")
BERLIN, SYDNEY, KATHMANDU = ZoneInfo("Europe/Berlin"), ZoneInfo("Australia/Sydney"), ZoneInfo("Asia/Kathmandu")
NIGHT = QuietHours(begin=time(21), end=time(8))
NOON = QuietHours(begin=time(12), end=time(13, 30))
ZONES = (NEW_YORK, CHICAGO, DENVER, LOS_ANGELES, BERLIN, SYDNEY, KATHMANDU, ZoneInfo("UTC"))


def at(zone: ZoneInfo, *when: int) -> datetime:
    return datetime(*when, tzinfo=zone).astimezone(UTC)  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(
    ("quiet_hours", "zones", "moment", "opens_at"),
    [
        # The edges: the beginning is quiet, the end is not.
        (NIGHT, (NEW_YORK,), at(NEW_YORK, 2026, 11, 3, 20, 59, 59), None),
        (NIGHT, (NEW_YORK,), at(NEW_YORK, 2026, 11, 3, 21), at(NEW_YORK, 2026, 11, 4, 8)),
        (NIGHT, (NEW_YORK,), at(NEW_YORK, 2026, 11, 4, 0), at(NEW_YORK, 2026, 11, 4, 8)),
        (NIGHT, (NEW_YORK,), at(NEW_YORK, 2026, 11, 4, 7, 59, 59), at(NEW_YORK, 2026, 11, 4, 8)),
        (NIGHT, (NEW_YORK,), at(NEW_YORK, 2026, 11, 4, 8), None),
        # Within one day.
        (NOON, (BERLIN,), at(BERLIN, 2026, 6, 1, 11, 59), None),
        (NOON, (BERLIN,), at(BERLIN, 2026, 6, 1, 12), at(BERLIN, 2026, 6, 1, 13, 30)),
        (NOON, (BERLIN,), at(BERLIN, 2026, 6, 1, 13, 30), None),
        # Each by their own clock: noon for us is night for them.
        (NIGHT, (SYDNEY,), at(CHICAGO, 2026, 11, 3, 12), at(SYDNEY, 2026, 11, 4, 8)),
        (NIGHT, (KATHMANDU,), at(KATHMANDU, 2026, 11, 3, 21, 15), at(KATHMANDU, 2026, 11, 4, 8)),
        # Several zones: it must be allowed in all of them.
        (NIGHT, (NEW_YORK, LOS_ANGELES), at(NEW_YORK, 2026, 11, 4, 9), at(LOS_ANGELES, 2026, 11, 4, 8)),
        (NIGHT, (NEW_YORK, LOS_ANGELES), at(LOS_ANGELES, 2026, 11, 4, 8), None),
        (NIGHT, (NEW_YORK, LOS_ANGELES), at(LOS_ANGELES, 2026, 11, 4, 18), at(LOS_ANGELES, 2026, 11, 5, 8)),
        # Two zones that push each other along: never allowed on the way.
        (NIGHT, (NEW_YORK, SYDNEY), at(NEW_YORK, 2026, 11, 4, 8), at(NEW_YORK, 2026, 11, 4, 16)),
        # The clock goes back in that night: it is an hour longer.
        (NIGHT, (NEW_YORK,), at(NEW_YORK, 2026, 10, 31, 22), at(NEW_YORK, 2026, 11, 1, 8)),
        # It goes forward, over the hour in which the quiet hours would end.
        (QuietHours(begin=time(21), end=time(2, 30)), (NEW_YORK,), at(NEW_YORK, 2026, 3, 8, 1), at(NEW_YORK, 2026, 3, 8, 3, 30)),
        # Nobody knows where they are: UTC.
        (NIGHT, (), datetime(2026, 11, 4, 7, tzinfo=UTC), datetime(2026, 11, 4, 8, tzinfo=UTC)),
        (NIGHT, (), datetime(2026, 11, 4, 9, tzinfo=UTC), None),
        # There are none.
        (None, (NEW_YORK,), at(NEW_YORK, 2026, 11, 4, 3), None),
    ],
)  # fmt: skip
def test_when_texting_is_allowed_again(
    quiet_hours: QuietHours | None, zones: tuple[ZoneInfo, ...], moment: datetime, opens_at: datetime | None
) -> None:
    found = find_quiet_hours(quiet_hours, moment, zones)

    assert (None if found is None else found.opens_at) == opens_at


def test_their_own_clock_is_told() -> None:
    found = find_quiet_hours(NIGHT, at(CHICAGO, 2026, 11, 4, 5), (LOS_ANGELES,))

    assert found is not None
    assert f"{found.local:%H:%M %a}" == "03:00 Wed"
    assert f"{found.local_opening:%H:%M %a}" == "08:00 Wed"
    assert (found.zone, found.several) == (LOS_ANGELES, False)


def test_of_several_zones_the_one_that_opens_last_is_told() -> None:
    found = find_quiet_hours(NIGHT, at(NEW_YORK, 2026, 11, 4, 9), (NEW_YORK, DENVER, LOS_ANGELES))

    assert found is not None
    assert (found.zone, found.several, f"{found.local:%H:%M}") == (LOS_ANGELES, True, "06:00")


@given(
    st.builds(QuietHours, begin=st.times(), end=st.times()),
    st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2035, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.sets(st.sampled_from(ZONES), min_size=1, max_size=3),
)
def test_a_moment_is_quiet_as_soon_as_it_is_in_one_zone_and_the_opening_is_in_none(
    quiet_hours: QuietHours, moment: datetime, zones: set[ZoneInfo]
) -> None:
    alone = [find_quiet_hours(quiet_hours, moment, (zone,)) for zone in zones]
    together = find_quiet_hours(quiet_hours, moment, zones)

    assert (together is None) == all(each is None for each in alone)
    if together is not None:
        assert together.opens_at > moment
        assert together.zone in zones
        assert together.opens_at >= max(each.opens_at for each in alone if each is not None)


@pytest.mark.parametrize("value", ["", "08:00-08:00"])
def test_no_hours_are_none(value: str) -> None:
    assert read_quiet_hours(value) is None


def test_the_setting_is_read() -> None:
    assert read_quiet_hours("21:00-08:30") == QuietHours(begin=time(21), end=time(8, 30))
    assert read_quiet_hours("9:05-17:00") == QuietHours(begin=time(9, 5), end=time(17))
