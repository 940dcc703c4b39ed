"""More of what may happen: commands, schedules and opt-outs. Importing it adds to `STORIES`."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from bot.domain.ids import ScheduleId
from bot.domain.job import Pool
from bot.domain.message import Mark, Origin
from bot.errors import NotAllowed
from tests.crash.stories import (
    ZONE,
    check_mark,
    check_thread,
    find_root,
    find_root_of,
    open_thread,
    receive_receipts,
    reply,
    story,
)
from tests.doubles.bench import ANA, BOB, Bench, Life
from tests.doubles.border import Fault, Trouble
from tests.doubles.slack import ANN, BEN

# ------------------------------------------------------------------------------------------------ commands and schedules


async def type_sms(life: Life, text: str, *to: Any) -> None:
    await life.do(
        lambda bench: bench.texting.text_now(
            once="trigger", author=ANN, to=to, sender=None, text=text, origin=Origin.COMMAND
        )
    )


@story(points=12)
async def a_command_texts_and_opens_the_thread(life: Life) -> None:
    await type_sms(life, "Hi Bob", BOB)
    await life.settle()
    await receive_receipts(life)
    assert life.world.carrier.on_phone(BOB) == ["Hi Bob"]
    check_thread(life.world, "Hi Bob")
    check_mark(find_root(life.world), Mark.DELIVERED)


@story(points=23)
async def a_group_is_one_conversation(life: Life) -> None:
    await type_sms(life, "Hi both", BOB, ANA)
    life.world.text_in(BOB, "Hi", others=[ANA])
    await life.settle()
    await reply(life, "Fine")
    await life.settle()
    await receive_receipts(life)
    assert life.world.carrier.on_phone(ANA) == life.world.carrier.on_phone(BOB) == ["Hi both", "Fine"]
    assert sorted(life.world.slack.words()) == ["Hi", "Hi both"]
    assert len([m for m in life.world.slack.posted() if m.thread_ts is None]) == 1
    check_mark(next(m for m in life.world.slack.messages if m.text == "Fine"), Mark.DELIVERED)


async def schedule(life: Life, text: str, wait: timedelta) -> None:
    due_at = life.world.clock.now() + wait

    async def ask(bench: Bench) -> None:
        await bench.schedules.schedule_text(
            once="trigger", author=ANN, to=(ANA,), sender=None, text=text, due_at=due_at, zone=ZONE
        )

    await life.do(ask)


async def cancel_schedule(life: Life) -> None:
    async def ask(bench: Bench) -> None:
        [(schedule_id,)] = await bench.read("SELECT id FROM schedules")
        await bench.schedules.cancel_schedule(ScheduleId(schedule_id), ANN)

    await life.do(ask)


async def read_schedule(life: Life) -> str:
    [(state,)] = await life.do(lambda bench: bench.read("SELECT state FROM schedules"))
    return str(state)


@story(points=15)
async def a_text_scheduled_here_falls_due_once(life: Life) -> None:
    due_at = life.world.clock.now() + timedelta(minutes=3)
    await schedule(life, "It is time", timedelta(minutes=3))
    await life.settle()
    await receive_receipts(life)
    assert life.world.carrier.on_phone(ANA) == ["It is time"]
    assert life.world.carrier.texts[0].accepted_at >= due_at
    check_thread(life.world, "It is time")
    check_mark(find_root(life.world), Mark.DELIVERED)
    assert await read_schedule(life) == "sent"


@story(points=16)
async def a_text_scheduled_at_the_carrier_falls_due_once(life: Life) -> None:
    due_at = life.world.clock.now() + timedelta(hours=1)
    await schedule(life, "It is time", timedelta(hours=1))
    await life.settle()
    await receive_receipts(life)
    assert life.world.carrier.on_phone(ANA) == ["It is time"]
    assert life.world.carrier.texts[0].send_at == due_at
    check_thread(life.world, "It is time")
    check_mark(find_root(life.world), Mark.DELIVERED)
    assert await read_schedule(life) == "sent"


@story(points=12)
async def a_text_scheduled_at_the_carrier_is_cancelled(life: Life) -> None:
    await schedule(life, "It is time", timedelta(hours=1))
    await life.settle(spare=timedelta(seconds=10))
    await cancel_schedule(life)
    await life.settle()
    assert life.world.carrier.on_phone(ANA) == []
    assert [text.cancelled for text in life.world.carrier.texts] == [True]
    assert life.world.slack.words() == []
    assert await read_schedule(life) == "cancelled"
    assert any("taken back" in whisper.text for whisper in life.world.slack.whispers)


@story(points=11)
async def a_schedule_is_cancelled_while_it_is_handed_over(life: Life) -> None:
    async def cancel() -> None:
        bench = life.bench
        assert bench is not None
        [(schedule_id,)] = await bench.read("SELECT id FROM schedules")
        await bench.schedules.cancel_schedule(ScheduleId(schedule_id), ANN)

    life.world.border.meanwhile.append(("carrier send", cancel))
    await schedule(life, "It is time", timedelta(hours=1))
    await life.settle(spare=timedelta(seconds=10))
    await cancel_schedule(life)  # where the process died in between, the person asks again
    await life.settle()
    assert life.world.carrier.on_phone(ANA) == []
    assert await read_schedule(life) == "cancelled"


# ------------------------------------------------------------------------------------------------------------- opt-outs


@story(points=13)
async def nothing_goes_out_after_stop(life: Life) -> None:
    await open_thread(life)
    life.world.text_in(ANA, "STOP")
    message = await reply(life, "Please stay")
    await life.settle()
    assert life.world.carrier.on_phone(ANA) == []
    check_mark(message, Mark.BLOCKED)
    assert len(life.world.slack.lines("opted out")) == 1
    assert any(whisper.user == ANN and "opted out" in whisper.text for whisper in life.world.slack.whispers)


@story(points=23)
async def stop_reaches_a_reply_that_waits_for_the_carrier(life: Life) -> None:
    await open_thread(life)
    life.world.border.faults.append(Fault(operation="carrier send", trouble=Trouble.UNREACHABLE, times=3))
    message = await reply(life, "Please stay")
    await life.settle(spare=timedelta(0))
    life.world.text_in(ANA, "STOP")
    await life.deliver_all()
    await life.settle()
    if life.world.carrier.on_phone(ANA):  # where the process died, more time went by than the carrier was away
        assert len(life.world.carrier.texts) == 1
        await receive_receipts(life)
        check_mark(message, Mark.DELIVERED)
    else:  # where the process died within an attempt, nobody knows whether that one went out
        assert message.our_marks in ({Mark.BLOCKED.value}, {Mark.UNSETTLED.value})


@story(points=16)
async def stop_cancels_what_is_scheduled_wherever_it_waits(life: Life) -> None:
    await schedule(life, "Later", timedelta(hours=2))
    await life.settle(spare=timedelta(seconds=10))
    life.world.text_in(ANA, "STOP")
    await life.settle()
    assert life.world.carrier.on_phone(ANA) == []
    assert await read_schedule(life) == "cancelled"
    assert life.world.slack.words() == ["STOP"]


@story(points=10)
async def stop_takes_back_what_the_carrier_may_hold_without_our_knowing(life: Life) -> None:
    life.world.border.faults.append(Fault(operation="carrier send", trouble=Trouble.LOST_ANSWER))
    await schedule(life, "Later", timedelta(hours=2))
    await life.settle(spare=timedelta(seconds=1))
    life.world.text_in(ANA, "STOP")
    await life.settle()
    assert life.world.carrier.on_phone(ANA) == []
    assert await read_schedule(life) == "cancelled"


@story(points=10)
async def one_of_a_group_says_stop_while_nobody_knows_whether_a_text_went(life: Life) -> None:
    life.world.border.faults.append(Fault(operation="carrier send", trouble=Trouble.LOST_ANSWER))
    await type_sms(life, "Hi both", BOB, ANA)
    await life.settle(spare=timedelta(seconds=1))
    life.world.text_in(ANA, "STOP")
    await life.settle()
    await receive_receipts(life)
    # Where the process died before the send, STOP came in time for Ana, or for both: those bytes are for both or nobody.
    gone = life.world.carrier.on_phone(BOB)
    assert gone in ([], ["Hi both"])
    assert life.world.carrier.on_phone(ANA) in ([], gone)
    assert life.world.slack.lines("Not delivered") == []
    marks = find_root_of(life.world, "Hi both").our_marks
    assert marks in (({Mark.DELIVERED.value},) if gone else ({Mark.BLOCKED.value}, {Mark.UNSETTLED.value}))
    assert len({(each.key, each.to) for each in life.world.carrier.attempts}) <= 1


@story(points=10)
async def a_text_that_goes_although_it_was_taken_back_is_shown(life: Life) -> None:
    due = timedelta(hours=1)
    await schedule(life, "It is time", due)
    await life.settle(spare=timedelta(seconds=10))
    life.world.border.faults.append(Fault(operation="carrier cancel", trouble=Trouble.LOST_REQUEST))
    await cancel_schedule(life)
    await life.do(lambda bench: bench.work())
    await life.world.clock.advance(due)
    life.world.carrier.pass_time()
    await life.settle()
    await receive_receipts(life)
    gone = life.world.carrier.on_phone(ANA)
    assert life.world.slack.words() == gone
    assert await read_schedule(life) == ("sent" if gone else "cancelled")


@story(points=24)
async def start_after_stop_lets_texts_through_again(life: Life) -> None:
    await open_thread(life)
    life.world.text_in(ANA, "STOP")
    await life.settle()
    life.world.text_in(ANA, "START")
    message = await reply(life, "Welcome back")
    await life.settle()
    await receive_receipts(life)
    assert life.world.carrier.on_phone(ANA) == ["Welcome back"]
    check_mark(message, Mark.DELIVERED)
    check_thread(life.world, "Hello", "STOP", "START")


@story(points=10)
async def nobody_is_texted_whom_a_teammate_opted_out(life: Life) -> None:
    await open_thread(life)
    await life.do(lambda bench: bench.optouts.add_optout(ANA, "asked by phone", BEN, once="trigger"))
    try:
        await type_sms(life, "Hi", ANA)
    except NotAllowed:
        pass
    else:
        raise AssertionError("the command was taken")
    message = await reply(life, "Hi")
    await life.settle()
    assert life.world.carrier.on_phone(ANA) == []
    check_mark(message, Mark.BLOCKED)


@story(points=10)
async def stop_counts_from_when_it_is_stored_not_from_when_it_is_read(life: Life) -> None:
    await open_thread(life)
    message = await reply(life, "Please stay")
    await life.deliver_all()
    await life.do(lambda bench: bench.work(Pool.SLACK_IN))
    life.world.text_in(ANA, "STOP")
    await life.deliver_all()
    await life.do(lambda bench: bench.work(Pool.SEND))
    await life.settle()
    assert life.world.carrier.attempts == []
    check_mark(message, Mark.BLOCKED)


@story(points=10)
async def stop_reaches_a_reply_that_is_accepted_here_but_not_yet_sent(life: Life) -> None:
    await open_thread(life)
    message = await reply(life, "Please stay")
    await life.deliver_all()
    await life.do(lambda bench: bench.work(Pool.SLACK_IN))
    life.world.text_in(ANA, "STOP")
    await life.deliver_all()
    await life.do(lambda bench: bench.work(Pool.CARRIER_IN))
    await life.settle()
    assert life.world.carrier.attempts == []
    check_mark(message, Mark.BLOCKED)
