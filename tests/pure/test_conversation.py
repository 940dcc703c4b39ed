"""Who talks to whom, in one normal form."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.conversation import Conversation, make_parties, was_quiet
from bot.domain.ids import ChannelId, ConversationId
from bot.domain.phone import Address

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
OURS = Address("+13125550142")
addresses = st.text(st.characters(exclude_characters=",", codec="utf-8"), min_size=1).map(Address)


@given(st.lists(addresses, min_size=1, max_size=8), st.randoms())
def test_order_and_repetition_make_no_other_conversation(theirs: list[Address], random: object) -> None:
    again = [*theirs, theirs[0]]
    random.shuffle(again)  # type: ignore[attr-defined]
    assert make_parties(OURS, again) == make_parties(OURS, theirs)
    assert make_parties(OURS, again).key == make_parties(OURS, theirs).key


@given(st.sets(addresses, min_size=1, max_size=8), st.sets(addresses, min_size=1, max_size=8))
def test_other_people_have_another_key(some: set[Address], others: set[Address]) -> None:
    assert (make_parties(OURS, some).key == make_parties(OURS, others).key) == (some == others)


@given(st.sets(addresses, min_size=1, max_size=8))
def test_the_key_holds_everybody(theirs: set[Address]) -> None:
    parties = make_parties(OURS, theirs)
    assert set(parties.key.split(",")) == theirs
    assert parties.is_group is (len(theirs) > 1)


def test_nobody_is_no_party() -> None:
    with pytest.raises(ValueError, match="somebody"):
        make_parties(OURS, [])


@pytest.mark.parametrize(
    ("silent_for", "quiet"),
    [(None, False), (timedelta(0), False), (timedelta(minutes=9, seconds=59), False), (timedelta(minutes=10), True)],
)
def test_a_thread_is_quiet_after_the_notice_time_and_never_before_anything_was_said(
    silent_for: timedelta | None, *, quiet: bool
) -> None:
    conversation = Conversation(
        id=ConversationId("c"),
        parties=make_parties(OURS, [Address("+17735550118")]),
        channel_id=ChannelId("C"),
        created_at=NOW - timedelta(days=1),
        active_at=None if silent_for is None else NOW - silent_for,
    )
    assert was_quiet(conversation, NOW, timedelta(minutes=10)) is quiet
