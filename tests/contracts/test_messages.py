"""What every implementation of `bot.ports.Messages` promises."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.ids import CarrierMessageId, ChannelId, ConversationId, MessageId, SlackTs, UserId
from bot.domain.message import Direction, Mark, Message, Origin, State
from bot.ports import Store
from tests.storage.samples import ANA, BOB, GROUP, NOW, OURS, PAIR, make_message, pair_of

C = ChannelId("C0TEXTS")


@pytest.fixture(autouse=True)
async def _conversations(store: Store) -> None:
    async with store.transaction("test") as kept:
        for name, parties in (("pair", PAIR), ("group", GROUP), ("other", pair_of(OURS, "+17735550119"))):
            await kept.conversations.get_or_create(parties, new_id=ConversationId(name), channel_id=C, now=NOW)


async def _add(store: Store, message: Message) -> bool:
    async with store.transaction("test") as kept:
        return await kept.messages.add(message)


async def _get(store: Store, name: str) -> Message:
    async with store.reading() as kept:
        return await kept.messages.get(MessageId(name))


FULL = make_message(
    "full",
    direction=Direction.OUTBOUND,
    origin=Origin.PHONE,
    state=State.RECEIVED,
    text="Ça va? 👍🏽 \x00 & <!channel>\n",
    author=UserId("U1"),
    sender="+17735550118",
    channel_id=C,
    slack_ts=SlackTs("1.000001"),
    carrier_id=CarrierMessageId("carrier-1"),
    due_at=NOW + timedelta(microseconds=1),
    mark_shown=Mark.WAITING,
    mark_tried=Mark.DELIVERED,
)


@pytest.mark.parametrize("message", [FULL, make_message("bare")])
async def test_a_message_comes_back_as_it_was_stored(store: Store, message: Message) -> None:
    assert await _add(store, message)
    assert await _get(store, message.id) == message


@pytest.mark.parametrize(
    "again",
    [
        {"carrier_id": CarrierMessageId("carrier-1")},
        {"channel_id": C, "slack_ts": SlackTs("1.000001"), "direction": Direction.OUTBOUND},
        {"id": MessageId("full")},
    ],
)
async def test_the_same_message_under_another_name_is_not_stored_and_changes_nothing(
    store: Store, again: dict[str, Any]
) -> None:
    await _add(store, FULL)
    assert not await _add(store, make_message("again", **{"id": MessageId("again"), **again}))

    assert await _get(store, "full") == FULL
    with pytest.raises(KeyError):
        await _get(store, "again")


async def test_several_of_a_customers_texts_may_stand_in_one_place(store: Store) -> None:
    """They waited together; see `bot.flows.joining`."""
    place = {"channel_id": C, "slack_ts": SlackTs("1.0"), "direction": Direction.INBOUND}
    assert await _add(store, make_message("a", **place))
    assert await _add(store, make_message("b", **place))


async def test_the_same_timestamp_in_another_channel_is_another_message(store: Store) -> None:
    assert await _add(store, make_message("a", channel_id=C, slack_ts=SlackTs("1.0")))
    assert await _add(store, make_message("b", channel_id=ChannelId("C0SALES"), slack_ts=SlackTs("1.0")))


async def test_messages_that_stand_nowhere_yet_do_not_collide(store: Store) -> None:
    assert all([await _add(store, make_message(name, channel_id=C)) for name in "abc"])


async def test_twenty_at_once_with_one_carrier_id_are_stored_once(store: Store) -> None:
    answers = await asyncio.gather(
        *(_add(store, make_message(str(n), carrier_id=CarrierMessageId("carrier-1"))) for n in range(20))
    )
    assert sorted(answers) == [False] * 19 + [True]


async def test_a_message_is_found_by_each_of_its_names(store: Store) -> None:
    await _add(store, FULL)
    async with store.reading() as kept:
        assert await kept.messages.find_by_carrier_id(CarrierMessageId("carrier-1")) == FULL
        assert await kept.messages.find_in_slack(C, SlackTs("1.000001")) == FULL
        assert await kept.messages.find_by_carrier_id(CarrierMessageId("carrier-2")) is None
        assert await kept.messages.find_in_slack(C, SlackTs("1.000002")) is None
        with pytest.raises(KeyError):
            await kept.messages.get(MessageId("nobody"))


async def test_what_may_change_is_changed_and_the_rest_stays(store: Store) -> None:
    await _add(store, FULL)
    async with store.transaction("test") as kept:
        await kept.messages.update(
            FULL.id, state=State.ACCEPTED, due_at=None, text="new", mark_shown=Mark.DELIVERED, mark_tried=None,
            created_at=NOW + timedelta(seconds=1), carrier_id=None,
        )  # fmt: skip
        await kept.messages.update(FULL.id)
    after = await _get(store, "full")

    assert (after.state, after.due_at, after.text) == (State.ACCEPTED, None, "new")
    assert (after.mark_shown, after.mark_tried) == (Mark.DELIVERED, None)
    assert (after.created_at, after.carrier_id) == (NOW + timedelta(seconds=1), None)
    assert (after.author, after.slack_ts, after.sender) == (FULL.author, FULL.slack_ts, FULL.sender)


@pytest.mark.parametrize("field", ["id", "direction", "conversation_id", "origin", "author", "id = 'x' --"])
async def test_what_never_changes_is_refused(store: Store, field: str) -> None:
    await _add(store, FULL)
    with pytest.raises(ValueError, match="never change"):
        async with store.transaction("test") as kept:
            await kept.messages.update(FULL.id, **{field: "x"})
    assert await _get(store, "full") == FULL


async def test_the_newest_come_first_and_no_more_than_asked_for(store: Store) -> None:
    for number in (3, 1, 2):
        await _add(store, make_message(f"m{number}", created_at=NOW + timedelta(seconds=number)))
    await _add(store, make_message("same moment", created_at=NOW + timedelta(seconds=3)))
    await _add(store, make_message("elsewhere", conversation_id=ConversationId("other")))
    async with store.reading() as kept:
        found = await kept.messages.find_recent(ConversationId("pair"), 3)
    assert [message.id for message in found] == ["same moment", "m3", "m2"]


async def test_what_is_on_its_way_in_a_conversation_is_found_however_much_came_after_it(store: Store) -> None:
    await _add(store, make_message("lost", state=State.UNSETTLED))
    await _add(store, make_message("gone", state=State.ACCEPTED))
    await _add(store, make_message("elsewhere", state=State.UNSETTLED, conversation_id=ConversationId("other")))
    for number in range(30):
        theirs = make_message(f"m{number}", direction=Direction.INBOUND, created_at=NOW + timedelta(seconds=number + 1))
        await _add(store, theirs)
    async with store.reading() as kept:
        found = await kept.messages.find_outbound_in(ConversationId("pair"), [State.UNDER_WAY, State.UNSETTLED])
    assert [message.id for message in found] == ["lost"]


async def test_what_is_on_its_way_to_somebody_is_found_in_every_conversation_they_are_part_of(store: Store) -> None:
    waiting, sent = State.WAITING, State.ACCEPTED
    await _add(store, make_message("pair", state=waiting))
    await _add(store, make_message("group", state=waiting, conversation_id=ConversationId("group")))
    await _add(store, make_message("gone", state=sent))
    await _add(store, make_message("theirs", state=waiting, direction=Direction.INBOUND))
    await _add(store, make_message("other", state=waiting, conversation_id=ConversationId("other")))
    async with store.reading() as kept:
        to_ana = await kept.messages.find_outbound_to(ANA, [waiting, State.CONFIRMING])
        to_bob = await kept.messages.find_outbound_to(BOB, [waiting])
        to_nobody = await kept.messages.find_outbound_to(ANA, [])
    assert {message.id for message in to_ana} == {"pair", "group"}
    assert {message.id for message in to_bob} == {"group"}
    assert list(to_nobody) == []
