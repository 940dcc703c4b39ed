"""Numbers for Slack's names: one for each, also when a transaction is taken back."""

from __future__ import annotations

import pytest

from bot.domain.ids import ChannelId, ConversationId, MessageId, SlackTs, UserId
from tests.storage.rig import Rig
from tests.storage.samples import NOW, PAIR, make_message


async def _store(rig: Rig, name: str, channel: str, author: str) -> None:
    async with rig.store.transaction("store") as tx:
        await tx.conversations.get_or_create(
            PAIR, new_id=ConversationId("pair"), channel_id=ChannelId("CFIRST"), now=NOW
        )
        await tx.messages.add(make_message(name, channel_id=ChannelId(channel), author=UserId(author)))


async def _store_and_take_back(rig: Rig) -> None:
    async with rig.store.transaction("taken back") as tx:
        for _ in range(2):
            await tx.messages.update(MessageId("m0"), channel_id=ChannelId("CGONE"), slack_ts=SlackTs("1.000001"))
        raise RuntimeError


async def test_a_name_that_was_taken_back_leaves_its_number_to_another_and_neither_is_mixed_up(rig: Rig) -> None:
    await _store(rig, "m0", "CFIRST", "UONE")
    with pytest.raises(RuntimeError):
        await _store_and_take_back(rig)
    await _store(rig, "m1", "COTHER", "UTWO")
    await _store(rig, "m2", "CGONE", "UONE")
    await _store(rig, "m3", "COTHER", "COTHER")  # one name, in whatever place

    assert rig.look("SELECT id, channel_id, author FROM messages ORDER BY number") == [
        ("m0", "CFIRST", "UONE"),
        ("m1", "COTHER", "UTWO"),
        ("m2", "CGONE", "UONE"),
        ("m3", "COTHER", "COTHER"),
    ]
    names = [name for (name,) in rig.look("SELECT name FROM names")]
    assert sorted(names) == ["CFIRST", "CGONE", "COTHER", "UONE", "UTWO"]
