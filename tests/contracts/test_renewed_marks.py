"""The mark on a text that moved on is looked at where it may have to change, and nowhere else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.chance import SystemChance
from bot.domain.delivery import Delivery, DeliveryStatus
from bot.domain.ids import ChannelId, ConversationId, SlackTs
from bot.domain.job import Job, Pool
from bot.domain.message import Mark, Message, State
from bot.flows.jobs import enqueue_mark
from bot.flows.marks import renew_mark
from bot.ports import Store, Workbench
from tests.storage.samples import ANA, GROUP, NOW, make_message

CHANCE = SystemChance()


async def keep(store: Store, **fields: object) -> Message:
    """Store an accepted text, as *fields* say."""
    fields = {"state": State.ACCEPTED, "channel_id": ChannelId("C"), "slack_ts": SlackTs("1700000000.000100"), **fields}
    message = replace(make_message("one"), **fields)  # type: ignore[arg-type]
    async with store.transaction("test") as tx:
        await tx.conversations.get_or_create(GROUP, new_id=ConversationId("pair"), channel_id=ChannelId("C"), now=NOW)
        await tx.messages.add(message)
        if message.mark_shown or message.mark_tried:
            await tx.messages.update(message.id, mark_shown=message.mark_shown, mark_tried=message.mark_tried)
    return message


async def renew(store: Store, message: Message, status: DeliveryStatus = DeliveryStatus.QUEUED) -> None:
    async with store.transaction("test") as tx:
        await tx.deliveries.merge(message.id, ANA, Delivery(status=status, occurred_at=NOW))
        conversation = await tx.conversations.get(message.conversation_id)
        await renew_mark(tx, message, conversation, await tx.deliveries.of_message(message.id), NOW, CHANCE)


async def claim(workbench: Workbench) -> list[Job]:
    return list(await workbench.claim(Pool.MARK, 10))


async def test_a_text_on_its_way_without_a_mark_needs_none(store: Store, workbench: Workbench) -> None:
    await renew(store, await keep(store))
    assert await claim(workbench) == []


async def test_an_hourglass_that_is_shown_stays_until_the_end_is_known(store: Store, workbench: Workbench) -> None:
    await renew(store, await keep(store, mark_shown=Mark.WAITING))
    assert await claim(workbench) == []


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({}, DeliveryStatus.DELIVERED),
        ({"mark_shown": Mark.WAITING}, DeliveryStatus.DELIVERED),
        ({"mark_shown": Mark.UNSETTLED}, DeliveryStatus.QUEUED),
        ({"mark_tried": Mark.WAITING}, DeliveryStatus.QUEUED),
    ],
)
async def test_what_is_shown_and_no_longer_right_or_not_certain_is_looked_at(
    store: Store, workbench: Workbench, fields: dict[str, object], status: DeliveryStatus
) -> None:
    await renew(store, await keep(store, **fields), status)
    assert len(await claim(workbench)) == 1


async def test_while_a_mark_is_being_shown_it_is_looked_at_once_more(store: Store, workbench: Workbench) -> None:
    message = await keep(store)
    async with store.transaction("test") as tx:
        await enqueue_mark(tx, message.id, "before")
    (shown,) = await claim(workbench)
    await renew(store, message)
    assert await claim(workbench) == []  # in one lane, one after the other
    async with store.transaction("test") as tx:
        await tx.queue.finish(shown)
    assert len(await claim(workbench)) == 1
