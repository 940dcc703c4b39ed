"""How a moment and a wait are written for people."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.domain.when import describe_wait, format_when

#: A Friday, nine in the morning in Chicago.
NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "zone", "written"),
    [
        (datetime(2026, 11, 24, 15, 30, tzinfo=UTC), "America/Chicago", "Tue 24 Nov 2026, 9:30 AM CST"),
        (datetime(2026, 7, 1, 17, 0, tzinfo=UTC), "America/Chicago", "Wed 1 Jul 2026, 12:00 PM CDT"),
        (datetime(2026, 7, 1, 22, 5, tzinfo=UTC), "Europe/Berlin", "Thu 2 Jul 2026, 12:05 AM CEST"),
        (datetime(2026, 7, 1, 0, 0, tzinfo=UTC), "Australia/Lord_Howe", "Wed 1 Jul 2026, 10:30 AM UTC+10:30"),
        (datetime(2026, 1, 1, 0, 0, tzinfo=UTC), "America/Sao_Paulo", "Wed 31 Dec 2025, 9:00 PM UTC-3"),
        (datetime(2026, 1, 1, 0, 0, tzinfo=UTC), "UTC", "Thu 1 Jan 2026, 12:00 AM UTC"),
    ],
)
def test_a_moment_is_written_with_its_day_year_and_zone(at: datetime, zone: str, written: str) -> None:
    assert format_when(at, ZoneInfo(zone)) == written


@pytest.mark.parametrize(
    ("span", "told"),
    [
        (timedelta(seconds=-1), "now"),
        (timedelta(0), "now"),
        (timedelta(seconds=59), "in less than a minute"),
        (timedelta(minutes=1), "in 1 minute"),
        (timedelta(minutes=59, seconds=20), "in 59 minutes"),
        (timedelta(minutes=59, seconds=40), "in 1 hour"),
        (timedelta(hours=1, minutes=59, seconds=59), "in 2 hours"),
        (timedelta(hours=1), "in 1 hour"),
        (timedelta(hours=2, minutes=1), "in 2 hours 1 minute"),
        (timedelta(hours=47, minutes=59), "in 47 hours"),
        (timedelta(days=2), "in 2 days"),
        (timedelta(days=2, hours=23), "in 2 days"),
    ],
)
def test_a_wait_is_told_in_units_that_fit(span: timedelta, told: str) -> None:
    assert describe_wait(NOW + span, NOW) == told


def test_every_day_of_a_leap_year_has_its_name() -> None:
    for number in range(366):
        on = date(2028, 1, 1) + timedelta(days=number)
        at = datetime(on.year, on.month, on.day, 12, tzinfo=UTC)
        assert format_when(at, ZoneInfo("UTC")) == f"{on:%a} {on.day} {on:%b %Y}, 12:00 PM UTC"


def test_importing_it_loads_no_library_of_dates() -> None:
    program = "import sys, bot.domain.when; print([name for name in sys.modules if name.startswith('date')])"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "['datetime']"
