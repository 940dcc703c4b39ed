"""The simulated carrier's webhooks: order, signatures, attempts, addresses, and what faults do to them."""

from __future__ import annotations

import asyncio
import base64
import itertools
from datetime import timedelta
from typing import Any

import pytest
from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

from bot.clock import ManualClock, SystemClock
from bot.sandbox.faults import Fault, FaultKind
from bot.sandbox.telnyx_phones import PhoneText
from bot.sandbox.telnyx_state import Outcome, OutcomeKind
from tests.sandbox.telnyx_receiver import ANA, BOB, CEM, OURS, Bench, open_bench, turn

MINUTE = timedelta(minutes=1)


async def _finish(bench: Bench) -> None:
    """Let retries and their waits pass until nothing moves any more."""
    assert isinstance(bench.clock, ManualClock)
    for _ in range(12):
        await bench.sim.settle()
        await bench.clock.advance(MINUTE)
    await bench.sim.settle()


async def test_a_message_is_reported_sent_and_then_finalized() -> None:
    async with open_bench() as bench:
        answer = await bench.send(text="Hi")
        await bench.sim.settle()
        assert bench.receiver.list_types() == ["message.sent", "message.finalized"]
        sent, final = (event["data"] for event, _, _ in bench.receiver.taken)
        assert sent["id"] != final["id"]
        assert sent["payload"]["id"] == final["payload"]["id"] == answer["id"]
        assert [answer["to"][0]["status"], sent["payload"]["to"][0]["status"]] == ["queued", "sent"]
        assert final["payload"]["to"][0]["status"] == "delivered"
        assert (sent["payload"]["completed_at"], final["payload"]["errors"]) == (None, [])
        assert final["payload"]["completed_at"]
        assert bench.receiver.taken[0][0]["meta"] == {"attempt": 1, "delivered_to": bench.receiver.url}


async def test_the_life_of_a_message_keeps_its_pace() -> None:
    clock = ManualClock()
    async with open_bench(clock, pace=timedelta(seconds=10)) as bench:
        await bench.send(text="Hi")
        await bench.sim.settle()
        assert bench.receiver.list_types() == []
        await clock.advance(timedelta(seconds=10))
        await bench.sim.settle()
        assert bench.receiver.list_types() == ["message.sent"]
        assert bench.sim.phone(ANA) == []
        await clock.advance(timedelta(seconds=10))
        await bench.sim.settle()
        assert bench.receiver.list_types() == ["message.sent", "message.finalized"]
        assert len(bench.sim.phone(ANA)) == 1


@pytest.mark.parametrize(
    ("outcome", "types", "status", "codes", "received"),
    [
        (OutcomeKind.DELIVERED, "sf", "delivered", [], 1),
        (OutcomeKind.DELIVERY_UNCONFIRMED, "sf", "delivery_unconfirmed", [], 1),
        (OutcomeKind.DELIVERY_FAILED, "sf", "delivery_failed", ["40008"], 0),
        (OutcomeKind.EXPIRED, "sf", "expired", ["40005"], 0),
        (OutcomeKind.SENDING_FAILED, "f", "sending_failed", ["40014"], 0),
        (OutcomeKind.UNKNOWN, "sf", "unknown", [], 1),
        (OutcomeKind.NEVER_FINALIZED, "s", None, [], 1),
        (OutcomeKind.SILENT, "", None, [], 1),
    ],
)
async def test_each_outcome_has_its_events(
    outcome: OutcomeKind, types: str, status: str | None, codes: list[str], received: int
) -> None:
    async with open_bench() as bench:
        bench.sim.set_outcome(ANA, Outcome(kind=outcome))
        await bench.send(text="Hi")
        await bench.sim.settle()
        names = {"s": "message.sent", "f": "message.finalized"}
        assert bench.receiver.list_types() == [names[letter] for letter in types]
        if status is not None:
            payload = bench.receiver.get_payload("message.finalized")
            assert payload["to"][0]["status"] == status
            assert [error["code"] for error in payload["errors"]] == codes
            assert (payload["sent_at"] is None) == (outcome is OutcomeKind.SENDING_FAILED)
        assert len(bench.sim.phone(ANA)) == received


async def test_an_outcome_can_hold_for_some_messages_only() -> None:
    async with open_bench() as bench:
        bench.sim.set_outcome(ANA, Outcome(kind=OutcomeKind.DELIVERY_FAILED, code="40002", detail="spam", times=2))
        for _ in range(3):
            await bench.send(text="Hi")
            await bench.sim.settle()
        finals = [event for event, _, _ in bench.receiver.taken if event["data"]["event_type"] == "message.finalized"]
        found = [[(error["code"], error["detail"]) for error in event["data"]["payload"]["errors"]] for event in finals]
        assert found == [[("40002", "spam")], [("40002", "spam")], []]


async def test_a_group_is_finalized_for_each_person() -> None:
    async with open_bench() as bench:
        bench.sim.set_outcome(BOB, Outcome(kind=OutcomeKind.UNKNOWN))
        _, answer, _ = await bench.call("POST", "/messages/group_mms", {"from": OURS, "to": [ANA, BOB], "text": "Hi"})
        await bench.sim.settle()
        payloads = [event["data"]["payload"] for event, _, _ in bench.receiver.taken]
        assert bench.receiver.list_types() == ["message.sent", "message.finalized", "message.finalized"]
        assert [[to["phone_number"] for to in payload["to"]] for payload in payloads] == [[ANA, BOB], [ANA], [BOB]]
        assert [payload["to"][0]["status"] for payload in payloads[1:]] == ["delivered", "unknown"]
        assert {payload["group_message_id"] for payload in payloads} == {answer["data"]["group_message_id"]}


# ----------------------------------------------------------------------------------------------------- signatures


async def test_every_attempt_is_signed_over_its_timestamp_and_raw_body() -> None:
    clock = ManualClock()
    async with open_bench(clock) as bench:
        bench.receiver.statuses = [500]
        await bench.sim.text_in(from_=ANA, to=OURS, text="Grüße 👋")
        await _finish(bench)
        key = VerifyKey(base64.b64decode(bench.sim.public_key))
        assert len(bench.receiver.taken) == 2
        for _, headers, body in bench.receiver.taken:
            signature = base64.b64decode(headers["telnyx-signature-ed25519"])
            key.verify(headers["telnyx-timestamp"].encode() + b"|" + body, signature)
            with pytest.raises(BadSignatureError):
                key.verify(headers["telnyx-timestamp"].encode() + b"|" + body + b" ", signature)
            assert "👋".encode() in body  # written as UTF-8, so that only the raw bytes verify
        stamps = [int(headers["telnyx-timestamp"]) for _, headers, _ in bench.receiver.taken]
        assert stamps[1] > stamps[0]


# ------------------------------------------------------------------------------------------- attempts, addresses


@pytest.mark.parametrize("status", [500, 503, 404, 301, 302])
async def test_anything_but_2xx_is_tried_three_times(status: int) -> None:
    async with open_bench() as bench:
        bench.receiver.statuses = [status] * 9
        await bench.sim.text_in(from_=ANA, to=OURS, text="Hi")
        await _finish(bench)
        events = [event for event, _, _ in bench.receiver.taken]
        assert [event["meta"]["attempt"] for event in events] == [1, 2, 3]
        assert len({event["data"]["id"] for event in events}) == 1
        assert [attempt.status for attempt in bench.sim.webhooks] == [status] * 3


async def test_attempts_end_with_the_first_success_and_wait_longer_each_time() -> None:
    clock = ManualClock()
    async with open_bench(clock) as bench:
        bench.sim.switches.webhook_backoff = (timedelta(seconds=5), timedelta(seconds=30))
        bench.receiver.statuses = [503, 503]
        began = clock.now()
        await bench.sim.text_in(from_=ANA, to=OURS, text="Hi")
        for seconds in (0, 5, 30, 60):
            await clock.advance(timedelta(seconds=seconds))
            await bench.sim.settle()
        found = [((attempt.at - began).total_seconds(), attempt.status) for attempt in bench.sim.webhooks]
        assert found == [(0, 503), (5, 503), (35, 200)]


async def test_a_failover_address_is_tried_after_three_attempts_at_the_first() -> None:
    async with open_bench() as bench:
        bench.sim.profile.webhook_failover_url = f"{bench.receiver.origin}/failover"
        bench.receiver.statuses = [500] * 3
        await bench.sim.text_in(from_=ANA, to=OURS, text="Hi")
        await _finish(bench)
        targets = [event["meta"]["delivered_to"].rpartition("/")[2] for event, _, _ in bench.receiver.taken]
        assert targets == ["hook", "hook", "hook", "failover"]


async def test_a_messages_own_addresses_come_before_the_profiles() -> None:
    async with open_bench() as bench:
        own = f"{bench.receiver.origin}/own?ref=a%2Fb"
        await bench.send(text="Hi", webhook_url=own)
        await bench.sim.settle()
        assert [event["meta"]["delivered_to"] for event, _, _ in bench.receiver.taken] == [own, own]
        bench.receiver.taken.clear()
        bench.receiver.statuses = [500] * 3
        bench.sim.set_outcome(ANA, Outcome(kind=OutcomeKind.NEVER_FINALIZED))
        await bench.send(text="Hi", webhook_url=own)
        await _finish(bench)
        targets = [event["meta"]["delivered_to"] for event, _, _ in bench.receiver.taken]
        assert targets == [own, own, own, bench.receiver.url]
        bench.receiver.taken.clear()
        bench.receiver.statuses = [500] * 9
        await bench.send(text="Hi", webhook_url=own, use_profile_webhooks=False)
        await _finish(bench)
        assert {event["meta"]["delivered_to"] for event, _, _ in bench.receiver.taken} == {own}


async def test_no_answer_in_time_is_a_failed_attempt() -> None:
    async with open_bench() as bench:
        bench.sim.switches.webhook_timeout = timedelta(milliseconds=30)
        gate, calls = asyncio.Event(), itertools.count()

        async def hang_once(_event: dict[str, Any]) -> None:
            if next(calls) == 0:
                await gate.wait()

        bench.receiver.before_answer = hang_once
        await bench.sim.text_in(from_=ANA, to=OURS, text="Hi")
        await _finish(bench)
        gate.set()
        await turn()
        assert [attempt.status for attempt in bench.sim.webhooks] == [None, 200]


async def test_nothing_is_sent_where_no_address_is_set() -> None:
    async with open_bench() as bench:
        bench.sim.profile_webhook_url = None
        await bench.sim.text_in(from_=ANA, to=OURS, text="Hi")
        await bench.send(text="Hi")
        await bench.sim.settle()
        assert bench.sim.webhooks == []


async def test_an_unreachable_address_is_an_attempt_without_a_status() -> None:
    async with open_bench() as bench:
        bench.sim.profile_webhook_url = "http://127.0.0.1:1/hook"
        await bench.sim.text_in(from_=ANA, to=OURS, text="Hi")
        await _finish(bench)
        assert [attempt.status for attempt in bench.sim.webhooks] == [None] * 3


# --------------------------------------------------------------------------------------------------------- faults


async def test_a_repeated_event_is_there_twice_at_once_under_one_id() -> None:
    async with open_bench() as bench:
        both = asyncio.Barrier(2)

        async def meet(_event: dict[str, Any]) -> None:
            await both.wait()  # would hang until the timeout if the copies came one after the other

        bench.receiver.before_answer = meet
        bench.faults.add(Fault(kind=FaultKind.REPEAT, operation="message.received", times=1))
        await bench.sim.text_in(from_=ANA, to=OURS, text="Hi")
        await bench.sim.settle()
        assert [attempt.status for attempt in bench.sim.webhooks] == [200, 200]
        assert len({event["data"]["id"] for event, _, _ in bench.receiver.taken}) == 1


@pytest.mark.parametrize("operation", ["message.sent", "message.finalized"])
async def test_reordered_receipts_come_finalized_first(operation: str) -> None:
    async with open_bench() as bench:
        bench.faults.add(Fault(kind=FaultKind.REORDER, operation=operation, times=1))
        await bench.send(text="Hi")
        await bench.sim.settle()
        assert bench.receiver.list_types() == ["message.finalized", "message.sent"]
        final, sent = (event["data"] for event, _, _ in bench.receiver.taken)
        assert sent["payload"]["to"][0]["status"] == "sent"
        assert sent["occurred_at"] <= final["occurred_at"]


async def test_a_reordered_text_comes_after_the_next_one() -> None:
    async with open_bench() as bench:
        bench.faults.add(Fault(kind=FaultKind.REORDER, operation="message.received", times=1))
        await bench.sim.text_in(from_=ANA, to=OURS, text="first")
        await bench.sim.text_in(from_=ANA, to=OURS, text="second")
        await bench.sim.settle()
        assert [event["data"]["payload"]["text"] for event, _, _ in bench.receiver.taken] == ["second", "first"]


async def test_a_reordered_text_that_nothing_overtakes_comes_late() -> None:
    clock = ManualClock()
    async with open_bench(clock) as bench:
        bench.faults.add(Fault(kind=FaultKind.REORDER, operation="message.received", times=1))
        await bench.sim.text_in(from_=ANA, to=OURS, text="only")
        await bench.sim.settle()
        assert bench.receiver.taken == []
        await clock.advance(timedelta(seconds=2))
        await bench.sim.settle()
        assert len(bench.receiver.taken) == 1


async def test_a_lost_event_never_comes_and_the_report_says_so() -> None:
    async with open_bench() as bench:
        bench.faults.add(Fault(kind=FaultKind.LOSE, operation="message.received", times=1))
        await bench.sim.text_in(from_=ANA, to=OURS, text="lost")
        await bench.sim.settle()
        assert bench.receiver.taken == []
        _, answer, _ = await bench.call("GET", "/detail_records", params=[("filter[record_type]", "messaging")])
        assert answer["data"][0]["delivery_status"] == "failed: webhook failed"


async def test_an_answer_lost_on_its_way_back_makes_the_event_come_again() -> None:
    async with open_bench() as bench:
        bench.faults.add(Fault(kind=FaultKind.DROP_ANSWER, operation="message.received", times=1))
        await bench.sim.text_in(from_=ANA, to=OURS, text="Hi")
        await _finish(bench)
        assert [event["meta"]["attempt"] for event, _, _ in bench.receiver.taken] == [1, 2]


async def test_a_slow_event_waits_by_the_clock() -> None:
    clock = ManualClock()
    async with open_bench(clock) as bench:
        bench.faults.add(Fault(kind=FaultKind.SLOW, operation="message.received", seconds=30, times=1))
        await bench.sim.text_in(from_=ANA, to=OURS, text="Hi")
        await bench.sim.settle()
        assert bench.receiver.taken == []
        await clock.advance(timedelta(seconds=30))
        await bench.sim.settle()
        assert len(bench.receiver.taken) == 1


async def test_receipts_can_come_before_the_answer_to_the_send() -> None:
    async with open_bench(pace=timedelta(hours=1)) as bench:
        bench.sim.switches.receipts_before_answer = True
        seen: list[int] = []

        async def count_sends(_event: dict[str, Any]) -> None:
            seen.append(sum(request.status is not None for request in bench.sim.requests))

        bench.receiver.before_answer = count_sends
        answer = await bench.send(text="Hi")
        assert seen == [0, 0]  # no request was answered yet
        assert bench.receiver.list_types() == ["message.sent", "message.finalized"]
        assert answer["to"][0]["status"] == "queued"


async def test_an_event_can_be_redelivered_and_a_message_sent_again_under_a_new_event() -> None:
    async with open_bench() as bench:
        message_id = await bench.sim.text_in(from_=ANA, to=OURS, text="Hi")
        await bench.sim.settle()
        await bench.sim.redeliver(message_id)
        await bench.sim.settle()
        assert await bench.sim.text_in(from_=ANA, to=OURS, text="Hi", message_id=message_id) == message_id
        await bench.sim.settle()
        first, second, third = (event["data"] for event, _, _ in bench.receiver.taken)
        assert first == second
        assert first["id"] != third["id"]
        assert first["payload"]["id"] == third["payload"]["id"]


async def test_an_event_can_be_told_again_as_news_long_after_what_followed_it() -> None:
    async with open_bench() as bench:
        await bench.send(text="Hi")
        await bench.sim.settle()
        bench.sim.tell_again(bench.sim.webhooks[0])
        await bench.sim.settle()
        assert bench.receiver.list_types() == ["message.sent", "message.finalized", "message.sent"]
        first, _, again = (event["data"] for event, _, _ in bench.receiver.taken)
        assert again["id"] != first["id"]
        assert {**again, "id": first["id"]} == first


async def test_settling_waits_through_the_pace_of_a_clock_that_runs_by_itself() -> None:
    async with open_bench(SystemClock(), pace=timedelta(milliseconds=2)) as bench:
        bench.sim.switches.webhook_backoff = (timedelta(milliseconds=2),)
        bench.receiver.statuses = [503]
        await bench.send(text="Hi")
        await bench.sim.settle()
        assert sorted(set(bench.receiver.list_types())) == ["message.finalized", "message.sent"]
        assert len(bench.receiver.taken) == 3


async def test_a_failure_inside_the_simulator_is_raised_and_not_swallowed() -> None:
    async with open_bench() as bench:

        def fail(_number: str, _text: PhoneText) -> None:
            raise ZeroDivisionError

        await bench.send(text="Hi")
        bench.sim.listeners.append(fail)
        with pytest.raises(BaseExceptionGroup) as raised:
            await bench.sim.settle()
        assert raised.group_contains(ZeroDivisionError)


async def test_stopping_ends_everything_under_way() -> None:
    async with open_bench(pace=timedelta(hours=1)) as bench:
        await bench.send(text="Hi")
        bench.receiver.statuses = [500] * 9
        await bench.sim.text_in(from_=CEM, to=OURS, text="Hi")
        await bench.sim.settle()
        before = len(bench.sim.webhooks)
        await bench.sim.stop()
        assert isinstance(bench.clock, ManualClock)
        await bench.clock.advance(timedelta(hours=3))
        assert len(bench.sim.webhooks) == before
