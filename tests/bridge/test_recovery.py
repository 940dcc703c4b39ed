"""What neither platform could bring is found by asking, and shown once."""

from __future__ import annotations

from datetime import timedelta

from bot.flows.reconcile import EVERY, GRACE
from bot.sandbox.faults import FaultKind
from bot.sandbox.telnyx_sim import Outcome, OutcomeKind
from tests.bridge.harness import ANA, BEN, CHANNEL, Bench, open_bench, read_words

A_WHILE = EVERY + GRACE


async def look(bench: Bench, span: timedelta = A_WHILE) -> None:
    """Let *span* pass, and the bridge ask the platforms what it missed."""
    await bench.pass_time(span)
    await bench.works.reconcile.reconcile()
    await bench.settle()


async def test_texts_whose_webhooks_never_came_appear_in_order_once_and_marked_as_recovered(bench: Bench) -> None:
    root = await bench.open_thread()
    bench.fail(bench.telnyx, FaultKind.LOSE, "message.received")
    for number in range(3):
        await bench.text_in(f"missed {number}")
        await bench.settle()
    bench.telnyx.faults.clear()
    await look(bench)
    await look(bench)

    assert [text for text in bench.thread(root) if "missed" in text] == ["missed 0", "missed 1", "missed 2"]
    assert all("Recovered" in read_words(shown) for shown in bench.shown("missed"))


async def test_a_text_missed_while_the_bridge_was_down_appears_after_its_start(bench: Bench) -> None:
    root = await bench.open_thread()
    await bench.crash()
    await bench.text_in("Is anybody there?")
    await bench.telnyx.settle()
    bench.clock.leap(A_WHILE)
    await bench.start()
    await bench.wait_until(lambda: bench.shown("Is anybody there?"))

    assert bench.thread(root)[-1] == "Is anybody there?"


async def test_a_text_missed_in_a_short_absence_appears_minutes_after_the_start() -> None:
    async with open_bench(rate=60) as bench:
        await bench.open_thread()
        await bench.crash()
        await bench.text_in("Just now")
        await bench.telnyx.settle()
        await bench.start()
        began = bench.clock.now()
        await bench.wait_until(lambda: bench.shown("Just now"))

        assert bench.clock.now() - began < EVERY / 2


async def test_a_recovered_stop_is_obeyed(bench: Bench) -> None:
    root = await bench.open_thread()
    bench.fail(bench.telnyx, FaultKind.LOSE, "message.received", times=1)
    await bench.text_in("STOP")
    await look(bench)
    ts = await bench.reply("Are you there?", root)

    await bench.wait_mark(ts, "no_entry")
    assert bench.phone() == []


async def test_a_text_that_comes_after_all_is_not_shown_twice(bench: Bench) -> None:
    await bench.open_thread()
    bench.fail(bench.telnyx, FaultKind.LOSE, "message.received", times=1)
    message_id = await bench.text_in("late")
    await look(bench)
    await bench.telnyx.redeliver(message_id)
    await bench.settle()

    assert len(bench.shown("late")) == 1


async def test_what_was_said_before_the_first_start_is_not_dragged_in(bench: Bench) -> None:
    await bench.crash()
    bench.settings.database_path.unlink()
    await bench.text_in("before your time", from_=BEN)
    await bench.telnyx.settle()
    await bench.start()
    await look(bench)

    assert bench.shown("before your time") == []


async def test_a_reply_whose_event_never_came_reaches_the_phone_once(bench: Bench) -> None:
    root = await bench.open_thread()
    bench.fail(bench.slack, FaultKind.LOSE, "event", times=1)
    ts = await bench.reply("Sorry for the wait", root)
    await look(bench)
    await look(bench)

    assert bench.phone(ANA) == ["Sorry for the wait"]
    await bench.wait_mark(ts, "white_check_mark")


async def test_notes_and_replies_that_did_come_are_not_sent_again_by_looking_for_them(bench: Bench) -> None:
    root = await bench.open_thread()
    await bench.reply("One", root)
    await bench.reply("note: two", root)
    for _ in range(3):
        await look(bench)

    assert bench.phone() == ["One"]


async def test_a_text_without_a_final_receipt_is_asked_about_and_gets_its_mark(bench: Bench) -> None:
    root = await bench.open_thread()
    bench.fail(bench.telnyx, FaultKind.LOSE, "message.finalized", times=1)
    ts = await bench.reply("Hello", root)
    await bench.settle()
    before = bench.marks(ts)
    await look(bench, timedelta(hours=1) + A_WHILE)

    await bench.wait_mark(ts, "white_check_mark")
    assert "white_check_mark" not in before


async def test_a_failure_found_by_asking_is_explained(bench: Bench) -> None:
    root = await bench.open_thread()
    bench.telnyx.set_outcome(ANA, Outcome(kind=OutcomeKind.DELIVERY_FAILED, code="40001"))
    bench.fail(bench.telnyx, FaultKind.LOSE, "message.finalized", times=1)
    ts = await bench.reply("Hello", root)
    await look(bench, timedelta(hours=1) + A_WHILE)

    await bench.wait_mark(ts, "x")
    assert any("40001" in text for text in bench.thread(root))


async def test_somebody_on_the_carriers_list_is_not_texted(bench: Bench) -> None:
    root = await bench.open_thread()
    bench.telnyx.block(sender=bench.settings.telnyx_phone_number, person=ANA, keyword="STOP")
    await look(bench)
    ts = await bench.reply("Hello", root)

    await bench.wait_mark(ts, "no_entry")
    assert bench.send_requests == []


async def test_replies_are_found_in_more_threads_than_slack_lets_us_look_into_in_a_minute() -> None:
    async with open_bench(pacing="documented") as bench:
        bench.clock.set_rate(40)
        roots = []
        for number in range(60):
            await bench.text_in("Hi", from_=f"+1415555{number:04d}")
            await bench.telnyx.settle()
        await bench.wait_until(lambda: len(bench.slack.messages(CHANNEL)) == 60, 40)
        await bench.settle()
        bench.slack.limits.enforced = True
        roots = [message["ts"] for message in bench.slack.messages(CHANNEL)]
        bench.fail(bench.slack, FaultKind.LOSE, "event", times=2)
        for root in (roots[0], roots[-1]):
            await bench.reply("Sorry for the wait", root)
        bench.clock.leap(GRACE)
        await bench.works.reconcile.recover_replies()
        await bench.settle()

        assert len([send for send in bench.telnyx.sends if send.text == "Sorry for the wait"]) == 2
