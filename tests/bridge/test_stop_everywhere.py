"""Once somebody has opted out, in whatever way, nothing reaches them in whatever way, and whoever tried is told why."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.audit import AuditAction
from bot.sandbox.faults import FaultKind
from bot.sandbox.telnyx_sim import Outcome, OutcomeKind
from tests.bridge.events import make_text
from tests.bridge.harness import ANA, BEN, CAT, OURS, Bench, open_bench
from tests.bridge.test_audit import read_audit
from tests.bridge.ways_to_send import WAYS, Attempt

SENDING = "POST /messages"

# ------------------------------------------------------------------------------------------ how somebody comes to be out


async def by_keyword(bench: Bench) -> None:
    await bench.text_in("STOP")


async def by_the_carriers_reading(bench: Bench) -> None:
    event = make_text("basta ya de verdad", event_id="auto", message_id="auto-message")
    event["data"]["payload"]["autoresponse_type"] = "STOP"
    await bench.post_signed_by_telnyx(event)


async def by_hand(bench: Bench) -> None:
    await bench.command("/optouts", f"add {ANA} asked on the phone")


async def by_card(bench: Bench) -> None:
    await bench.text_in("please stop texting me")
    await bench.settle()
    (card,) = bench.shown("does not want to be texted")
    await bench.click(card, "Opt them out")


async def by_the_carriers_list(bench: Bench) -> None:
    bench.telnyx.block(sender=OURS, person=ANA, keyword="STOP")
    await bench.command("/optouts")


_OUT: dict[str, Callable[[Bench], Awaitable[None]]] = {
    "a keyword": by_keyword,
    "the carrier's reading": by_the_carriers_reading,
    "a teammate": by_hand,
    "the card": by_card,
    "the carrier's list": by_the_carriers_list,
}


async def opt_out(bench: Bench, how: Callable[[Bench], Awaitable[None]]) -> None:
    """Opt them out, while the carrier goes on to let everything pass: only we can hold it back."""
    await how(bench)
    await bench.settle()
    bench.telnyx.lift(sender=OURS, person=ANA)


# ------------------------------------------------------------------------------------------------- when it is accepted


@pytest.mark.parametrize("how", _OUT.values(), ids=_OUT.keys())
@pytest.mark.parametrize(("prepare", "settings"), WAYS.values(), ids=WAYS.keys())
async def test_nothing_is_taken_for_somebody_who_is_out_by(
    prepare: Callable[[Bench, str], Awaitable[Attempt]],
    settings: dict[str, Any],
    how: Callable[[Bench], Awaitable[None]],
) -> None:
    async with open_bench(**settings) as bench:
        attempt = await prepare(bench, bench.alice)
        before = bench.phone()
        await opt_out(bench, how)

        heard = len(bench.slack.ephemerals(bench.alice))

        said = await attempt()
        await bench.settle()
        due_at = int((bench.clock.now() + timedelta(hours=2)).timestamp())
        opened = [view for view in bench.slack.views(bench.alice) if view["callback_id"] != "outcome"]
        for view in opened:  # a form is only a form: what it sends is what counts
            answer = await bench.slack.submit_view(
                bench.alice, view["id"], {"to": ANA, "text0": "Hello", "when": due_at}
            )
            said += str(answer.errors)
        bench.telnyx.faults.clear()
        await bench.pass_time(timedelta(minutes=5))
        await bench.pass_time(timedelta(days=2))

        assert bench.phone() == before
        said += " ".join(str(each) for each in bench.slack.ephemerals(bench.alice)[heard:])
        assert re.search(r"opted out on|was opted out by|1 of the 2 opted out|has opted out since", said)


# ----------------------------------------------------------------------------------------------- when it would be sent


async def waits_in_the_hold(bench: Bench) -> None:
    root = await bench.open_thread()
    await bench.reply("Hello", root)


async def waits_for_the_morning(bench: Bench) -> None:
    await bench.command("/sms", f"{ANA} Hello")


async def waits_with_its_schedule(bench: Bench) -> None:
    await bench.command("/schedule", f"{ANA} in 3 minutes Hello")


async def waits_far_ahead(bench: Bench) -> None:
    await bench.command("/schedule", f"{ANA} in 20 days Hello")


async def waits_at_the_carrier(bench: Bench) -> None:
    bench.telnyx.switches.check_optouts_when_due = False
    await bench.command("/schedule", f"{ANA} in 2 hours Hello")


async def waits_for_a_carrier_that_takes_no_more(bench: Bench) -> None:
    root = await bench.open_thread()
    bench.fail(bench.telnyx, FaultKind.RATE_LIMIT, SENDING, retry_after=30)
    await bench.reply("Hello", root)


async def waits_for_its_outcome(bench: Bench) -> None:
    root = await bench.open_thread()
    bench.fail(bench.telnyx, FaultKind.DROP_REQUEST, SENDING)
    await bench.reply("Hello", root)


_WAITING: dict[str, tuple[Callable[[Bench], Awaitable[None]], dict[str, Any]]] = {
    "the hold": (waits_in_the_hold, {"send_hold_seconds": 60}),
    "quiet hours": (waits_for_the_morning, {"quiet_hours": "05:00-12:00"}),
    "a schedule that we hold": (waits_with_its_schedule, {}),
    "a schedule far ahead": (waits_far_ahead, {}),
    "a schedule that the carrier holds": (waits_at_the_carrier, {}),
    "a carrier that takes no more": (waits_for_a_carrier_that_takes_no_more, {}),
    "word of its outcome": (waits_for_its_outcome, {}),
}


@pytest.mark.parametrize("how", _OUT.values(), ids=_OUT.keys())
@pytest.mark.parametrize(("wait", "settings"), _WAITING.values(), ids=_WAITING.keys())
async def test_what_was_taken_before_is_not_sent_and_its_author_is_told_why_while_it_waits_for(
    wait: Callable[[Bench], Awaitable[None]], settings: dict[str, Any], how: Callable[[Bench], Awaitable[None]]
) -> None:
    async with open_bench(**settings) as bench:
        await wait(bench)
        await bench.settle()
        heard = len(bench.slack.ephemerals(bench.alice))
        await opt_out(bench, how)
        bench.telnyx.faults.clear()
        for span in (timedelta(minutes=10), timedelta(hours=6), timedelta(days=15), timedelta(days=6)):
            await bench.pass_time(span)

        assert bench.phone() == []
        told = " ".join(line["text"] for line in bench.slack.ephemerals(bench.alice)[heard:])
        assert re.search(
            r"🚫 .*(opted out on|was opted out by|: \(415\) 555-0101 opted out)|⚠️ .* opted out since", told
        )


async def test_a_stop_while_a_schedule_is_being_handed_over_takes_it_back_and_says_why(bench: Bench) -> None:
    bench.telnyx.switches.check_optouts_when_due = False
    await bench.open_thread()
    fault = bench.fail(bench.telnyx, FaultKind.DROP_ANSWER, SENDING)
    await bench.command("/schedule", f"{ANA} in 2 hours Hello")
    await bench.settle()
    assert bench.telnyx.sends  # the carrier has it, and we do not know under which id

    await opt_out(bench, by_keyword)
    bench.telnyx.faults.lift(fault)
    await bench.pass_time(timedelta(minutes=2))
    await bench.pass_time(timedelta(hours=3))

    assert bench.phone() == []
    (reason,) = bench.whispers("is being taken back at the carrier: (415) 555-0101 opted out")
    assert "told whether that was in time" in reason["text"]
    assert bench.whispers("was taken back at the carrier")
    assert "Nothing is scheduled" in await bench.command("/schedule", "list")


async def test_a_stop_in_the_last_minute_says_that_the_scheduled_text_could_not_be_taken_back(bench: Bench) -> None:
    bench.telnyx.switches.check_optouts_when_due = False
    root = await bench.open_thread()
    await bench.command("/schedule", f"{ANA} in 2 hours Hello")
    await bench.pass_time(timedelta(hours=1, minutes=59, seconds=30))
    await opt_out(bench, by_keyword)

    assert bench.whispers("is being taken back at the carrier: (415) 555-0101 opted out")
    assert bench.whispers("could not be taken back")
    assert "scheduled texts included" in bench.thread(root)[-1]


# -------------------------------------------------------------------------------------------------------------- groups


async def open_group(bench: Bench, text: str = "Hello all") -> str:
    return await bench.command("/sms", f"{ANA}, {BEN}, {CAT} {text}")


async def test_the_answer_to_a_group_text_names_who_gets_it_and_of_the_others_only_how_many(bench: Bench) -> None:
    await by_hand(bench)

    said = await open_group(bench)
    await bench.settle()

    assert "On its way to (415) 555-0102, (415) 555-0103" in said
    assert "1 of the 3 opted out and is left out; the thread says who." in said
    assert "555-0101" not in said
    (line,) = bench.shown("opted out and does not get this")
    assert "(415) 555-0101" in line["text"]
    assert "asked on the phone" not in line["text"]  # the reason is not the group's
    assert (bench.phone(ANA), bench.phone(BEN), bench.phone(CAT)) == ([], ["Hello all"], ["Hello all"])
    (entry,) = await read_audit(bench, AuditAction.SENT)
    assert (entry["numbers"], entry["left_out"]) == (f"{BEN},{CAT}", ANA)


async def test_a_group_of_which_all_opted_out_is_refused_without_saying_who_said_what(bench: Bench) -> None:
    for number in (ANA, BEN, CAT):
        await bench.command("/optouts", f"add {number} told us so")

    said = await open_group(bench)
    await bench.settle()

    assert "everybody in this group has opted out" in said
    assert "told us so" not in said
    assert bench.send_requests == []


async def test_the_one_who_is_left_of_a_group_is_texted_alone(bench: Bench) -> None:
    for number in (ANA, BEN):
        await bench.command("/optouts", f"add {number} told us so")

    said = await open_group(bench)
    await bench.settle()

    assert "2 of the 3 opted out and are left out" in said
    assert bench.phone(CAT) == ["Hello all"]
    assert [request.path for request in bench.send_requests] == ["/v2/messages"]


async def test_a_group_text_that_waits_goes_to_the_others_when_one_opts_out_meanwhile() -> None:
    async with open_bench(quiet_hours="05:00-12:00") as bench:
        await open_group(bench)
        await by_keyword(bench)
        await bench.pass_time(timedelta(hours=6))

        assert (bench.phone(ANA), bench.phone(BEN), bench.phone(CAT)) == ([], ["Hello all"], ["Hello all"])
        assert bench.shown("(415) 555-0101 opted out and does not get this. The others do.")


async def test_a_group_text_that_the_carrier_would_not_take_goes_to_the_others_when_one_opts_out_meanwhile(
    bench: Bench,
) -> None:
    bench.fail(bench.telnyx, FaultKind.RATE_LIMIT, "*", retry_after=20)
    await open_group(bench)
    await bench.settle()
    await opt_out(bench, by_hand)
    bench.telnyx.faults.clear()
    await bench.pass_time(timedelta(minutes=2))

    assert (bench.phone(ANA), bench.phone(BEN), bench.phone(CAT)) == ([], ["Hello all"], ["Hello all"])
    assert bench.shown("(415) 555-0101 opted out and does not get this. The others do.")


async def test_a_group_text_of_unknown_outcome_is_not_repeated_once_one_of_them_opted_out(bench: Bench) -> None:
    fault = bench.fail(bench.telnyx, FaultKind.DROP_REQUEST, "*")
    await open_group(bench)
    await bench.settle()
    bench.telnyx.faults.lift(fault)
    await by_keyword(bench)
    await bench.pass_time(timedelta(minutes=5))

    assert (bench.phone(ANA), bench.phone(BEN), bench.phone(CAT)) == ([], [], [])
    (line,) = bench.whispers("not known whether this text went out")
    assert "somebody in the group has opted out since, so it is not tried again. Write it anew" in line["text"]
    assert any("warning" in bench.marks(shown["ts"]) for shown in bench.shown("Hello all"))


# ------------------------------------------------------------------------------------------- what we say ourselves: none


@pytest.mark.parametrize(
    "words", ["STOP", "stop.", "Stop. Thank you", "OPT OUT!", "revoke", "START", "UNSTOP", "HELP", "INFO"]
)
async def test_no_keyword_is_answered_by_us(words: str, bench: Bench) -> None:
    await bench.open_thread()
    await bench.text_in(words)
    await bench.pass_time(timedelta(hours=1))

    assert bench.send_requests == []


async def test_the_thread_says_who_answers_help(bench: Bench) -> None:
    root = await bench.open_thread()
    await bench.text_in("HELP")
    await bench.settle()
    assert "The carrier answers that by itself" in bench.thread(root)[-1]

    await bench.text_in("Info?")
    await bench.settle()
    assert "nothing answers by itself: reply in this thread" in bench.thread(root)[-1]

    before = bench.thread(root)
    await bench.text_in("can you help me with my order?")
    await bench.settle()
    assert len(bench.thread(root)) == len(before) + 1


# ------------------------------------------------------------------------------------------------------------ evidence


async def test_the_evidence_leads_to_the_text_and_names_who_and_why_through_all_changes(bench: Bench) -> None:
    root = await bench.open_thread()
    await bench.text_in("Stop.")
    await bench.settle()
    stop_ts = bench.slack.thread(bench.channel, root)[1]["ts"]
    await bench.text_in("START")
    await bench.settle()
    await by_hand(bench)
    await bench.command("/optouts", f"remove {ANA}")

    shown = await bench.command("/optouts", ANA)

    assert (
        shown.index("lifted:") < shown.index("asked on the phone") < shown.index("opted in:") < shown.index("“Stop.”")
    )
    assert f"archives/{bench.channel}/p{stop_ts.replace('.', '')}|see the text>" in shown
    assert shown.count(f"by <@{bench.alice}>") >= 2
    out, again = await read_audit(bench, AuditAction.OPTED_OUT), await read_audit(bench, AuditAction.OPTED_IN)
    assert [(entry["before"], entry["after"]) for entry in (*out, *again)] == [
        ("may be texted", "stopped by customer"),
        ("stopped by customer", "may be texted"),
    ]


async def test_a_refusal_of_the_carriers_is_evidence_that_leads_to_the_text_that_was_refused(bench: Bench) -> None:
    bench.telnyx.set_outcome(ANA, Outcome(kind=OutcomeKind.DELIVERY_FAILED, code="40300", times=1))
    root = await bench.open_thread()
    ts = await bench.reply("Hello", root)
    await bench.settle()

    shown = await bench.command("/optouts", ANA)

    assert "the carrier refused a text to them" in shown
    assert f"p{ts.replace('.', '')}|see the text>" in shown


async def test_old_evidence_is_counted_where_there_is_too_much_to_show(bench: Bench) -> None:
    for _ in range(11):
        await by_hand(bench)
        await bench.command("/optouts", f"remove {ANA}")

    shown = await bench.command("/optouts", ANA)

    assert "… and 2 older" in shown
