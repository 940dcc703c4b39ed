"""When answers come before work."""

from __future__ import annotations

import pytest

from storage.rush import Rush


def count_steadily(rush: Rush, rate: int, seconds: float) -> float:
    """Have *rate* requests a second come, one by one; returns the time when the last has."""
    for number in range(int(rate * seconds)):
        rush.count(1, number / rate)
    return seconds


def test_nothing_that_came_is_no_rush() -> None:
    assert not Rush().is_on(5.0)


@pytest.mark.parametrize(("requests", "rush"), [(1, False), (7, False), (8, True), (200, True)])
def test_a_crowd_is_a_rush(requests: int, rush: bool) -> None:
    counted = Rush()
    counted.count(requests, 1.0)
    assert counted.is_on(1.0) is rush


@pytest.mark.parametrize(("rate", "rush"), [(10, False), (400, False), (1_000, True), (5_000, True)])
def test_so_is_a_stream_that_leaves_no_time_for_work(rate: int, rush: bool) -> None:
    counted = Rush()
    now = count_steadily(counted, rate, 1.0)
    assert counted.is_on(now) is rush


def test_on_a_machine_that_answers_slowly_crowd_after_crowd_is_one() -> None:
    rush = Rush()
    for number in range(20):
        rush.count(16, number * 0.08)  # two hundred a second
        assert rush.is_on(number * 0.08 + 0.079)


def test_however_long_it_was_it_is_over_soon_after_the_last() -> None:
    rush = Rush()
    now = count_steadily(rush, 5_000, 3.0)
    assert rush.is_on(now + 0.05)
    assert not rush.is_on(now + 0.11)
