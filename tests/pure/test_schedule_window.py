"""Who holds a text for later, and when it is handed over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.domain.schedule import FURTHEST, SOONEST, HandOver, choose_hand_over, next_moment

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
#: What the carrier's documentation says of `send_at`.
CARRIER_SOONEST = timedelta(minutes=5)
CARRIER_FURTHEST = timedelta(days=5)
TICK = timedelta(microseconds=1)

spans = st.timedeltas(min_value=timedelta(days=-400), max_value=timedelta(days=400)) | st.timedeltas(
    min_value=timedelta(minutes=-10), max_value=timedelta(minutes=10)
)
delays = st.timedeltas(min_value=timedelta(0), max_value=timedelta(seconds=20))


def _hand_over(due_at: datetime, now: datetime, delays: list[timedelta]) -> tuple[HandOver, datetime, int]:
    """Ask again at each moment named, a little late each time, until it is handed over; return how, when, how often."""
    for asks in range(1, 10):
        choice = choose_hand_over(due_at, now)
        if choice is not HandOver.WAIT:
            return choice, now, asks
        later = next_moment(due_at, now)
        assert later > now, "it would ask again and again"
        now = later + (delays[asks % len(delays)] if delays else timedelta(0))
    pytest.fail("it is never handed over")


@given(spans, st.lists(delays, max_size=3))
@example(SOONEST, [])
@example(FURTHEST, [])
@example(SOONEST - TICK, [])
@example(FURTHEST + TICK, [])
@example(timedelta(0), [])
def test_every_text_is_handed_over_in_the_end_after_one_wait_at_most(span: timedelta, late: list[timedelta]) -> None:
    _, _, asks = _hand_over(NOW + span, NOW, late)
    assert asks <= 2


@given(spans, st.lists(delays, max_size=3))
def test_the_carrier_is_never_asked_for_a_moment_outside_its_window(span: timedelta, late: list[timedelta]) -> None:
    due_at = NOW + span
    choice, at, _ = _hand_over(due_at, NOW, late)
    if choice is HandOver.TO_CARRIER:
        assert CARRIER_SOONEST < due_at - at < CARRIER_FURTHEST


@given(spans, st.lists(delays, max_size=3))
def test_nothing_is_sent_before_it_is_due(span: timedelta, late: list[timedelta]) -> None:
    due_at = NOW + span
    choice, at, _ = _hand_over(due_at, NOW, late)
    if choice is HandOver.SEND_NOW:
        assert at >= due_at


@given(spans)
def test_what_is_far_ahead_goes_to_the_carrier_in_time_so_that_it_goes_out_even_if_we_are_down(span: timedelta) -> None:
    choice, _, _ = _hand_over(NOW + span, NOW, [])
    assert (choice is HandOver.TO_CARRIER) == (span >= SOONEST)


@given(spans)
def test_the_next_moment_is_now_exactly_when_there_is_something_to_do(span: timedelta) -> None:
    due_at = NOW + span
    assert (next_moment(due_at, NOW) == NOW) == (choose_hand_over(due_at, NOW) is not HandOver.WAIT)
    assert next_moment(due_at, NOW) <= max(due_at, NOW)


@pytest.mark.parametrize(
    ("span", "choice"),
    [
        (timedelta(days=-1), HandOver.SEND_NOW),
        (timedelta(0), HandOver.SEND_NOW),
        (TICK, HandOver.WAIT),
        (timedelta(minutes=5), HandOver.WAIT),
        (SOONEST - TICK, HandOver.WAIT),
        (SOONEST, HandOver.TO_CARRIER),
        (timedelta(days=2), HandOver.TO_CARRIER),
        (FURTHEST, HandOver.TO_CARRIER),
        (FURTHEST + TICK, HandOver.WAIT),
        (timedelta(days=5), HandOver.WAIT),
        (timedelta(days=300), HandOver.WAIT),
    ],
)
def test_the_windows_edges_are_where_they_are_said_to_be(span: timedelta, choice: HandOver) -> None:
    assert choose_hand_over(NOW + span, NOW) is choice


def test_a_slow_hand_over_still_arrives_inside_the_window() -> None:
    assert timedelta(seconds=30) <= SOONEST - CARRIER_SOONEST
    assert timedelta(minutes=1) <= CARRIER_FURTHEST - FURTHEST
