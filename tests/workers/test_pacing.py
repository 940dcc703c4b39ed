"""The pacer: turns are kept for those who come back, one channel's wait is nobody else's, and a 429 is a lesson."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.clock import ManualClock
from bot.domain.pace import Limit, Rule
from bot.errors import Paced
from bot.workers.pacing import Pacer

ONE = Rule(name="one", limit=Limit(per_second=1, burst=1))
OTHER = Rule(name="other", limit=Limit(per_second=1, burst=1))
UNTOLD = Rule(name="untold", limit=None)


async def pass_seconds(clock: ManualClock, seconds: float) -> None:
    await clock.advance(timedelta(seconds=seconds))


def ask(pacer: Pacer, ticket: str | None, *rules: Rule) -> float:
    """Return how many seconds the pacer sends *ticket* away for; 0: it may go."""
    try:
        pacer.take(rules or (ONE,), ticket)
    except Paced as paced:
        return (paced.after or timedelta(0)).total_seconds()
    return 0.0


async def test_who_comes_back_at_their_turn_goes_before_whoever_asks_then() -> None:
    clock = ManualClock()
    pacer = Pacer(clock)

    assert [ask(pacer, ticket) for ticket in ("a", "b", "c")] == [0, 1, 2]
    await pass_seconds(clock, 1)
    assert ask(pacer, "d") == pytest.approx(2)
    assert ask(pacer, "b") == 0
    await pass_seconds(clock, 1)
    assert ask(pacer, "c") == 0


async def test_asking_early_keeps_the_turn() -> None:
    clock = ManualClock()
    pacer = Pacer(clock)

    assert [ask(pacer, "a"), ask(pacer, "b"), ask(pacer, "b")] == [0, 1, 1]


async def test_one_with_much_to_say_and_another_with_little_take_turns() -> None:
    """Each has one job at the head of its lane, so each asks for one turn at a time."""
    clock = ManualClock()
    pacer = Pacer(clock)
    said: list[str] = []
    much, little = iter(range(500)), iter(range(3))
    heads = {"much": f"much {next(much)}", "little": f"little {next(little)}"}
    for _ in range(8):
        for who, rest in (("much", much), ("little", little)):
            if who in heads and ask(pacer, heads[who]) == 0:
                said.append(who)
                following = next(rest, None)
                heads.pop(who)
                if following is not None:
                    heads[who] = f"{who} {following}"
        await pass_seconds(clock, 1)

    assert said.count("little") == 3
    assert said[:6].count("little") == 3


async def test_one_channel_that_waits_holds_no_other_up() -> None:
    pacer = Pacer(ManualClock())
    for number in range(50):
        ask(pacer, f"a{number}")

    assert ask(pacer, "b", OTHER) == 0


async def test_a_turn_in_the_workspace_is_not_taken_before_the_channels_turn_has_come() -> None:
    pacer = Pacer(ManualClock())
    both = (ONE, Rule(name="workspace", limit=Limit(per_second=10, burst=2)))
    ask(pacer, "a", *both)
    for number in range(20):
        assert ask(pacer, f"b{number}", *both) == number + 1

    assert ask(pacer, "c", OTHER, both[1]) == pytest.approx(0.1)


async def test_after_a_request_for_patience_nobody_has_a_turn_and_then_one_after_the_other() -> None:
    clock = ManualClock()
    pacer = Pacer(clock)
    ask(pacer, "a")
    ask(pacer, "b")
    pacer.hold_back(ONE, timedelta(seconds=30))

    assert [ask(pacer, "b"), ask(pacer, "c")] == [30, 31]
    await pass_seconds(clock, 30)
    assert [ask(pacer, "b"), ask(pacer, "c")] == [0, 1]


async def test_where_no_limit_is_known_the_platform_alone_says_when_to_wait() -> None:
    clock = ManualClock()
    pacer = Pacer(clock)

    assert [ask(pacer, None, UNTOLD) for _ in range(100)] == [0] * 100
    pacer.hold_back(UNTOLD, timedelta(seconds=5))
    assert ask(pacer, None, UNTOLD) == 5
    await pass_seconds(clock, 5)
    assert ask(pacer, None, UNTOLD) == 0


async def test_learned_limits_hold_for_a_while_after_each_lesson_and_longer_after_the_next() -> None:
    clock = ManualClock()
    pacer = Pacer(clock, learned=True)

    assert [ask(pacer, f"a{number}") for number in range(10)] == [0] * 10
    pacer.hold_back(ONE, timedelta(seconds=1))
    pacer.hold_back(ONE, timedelta(seconds=1))  # was under way together with the first
    assert [ask(pacer, "b"), ask(pacer, "c")] == [1, 2]
    await pass_seconds(clock, 11)
    assert [ask(pacer, f"d{number}") for number in range(5)] == [0] * 5
    pacer.hold_back(ONE, timedelta(seconds=1))
    await pass_seconds(clock, 11)
    assert [ask(pacer, "e"), ask(pacer, "f")] == [0, 1]


async def test_once_a_learned_limit_is_over_neither_what_was_promised_nor_what_was_called_since_holds_anybody_up() -> (
    None
):
    clock = ManualClock()
    pacer = Pacer(clock, learned=True)
    pacer.hold_back(ONE, timedelta(seconds=1))
    waits = [ask(pacer, f"a{number}") for number in range(50)]
    assert max(waits) <= 11
    await pass_seconds(clock, 12)

    assert [ask(pacer, f"a{number}") for number in (49, 48, 3)] == [0, 0, 0]
    assert [ask(pacer, f"b{number}") for number in range(200)] == [0] * 200
    assert ask(pacer, "a30") == 0


async def test_whoever_waits_is_counted_by_what_they_wait_for() -> None:
    pacer = Pacer(ManualClock())
    for ticket in ("a", "b", "c"):
        ask(pacer, ticket)

    assert {name: waiting.count for name, waiting in pacer.report().items()} == {"one": 2}
    assert pacer.find_wait("one") == timedelta(seconds=3)
    assert pacer.find_wait("other") == timedelta(0)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3)), max_size=60))
async def test_whatever_the_order_of_asking_no_two_calls_are_closer_than_allowed(steps: list[tuple[int, int]]) -> None:
    clock = ManualClock()
    pacer = Pacer(clock)
    went: list[float] = []
    for number, (who, wait) in enumerate(steps):
        if ask(pacer, f"{who}") == 0:
            went.append(clock.monotonic())
        if number % 17 == 16:
            pacer.hold_back(ONE, timedelta(seconds=2))
        clock.jump(timedelta(hours=number - 30))  # the time of day means nothing here
        await pass_seconds(clock, wait / 2)

    assert all(later - earlier >= 1 - 1e-9 for earlier, later in pairwise(went))
