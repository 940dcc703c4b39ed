"""Stories of what is found by asking, and of conversations that move: each at every crossing, as all the others."""

from __future__ import annotations

from datetime import timedelta

from bot.domain.ids import CarrierMessageId, ChannelId
from bot.flows.reconcile import EVERY, GRACE
from tests.crash.stories import check_thread, find_root, open_thread, receive_receipts, story
from tests.doubles.bench import ANA, OURS, Life
from tests.doubles.border import Fault, Trouble
from tests.doubles.slack import ANN, CHANNEL

SPARE = ChannelId("C0SPARE")


async def look_for_what_was_missed(life: Life) -> None:
    """Let so much time pass that the platforms are asked, and have them asked."""
    await life.do(lambda bench: bench.reconcile.reconcile())
    await life.world.clock.advance(EVERY + GRACE)
    await life.do(lambda bench: bench.reconcile.reconcile())
    await life.settle()


@story(points=12)
async def texts_whose_webhooks_never_came_are_shown_once_and_in_order(life: Life) -> None:
    await open_thread(life)
    await life.do(lambda bench: bench.reconcile.reconcile())
    for number in range(2):
        await life.world.clock.advance(timedelta(seconds=30))
        life.world.carrier.miss(CarrierMessageId(f"missed-{number}"), ANA, OURS, f"Missed {number}.")
    await look_for_what_was_missed(life)
    await look_for_what_was_missed(life)
    check_thread(life.world, "Hello", "Missed 0.", "Missed 1.")


@story(points=20)
async def what_was_looked_through_before_the_carrier_fell_silent_is_not_asked_for_again(life: Life) -> None:
    await open_thread(life)
    await life.do(lambda bench: bench.reconcile.reconcile())
    began = life.world.clock.now()
    for number in range(3):
        await life.world.clock.advance(timedelta(hours=1))
        life.world.carrier.miss(CarrierMessageId(f"missed-{number}"), ANA, OURS, f"Missed {number}.")
    await life.world.clock.advance(GRACE * 2)
    life.world.border.faults.append(Fault(operation="carrier list_inbound page 3", trouble=Trouble.UNREACHABLE))
    await life.do(lambda bench: bench.reconcile.reconcile())
    asked = len(life.world.carrier.asked_since)
    await look_for_what_was_missed(life)
    assert life.world.carrier.asked_since[asked] > began + timedelta(hours=1)
    check_thread(life.world, "Hello", "Missed 0.", "Missed 1.", "Missed 2.")


@story(points=20)
async def a_reply_whose_event_never_came_is_sent_once(life: Life) -> None:
    await open_thread(life)
    await life.do(lambda bench: bench.reconcile.reconcile())
    await life.world.clock.advance(timedelta(seconds=30))
    message, _ = life.world.slack.say(ANN, find_root(life.world), "Sorry for the wait")
    await look_for_what_was_missed(life)
    await look_for_what_was_missed(life)
    await receive_receipts(life)
    assert life.world.carrier.on_phone(ANA) == ["Sorry for the wait"]
    assert message.our_marks


@story(points=10, channels={OURS: SPARE})
async def a_conversation_whose_channel_is_archived_moves_and_loses_nothing(life: Life) -> None:
    root = await open_thread(life)
    assert root.channel == SPARE
    life.world.slack.archived.add(SPARE)
    life.world.text_in(ANA, "After")
    life.world.text_in(ANA, "And after")
    await life.settle()
    assert life.world.slack.words() == ["Hello", "After", "And after"]
    assert [message.channel for message in life.world.slack.posted()] == [SPARE, CHANNEL, CHANNEL]
