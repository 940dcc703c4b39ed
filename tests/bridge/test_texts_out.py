"""A reply in Slack reaches the carrier exactly once, in order, whatever repeats, fails or crashes."""

from __future__ import annotations

import itertools
import json
from datetime import timedelta
from typing import Any

import pytest

from bot.sandbox.faults import Fault, FaultKind
from bot.sandbox.telnyx_sim import Outcome, OutcomeKind
from tests.bridge.events import make_receipt, make_reply
from tests.bridge.harness import ANA, BEN, CHANNEL, OURS, PROFILE, Bench, list_buttons, open_bench
from tests.bridge.unsettled import make_unsettled

FAST = 40
SENDING = "POST /messages"


def check_one_request(bench: Bench) -> None:
    """Fail unless every request to send was the same one, byte for byte, under one key."""
    assert len({request.body for request in bench.send_requests}) == 1
    assert len({request.headers["Idempotency-Key"] for request in bench.send_requests}) == 1


# ------------------------------------------------------------------------------------------------------ the request


async def test_a_reply_is_sent_from_our_number_with_a_key_and_an_address_for_its_receipts(bench: Bench) -> None:
    root = await bench.open_thread()
    await bench.reply("Hello there", root)
    await bench.settle()

    (request,) = bench.send_requests
    body = json.loads(request.body)
    assert (body["from"], body["to"], body["text"]) == (OURS, ANA, "Hello there")
    assert body["webhook_url"].startswith(f"{bench.url}/webhooks/telnyx?")
    assert "media_urls" not in body  # even an empty list makes an MMS
    assert request.headers["Idempotency-Key"]
    assert bench.phone() == ["Hello there"]


async def test_each_reply_has_a_key_of_its_own(bench: Bench) -> None:
    root = await bench.open_thread()
    for _ in range(3):
        await bench.reply("Same words", root)
        await bench.settle()

    assert len({request.headers["Idempotency-Key"] for request in bench.send_requests}) == 3


async def test_replies_go_out_in_the_order_they_were_written(bench: Bench) -> None:
    root = await bench.open_thread()
    for number in range(8):
        await bench.reply(f"Text {number}", root)
    await bench.settle()

    assert bench.phone() == [f"Text {number}" for number in range(8)]


# ------------------------------------------------------------------------------------------------- Slack's repeats


async def test_an_event_of_slacks_that_comes_four_times_at_once_is_one_text(bench: Bench) -> None:
    root = await bench.open_thread()
    event = make_reply(bench.alice, "Yes", root)
    body = {"type": "event_callback", "team_id": "T0SANDBOX1", "event_id": "Ev1", "event": event}
    for _ in range(4):
        bench.slack.courier.send_body(body)
    await bench.settle()
    await bench.post_signed_by_slack(body)
    await bench.settle()

    assert len(bench.send_requests) == 1
    assert bench.phone() == ["Yes"]


async def test_the_same_message_under_another_event_id_is_one_text(bench: Bench) -> None:
    root = await bench.open_thread()
    event = make_reply(bench.alice, "Yes", root)
    for number in range(3):
        body = {"type": "event_callback", "team_id": "T0SANDBOX1", "event_id": f"Ev{number}", "event": event}
        bench.slack.courier.send_body(body)
    await bench.settle()

    assert bench.phone() == ["Yes"]


async def test_a_first_try_that_was_lost_is_no_reason_to_pass_over_the_retry(bench: Bench) -> None:
    root = await bench.open_thread()
    event = make_reply(bench.alice, "Yes", root)
    body = {"type": "event_callback", "team_id": "T0SANDBOX1", "event_id": "Ev1", "event": event}

    await bench.post_signed_by_slack(body, {"x-slack-retry-num": "1", "x-slack-retry-reason": "http_timeout"})
    await bench.settle()

    assert bench.phone() == ["Yes"]


async def test_nothing_but_a_teammates_own_words_is_ever_sent(bench: Bench) -> None:
    root = await bench.open_thread()
    bot = bench.slack.bot_user
    base = {"type": "message", "channel": CHANNEL, "thread_ts": root, "text": "Echo"}
    odd: list[dict[str, Any]] = [
        {"user": bot, "bot_id": "B0SANDBOX1"},
        {"bot_id": "B0SANDBOX1", "subtype": "bot_message", "username": "Ana"},
        {"bot_id": "B0OTHER", "subtype": "bot_message"},
        {"user": bench.alice, "subtype": "channel_join"},
        {"user": bench.alice, "subtype": "channel_topic"},
        {"user": bench.alice, "hidden": True},
        {"user": bench.alice, "subtype": "message_replied"},
        {"user": bench.alice, "thread_ts": None},
        {"user": bench.alice, "thread_ts": "1.000001"},
        {"user": bench.alice, "thread_ts": "SAME"},
        {"user": bench.alice, "channel": "C0OTHER"},
        {"user": None},
        {"user": 5},
    ]
    for number, more in enumerate(odd):
        event = {**base, "ts": f"7.{number:06d}", **more}
        if event["thread_ts"] == "SAME":
            event["thread_ts"] = event["ts"]
        body = {"type": "event_callback", "team_id": "T0SANDBOX1", "event_id": f"Ev{number}", "event": event}
        assert await bench.post_signed_by_slack(body) == 200, more
    await bench.slack.post_as_app(CHANNEL, "Echo", thread_ts=root)
    await bench.slack.post_as_app(CHANNEL, "Echo", thread_ts=root, classic=True)
    await bench.slack.post(bench.alice, CHANNEL, "Echo")
    await bench.settle()

    assert bench.telnyx.sends == []
    assert await bench.query("SELECT * FROM messages WHERE direction = 'outbound'") == []


# ------------------------------------------------------------------------------------------- the carrier's trouble

_TROUBLES: dict[str, dict[str, Any]] = {
    "says 429 and when to come again": {"kind": FaultKind.RATE_LIMIT, "retry_after": 20},
    "fails before it took the text": {"kind": FaultKind.REFUSE, "status": 500},
    "says bad gateway before it took the text": {"kind": FaultKind.REFUSE, "status": 502},
    "breaks the connection before it took the text": {"kind": FaultKind.DROP_REQUEST},
    "breaks the connection after it took the text": {"kind": FaultKind.DROP_ANSWER},
    "fails after it took the text": {"kind": FaultKind.FAIL_AFTER, "status": 500},
    "says its queue is full": {"kind": FaultKind.REFUSE, "status": 400, "code": "40318"},
    "is slow": {"kind": FaultKind.SLOW, "seconds": 0.3},
}


@pytest.mark.parametrize("receipts", ["come", "are lost"])
@pytest.mark.parametrize("trouble", _TROUBLES.values(), ids=_TROUBLES.keys())
async def test_one_text_reaches_the_phone_when_the_carrier(trouble: dict[str, Any], receipts: str) -> None:
    async with open_bench(rate=FAST) as bench:
        root = await bench.open_thread()
        if receipts == "are lost":
            bench.fail(bench.telnyx, FaultKind.LOSE, "message.sent")
            bench.fail(bench.telnyx, FaultKind.LOSE, "message.finalized")
        bench.telnyx.faults.add(Fault(operation=SENDING, times=2, **trouble))
        ts = await bench.reply("Once", root)
        if receipts == "come":
            await bench.wait_mark(ts, "white_check_mark")
        await bench.finish()

        assert bench.phone() == ["Once"]
        assert len(bench.telnyx.sends) == 1
        check_one_request(bench)


@pytest.mark.parametrize("kind", [FaultKind.DROP_ANSWER, FaultKind.DROP_REQUEST, FaultKind.RATE_LIMIT])
async def test_order_is_kept_while_the_carrier_is_in_trouble(kind: FaultKind) -> None:
    async with open_bench(rate=FAST) as bench:
        root = await bench.open_thread()
        bench.fail(bench.telnyx, kind, SENDING, times=1)
        for number in range(4):
            await bench.reply(f"Text {number}", root)
        await bench.settle()
        await bench.finish()

        assert bench.phone() == [f"Text {number}" for number in range(4)]


async def test_a_receipt_settles_what_the_answer_did_not_without_another_request(bench: Bench) -> None:
    root = await bench.open_thread()
    bench.fail(bench.telnyx, FaultKind.DROP_ANSWER, SENDING, times=1)

    ts = await bench.reply("Once", root)
    await bench.wait_mark(ts, "white_check_mark")
    await bench.pass_time(timedelta(hours=1))

    assert len(bench.send_requests) == 1


async def test_an_unknown_outcome_waits_a_bounded_time_for_its_receipt_then_repeats_the_same_bytes(
    bench: Bench,
) -> None:
    root = await bench.open_thread()
    bench.fail(bench.telnyx, FaultKind.DROP_REQUEST, SENDING, times=1)
    await bench.reply("Once", root)
    await bench.settle()
    assert len(bench.send_requests) == 1

    await bench.pass_time(timedelta(seconds=3))
    assert len(bench.send_requests) == 1
    await bench.pass_time(timedelta(seconds=30))

    assert len(bench.send_requests) == 2
    check_one_request(bench)
    assert bench.phone() == ["Once"]


async def test_a_key_still_in_progress_at_the_carrier_is_waited_for() -> None:
    async with open_bench(rate=FAST) as bench:
        root = await bench.open_thread()
        bench.telnyx.switches.processing.clear()
        await bench.reply("Once", root)
        await bench.wait_until(lambda: bench.send_requests)
        await bench.restart()
        await bench.wait_until(lambda: any(request.status == 409 for request in bench.send_requests))
        bench.telnyx.switches.processing.set()
        await bench.settle()
        await bench.finish()

        assert bench.phone() == ["Once"]
        check_one_request(bench)


async def test_a_crash_while_the_request_is_on_its_way_repeats_it_under_its_key() -> None:
    async with open_bench(rate=FAST) as bench:
        root = await bench.open_thread()
        bench.fail(bench.telnyx, FaultKind.SLOW, SENDING, seconds=0.2, times=1)
        await bench.reply("Once", root)
        await bench.wait_until(lambda: bench.send_requests)
        await bench.restart()
        await bench.finish()

        assert bench.phone() == ["Once"]
        check_one_request(bench)


async def test_replies_survive_crashes_at_any_moment() -> None:
    async with open_bench(rate=FAST) as bench:
        root = await bench.open_thread()
        for number in range(4):
            await bench.reply(f"Text {number}", root)
            await bench.slack.settle()
            await bench.restart()
        await bench.finish()

        assert bench.phone() == [f"Text {number}" for number in range(4)]


async def test_a_carrier_that_ignores_keys_gets_no_second_text_as_long_as_receipts_come() -> None:
    """As the platform did before it knew idempotency keys."""
    async with open_bench(rate=FAST) as bench:
        bench.telnyx.switches.honour_idempotency = False
        root = await bench.open_thread()
        bench.fail(bench.telnyx, FaultKind.DROP_ANSWER, SENDING, times=3)
        for number in range(3):
            await bench.reply(f"Text {number}", root)
        await bench.settle()
        await bench.finish()

        assert bench.phone() == ["Text 0", "Text 1", "Text 2"]


# ----------------------------------------------------------------------------------------- nobody knows what became


async def test_people_are_told_when_nobody_knows_what_became_of_a_text_and_check_settles_it(bench: Bench) -> None:
    ts, line = await make_unsettled(bench)
    assert list_buttons(line) == ["Check", "Send again"]

    await bench.click(line, "Check")
    await bench.wait_mark(ts, "white_check_mark")

    assert bench.phone() == ["Lost?"]
    check_one_request(bench)


async def test_send_again_is_a_persons_word_and_goes_out_once_under_a_new_key(bench: Bench) -> None:
    _, line = await make_unsettled(bench)
    before = {request.headers["Idempotency-Key"] for request in bench.send_requests}

    await bench.click(line, "Send again")
    await bench.click(line, "Send again")
    await bench.settle()

    assert bench.phone() == ["Lost?"]
    assert bench.telnyx.sends[0].key not in before
    await bench.pass_time(timedelta(hours=2))
    assert bench.phone() == ["Lost?"]


async def test_an_unsettled_text_is_settled_by_a_late_receipt(bench: Bench) -> None:
    ts, _ = await make_unsettled(bench)
    reference = json.loads(bench.send_requests[0].body)["webhook_url"].partition("?")[2]
    receipt = make_receipt("message.finalized", "delivered", carrier_id="never-heard-of")

    await bench.post_signed_by_telnyx(receipt, query=f"?{reference}")

    await bench.wait_mark(ts, "white_check_mark")


async def test_a_receipt_that_comes_by_another_address_names_its_text_itself(bench: Bench) -> None:
    """Where nobody answered at the address of the send, the carrier sends it to the profile's."""
    ts, _ = await make_unsettled(bench)
    address = json.loads(bench.send_requests[0].body)["webhook_url"]
    receipt = make_receipt("message.finalized", "delivered", carrier_id="never-heard-of", webhook_url=address)

    await bench.post_signed_by_telnyx(receipt)

    await bench.wait_mark(ts, "white_check_mark")


async def test_an_unsettled_text_does_not_go_out_once_the_carrier_has_forgotten_its_key(bench: Bench) -> None:
    """After a day the same key would be a new text."""
    ts, _ = await make_unsettled(bench)
    bench.fail(bench.telnyx, FaultKind.DROP_REQUEST, SENDING)
    await bench.pass_time(timedelta(hours=25))
    bench.telnyx.faults.clear()
    requests = len(bench.send_requests)

    await bench.pass_time(timedelta(hours=25))

    assert len(bench.send_requests) == requests
    assert bench.phone() == []
    assert bench.marks(ts) == {"warning"}


async def test_an_unsettled_text_is_not_repeated_so_late_that_it_may_arrive_when_its_key_is_forgotten(
    bench: Bench,
) -> None:
    await make_unsettled(bench)
    bench.fail(bench.telnyx, FaultKind.DROP_REQUEST, SENDING)
    requests = len(bench.send_requests)

    await bench.pass_time(timedelta(hours=23, minutes=55, seconds=30))

    assert len(bench.send_requests) == requests


# ------------------------------------------------------------------------------------------------------- receipts


_STORIES: dict[str, tuple[list[tuple[str, str]], str]] = {
    "delivered": ([("message.sent", "sent"), ("message.finalized", "delivered")], "white_check_mark"),
    "failed": ([("message.sent", "sent"), ("message.finalized", "delivery_failed")], "x"),
    "unconfirmed": ([("message.sent", "sent"), ("message.finalized", "delivery_unconfirmed")], "grey_question"),
    "expired": ([("message.sent", "sent"), ("message.finalized", "expired")], "x"),
    "told twice": (
        [("message.sent", "sent"), ("message.finalized", "delivered"), ("message.finalized", "delivered")],
        "white_check_mark",
    ),
    "a failure that was none": (
        [("message.finalized", "delivery_failed"), ("message.sent", "sent"), ("message.finalized", "delivered")],
        "white_check_mark",
    ),
    "with a status of tomorrow": (
        [("message.sent", "teleported"), ("message.finalized", "delivered")],
        "white_check_mark",
    ),
}


@pytest.mark.parametrize(("receipts", "mark"), _STORIES.values(), ids=_STORIES.keys())
async def test_the_mark_ends_right_in_whatever_order_receipts_come(
    receipts: list[tuple[str, str]], mark: str, bench: Bench
) -> None:
    bench.telnyx.set_outcome(ANA, Outcome(kind=OutcomeKind.SILENT))
    root = await bench.open_thread()
    for order in itertools.permutations(range(len(receipts))):
        ts = await bench.reply(f"In the order {order}", root)
        await bench.settle()
        carrier_id = bench.telnyx.sends[-1].message_id
        for place in order:
            event_type, status = receipts[place]
            receipt = make_receipt(event_type, status, carrier_id=carrier_id, at=place)
            assert await bench.post_signed_by_telnyx(receipt) == 200
        await bench.settle()

        assert bench.marks(ts) == {mark}, order


async def test_receipts_may_all_come_before_the_answer(bench: Bench) -> None:
    bench.telnyx.switches.receipts_before_answer = True
    root = await bench.open_thread()
    ts = await bench.reply("Quick", root)
    await bench.settle()

    assert bench.marks(ts) == {"white_check_mark"}
    assert bench.phone() == ["Quick"]
    assert len(bench.send_requests) == 1


@pytest.mark.parametrize("names", [{}, {"from": None}], ids=["from our number", "without a sender"])
async def test_a_receipt_that_names_only_the_carriers_id_waits_for_the_answer_that_tells_it(
    names: dict[str, Any],
) -> None:
    async with open_bench(rate=FAST) as bench:
        bench.telnyx.set_outcome(ANA, Outcome(kind=OutcomeKind.SILENT))
        root = await bench.open_thread()
        bench.fail(bench.telnyx, FaultKind.DROP_ANSWER, SENDING, times=1)
        ts = await bench.reply("Once", root)
        await bench.wait_until(lambda: bench.telnyx.sends)
        carrier_id = bench.telnyx.sends[0].message_id
        receipt = make_receipt("message.finalized", "delivered", carrier_id=carrier_id, **names)
        assert await bench.post_signed_by_telnyx(receipt) == 200

        await bench.wait_mark(ts, "white_check_mark")
        assert bench.phone() == ["Once"]
        check_one_request(bench)


async def test_a_receipt_of_a_text_from_elsewhere_waits_for_no_answer_for_ever(bench: Bench) -> None:
    await make_unsettled(bench)
    bench.fail(bench.telnyx, FaultKind.DROP_REQUEST, SENDING)
    receipt = make_receipt("message.finalized", "delivered", carrier_id="from-the-portal")
    assert await bench.post_signed_by_telnyx(receipt) == 200

    await bench.pass_time(timedelta(hours=2))

    (job,) = await bench.query("SELECT status FROM jobs WHERE lane = 'receipt:from-the-portal'")
    assert job["status"] == "done"


@pytest.mark.parametrize(
    ("kind", "mark", "words"),
    [
        (OutcomeKind.DELIVERED, "white_check_mark", None),
        (OutcomeKind.DELIVERY_UNCONFIRMED, "grey_question", None),
        (OutcomeKind.DELIVERY_FAILED, "x", "40008"),
        (OutcomeKind.SENDING_FAILED, "x", "40014"),
        (OutcomeKind.EXPIRED, "x", "40005"),
        (OutcomeKind.REFUSED, "x", "40001"),
    ],
)
async def test_each_end_has_its_mark_and_a_failure_its_line(
    kind: OutcomeKind, mark: str, words: str | None, bench: Bench
) -> None:
    bench.telnyx.set_outcome(ANA, Outcome(kind=kind))
    root = await bench.open_thread()
    ts = await bench.reply("Hello", root)
    await bench.settle()

    assert bench.marks(ts) == {mark}
    lines = bench.thread(root)[2:]
    if words is None:
        assert lines == []
    else:
        (line,) = lines
        assert words in line
        assert line.startswith("❌ Not delivered")


async def test_a_text_that_is_never_heard_of_again_keeps_no_false_mark(bench: Bench) -> None:
    bench.telnyx.set_outcome(ANA, Outcome(kind=OutcomeKind.NEVER_FINALIZED))
    root = await bench.open_thread()
    ts = await bench.reply("Hello", root)
    await bench.pass_time(timedelta(hours=1))

    assert bench.marks(ts) == set()


async def test_a_receipt_for_somebody_elses_text_changes_nothing(bench: Bench) -> None:
    bench.telnyx.set_outcome(ANA, Outcome(kind=OutcomeKind.SILENT))
    root = await bench.open_thread()
    ts = await bench.reply("Hello", root)
    await bench.settle()
    reference = json.loads(bench.send_requests[0].body)["webhook_url"].partition("?")[2]

    for receipt in (
        make_receipt("message.finalized", "delivery_failed", carrier_id="from-the-portal"),
        make_receipt("message.finalized", "delivery_failed", carrier_id="to-another", to=BEN),
    ):
        assert await bench.post_signed_by_telnyx(receipt, query=f"?{reference}") == 200
    await bench.settle()

    assert bench.marks(ts) == set()


# ---------------------------------------------------------------------------------------------------- several senders


async def test_several_senders_are_named_to_the_carrier_with_the_profile() -> None:
    async with open_bench(telnyx_messaging_profile_id=PROFILE) as bench:
        root = await bench.open_thread()
        await bench.reply("Hello", root)
        await bench.settle()

        assert bench.phone() == ["Hello"]
