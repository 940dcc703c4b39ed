"""What every implementation of `bot.ports.Conversations` promises."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.conversation import Conversation, Parties, was_quiet
from bot.domain.ids import ChannelId, ConversationId, SlackTs
from bot.ports import Store
from tests.storage.samples import ANA, BOB, GROUP, NOW, OURS, PAIR, pair_of

TEXTS, SALES = ChannelId("C0TEXTS"), ChannelId("C0SALES")


async def _open(store: Store, name: str, parties: Parties = PAIR) -> Conversation:
    async with store.transaction("test") as kept:
        return await kept.conversations.get_or_create(
            parties, new_id=ConversationId(name), channel_id=TEXTS, now=NOW + timedelta(microseconds=1)
        )


async def _get(store: Store, name: str) -> Conversation:
    async with store.reading() as kept:
        return await kept.conversations.get(ConversationId(name))


async def test_a_new_pair_has_its_conversation_at_once_and_no_thread_yet(store: Store) -> None:
    made = await _open(store, "one")

    assert made == Conversation(
        id=ConversationId("one"), parties=PAIR, channel_id=TEXTS, created_at=NOW + timedelta(microseconds=1)
    )
    assert await _get(store, "one") == made


async def test_twenty_at_once_make_one_conversation(store: Store) -> None:
    made = await asyncio.gather(*(_open(store, str(number)) for number in range(20)))

    assert len(set(made)) == 1


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (PAIR, PAIR, True),
        (GROUP, pair_of(OURS, ANA, BOB, ANA), True),
        (PAIR, GROUP, False),
        (PAIR, pair_of("+13125550171", ANA), False),
        (PAIR, pair_of(ANA, OURS), False),
        (pair_of(OURS, "ACME"), pair_of(OURS, "acme"), False),
    ],
)
async def test_the_same_parties_in_any_order_have_one_conversation_and_others_have_another(
    store: Store, one: Parties, other: Parties, *, same: bool
) -> None:
    assert ((await _open(store, "a", one)).id == (await _open(store, "b", other)).id) is same


async def test_what_is_unknown_is_not_found(store: Store) -> None:
    async with store.reading() as kept:
        assert await kept.conversations.find(PAIR) is None
        assert await kept.conversations.find_by_thread(TEXTS, SlackTs("1.0")) is None
        with pytest.raises(KeyError):
            await kept.conversations.get(ConversationId("nobody"))


async def test_a_group_comes_back_with_all_of_its_members(store: Store) -> None:
    await _open(store, "group", GROUP)
    async with store.reading() as kept:
        found = await kept.conversations.find(GROUP)
    assert found is not None
    assert found.parties == GROUP


async def test_a_thread_leads_to_its_conversation_even_after_it_was_lost_and_another_opened(store: Store) -> None:
    await _open(store, "one")
    one = ConversationId("one")
    async with store.transaction("test") as kept:
        await kept.conversations.open_thread(one, TEXTS, SlackTs("1.0"))
    first = await _get(store, "one")
    assert (first.channel_id, first.thread_ts) == (TEXTS, "1.0")

    async with store.transaction("test") as kept:
        await kept.conversations.lose_thread(one, channel_id=SALES)
    lost = await _get(store, "one")
    assert (lost.channel_id, lost.thread_ts) == (SALES, None)
    assert (lost.previous_channel_id, lost.previous_thread_ts) == (TEXTS, "1.0")

    async with store.transaction("test") as kept:  # told twice, by two posts that both found it gone
        await kept.conversations.lose_thread(one, channel_id=SALES)
    assert replace(await _get(store, "one"), root=lost.root) == lost

    async with store.transaction("test") as kept:
        await kept.conversations.open_thread(one, SALES, SlackTs("2.0"))
    second = await _get(store, "one")
    assert (second.channel_id, second.thread_ts) == (SALES, "2.0")
    assert 0 < first.root < second.root  # part of what is posted under, so never the same for two roots
    async with store.reading() as kept:
        for channel, ts in ((TEXTS, "1.0"), (SALES, "2.0")):
            found = await kept.conversations.find_by_thread(channel, SlackTs(ts))
            assert found == second
        assert await kept.conversations.find_by_thread(SALES, SlackTs("1.0")) is None


async def test_being_active_only_moves_forward(store: Store) -> None:
    await _open(store, "one")
    for minutes in (5, 9, 2):
        async with store.transaction("test") as kept:
            await kept.conversations.touch(ConversationId("one"), NOW + timedelta(minutes=minutes))
    found = await _get(store, "one")
    assert found.active_at == NOW + timedelta(minutes=9)
    assert was_quiet(found, NOW + timedelta(minutes=19), timedelta(minutes=10))


async def test_a_conversation_from_the_pool_is_renamed_to_the_number_that_the_carrier_chose(store: Store) -> None:
    await _open(store, "pool", pair_of("pool", ANA))
    async with store.transaction("test") as kept:
        await kept.conversations.rename(ConversationId("pool"), OURS)
    assert (await _get(store, "pool")).parties == PAIR


async def test_it_is_not_renamed_to_what_another_conversation_is_called(store: Store) -> None:
    await _open(store, "pair")
    await _open(store, "pool", pair_of("pool", ANA))
    async with store.transaction("test") as kept:
        await kept.conversations.rename(ConversationId("pool"), OURS)
        await kept.conversations.rename(ConversationId("pair"), OURS)
    assert (await _get(store, "pool")).parties.ours == "pool"
    assert (await _get(store, "pair")).parties == PAIR
