"""The merge of what was reported of one copy, and which copy decides for a group."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.delivery import (
    CONFIRMED,
    FAILED,
    FINAL,
    UNCONFIRMED,
    Delivery,
    DeliveryStatus,
    merge,
    read_status,
    worst,
)

S = DeliveryStatus
NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)

deliveries = st.builds(
    Delivery,
    status=st.sampled_from(S),
    occurred_at=st.integers(min_value=0, max_value=3).map(lambda seconds: NOW + timedelta(seconds=seconds)),
    code=st.none() | st.sampled_from(["40008", "40010"]),
    title=st.none() | st.sampled_from(["a", "b"]),
    detail=st.none() | st.sampled_from(["a", "b"]),
)


def _report(status: S, seconds: int = 0, code: str | None = None) -> Delivery:
    return Delivery(status=status, occurred_at=NOW + timedelta(seconds=seconds), code=code)


def _merge_all(reports: Sequence[Delivery]) -> Delivery | None:
    return reduce(merge, reports, None) if reports else None


@given(deliveries, deliveries)
def test_which_report_came_first_makes_no_difference(one: Delivery, other: Delivery) -> None:
    assert merge(one, other) == merge(other, one)


@given(deliveries, deliveries, deliveries)
def test_how_reports_are_grouped_makes_no_difference(one: Delivery, other: Delivery, third: Delivery) -> None:
    assert merge(merge(one, other), third) == merge(one, merge(other, third))


@given(deliveries, deliveries)
def test_a_repeated_report_changes_nothing(one: Delivery, other: Delivery) -> None:
    assert merge(one, one) == one
    assert merge(merge(one, other), other) == merge(one, other)


@given(deliveries)
def test_the_first_report_is_what_is_known(reported: Delivery) -> None:
    assert merge(None, reported) == reported


@given(deliveries, deliveries)
def test_it_never_goes_backwards_and_invents_nothing(known: Delivery, reported: Delivery) -> None:
    merged = merge(known, reported)
    assert merged.rank >= known.rank
    assert merged in (known, reported)


@given(deliveries.filter(lambda delivery: delivery.status in CONFIRMED), st.lists(deliveries))
def test_what_was_once_confirmed_stays_confirmed(confirmed: Delivery, later: list[Delivery]) -> None:
    merged = _merge_all([confirmed, *later])
    assert merged is not None
    assert merged.status in CONFIRMED


@given(st.lists(deliveries, min_size=1, max_size=6), st.randoms())
def test_any_order_with_any_repetition_ends_the_same(reports: list[Delivery], random: object) -> None:
    shuffled = [*reports, *reports[: len(reports) // 2]]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert _merge_all(shuffled) == _merge_all(reports)


@pytest.mark.parametrize(
    "order",
    list(
        itertools.permutations(
            [
                _report(S.SENT, 1),
                _report(S.DELIVERED, 2),
                _report(S.DELIVERY_FAILED, 3, "1"),
                _report(S.DELIVERY_UNCONFIRMED, 4),
            ]
        )
    ),
)
def test_sent_delivered_failed_and_unconfirmed_in_every_order_end_delivered(order: tuple[Delivery, ...]) -> None:
    assert _merge_all(order) == _report(S.DELIVERED, 2)


@pytest.mark.parametrize(
    "order",
    list(
        itertools.permutations(
            [_report(S.SENT, 9), _report(S.DELIVERY_FAILED, 3, "1"), _report(S.DELIVERY_UNCONFIRMED, 4)]
        )
    ),
)
def test_without_a_confirmation_a_failure_stands_in_every_order(order: tuple[Delivery, ...]) -> None:
    assert _merge_all(order) == _report(S.DELIVERY_FAILED, 3, "1")


@pytest.mark.parametrize(
    ("lower", "higher"),
    [
        (S.OTHER, S.SCHEDULED),
        (S.SCHEDULED, S.QUEUED),
        (S.QUEUED, S.SENDING),
        (S.SENDING, S.SENT),
        (S.SENT, S.UNKNOWN),
        (S.SENT, S.DELIVERY_UNCONFIRMED),
        (S.DELIVERY_UNCONFIRMED, S.CANCELLED),
        (S.CANCELLED, S.EXPIRED),
        (S.CANCELLED, S.SENDING_FAILED),
        (S.CANCELLED, S.DELIVERY_FAILED),
        (S.DELIVERY_FAILED, S.DELIVERED),
        (S.DELIVERED, S.READ),
    ],
)
def test_the_ladder_counts_more_than_the_clock(lower: S, higher: S) -> None:
    assert merge(_report(lower, seconds=60), _report(higher)) == _report(higher)


def test_of_two_failures_the_later_tells_why() -> None:
    assert merge(_report(S.EXPIRED, 1, "40005"), _report(S.DELIVERY_FAILED, 2, "40008")).code == "40008"


def test_every_status_has_its_rank_and_the_final_ones_are_above_the_others() -> None:
    ranks = {status: _report(status).rank for status in S}
    assert min(ranks[status] for status in FINAL) > max(ranks[status] for status in set(S) - FINAL)


# ------------------------------------------------------------------------------------------------------- worst


def _verdict(delivery: Delivery | None) -> int:
    """Return how bad, as the docstring of `worst` orders it; a copy that was taken back counts as never confirmed."""
    assert delivery is not None
    if delivery.status in FAILED:
        return 3
    if delivery.status not in FINAL:
        return 2
    return 0 if delivery.status in CONFIRMED else 1


@given(st.lists(deliveries, min_size=1))
def test_the_worst_copy_decides_whatever_the_order(copies: list[Delivery]) -> None:
    found = worst(copies)
    assert found in copies
    assert _verdict(found) == max(_verdict(copy) for copy in copies)
    assert _verdict(worst(copies[::-1])) == _verdict(found)


def test_nobody_has_no_worst() -> None:
    assert worst([]) is None


@pytest.mark.parametrize(
    ("copies", "decides"),
    [
        ([S.DELIVERED, S.DELIVERY_FAILED, S.SENT], S.DELIVERY_FAILED),
        ([S.DELIVERED, S.SENT, S.DELIVERY_UNCONFIRMED], S.SENT),
        ([S.SENT, S.QUEUED], S.QUEUED),
        ([S.DELIVERED, S.UNKNOWN], S.UNKNOWN),
        ([S.DELIVERED, S.READ], S.DELIVERED),
        ([S.DELIVERED, S.OTHER], S.OTHER),
    ],
)
def test_a_group_is_as_far_as_its_worst_copy(copies: list[S], decides: S) -> None:
    found = worst(_report(status) for status in copies)
    assert found is not None
    assert found.status is decides


# -------------------------------------------------------------------------------------------------- the carrier's words


@pytest.mark.parametrize("status", [status for status in S if status is not S.OTHER])
def test_the_carriers_word_is_read_in_any_case(status: S) -> None:
    assert read_status(status.value) is status
    assert read_status(status.value.upper()) is status


@given(st.none() | st.integers() | st.text() | st.lists(st.text()) | st.dictionaries(st.text(), st.text()))
def test_a_word_never_heard_of_is_no_error(word: object) -> None:
    found = read_status(word)
    assert found is S.OTHER or found == str(word).lower()


def test_the_sets_of_ends_do_not_overlap() -> None:
    assert len(FAILED | UNCONFIRMED | CONFIRMED) == len(FAILED) + len(UNCONFIRMED) + len(CONFIRMED)
