"""Times in the database: whole microseconds, exact both ways."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from storage.moments import from_micros, from_micros_or_none, to_micros, to_micros_or_none

_OFFSETS = st.integers(min_value=-14 * 60, max_value=14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
_MOMENTS = st.datetimes(
    min_value=datetime(2, 1, 1),  # noqa: DTZ001 - the zone is drawn apart
    max_value=datetime(9998, 12, 31),  # noqa: DTZ001
    timezones=st.just(UTC) | _OFFSETS,
)


@given(_MOMENTS)
def test_a_moment_comes_back_as_it_was_to_the_microsecond_and_in_utc(moment: datetime) -> None:
    back = from_micros(to_micros(moment))

    assert back == moment
    assert back.tzinfo is UTC


@given(_MOMENTS, _MOMENTS)
def test_what_is_earlier_is_smaller(one: datetime, other: datetime) -> None:
    assert (one < other) == (to_micros(one) < to_micros(other))


@given(_MOMENTS)
def test_sqlite_keeps_it_exactly(moment: datetime) -> None:
    connection = sqlite3.connect(":memory:")
    try:
        connection.execute("CREATE TABLE t (at INTEGER NOT NULL) STRICT")
        connection.execute("INSERT INTO t VALUES (?)", (to_micros(moment),))
        (kept,) = connection.execute("SELECT at FROM t").fetchone()
        assert from_micros(kept) == moment
    finally:
        connection.close()


def test_no_moment_stays_no_moment() -> None:
    assert to_micros_or_none(None) is None
    assert from_micros_or_none(None) is None
    assert from_micros_or_none(0) == datetime(1970, 1, 1, tzinfo=UTC)
