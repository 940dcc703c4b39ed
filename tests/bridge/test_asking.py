"""What a person's word settles: what [Check] asks, what it says after a day, and a text that went out although taken back."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from bot.sandbox.faults import FaultKind
from tests.bridge.events import make_receipt
from tests.bridge.harness import ANA, CHANNEL, Bench, Json, open_bench

SENDING = "POST /messages"


async def reply_into_silence(bench: Bench, kind: FaultKind) -> tuple[str, str]:
    """Reply, with neither answer nor receipt ever coming; returns the reply's ts and the root's."""
    bench.clock.set_rate(200)
    root = await bench.open_thread()
    bench.fail(bench.telnyx, kind, SENDING)
    bench.lose_receipts()
    ts = await bench.reply("Lost?", root)
    await bench.wait_mark(ts, "warning")
    await bench.wait_until(lambda: bench.shown("not known whether"))
    bench.clock.set_rate(1)
    return ts, root


async def ask_and_forget(bench: Bench) -> Json:
    """Have the author of a reply asked whether to send it, and the bridge know nobody yet; returns the question."""
    root = await bench.open_thread()
    await bench.reply("At 5pm", root)
    await bench.settle()
    (question,) = bench.whispers("Send this to")
    await bench.restart()
    return question


async def test_check_finds_a_text_in_the_detail_records_while_nothing_else_answers(bench: Bench) -> None:
    ts, _ = await reply_into_silence(bench, FaultKind.DROP_ANSWER)
    (line,) = bench.shown("not known whether")
    said = await bench.click(line, "Check")
    await bench.wait_mark(ts, "white_check_mark")

    assert "on record" in said
    assert bench.phone(ANA) == ["Lost?"]


async def test_another_text_to_the_same_number_is_not_taken_for_it(bench: Bench) -> None:
    ts, root = await reply_into_silence(bench, FaultKind.DROP_REQUEST)
    bench.telnyx.faults.clear()
    other = await bench.reply("Lost?", root)  # the same words, and really sent
    await bench.wait_mark(other, "white_check_mark")
    bench.fail(bench.telnyx, FaultKind.DROP_REQUEST, SENDING)
    (line,) = bench.shown("not known whether")
    said = await bench.click(line, "Check")

    assert "on record" not in said
    assert bench.marks(ts) == {"warning"}


async def test_check_says_that_they_have_opted_out_and_does_not_pretend_to_ask(bench: Bench) -> None:
    ts, _ = await reply_into_silence(bench, FaultKind.DROP_REQUEST)
    bench.telnyx.faults.clear()
    (line,) = bench.shown("not known whether")
    asked = len(bench.send_requests)
    await bench.text_in("STOP")
    await bench.wait_until(lambda: bench.shown("opted out"))
    said = await bench.click(line, "Check")
    await bench.settle()

    assert "opted out" in said
    assert len(bench.send_requests) == asked
    assert bench.marks(ts) == {"warning"}


async def test_after_a_day_check_says_that_the_carrier_has_none_and_what_can_be_done(bench: Bench) -> None:
    await reply_into_silence(bench, FaultKind.DROP_REQUEST)
    await bench.pass_time(timedelta(hours=25))
    await bench.pass_time(timedelta(minutes=2))
    bench.telnyx.faults.clear()
    (line,) = bench.shown("not known whether")
    said = await bench.click(line, "Check")

    assert "no record" in said
    assert "Send again" in said
    assert bench.phone(ANA) == []


async def test_a_scheduled_text_that_was_taken_back_and_goes_out_all_the_same_is_shown_in_its_thread(
    bench: Bench,
) -> None:
    root = await bench.open_thread()
    answer = await bench.command("/schedule", f"{ANA} in 2 hours See you")
    await bench.settle()
    (send,) = bench.telnyx.sends
    (found,) = {match[1] for match in re.finditer(r"cancel ([a-z0-9]+)", answer)} or {""}
    row = (await bench.query("SELECT id FROM schedules"))[0]
    await bench.command("/schedule", f"cancel {found or row['id']}")
    await bench.settle()
    assert [tuple(each) for each in await bench.query("SELECT state FROM messages WHERE text = 'See you'")] == [
        ("cancelled",)
    ]
    before = bench.thread(root)
    receipt = make_receipt("message.finalized", "delivered", carrier_id=send.message_id)
    await bench.post_signed_by_telnyx(receipt)
    await bench.settle()

    (shown,) = [message for message in bench.slack.thread(CHANNEL, root) if "See you" in message["text"]]
    assert shown["text"] not in before
    await bench.wait_mark(shown["ts"], "white_check_mark")


@pytest.mark.parametrize("manner", [FaultKind.RATE_LIMIT, FaultKind.REFUSE])
async def test_whoever_presses_while_slack_does_not_say_who_they_are_is_told_to_press_again(manner: FaultKind) -> None:
    """Slack shows nobody what a click is answered with: the words stand beside the question, and its button stays."""
    async with open_bench(thread_mode="confirm") as bench:
        question = await ask_and_forget(bench)
        silence = [bench.fail(bench.slack, manner, name) for name in ("users.info", "auth.test")]

        assert "Nothing was done; please try again" in await bench.click(question, "Send")
        assert bench.telnyx.sends == []
        for each in silence:
            bench.slack.faults.lift(each)
        await bench.pass_time(timedelta(minutes=1))
        await bench.click(bench.whispers("Send this to")[0], "Send")
        assert bench.phone() == ["At 5pm"]


async def test_whoever_presses_while_slack_takes_long_to_say_who_they_are_is_told_to_press_again() -> None:
    async with open_bench(thread_mode="confirm") as bench:
        question = await ask_and_forget(bench)
        asked = [each.operation for each in bench.journal.exchanges].count("users.info")
        bench.fail(bench.slack, FaultKind.SLOW, "users.info", seconds=3.2, times=1)

        assert "Nothing was done; please try again" in await bench.click(question, "Send")
        await bench.wait_until(lambda: [each.operation for each in bench.journal.exchanges].count("users.info") > asked)
        await bench.settle()
        assert bench.telnyx.sends == []


async def test_whoever_uses_a_shortcut_while_slack_does_not_say_who_they_are_is_told_so(bench: Bench) -> None:
    root = await bench.open_thread()
    ts = await bench.reply("note: At 5pm", root)
    await bench.settle()
    await bench.restart()
    bench.fail(bench.slack, FaultKind.RATE_LIMIT, "users.info")

    assert "Nothing was done; please try again" in await bench.use_shortcut(ts, "send_as_text")
    assert bench.telnyx.sends == []
