"""When a text that repeats is due: by the author's wall, through every change of the clocks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from dateutil import tz
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.recurrence import Rule, find_coming, find_occurrence, settle

#: Changes of an hour, of half an hour, in either half of the year, and none.
ZONES = [
    "America/Chicago",
    "America/New_York",
    "Europe/Berlin",
    "Europe/London",
    "Australia/Sydney",
    "Australia/Lord_Howe",
    "America/Santiago",
    "Africa/Cairo",
    "Asia/Kathmandu",
    "America/Phoenix",
    "UTC",
]
zones = st.sampled_from(ZONES).map(ZoneInfo)
walls = st.datetimes(min_value=datetime(2026, 1, 1), max_value=datetime(2029, 1, 1)).map(  # noqa: DTZ001 - a wall's
    lambda wall: wall.replace(second=0, microsecond=0)
)
rules = st.sampled_from(
    [
        "FREQ=DAILY",
        "FREQ=DAILY;INTERVAL=3",
        "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR",
        "FREQ=WEEKLY;BYDAY=SU",
        "FREQ=WEEKLY;INTERVAL=2;BYDAY=SU",
        "FREQ=MONTHLY;BYMONTHDAY=1",
        "FREQ=MONTHLY;BYDAY=-1SU",
        "FREQ=MONTHLY;BYMONTHDAY=28,29,30,31;BYSETPOS=-1",
        "FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=14",
    ]
)


def wall(text: str) -> datetime:
    return datetime.fromisoformat(text)


# What the author's clock shows -> UTC.
_CHANGES = [
    # Chicago, spring 2027: at two on 14 March it is three.
    ("America/Chicago", "2027-03-13 02:30", "2027-03-13 08:30", None),
    ("America/Chicago", "2027-03-14 01:59", "2027-03-14 07:59", None),
    ("America/Chicago", "2027-03-14 02:00", "2027-03-14 08:00", "skip"),
    ("America/Chicago", "2027-03-14 02:30", "2027-03-14 08:30", "skip"),
    ("America/Chicago", "2027-03-14 03:00", "2027-03-14 08:00", None),
    ("America/Chicago", "2027-03-15 02:30", "2027-03-15 07:30", None),
    # Chicago, autumn 2027: at two on 7 November it is one again.
    ("America/Chicago", "2027-11-07 00:59", "2027-11-07 05:59", None),
    ("America/Chicago", "2027-11-07 01:00", "2027-11-07 06:00", "twice"),
    ("America/Chicago", "2027-11-07 01:30", "2027-11-07 06:30", "twice"),
    ("America/Chicago", "2027-11-07 02:00", "2027-11-07 08:00", None),
    # Berlin: at one UTC on the last Sundays of March and October.
    ("Europe/Berlin", "2027-03-28 02:30", "2027-03-28 01:30", "skip"),
    ("Europe/Berlin", "2027-10-31 02:30", "2027-10-31 00:30", "twice"),
    # Lord Howe moves by half an hour, in April and October.
    ("Australia/Lord_Howe", "2027-10-03 02:15", "2027-10-02 15:45", "skip"),
    ("Australia/Lord_Howe", "2027-04-04 01:45", "2027-04-03 14:45", "twice"),
    # Cairo changes at midnight: the day begins at one.
    ("Africa/Cairo", "2027-04-30 00:15", "2027-04-29 22:15", "skip"),
    # Nothing ever changes in Phoenix.
    ("America/Phoenix", "2027-03-14 02:30", "2027-03-14 09:30", None),
]


@pytest.mark.parametrize(("zone", "shown", "utc", "told"), _CHANGES)
def test_an_hour_that_is_skipped_moves_on_and_of_two_the_first_is_meant_and_it_is_said(
    zone: str, shown: str, utc: str, told: str | None
) -> None:
    at, notes = settle(wall(shown), ZoneInfo(zone))
    assert at == wall(utc).replace(tzinfo=UTC)
    assert bool(notes) == (told is not None)
    assert told is None or told in notes[0]


def test_nine_on_the_wall_stays_nine_through_a_year() -> None:
    zone = ZoneInfo("America/Chicago")
    rule = Rule(rrule="FREQ=DAILY", began_on=wall("2026-11-20 09:00"))
    after, hours = wall("2026-11-20 08:00"), set()
    for _ in range(366):
        found = find_occurrence(rule, zone, after=after)
        assert found is not None
        assert found.due_at.astimezone(zone).replace(tzinfo=None) == found.occurs_on
        hours.add(found.due_at.hour)
        after = found.occurs_on
    assert hours == {14, 15}


@given(zones, walls, rules)
def test_each_time_on_the_wall_comes_once_later_than_the_one_before_and_shows_there_what_was_said(
    zone: ZoneInfo, began_on: datetime, rrule: str
) -> None:
    rule = Rule(rrule=rrule, began_on=began_on)
    after, before = began_on - timedelta(minutes=1), None
    for _ in range(60):
        found = find_occurrence(rule, zone, after=after)
        assert found is not None
        assert found.occurs_on > after
        assert (found.occurs_on.hour, found.occurs_on.minute) == (began_on.hour, began_on.minute)
        assert before is None or found.due_at > before
        there = found.due_at.astimezone(zone)
        if tz.datetime_exists(found.occurs_on.replace(tzinfo=zone)):
            assert there.replace(tzinfo=None) == found.occurs_on
            assert there.fold == 0  # of an hour that comes twice the first
        else:
            assert timedelta(0) < there.replace(tzinfo=None) - found.occurs_on <= timedelta(hours=1)
        after, before = found.occurs_on, found.due_at


@given(zones, walls, rules, st.timedeltas(min_value=timedelta(days=-30), max_value=timedelta(days=700)))
def test_what_is_to_come_is_the_very_next_and_is_still_ahead(
    zone: ZoneInfo, began_on: datetime, rrule: str, since: timedelta
) -> None:
    rule = Rule(rrule=rrule, began_on=began_on)
    now = began_on.replace(tzinfo=UTC) + since
    found = find_coming(rule, zone, now=now)
    assert found is not None
    assert found.due_at > now
    earlier = find_occurrence(rule, zone, after=began_on - timedelta(minutes=1))
    while earlier is not None and earlier.occurs_on < found.occurs_on:
        assert earlier.due_at <= now
        earlier = find_occurrence(rule, zone, after=earlier.occurs_on)


def test_after_its_last_time_there_is_none() -> None:
    rule = Rule(rrule="FREQ=DAILY;COUNT=2", began_on=wall("2026-11-20 09:00"))
    zone = ZoneInfo("UTC")
    assert find_coming(rule, zone, now=datetime(2026, 11, 21, 8, tzinfo=UTC)) is not None
    assert find_coming(rule, zone, now=datetime(2026, 11, 21, 9, tzinfo=UTC)) is None


@pytest.mark.parametrize(
    ("rrule", "days"),
    [
        ("FREQ=MONTHLY;BYMONTHDAY=28,29,30,31;BYSETPOS=-1", ["01-31", "02-28", "03-31", "04-30", "05-31"]),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", ["01-31", "02-28", "03-31", "04-30", "05-31"]),
        ("FREQ=MONTHLY;BYMONTHDAY=28,29,30;BYSETPOS=-1", ["01-30", "02-28", "03-30", "04-30", "05-30"]),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=FR", ["01-01", "01-15", "01-29", "02-12", "02-26"]),
        ("FREQ=MONTHLY;BYDAY=1MO", ["01-04", "02-01", "03-01", "04-05", "05-03"]),
    ],
)
def test_the_days_are_those_of_the_calendar(rrule: str, days: list[str]) -> None:
    rule = Rule(rrule=rrule, began_on=wall("2027-01-01 09:00"))
    found: list[str] = []
    after = wall("2026-12-31 09:00")
    while len(found) < len(days):
        occurrence = find_occurrence(rule, ZoneInfo("UTC"), after=after)
        assert occurrence is not None
        found.append(f"{occurrence.occurs_on:%m-%d}")
        after = occurrence.occurs_on
    assert found == days
