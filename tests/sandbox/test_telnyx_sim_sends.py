"""What the simulated carrier accepts, what it refuses and how, and what an Idempotency-Key does."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from bot.clock import ManualClock
from bot.sandbox.faults import Fault, FaultKind
from bot.sandbox.telnyx_state import Outcome, OutcomeKind
from tests.sandbox.telnyx_receiver import (
    ABROAD,
    ANA,
    BOB,
    OURS,
    OURS_TOO,
    PROFILE,
    TOLL_FREE,
    Bench,
    open_bench,
    turn,
)

PICTURE = "http://127.0.0.1:9/p.jpg"
HELLO = {"from": OURS, "to": ANA, "text": "hello"}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"to": None}, (400, "10004")),
        ({"from": None}, (400, "10004")),
        ({"to": "4155550163"}, (400, "40310")),
        ({"to": "+0155550163"}, (400, "40310")),
        ({"to": [ANA]}, (400, "40310")),
        ({"from": "+13125559999"}, (400, "40305")),
        ({"from": "(312) 555-0142"}, (400, "40305")),
        ({"text": None}, (400, "40316")),
        ({"text": ""}, (400, "40316")),
        ({"text": 7}, (400, "10026")),
        ({"media_urls": []}, None),
        ({"media_urls": [], "text": None}, (400, "40316")),
        ({"media_urls": [PICTURE] * 10}, None),
        ({"media_urls": [PICTURE] * 11}, (400, "40317")),
        ({"media_urls": ["picture.jpg"]}, (400, "10003")),
        ({"media_urls": PICTURE}, (400, "10026")),
        ({"media_urls": [PICTURE], "type": "SMS"}, (400, "40304")),
        ({"media_urls": [PICTURE], "to": ABROAD}, (400, "40301")),
        ({"type": "FAX"}, (400, "10032")),
        ({"text": "x" * 1530}, None),
        ({"text": "x" * 1531}, (400, "40302")),
        ({"text": "x" * 1531, "type": "MMS"}, None),
        ({"text": "ж" * 670}, None),
        ({"text": "ж" * 671}, (400, "40302")),
        ({"text": "x" * 1530, "auto_detect": True}, (400, "40328")),
        ({"text": "ж", "encoding": "gsm7"}, (400, "40009")),
        ({"text": "x" * 671, "encoding": "ucs2"}, (400, "40302")),
        ({"messaging_profile_id": "nobody's"}, (400, "10017")),
        ({"messaging_profile_id": PROFILE}, None),
        ({"from": None, "messaging_profile_id": PROFILE}, (400, "40321")),
        ({"webhook_url": "ftp://example.com"}, (400, "10003")),
        ({"use_profile_webhooks": "yes"}, (400, "10026")),
        ({"send_at": "soon"}, (400, "10015")),
        ({"unheard_of": 1}, None),
    ],
    ids=str,
)
async def test_a_request_is_accepted_or_refused_by_the_published_rules(
    change: dict[str, Any], expected: tuple[int, str] | None
) -> None:
    async with open_bench(pace=timedelta(days=1)) as bench:
        given = {name: value for name, value in {**HELLO, **change}.items() if value is not None}
        status, answer, _ = await bench.call("POST", "/messages", given)
        if expected is None:
            assert status == 200, answer
        else:
            assert (status, answer["errors"][0]["code"]) == expected
            assert answer["errors"][0]["title"]
        assert len(bench.sim.sends) == (expected is None)


async def test_the_key_media_urls_alone_makes_an_mms() -> None:
    async with open_bench() as bench:
        assert (await bench.send(text="hi"))["type"] == "SMS"
        assert (await bench.send(text="hi", media_urls=[]))["type"] == "MMS"
        assert (await bench.send(text="hi", type="MMS"))["type"] == "MMS"
        await bench.sim.settle()


async def test_requests_need_the_api_key_and_json() -> None:
    async with open_bench() as bench:
        for header in ("", "Bearer wrong", "Basic abc"):
            status, answer, _ = await bench.call("POST", "/messages", HELLO, headers={"Authorization": header})
            assert (status, answer["errors"][0]["code"]) == (401, "10009")
        assert await bench.refuse("/messages", {}, body=b"{") == (400, "10023")
        assert await bench.refuse("/messages", {}, body=b"[]") == (400, "10015")
        assert await bench.refuse("/messages", HELLO, headers={"Content-Type": "text/plain"}) == (400, "10029")
        status, answer, _ = await bench.call("GET", "/nothing")
        assert (status, answer["errors"][0]["code"]) == (404, "10005")
        status, answer, _ = await bench.call("PUT", "/messages", HELLO)
        assert (status, answer["errors"][0]["code"]) == (405, "10030")
        assert bench.sim.sends == []


@pytest.mark.parametrize(
    ("path", "change", "expected"),
    [
        ("long_code", {}, None),
        ("long_code", {"from": "72811"}, (400, "40305")),
        ("short_code", {"from": "72811"}, None),
        ("short_code", {}, (400, "40305")),
        ("number_pool", {"from": None, "messaging_profile_id": PROFILE}, None),
        ("number_pool", {"from": None}, (400, "10004")),
        ("alphanumeric_sender_id", {"from": "TEXTBRIDGE", "to": ABROAD, "messaging_profile_id": PROFILE}, None),
        ("alphanumeric_sender_id", {"from": "TEXTBRIDGE", "messaging_profile_id": PROFILE}, (400, "40301")),
        ("alphanumeric_sender_id", {"from": "OTHER", "to": ABROAD, "messaging_profile_id": PROFILE}, (400, "40307")),
        ("alphanumeric_sender_id", {"from": "no-good!", "to": ABROAD, "messaging_profile_id": PROFILE}, (400, "40325")),
        ("group_mms", {"to": [ANA, BOB]}, None),
        ("group_mms", {"to": ANA}, (400, "10026")),
        ("group_mms", {"to": [f"+1773555{number:04}" for number in range(9)]}, (400, "10033")),
        ("group_mms", {"to": [ANA, BOB], "from": TOLL_FREE}, (400, "40308")),
        ("schedule", {}, None),
    ],
    ids=str,
)
async def test_each_send_operation_has_its_own_rules(
    path: str, change: dict[str, Any], expected: tuple[int, str] | None
) -> None:
    async with open_bench(pace=timedelta(days=1)) as bench:
        bench.sim.add_number("72811")
        bench.sim.add_sender_name("TEXTBRIDGE")
        bench.sim.profile.number_pool_settings = {"long_code_weight": 1, "toll_free_weight": 0, "skip_unhealthy": False}
        given = {name: value for name, value in {**HELLO, **change}.items() if value is not None}
        status, answer, _ = await bench.call("POST", f"/messages/{path}", given)
        found = None if status == 200 else (status, answer["errors"][0]["code"])
        assert found == expected, answer


async def test_a_pool_takes_turns_unless_it_sticks() -> None:
    async with open_bench() as bench:
        settings: dict[str, Any] = {"long_code_weight": 1, "toll_free_weight": 0, "skip_unhealthy": False}
        bench.sim.profile.number_pool_settings = settings
        pooled = {"from": None, "messaging_profile_id": PROFILE, "text": "hi"}
        given = {name: value for name, value in {"to": ANA, **pooled}.items() if value}

        async def find_sender() -> str:
            _, answer, _ = await bench.call("POST", "/messages", given)
            return str(answer["data"]["from"]["phone_number"])

        assert [await find_sender() for _ in range(3)] == [OURS, OURS_TOO, OURS]
        settings["sticky_sender"] = True
        assert [await find_sender() for _ in range(3)] == [OURS, OURS, OURS]
        await bench.sim.settle()


async def test_a_profile_can_forbid_a_country_be_switched_off_or_out_of_money() -> None:
    async with open_bench() as bench:
        bench.sim.profile.whitelisted_destinations = ["US"]
        assert await bench.refuse("/messages", {**HELLO, "to": ABROAD}) == (400, "40309")
        bench.sim.switches.spend_limit_reached = True
        assert await bench.refuse("/messages", HELLO) == (429, "40333")
        bench.sim.switches.spend_limit_reached = False
        bench.sim.profile.enabled = False
        assert await bench.refuse("/messages", HELLO) == (400, "40312")
        bench.sim.profile.enabled = True
        await bench.send(text="hi")
        await bench.sim.settle()


async def test_an_mms_abroad_falls_back_to_sms_where_the_profile_says_so() -> None:
    async with open_bench() as bench:
        bench.sim.profile.mms_fall_back_to_sms = True
        sent = await bench.send(to=ABROAD, text="see", media_urls=["https://example.com/p.jpg"])
        assert (sent["type"], sent["text"]) == ("SMS", "see\nhttps://example.com/p.jpg")
        await bench.sim.settle()


async def test_smart_encoding_saves_parts_and_keeps_the_words() -> None:
    async with open_bench() as bench:
        text = "“It’s here…”" + "x" * 100
        plain = await bench.send(text=text)
        bench.sim.profile.smart_encoding = True
        smart = await bench.send(text=text)
        assert [(sent["encoding"], sent["parts"], sent["text"]) for sent in (plain, smart)] == [
            ("UCS-2", 2, text),
            ("GSM-7", 1, text),
        ]
        await bench.sim.settle()


async def test_who_said_stop_is_not_texted_from_any_number_of_the_profile() -> None:
    async with open_bench() as bench:
        bench.sim.block(sender=OURS, person=ANA)
        assert await bench.refuse("/messages", HELLO) == (409, "40300")
        assert await bench.refuse("/messages", {**HELLO, "from": OURS_TOO}) == (409, "40300")
        assert await bench.refuse("/messages/group_mms", {**HELLO, "to": [BOB, ANA]}) == (409, "40300")
        bench.sim.switches.optout_status = 400
        status, answer, _ = await bench.call("POST", "/messages", HELLO)
        assert (status, answer["errors"][0]["title"]) == (400, "Blocked due to STOP message")
        bench.sim.lift(sender=OURS, person=ANA)
        await bench.send(text="welcome back")
        await bench.sim.settle()
        assert [send.text for send in bench.sim.sends] == ["welcome back"]


# ------------------------------------------------------------------------------------------------ Idempotency-Key


async def test_other_bytes_under_a_used_key_are_refused_even_if_they_mean_the_same() -> None:
    async with open_bench() as bench:
        await bench.call("POST", "/messages", HELLO, key="k")
        assert await bench.refuse("/messages", {**HELLO, "text": "other"}, key="k") == (422, "10027")
        reordered = {"text": "hello", "to": ANA, "from": OURS}
        assert await bench.refuse("/messages", reordered, key="k") == (422, "10027")
        status, _, _ = await bench.call("POST", "/messages/long_code", HELLO, key="k")
        assert status == 200  # a key belongs to one path
        await bench.sim.settle()
        assert len(bench.sim.sends) == 2


async def test_a_refused_request_does_not_use_its_key_up() -> None:
    async with open_bench() as bench:
        bench.sim.set_outcome(ANA, Outcome(kind=OutcomeKind.REFUSED, code="40318", times=1))
        assert await bench.refuse("/messages", HELLO, key="k") == (429, "40318")
        status, _, headers = await bench.call("POST", "/messages", HELLO, key="k")
        assert status == 200
        assert "Idempotent-Replayed" not in headers
        await bench.sim.settle()
        assert len(bench.sim.sends) == 1


async def test_a_key_is_forgotten_after_a_day() -> None:
    clock = ManualClock()
    async with open_bench(clock) as bench:
        _, first, _ = await bench.call("POST", "/messages", HELLO, key="k")
        clock.jump(timedelta(hours=23, minutes=59))
        _, second, _ = await bench.call("POST", "/messages", HELLO, key="k")
        clock.jump(timedelta(minutes=1))
        _, third, _ = await bench.call("POST", "/messages", HELLO, key="k")
        assert first["data"]["id"] == second["data"]["id"] != third["data"]["id"]
        await bench.sim.settle()


@pytest.mark.parametrize("key", ["", "a" * 256, "with blank", "ключ".encode().decode("latin-1"), "a/b"])
async def test_a_malformed_key_is_refused(key: str) -> None:
    async with open_bench() as bench:
        assert await bench.refuse("/messages", HELLO, key=key) == (400, "10015")
        assert bench.sim.sends == []


async def test_the_same_key_while_the_first_is_at_work_is_a_conflict() -> None:
    async with open_bench() as bench:
        bench.sim.switches.processing.clear()
        first = asyncio.create_task(bench.call("POST", "/messages", HELLO, key="k"))
        while not bench.sim.requests:
            await turn()
        assert await bench.refuse("/messages", HELLO, key="k") == (409, "10036")
        bench.sim.switches.processing.set()
        assert (await first)[0] == 200
        await bench.sim.settle()
        assert len(bench.sim.sends) == 1


async def test_keys_can_be_ignored_altogether_and_always_are_when_scheduling() -> None:
    clock = ManualClock()
    async with open_bench(clock) as bench:
        later = {**HELLO, "send_at": (clock.now() + timedelta(hours=1)).isoformat()}
        for _ in range(2):
            await bench.call("POST", "/messages/schedule", later, key="s")
        assert len(bench.sim.sends) == 2
        bench.sim.switches.honour_idempotency = False
        for _ in range(2):
            await bench.call("POST", "/messages", HELLO, key="k")
        assert [send.key for send in bench.sim.sends] == ["s", "s", "k", "k"]
        await bench.sim.settle()


# --------------------------------------------------------------------------------------------------------- faults


async def _send_under(bench: Bench, fault: Fault) -> int | None:
    """Send under *fault*; returns the status, None for a broken connection."""
    import aiohttp

    bench.faults.add(fault)
    try:
        status, _, _ = await bench.call("POST", "/messages", HELLO, key="k")
    except aiohttp.ClientError:
        status = None
    await bench.sim.settle()
    return status


@pytest.mark.parametrize(
    ("fault", "status", "sends"),
    [
        (Fault(kind=FaultKind.REFUSE, operation="POST /messages", status=503, times=1), 503, 0),
        (Fault(kind=FaultKind.RATE_LIMIT, operation="POST /messages", retry_after=7, times=1), 429, 0),
        (Fault(kind=FaultKind.DROP_REQUEST, operation="POST /messages", times=1), None, 0),
        (Fault(kind=FaultKind.DROP_ANSWER, operation="POST /messages", times=1), None, 1),
        (Fault(kind=FaultKind.FAIL_AFTER, operation="POST /messages", status=502, times=1), 502, 1),
        (Fault(kind=FaultKind.SLOW, operation="POST /messages", seconds=0.001, times=1), 200, 1),
    ],
    ids=lambda value: str(getattr(value, "kind", value)),
)
async def test_each_fault_strikes_once_and_a_repeat_under_the_key_sends_at_most_once(
    fault: Fault, status: int | None, sends: int
) -> None:
    async with open_bench() as bench:
        assert await _send_under(bench, fault) == status
        assert len(bench.sim.sends) == sends
        again, _, headers = await bench.call("POST", "/messages", HELLO, key="k")
        await bench.sim.settle()
        assert again == 200
        assert ("Idempotent-Replayed" in headers) == (sends == 1)
        assert len(bench.sim.sends) == len(bench.sim.phone(ANA)) == 1
        assert [request.status for request in bench.sim.requests] == [status, 200]


async def test_a_rate_limit_says_how_long_to_wait() -> None:
    async with open_bench() as bench:
        bench.faults.add(Fault(kind=FaultKind.RATE_LIMIT, operation="POST /messages", retry_after=7, times=1))
        status, answer, headers = await bench.call("POST", "/messages", HELLO)
        assert (status, headers["Retry-After"], answer["errors"][0]["code"]) == (429, "7", "10011")


async def test_every_operation_can_be_struck_by_its_name() -> None:
    async with open_bench() as bench:
        sent = await bench.send(text="hi")
        await bench.sim.settle()
        calls = {
            "GET /messages/{id}": f"/messages/{sent['id']}",
            "GET /messaging_optouts": "/messaging_optouts",
            "GET /messaging_profiles/{id}": f"/messaging_profiles/{PROFILE}",
            "GET /phone_numbers/messaging": "/phone_numbers/messaging",
            "GET /public_key": "/public_key",
        }
        for operation, path in calls.items():
            bench.faults.add(Fault(kind=FaultKind.REFUSE, operation=operation, status=503, times=1))
            assert (await bench.call("GET", path))[0] == 503
            assert (await bench.call("GET", path))[0] == 200
        assert bench.faults.active() == {}


async def test_requests_are_kept_as_they_came() -> None:
    async with open_bench() as bench:
        body = b'{"to":"' + ANA.encode() + b'" , "from":"' + OURS.encode() + b'","text":"a\\u00e9"}'
        await bench.call("POST", "/messages", body=body, key="k")
        (request,) = bench.sim.requests
        (send,) = bench.sim.sends
        assert (request.body, request.headers["idempotency-key"], request.status) == (body, "k", 200)
        assert (send.body, send.key, send.text, send.to) == (body, "k", "aé", (ANA,))
        await bench.sim.settle()
        operations = [(exchange.source, exchange.target, exchange.operation) for exchange in bench.journal.exchanges]
        assert ("bot", "telnyx", "POST /messages") in operations
        assert ("telnyx", "phone", "text") in operations
        assert ("telnyx", "bot", "message.finalized") in operations


# ------------------------------------------------------------------------------------------------------ schedules


@pytest.mark.parametrize(
    ("ahead", "accepted"),
    [
        (timedelta(minutes=4, seconds=59), False),
        (timedelta(minutes=5), True),
        (timedelta(days=5), True),
        (timedelta(days=5, seconds=1), False),
        (timedelta(hours=-1), False),
    ],
)
async def test_a_schedule_is_from_five_minutes_to_five_days_ahead(ahead: timedelta, *, accepted: bool) -> None:
    clock = ManualClock()
    async with open_bench(clock) as bench:
        given = {**HELLO, "send_at": (clock.now() + ahead).isoformat()}
        for path in ("/messages", "/messages/schedule"):
            status, answer, _ = await bench.call("POST", path, given)
            if accepted:
                assert (status, answer["data"]["to"][0]["status"]) == (200, "scheduled")
            else:
                assert (status, answer["errors"][0]["code"]) == (400, "10033")


async def test_a_schedule_cannot_be_cancelled_in_its_last_minute() -> None:
    clock = ManualClock()
    async with open_bench(clock) as bench:
        sent = await bench.send(text="later", send_at=(clock.now() + timedelta(minutes=10)).isoformat())
        await clock.advance(timedelta(minutes=9))
        status, answer, _ = await bench.call("DELETE", f"/messages/{sent['id']}")
        assert (status, answer["code"]) == (403, "10010")
        await clock.advance(timedelta(minutes=1))
        await bench.sim.settle()
        assert [text.text for text in bench.sim.phone(ANA)] == ["later"]
        assert bench.receiver.list_types() == ["message.sent", "message.finalized"]


@pytest.mark.parametrize("checked", [True, False])
async def test_a_schedule_due_after_stop_goes_out_only_if_the_carrier_does_not_check(*, checked: bool) -> None:
    clock = ManualClock()
    async with open_bench(clock) as bench:
        bench.sim.switches.check_optouts_when_due = checked
        await bench.send(text="later", send_at=(clock.now() + timedelta(minutes=10)).isoformat())
        bench.sim.block(sender=OURS, person=ANA)
        await clock.advance(timedelta(minutes=11))
        await bench.sim.settle()
        assert len(bench.sim.phone(ANA)) == (not checked)
        payload = bench.receiver.get_payload("message.finalized")
        assert payload["to"][0]["status"] == ("sending_failed" if checked else "delivered")
        assert [error["code"] for error in payload["errors"]] == (["40300"] if checked else [])


async def test_a_schedule_survives_the_carriers_own_restart() -> None:
    clock = ManualClock()
    async with open_bench(clock) as bench:
        await bench.send(text="later", send_at=(clock.now() + timedelta(minutes=10)).isoformat())
        await bench.sim.stop()
        await bench.sim.start()
        await clock.advance(timedelta(minutes=10))
        await bench.sim.settle()
        assert [text.text for text in bench.sim.phone(ANA)] == ["later"]
