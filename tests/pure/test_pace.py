"""Turns: no more than the limit allows in any span, in the order of asking, and what the platforms' limits are."""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.conversation import POOL
from bot.domain.ids import ChannelId
from bot.domain.pace import (
    Limit,
    Turns,
    choose_carrier_rules,
    choose_slack_rules,
    close_turns,
    find_wait,
    open_turns,
    relax_turns,
    take_turn,
)

limits = st.builds(Limit, per_second=st.floats(0.05, 1000), burst=st.integers(1, 50))
moments = st.lists(st.floats(0, 20), max_size=60).map(lambda gaps: list(accumulate(gaps)))
#: Sums of floats are not exact; a turn that comes a microsecond early does no harm.
A_LITTLE = 1e-6


def _take_all(turns: Turns, asked_at: list[float]) -> list[float]:
    found = []
    for now in asked_at:
        turns, turn_at = take_turn(turns, now)
        found.append(turn_at)
    return found


@given(limits, moments)
def test_turns_come_in_the_order_of_asking_and_none_before_it_was_asked_for(
    limit: Limit, asked_at: list[float]
) -> None:
    turns = _take_all(open_turns(limit, 0), asked_at)

    assert all(turn >= asked for turn, asked in zip(turns, asked_at, strict=True))
    assert all(later >= earlier for earlier, later in pairwise(turns))


@given(limits, moments, st.floats(0.01, 120))
def test_no_span_has_more_turns_than_the_burst_and_what_the_rate_gives(
    limit: Limit, asked_at: list[float], span: float
) -> None:
    turns = _take_all(open_turns(limit, 0), asked_at)

    for position, begin in enumerate(turns):
        inside = bisect_left(turns, begin + span - A_LITTLE) - position
        assert inside <= limit.burst + span * limit.per_second + 1e-3


@given(limits, moments)
def test_nobody_waits_longer_than_those_before_them_take(limit: Limit, asked_at: list[float]) -> None:
    turns = _take_all(open_turns(limit, 0), asked_at)

    for number, (turn, asked) in enumerate(zip(turns, asked_at, strict=True)):
        assert turn - asked <= (number + 1) * limit.interval + A_LITTLE


@given(limits, st.floats(0, 100))
def test_what_one_would_wait_is_what_one_waits(limit: Limit, now: float) -> None:
    turns = open_turns(limit, now)
    for _ in range(5):
        wait = find_wait(turns, now)
        turns, turn_at = take_turn(turns, now)
        assert turn_at == pytest.approx(now + wait)


def test_a_start_is_cautious_with_half_of_the_burst_and_not_with_none_of_it() -> None:
    limit = Limit(per_second=1, burst=4)

    assert _take_all(open_turns(limit, 7), [7, 7, 7, 7]) == pytest.approx([7, 7, 8, 9])
    assert _take_all(open_turns(Limit(per_second=1), 7), [7, 7]) == pytest.approx([7, 8])


def test_after_a_rest_the_whole_burst_is_there_again() -> None:
    limit = Limit(per_second=1, burst=4)

    assert _take_all(open_turns(limit, 0), [0, 100, 100, 100, 100, 100]) == pytest.approx([0, 100, 100, 100, 100, 101])


@given(limits, moments, st.floats(0, 50))
def test_nobody_has_a_turn_before_the_platform_takes_calls_again_and_then_one_by_one(
    limit: Limit, asked_at: list[float], until: float
) -> None:
    turns = _take_all(close_turns(limit, until), asked_at)

    assert all(turn >= until for turn in turns)
    assert all(later - earlier >= limit.interval - A_LITTLE for earlier, later in pairwise(turns))


def test_a_burst_comes_back_when_the_lesson_is_over() -> None:
    limit = Limit(per_second=1, burst=3)
    turns = relax_turns(close_turns(limit, 10), limit)

    assert _take_all(turns, [100, 100, 100, 100]) == pytest.approx([100, 100, 100, 101])


def test_a_post_is_under_its_channels_limit_and_the_workspaces() -> None:
    rules = choose_slack_rules("chat.postMessage", ChannelId("C1"))

    assert [rule.name for rule in rules] == ["chat.postMessage C1", "chat.postMessage"]
    assert [rule.limit.per_second <= 1 for rule in rules if rule.limit] == [True, False]


@pytest.mark.parametrize(
    ("method", "calls"),
    [("reactions.remove", 20), ("reactions.add", 50), ("chat.update", 50), ("files.info", 100), ("auth.test", 300)],
)
def test_no_minute_has_more_calls_of_a_method_than_its_tier(method: str, calls: int) -> None:
    (rule,) = choose_slack_rules(method)
    assert rule.limit is not None
    turns = _take_all(open_turns(rule.limit, 0), [60.0] * 1000)

    for position, begin in enumerate(turns[:-calls]):
        assert turns[position + calls] - begin > 60


@pytest.mark.parametrize(
    ("sender", "per_second"),
    [
        ("+18005550100", 20),  # toll-free
        ("+442079460000", 0.1),  # a long code abroad
        ("+13125550100", None),  # a US long code: its campaign's, which nobody tells
        ("24365", 1000),  # a short code
        ("ACME", 0.1),  # a name
    ],
)
def test_each_kind_of_sender_has_the_carriers_limit(sender: str, per_second: float | None) -> None:
    own, account = choose_carrier_rules(sender, is_mms=False, bought={})

    assert (None if own.limit is None else own.limit.per_second) == per_second
    assert account.limit is not None
    assert account.limit.per_second == 50


def test_what_was_bought_replaces_the_carriers_figures() -> None:
    bought = {"+442079460000": 5.0, "account": 200.0, "mms": 1.0}
    own, account = choose_carrier_rules("+442079460000", is_mms=False, bought=bought)
    (mms,) = choose_carrier_rules(POOL, is_mms=True, bought=bought)

    assert own.limit is not None
    assert account.limit is not None
    assert mms.limit is not None
    assert [own.limit.per_second, account.limit.per_second, mms.limit.per_second] == [5, 200, 1]
