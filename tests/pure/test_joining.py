"""Texts are shown together where a team would learn of them late, never where they are shown soon anyway."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import timedelta
from functools import partial

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.joining import LATE, MOST_TOGETHER, SOON, count_companions, is_held_up
from bot.text.escape import MAX_MESSAGE_TEXT

SECOND = timedelta(seconds=1)
spans = st.floats(0, 600).map(lambda seconds: timedelta(seconds=seconds))
counts = st.integers(0, 300)
lengths = st.integers(1, MAX_MESSAGE_TEXT)


@given(spans, counts, spans)
def test_what_is_shown_soon_one_by_one_is_shown_one_by_one(waited: timedelta, behind: int, turn: timedelta) -> None:
    if behind * turn < SOON or waited + behind * turn < LATE:
        assert not is_held_up(waited, behind, turn)


@given(spans, counts, spans)
def test_what_nobody_holds_up_is_never_joined_however_long_it_has_waited(
    waited: timedelta, behind: int, turn: timedelta
) -> None:
    assert not is_held_up(waited, behind, timedelta(0))
    assert not is_held_up(waited, 0, turn)


@given(spans, counts, spans, spans, counts, spans)
def test_whoever_waits_longer_is_joined_the_more(
    waited: timedelta, behind: int, turn: timedelta, more: timedelta, others: int, later: timedelta
) -> None:
    if is_held_up(waited, behind, turn):
        assert is_held_up(waited + more, behind + others, turn + later)


def test_two_texts_of_each_of_many_are_joined_and_a_few_of_one_are_not() -> None:
    minutes = timedelta(minutes=2)
    assert is_held_up(minutes, 1, 60 * SECOND)  # sixty others wait after an outage
    assert not is_held_up(minutes, 3, SECOND)  # nobody else does
    assert is_held_up(SECOND, 20, SECOND)  # one customer's flood
    assert not is_held_up(SECOND, 12, SECOND)
    assert is_held_up(2 * SECOND, 1, 20 * SECOND)  # a rush of others


@given(lengths, st.lists(lengths, max_size=40))
def test_as_many_as_fit_are_joined_and_no_more(first: int, following: list[int]) -> None:
    count = count_companions(first, following)

    assert count <= MOST_TOGETHER - 1
    assert first + sum(following[:count]) <= MAX_MESSAGE_TEXT
    if count < min(len(following), MOST_TOGETHER - 1):
        assert first + sum(following[: count + 1]) > MAX_MESSAGE_TEXT


# --- What comes of it in a channel


def show_all(backlog: list[int], choose: Callable[[int, int, timedelta], int]) -> list[list[int]]:
    """
    Return for each conversation the second at which each of its texts is shown, one message a second for all of them.

    *backlog*: how many wait in each; *choose*: how many companions the text at hand is given, by second, those behind it
    and the wait for another turn.
    """
    shown: list[list[int]] = [[] for _ in backlog]
    left = deque(number for number, count in enumerate(backlog) if count)
    second = 0
    while left:
        number = left.popleft()
        behind = backlog[number] - len(shown[number]) - 1
        together = 1 + min(behind, choose(second, behind, (len(left) + 1) * SECOND))
        shown[number] += [second] * together
        if len(shown[number]) < backlog[number]:
            left.append(number)
        second += 1
    return shown


def join(waited: timedelta, second: int, behind: int, turn: timedelta) -> int:
    """Return how many stand with the text whose turn it is, *second* seconds after the first turn."""
    return count_companions(20, [20] * behind) if is_held_up(waited + second * SECOND, behind, turn) else 0


backlogs = st.lists(st.integers(0, 30), min_size=1, max_size=60)


@given(backlogs, spans)
def test_no_text_is_shown_later_for_what_others_are_joined(backlog: list[int], waited: timedelta) -> None:
    alone = show_all(backlog, lambda *_: 0)
    joined = show_all(backlog, partial(join, waited))

    for one_by_one, together in zip(alone, joined, strict=True):
        assert all(now <= before for now, before in zip(together, one_by_one, strict=True))


@given(backlogs, spans)
def test_what_was_held_up_is_shown_within_a_turn_of_everybody_and_little_more(
    backlog: list[int], waited: timedelta
) -> None:
    shown = show_all(backlog, partial(join, waited + LATE))
    rounds = sum(-(-count // MOST_TOGETHER) for count in backlog)

    assert max((times[-1] for times in shown if times), default=0) <= rounds + SOON / SECOND


def test_a_hundred_customers_with_three_texts_each_are_shown_in_a_third_of_the_time() -> None:
    alone = show_all([3] * 100, lambda *_: 0)
    joined = show_all([3] * 100, partial(join, timedelta(minutes=2)))

    assert max(times[-1] for times in alone) == 299
    assert max(times[-1] for times in joined) <= 105
