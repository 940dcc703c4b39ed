"""How long a job waits to be tried again."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.job import LEASE, choose_wait

fractions = st.floats(min_value=0, max_value=1)
attempts = st.integers(min_value=1, max_value=10_000)


@given(attempts, fractions)
def test_a_wait_is_never_nothing_and_never_longer_than_half_a_minute(number: int, fraction: float) -> None:
    assert timedelta(seconds=0.375) <= choose_wait(number, fraction) <= timedelta(seconds=30) < LEASE


@given(attempts, fractions)
def test_chance_moves_it_by_a_quarter_at_most(number: int, fraction: float) -> None:
    longest = choose_wait(number, 1)
    assert longest * 0.75 <= choose_wait(number, fraction) <= longest


@given(attempts, fractions)
def test_each_failure_waits_at_least_as_long_as_the_one_before(number: int, fraction: float) -> None:
    assert choose_wait(number, fraction) <= choose_wait(number + 1, fraction)


def test_it_doubles_until_it_is_half_a_minute() -> None:
    waits = [choose_wait(number, 1).total_seconds() for number in range(1, 10)]
    assert waits == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]


@given(st.lists(fractions, min_size=2, max_size=2, unique=True).map(sorted), attempts)
def test_two_that_failed_together_do_not_come_back_together(pair: list[float], number: int) -> None:
    one, other = pair
    assert choose_wait(number, one) <= choose_wait(number, other)
    assert choose_wait(number, 0) < choose_wait(number, 1)
