"""Identifiers: in the order of time where they are kept by the million, and never to be guessed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.chance import Chance, SeededChance, SystemChance

_NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)


@pytest.mark.parametrize("chance", [SystemChance(), SeededChance(3)])
def test_what_is_made_later_sorts_after_what_was_made_before(chance: Chance) -> None:
    made = [chance.ordered(_NOW + timedelta(milliseconds=each)) for each in (0, 1, 2, 70_000, 10_000_000_000)]
    assert made == sorted(made)
    assert all(len(each) == 32 and set(each) <= set("0123456789abcdef") for each in made)


@pytest.mark.parametrize("chance", [SystemChance(), SeededChance(3)])
def test_of_what_is_made_at_once_all_but_the_moment_is_chance(chance: Chance) -> None:
    made = [chance.ordered(_NOW) for _ in range(2_000)]
    assert len(set(made)) == len(made)
    assert len({each[:12] for each in made}) == 1
    for place in range(12, 32):  # every one of the other letters takes every value
        assert len({each[place] for each in made}) == 16


def test_one_that_opens_something_tells_nothing_of_when_it_was_made() -> None:
    made = [SystemChance().token() for _ in range(2_000)]
    for place in range(32):
        assert len({each[place] for each in made}) == 16
