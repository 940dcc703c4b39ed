"""Which mark a message of ours shows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.delivery import CONFIRMED, FAILED, UNCONFIRMED, Delivery, DeliveryStatus, merge
from bot.domain.ids import ConversationId, MessageId
from bot.domain.message import PATIENCE_SECONDS, Direction, Mark, Message, Origin, State, choose_mark

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
S = DeliveryStatus


def _message(state: State, *, shown: Mark | None = None, tried: Mark | None = None) -> Message:
    return Message(
        id=MessageId("m"),
        conversation_id=ConversationId("c"),
        direction=Direction.OUTBOUND,
        origin=Origin.THREAD,
        state=state,
        text="",
        created_at=NOW,
        mark_shown=shown,
        mark_tried=tried,
    )


def _copies(*statuses: S) -> list[Delivery]:
    return [Delivery(status=status, occurred_at=NOW) for status in statuses]


#: For every state: at once, and once it has waited for longer than anybody's patience.
TABLE = {
    State.RECEIVED: (None, None),
    State.NOTE: (Mark.NOTE, Mark.NOTE),
    State.BLOCKED: (Mark.BLOCKED, Mark.BLOCKED),
    State.CONFIRMING: (Mark.WAITING, Mark.WAITING),
    State.WAITING: (None, Mark.WAITING),
    State.UNDER_WAY: (None, Mark.WAITING),
    State.ACCEPTED: (None, None),
    State.REFUSED: (Mark.FAILED, Mark.FAILED),
    State.UNSETTLED: (Mark.UNSETTLED, Mark.UNSETTLED),
    State.CANCELLED: (None, None),
}


@pytest.mark.parametrize("state", State)
def test_each_state_has_its_mark(state: State) -> None:
    at_once, later = TABLE[state]
    assert choose_mark(_message(state), [], NOW) is at_once
    assert choose_mark(_message(state), [], NOW + timedelta(hours=1)) is later


@pytest.mark.parametrize("state", [State.WAITING, State.UNDER_WAY])
def test_the_hourglass_comes_after_a_few_seconds_and_not_before(state: State) -> None:
    patience = timedelta(seconds=PATIENCE_SECONDS)
    assert choose_mark(_message(state), [], NOW + patience - timedelta(microseconds=1)) is None
    assert choose_mark(_message(state), [], NOW + patience) is Mark.WAITING


@pytest.mark.parametrize(
    ("statuses", "mark"),
    [
        (CONFIRMED, Mark.DELIVERED),
        (UNCONFIRMED, Mark.UNCONFIRMED),
        (FAILED, Mark.FAILED),
        ({S.OTHER, S.SCHEDULED, S.QUEUED, S.SENDING, S.SENT}, None),
    ],
)
@pytest.mark.parametrize("shown", [None, Mark.WAITING])
def test_once_accepted_the_delivery_tells(statuses: set[S], mark: Mark | None, shown: Mark | None) -> None:
    for status in statuses:
        assert choose_mark(_message(State.ACCEPTED, shown=shown), _copies(status), NOW) is (mark or shown)


@pytest.mark.parametrize("hourglass", [{"shown": Mark.WAITING}, {"tried": Mark.WAITING}])
def test_an_hourglass_that_is_or_may_be_there_stays_until_the_end_is_known(hourglass: dict[str, Mark]) -> None:
    message = _message(State.ACCEPTED, **hourglass)
    assert choose_mark(message, [], NOW) is Mark.WAITING
    assert choose_mark(message, _copies(S.SENT), NOW) is Mark.WAITING
    assert choose_mark(message, _copies(S.DELIVERED), NOW) is Mark.DELIVERED


@pytest.mark.parametrize(
    ("statuses", "mark"),
    [
        ((S.DELIVERED, S.DELIVERED), Mark.DELIVERED),
        ((S.DELIVERED, S.SENT), None),
        ((S.DELIVERED, S.UNKNOWN), Mark.UNCONFIRMED),
        ((S.DELIVERED, S.DELIVERY_FAILED), Mark.FAILED),
        ((S.SENT, S.EXPIRED), Mark.FAILED),
    ],
)
def test_a_group_shows_its_worst_copy(statuses: tuple[S, ...], mark: Mark | None) -> None:
    for order in (statuses, statuses[::-1]):
        assert choose_mark(_message(State.ACCEPTED), _copies(*order), NOW) is mark


@given(
    st.sampled_from([State.REFUSED, State.UNSETTLED, State.NOTE, State.BLOCKED, State.CANCELLED, State.RECEIVED]),
    st.lists(st.sampled_from(S)),
    st.integers(min_value=0, max_value=100),
)
def test_deliveries_and_time_change_nothing_where_the_state_says_it_all(
    state: State, statuses: list[S], seconds: int
) -> None:
    found = choose_mark(_message(state), _copies(*statuses), NOW + timedelta(seconds=seconds))
    assert found is choose_mark(_message(state), [], NOW)


_PROGRESS = {None: 0, Mark.WAITING: 0, Mark.UNCONFIRMED: 1, Mark.FAILED: 2, Mark.DELIVERED: 3}


@given(st.lists(st.sampled_from([status for status in S if status is not S.CANCELLED]), max_size=8))
def test_the_mark_of_one_text_only_moves_forward_whatever_the_receipts_say(statuses: list[S]) -> None:
    known: Delivery | None = None
    shown: Mark | None = None
    for number, status in enumerate(statuses):
        known = merge(known, Delivery(status=status, occurred_at=NOW - timedelta(seconds=number)))
        mark = choose_mark(_message(State.ACCEPTED, shown=shown), [known], NOW)
        assert _PROGRESS[mark] >= _PROGRESS[shown]
        shown = mark
