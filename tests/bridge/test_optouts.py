"""Nobody who said STOP is texted, by any path; and how it is shown, set and lifted."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.job import Job, Kind, Pool
from bot.sandbox.telnyx_sim import Outcome, OutcomeKind
from tests.bridge.events import make_receipt, make_text
from tests.bridge.harness import ANA, BEN, CAT, OURS, OURS_TOO, Bench, list_buttons, open_bench
from tests.bridge.unsettled import make_unsettled

SENDING = "POST /messages"


async def stop(bench: Bench, *, from_: str = ANA) -> None:
    await bench.text_in("STOP", from_=from_)
    await bench.settle()


async def open_stopped(bench: Bench) -> str:
    """Return the thread of somebody who said STOP. The carrier lets everything pass: only we can hold it back."""
    root = await bench.open_thread()
    await stop(bench)
    bench.telnyx.lift(sender=OURS, person=ANA)
    return root


# ------------------------------------------------------------------------------------------------------ every path


async def test_a_reply_after_stop_is_not_sent_is_marked_and_its_author_is_told_why(bench: Bench) -> None:
    root = await open_stopped(bench)
    ts = await bench.reply("Hello", root)
    await bench.settle()

    assert bench.send_requests == []
    assert bench.marks(ts) == {"no_entry"}
    (line,) = bench.whispers("Not sent")
    assert "opted out" in line["text"]
    assert "START" in line["text"]


async def test_sms_after_stop_is_refused_privately(bench: Bench) -> None:
    await open_stopped(bench)

    answer = await bench.command("/sms", "4155550101 Hello")
    await bench.settle()

    assert "opted out" in answer
    assert bench.send_requests == []


async def test_sms_from_another_number_of_ours_is_refused_too() -> None:
    async with open_bench(number_channels=f"{OURS_TOO}=C0TEXTS") as bench:
        await open_stopped(bench)

        assert "opted out" in await bench.command("/sms", f"from:{OURS_TOO} 4155550101 Hello")
        await bench.settle()
        assert bench.send_requests == []


async def test_the_form_after_stop_says_so_in_the_form(bench: Bench) -> None:
    await open_stopped(bench)
    await bench.command("/sms")
    (view,) = bench.slack.views(bench.alice)

    answer = await bench.slack.submit_view(bench.alice, view["id"], {"to": ANA, "text0": "Hello"})
    await bench.settle()

    assert "opted out" in str(answer.errors)
    assert bench.send_requests == []


async def test_scheduling_after_stop_is_refused(bench: Bench) -> None:
    await open_stopped(bench)

    assert "opted out" in await bench.command("/schedule", "4155550101 in 2 hours Hello")
    await bench.pass_time(timedelta(hours=3))
    assert bench.send_requests == []


@pytest.mark.parametrize("when", ["in 3 minutes", "in 20 days"])
async def test_a_schedule_that_we_hold_is_cancelled_by_stop_and_its_author_is_told(when: str, bench: Bench) -> None:
    await bench.open_thread()
    await bench.command("/schedule", f"4155550101 {when} Hello")
    await open_stopped_later(bench)

    assert bench.whispers("taken back")
    assert "Nothing is scheduled" in await bench.command("/schedule", "list")
    await bench.pass_time(timedelta(days=16))
    await bench.pass_time(timedelta(days=6))
    assert bench.phone() == []
    assert bench.send_requests == []


async def open_stopped_later(bench: Bench) -> None:
    await stop(bench)
    bench.telnyx.lift(sender=OURS, person=ANA)


async def test_a_schedule_that_the_carrier_holds_is_cancelled_there_by_stop(bench: Bench) -> None:
    await bench.open_thread()
    await bench.command("/schedule", "4155550101 in 2 hours Hello")
    await bench.settle()
    assert bench.telnyx.sends[0].send_at is not None
    bench.telnyx.switches.check_optouts_when_due = False

    await open_stopped_later(bench)

    assert [request.status for request in bench.telnyx.requests if request.method == "DELETE"] == [200]
    await bench.pass_time(timedelta(hours=3))
    assert bench.phone() == []


async def test_a_schedule_whose_due_moment_finds_them_opted_out_by_hand_is_not_sent(bench: Bench) -> None:
    await bench.command("/schedule", "4155550101 in 3 minutes Hello")
    await bench.command("/optouts", "add 4155550101 asked on the phone")
    await bench.pass_time(timedelta(minutes=5))

    assert bench.send_requests == []


async def test_the_send_button_does_nothing_after_stop() -> None:
    async with open_bench(thread_mode="confirm") as bench:
        root = await bench.open_thread()
        ts = await bench.reply("Hello", root)
        await bench.settle()
        (question,) = bench.whispers("Send this")
        await open_stopped_later(bench)

        said = await bench.click(question, "Send")
        await bench.settle()

        assert "opted out" in said
        assert bench.send_requests == []
        assert bench.marks(ts) == {"no_entry"}


async def test_a_text_in_hold_is_not_sent_after_stop() -> None:
    async with open_bench(send_hold_seconds=30) as bench:
        root = await bench.open_thread()
        ts = await bench.reply("Hello", root)
        await bench.settle()
        await open_stopped_later(bench)
        await bench.pass_time(timedelta(minutes=1))

        assert bench.send_requests == []
        assert bench.marks(ts) == {"no_entry"}


async def test_a_text_in_quiet_hours_is_not_sent_after_stop_not_even_by_send_now() -> None:
    async with open_bench(quiet_hours="05:00-12:00") as bench:
        root = await bench.open_thread()
        await bench.reply("Hello", root)
        await bench.settle()
        (line,) = bench.whispers("waits until")
        await open_stopped_later(bench)

        await bench.click(line, "Send now")
        await bench.pass_time(timedelta(days=1))

        assert bench.send_requests == []


async def test_a_correction_is_not_sent_after_stop(bench: Bench) -> None:
    root = await bench.open_thread()
    ts = await bench.reply("Helo", root)
    await bench.settle()
    await bench.slack.edit(bench.alice, bench.channel, ts, "Hello")
    await bench.settle()
    (line,) = bench.whispers("still has the original")
    await open_stopped_later(bench)

    assert "opted out" in await bench.click(line, "Send correction")
    assert bench.phone() == ["Helo"]


async def test_send_again_does_nothing_after_stop(bench: Bench) -> None:
    _, line = await make_unsettled(bench)
    await open_stopped_later(bench)
    bench.telnyx.faults.clear()

    assert "opted out" in await bench.click(line, "Send again")
    await bench.pass_time(timedelta(hours=1))
    assert bench.phone() == []


async def test_a_reply_written_right_after_stop_waits_until_the_stop_is_read(bench: Bench) -> None:
    root = await bench.open_thread()
    flows: Any = bench.works.workers[Pool.CARRIER_IN]._flows
    read, may_read = flows[Kind.CARRIER_EVENT], asyncio.Event()

    async def read_late(job: Job) -> None:
        await may_read.wait()
        await read(job)

    flows[Kind.CARRIER_EVENT] = read_late
    await bench.text_in("STOP")
    await bench.telnyx.settle()  # answered 200, and not read yet
    bench.telnyx.lift(sender=OURS, person=ANA)
    await bench.reply("Hello", root)
    await bench.wait_until(lambda: is_waiting(bench))
    may_read.set()
    await bench.settle()
    await bench.pass_time(timedelta(seconds=5))

    assert bench.send_requests == []


async def is_waiting(bench: Bench) -> bool:
    """Tell whether a text was about to be sent and was put off."""
    return bool(await bench.query("SELECT 1 FROM jobs WHERE kind = 'send_text' AND attempts > 0 AND status = 'ready'"))


async def test_a_group_goes_to_the_others_and_the_thread_is_told_who_was_left_out(bench: Bench) -> None:
    await bench.text_in("Hi", from_=BEN)
    await stop(bench, from_=BEN)

    await bench.command("/sms", f"{ANA}, {BEN}, {CAT} Hello all")
    await bench.settle()

    assert (bench.phone(ANA), bench.phone(BEN), bench.phone(CAT)) == (["Hello all"], [], ["Hello all"])
    assert bench.shown("(415) 555-0102 opted out and does not get this. The others do.")


# --------------------------------------------------------------------------------------------------- who said stop


@pytest.mark.parametrize(
    "words",
    ["STOP", "stop", " Stop. ", "STOP!!! 🛑", "Stopall", "stop all", "UNSUBSCRIBE", "Cancel", "END", "quit", "revoke",
     "Opt out", "OPT-OUT", "optout"],
)  # fmt: skip
async def test_a_keyword_opts_out_and_the_thread_is_told(words: str, bench: Bench) -> None:
    root = await bench.open_thread()
    await bench.text_in(words)
    await bench.settle()

    assert "opted out" in bench.thread(root)[-1]
    assert "opted out" in await bench.command("/optouts", "4155550101")


@pytest.mark.parametrize("words", ["please stop by at noon", "The end of the road", "I quit my job"])
async def test_a_sentence_about_something_else_does_nothing(words: str, bench: Bench) -> None:
    root = await bench.open_thread()
    await bench.text_in(words)
    await bench.settle()

    assert len(bench.thread(root)) == 2
    await bench.reply("Fine", root)
    await bench.settle()
    assert bench.phone() == ["Fine"]


async def test_a_request_in_their_own_words_raises_a_card_with_one_button(bench: Bench) -> None:
    root = await bench.open_thread()
    await bench.text_in("Please stop texting me")
    await bench.settle()
    card = bench.slack.thread(bench.channel, root)[-1]
    assert list_buttons(card) == ["Opt them out"]
    await bench.reply("Sorry!", root)
    await bench.settle()
    assert bench.phone() == ["Sorry!"]  # a person decides, and has not yet

    await bench.click(card, "Opt them out")
    await bench.reply("One more thing", root)
    await bench.settle()

    assert bench.phone() == ["Sorry!"]
    assert "opted out" in bench.thread(root)[-2]


@pytest.mark.parametrize("words", ["no more of these", "arrêtez"])
async def test_what_the_carrier_takes_for_an_opt_out_counts_whatever_the_words(words: str, bench: Bench) -> None:
    root = await bench.open_thread()
    await send_autoresponse(bench, words, "STOP")

    assert "opted out" in bench.thread(root)[-1]
    await bench.reply("Hello", root)
    await bench.settle()
    assert bench.send_requests == []


async def send_autoresponse(bench: Bench, words: str, kind: str | None, *, number: int = 1) -> None:
    event = make_text(words, event_id=f"auto-{number}", message_id=f"auto-message-{number}")
    event["data"]["payload"]["autoresponse_type"] = kind
    event["data"]["occurred_at"] = bench.clock.now().isoformat()
    assert await bench.post_signed_by_telnyx(event) == 200
    await bench.settle()


async def test_the_evidence_of_a_yes_does_not_call_it_an_opt_out(bench: Bench) -> None:
    await bench.open_thread()
    await send_autoresponse(bench, "stop", "STOP")
    await send_autoresponse(bench, "yes", "START", number=2)

    shown = await bench.command("/optouts", "4155550101")

    assert "can be texted" in shown
    assert "opted in:" in shown
    assert "as an opt-out" not in shown


@pytest.mark.parametrize("status", [400, 403, 409, 422])
async def test_a_refusal_with_40300_that_says_stop_opts_them_out(status: int, bench: Bench) -> None:
    root = await bench.open_thread()
    bench.telnyx.switches.optout_status = status
    bench.telnyx.block(sender=OURS, person=ANA)
    ts = await bench.reply("Hello", root)
    await bench.settle()

    assert bench.marks(ts) == {"x"}
    assert any("40300" in line for line in bench.thread(root))
    assert any("opted out" in line for line in bench.thread(root))
    assert "has *opted out*" in await bench.command("/optouts", "4155550101")
    bench.telnyx.lift(sender=OURS, person=ANA)
    await bench.reply("Again", root)
    await bench.settle()
    assert bench.phone() == []


async def test_a_40300_that_says_nothing_of_stop_opts_nobody_out(bench: Bench) -> None:
    bench.telnyx.set_outcome(ANA, Outcome(kind=OutcomeKind.SILENT))
    root = await bench.open_thread()
    ts = await bench.reply("Hello", root)
    await bench.settle()
    receipt = make_receipt(
        "message.finalized",
        "delivery_failed",
        carrier_id=bench.telnyx.sends[-1].message_id,
        errors=[{"code": "40300", "title": "Destination unreachable", "detail": "Carrier trouble"}],
    )
    await bench.post_signed_by_telnyx(receipt)
    await bench.settle()

    assert bench.marks(ts) == {"x"}
    assert "can be texted" in await bench.command("/optouts", "4155550101")


async def test_a_40300_that_comes_as_a_receipt_and_says_stop_opts_them_out(bench: Bench) -> None:
    bench.telnyx.set_outcome(ANA, Outcome(kind=OutcomeKind.DELIVERY_FAILED, code="40300", times=1))
    root = await bench.open_thread()
    await bench.reply("Hello", root)
    await bench.settle()

    assert "has *opted out*" in await bench.command("/optouts", "4155550101")


# ------------------------------------------------------------------------------------------------------------ lifting


@pytest.mark.parametrize("words", ["START", "unstop"])
async def test_start_lifts_it_and_the_thread_is_told(words: str, bench: Bench) -> None:
    root = await bench.open_thread()
    await stop(bench)
    await bench.text_in(words)
    await bench.settle()

    assert "opted back in" in bench.thread(root)[-1]
    await bench.reply("Welcome back", root)
    await bench.settle()
    assert bench.phone() == ["Welcome back"]


async def test_yes_lifts_it_only_where_the_carrier_says_so(bench: Bench) -> None:
    root = await open_stopped(bench)
    await bench.text_in("YES")
    await bench.settle()
    assert "has *opted out*" in await bench.command("/optouts", "4155550101")

    await send_autoresponse(bench, "YES", "START")

    assert "opted back in" in bench.thread(root)[-1]
    assert "can be texted" in await bench.command("/optouts", "4155550101")


async def test_start_from_somebody_who_never_stopped_is_no_news(bench: Bench) -> None:
    root = await bench.open_thread()
    await bench.text_in("START")
    await bench.settle()

    assert len(bench.thread(root)) == 2


async def test_what_a_teammate_set_a_teammate_lifts(bench: Bench) -> None:
    root = await bench.open_thread()
    assert "is opted out" in await bench.command("/optouts", "add (415) 555-0101 asked us on the phone")
    await bench.reply("Hello", root)
    await bench.settle()
    assert bench.phone() == []
    shown = await bench.command("/optouts", "4155550101")
    assert "asked us on the phone" in shown
    assert f"<@{bench.alice}>" in shown

    assert "can be texted" in await bench.command("/optouts", "remove 415-555-0101")
    await bench.reply("Hello", root)
    await bench.settle()
    assert bench.phone() == ["Hello"]


async def test_what_the_customer_said_no_teammate_lifts(bench: Bench) -> None:
    root = await open_stopped(bench)

    assert "Only they can undo" in await bench.command("/optouts", "remove 4155550101")

    await bench.reply("Hello", root)
    await bench.settle()
    assert bench.phone() == []


async def test_removing_lifts_only_the_hand_where_both_said_so(bench: Bench) -> None:
    await open_stopped(bench)
    await bench.command("/optouts", "add 4155550101 rude")

    assert "Only they can undo" in await bench.command("/optouts", "remove 4155550101")
    await bench.text_in("START")
    await bench.settle()
    assert "can be texted" in await bench.command("/optouts", "4155550101")


async def test_start_does_not_lift_what_a_teammate_set(bench: Bench) -> None:
    root = await bench.open_thread()
    await bench.command("/optouts", "add 4155550101 owes us money")
    await bench.text_in("START")
    await bench.settle()

    assert "still not texted" in bench.thread(root)[-1]
    await bench.reply("Hello", root)
    await bench.settle()
    assert bench.phone() == []


async def test_what_is_set_and_lifted_by_hand_is_told_in_every_thread_with_them() -> None:
    async with open_bench(number_channels=f"{OURS_TOO}=C0TEXTS") as bench:
        threads = [await bench.open_thread(to=OURS), await bench.open_thread(to=OURS_TOO)]

        await bench.command("/optouts", "add 4155550101 asked us on the phone")
        await bench.settle()
        for root in threads:
            assert "is opted out" in bench.thread(root)[-1]
            assert f"<@{bench.alice}>" in bench.thread(root)[-1]
            assert "START" not in bench.thread(root)[-1]  # it would not lift this one

        await bench.command("/optouts", "remove 4155550101")
        await bench.settle()
        for root in threads:
            assert "can be texted again" in bench.thread(root)[-1]


async def test_what_the_carriers_list_tells_is_told_in_their_thread(bench: Bench) -> None:
    root = await bench.open_thread()
    bench.telnyx.block(sender=OURS, person=ANA)
    await bench.command("/optouts")
    await bench.settle()

    assert "opted out* at the carrier" in bench.thread(root)[-1]


def make_word(word: str, minute: int) -> dict[str, Any]:
    """Return a keyword that the carrier got at *minute*, whenever it tells us."""
    event = make_text(word, event_id=f"{word} {minute}", message_id=f"{word} {minute}")
    event["data"]["occurred_at"] = f"2026-11-20T14:{minute:02}:00.000+00:00"
    return event


async def test_a_start_that_comes_late_and_was_texted_before_the_stop_lifts_nothing(bench: Bench) -> None:
    root = await bench.open_thread()
    for event in (make_word("REVOKE", 2), make_word("START", 1)):
        await bench.post_signed_by_telnyx(event)
        await bench.settle()

    assert "before they opted out" in bench.thread(root)[-1]
    await bench.reply("Hello", root)
    await bench.settle()
    assert bench.send_requests == []

    await bench.post_signed_by_telnyx(make_word("START", 3))
    await bench.settle()
    assert "opted back in" in bench.thread(root)[-1]


async def test_opting_out_by_hand_who_said_stop_does_not_promise_that_a_teammate_can_lift_it(bench: Bench) -> None:
    await open_stopped(bench)
    answer = await bench.command("/optouts", "add 4155550101 asked on the phone")
    assert "only they can undo" in answer
    assert "lifts it" not in answer
