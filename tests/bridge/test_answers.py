"""How requests from outside are answered: the table of the contract, row by row, over real HTTP."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, NoReturn
from urllib.parse import parse_qs, urlencode

import pytest

from bot.errors import NotStored
from bot.sandbox.faults import FaultKind
from tests.bridge.events import make_event, make_text
from tests.bridge.harness import ANA, CHANNEL, Bench

_LIMIT = 1024 * 1024
_DEEP = b"[" * 100_000 + b"]" * 100_000
_LONG = b'{"data": {"event_type": "message.received", "id": ' + b"1" * 5_000 + b"}}"


async def count_jobs(bench: Bench, kind: str) -> dict[str, int]:
    rows = await bench.query("SELECT status, COUNT(*) AS jobs FROM jobs WHERE kind = ? GROUP BY status", kind)
    return {row["status"]: row["jobs"] for row in rows}


# ------------------------------------------------------------------------------------------------------- 401

_TELNYX_REFUSED: dict[str, dict[str, str | None]] = {
    "no signature": {"telnyx-signature-ed25519": None},
    "no timestamp": {"telnyx-timestamp": None},
    "an empty signature": {"telnyx-signature-ed25519": ""},
    "a signature that is no base64": {"telnyx-signature-ed25519": "!!!!"},
    "a short signature": {"telnyx-signature-ed25519": "AAAA"},
    "a wrong signature": {"telnyx-signature-ed25519": "A" * 86 + "=="},
    "a signature of letters beyond ASCII": {"telnyx-signature-ed25519": "ünterschrift"},
    "a timestamp that is no number": {"telnyx-timestamp": "today"},
    "a negative timestamp": {"telnyx-timestamp": "-1795276800"},
    "a timestamp in other digits": {"telnyx-timestamp": "١٧٩٥٢٧٦٨٠٠"},
    "a timestamp without end": {"telnyx-timestamp": "9" * 4000},
    "a timestamp that was not signed": {"telnyx-timestamp": "1795186801"},
}


async def test_a_webhook_with_a_bad_signature_is_refused_and_does_nothing(bench: Bench) -> None:
    for case, changes in _TELNYX_REFUSED.items():
        assert await bench.post_signed_by_telnyx(make_text(), changes) == 401, case

    assert await bench.query("SELECT * FROM jobs WHERE pool = 'carrier_in'") == []


_SLACK_REFUSED: dict[str, dict[str, str | None]] = {
    "no signature": {"X-Slack-Signature": None},
    "no timestamp": {"X-Slack-Request-Timestamp": None},
    "an empty signature": {"X-Slack-Signature": ""},
    "a signature without its version": {"X-Slack-Signature": "0" * 64},
    "a wrong signature": {"X-Slack-Signature": "v0=" + "0" * 64},
    "a signature of letters beyond ASCII": {"X-Slack-Signature": "v0=ünterschrift"},
    "a timestamp that is no number": {"X-Slack-Request-Timestamp": "today"},
    "a negative timestamp": {"X-Slack-Request-Timestamp": "-1795276800"},
    "a timestamp in other digits": {"X-Slack-Request-Timestamp": "١٧٩٥٢٧٦٨٠٠"},
    "a timestamp without end": {"X-Slack-Request-Timestamp": "9" * 4000},
    "a timestamp that was not signed": {"X-Slack-Request-Timestamp": "1795186801"},
}


async def test_a_request_in_slacks_name_with_a_bad_signature_is_refused_whatever_is_in_it(bench: Bench) -> None:
    command = {"command": "/sms", "text": "4155550101 hi", "user_id": bench.alice, "trigger_id": "1.2", "team_id": "T"}
    bodies: dict[bytes, str] = {
        json.dumps(make_event({"type": "message"})).encode(): "application/json",
        urlencode(command).encode(): "application/x-www-form-urlencoded",
        b"ssl_check=1": "application/x-www-form-urlencoded",
        b"{": "application/json",
        b"\xff": "application/json",
    }
    for case, changes in _SLACK_REFUSED.items():
        for body, kind in bodies.items():
            assert await bench.post_signed_by_slack(body, {**changes, "Content-Type": kind}) == 401, (case, body)

    await bench.settle()
    assert await bench.query("SELECT * FROM jobs WHERE pool = 'slack_in'") == []
    assert bench.telnyx.sends == []


async def test_a_signature_is_good_for_300_seconds_either_way(bench: Bench) -> None:
    text = json.dumps(make_text()).encode()
    event = json.dumps(make_event({"type": "channel_rename"})).encode()
    for age, status in ((299, 200), (-299, 200), (302, 401), (-302, 401)):
        moment = bench.clock.now() - timedelta(seconds=age)
        timestamp = str(int(moment.timestamp()))
        signature = bench.slack.courier.sign(event, timestamp)

        telnyx = await bench.post_signed_by_telnyx(text, bench.telnyx._webhooks.sign(text, at=moment))
        slack = await bench.post_signed_by_slack(
            event, {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": signature}
        )

        assert (telnyx, slack) == (status, status), age


async def test_a_signature_for_one_body_does_not_fit_another(bench: Bench) -> None:
    signed = json.dumps(make_text("Hi")).encode()
    timestamp = str(int(bench.clock.now().timestamp()))
    signature = bench.slack.courier.sign(signed, timestamp)

    assert await bench.post_signed_by_telnyx(signed + b" ", bench.telnyx.sign(signed)) == 401
    assert (
        await bench.post_signed_by_slack(
            signed + b" ", {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": signature}
        )
        == 401
    )


# ------------------------------------------------------------------------------------------------------- 400


async def test_what_is_signed_and_no_json_is_answered_400(bench: Bench) -> None:
    for body in (b"", b"{", b"{'a': 1}", b"\xff\xfe", b"\x00", b"NaN{", b"hello=world"):
        assert await bench.post_signed_by_telnyx(body) == 400, body
        assert await bench.post_signed_by_slack(body) == 400, body


async def test_a_form_of_slacks_whose_payload_is_no_json_is_answered_400(bench: Bench) -> None:
    form: dict[str, str | None] = {"Content-Type": "application/x-www-form-urlencoded"}

    assert await bench.post_signed_by_slack(b"payload=%7Boops", form) == 400
    assert await bench.post_signed_by_slack(b"hello=world", form) == 400


# ------------------------------------------------------------------------- 200, for what cannot be understood

_STRANGE: dict[str, bytes] = {
    "null": b"null",
    "a number": b"42",
    "text": b'"hello"',
    "a list": b"[1, 2]",
    "an empty object": b"{}",
    "an object of another shape": b'{"data": 5, "event": 5, "type": []}',
    "something nested too deep to read": _DEEP,
    "a number too long to read": _LONG,
    "half a surrogate pair": b'{"data": {"event_type": "message.received", "id": "\\ud83d"}, "event": "\\ud83d"}',
}


async def test_signed_json_that_cannot_be_understood_is_answered_200_kept_and_parked(bench: Bench) -> None:
    for case, body in _STRANGE.items():
        assert await bench.post_signed_by_telnyx(body) == 200, case
        assert await bench.post_signed_by_slack(body) == 200, case
    await bench.settle()

    assert await count_jobs(bench, "carrier_event") == {"parked": len(_STRANGE)}
    assert await count_jobs(bench, "slack_event") == {"parked": len(_STRANGE)}
    kept = [row["body"] for row in await bench.query("SELECT body FROM jobs WHERE kind = 'slack_event'")]
    assert {body.encode() for body in kept} == set(_STRANGE.values())
    kept = [row["body"] for row in await bench.query("SELECT body FROM jobs WHERE kind = 'carrier_event'")]
    assert {body.encode() for body in kept} == set(_STRANGE.values())


async def test_an_event_of_the_carriers_that_says_too_little_is_kept_and_parked(bench: Bench) -> None:
    types = ["message.received", "message.finalized", "message.invented", "", None, 7]
    for number, event_type in enumerate(types):
        body = {"data": {"event_type": event_type, "id": f"event-{number}", "payload": {"odd": True}}}
        assert await bench.post_signed_by_telnyx(body) == 200, event_type
    await bench.settle()

    assert await count_jobs(bench, "carrier_event") == {"parked": len(types)}


async def test_a_parked_event_holds_up_nobody(bench: Bench) -> None:
    strange = {"data": {"event_type": "message.received", "id": "x", "payload": {}}}
    assert await bench.post_signed_by_telnyx(strange) == 200

    assert await bench.open_thread("Hi")


async def test_an_event_of_slacks_that_nobody_asked_for_is_answered_200(bench: Bench) -> None:
    assert await bench.post_signed_by_slack(make_event({"type": "star_added", "user": "U1"})) == 200
    await bench.settle()

    assert await count_jobs(bench, "slack_event") == {"done": 1}


async def test_a_query_string_of_rubbish_is_no_reason_to_refuse_a_webhook(bench: Bench) -> None:
    assert await bench.post_signed_by_telnyx(make_text(), query="?ref=%00%ff'--&ref=" + "x" * 3000) == 200
    await bench.wait_until(lambda: bench.shown("Hi"))


# ------------------------------------------------------------------------------------------------------- 413


async def test_a_body_over_the_limit_is_refused_by_its_announced_length(bench: Bench) -> None:
    body = json.dumps({"filler": "x" * _LIMIT}).encode()

    assert await bench.post_signed_by_telnyx(body) == 413
    assert await bench.post_signed_by_slack(body) == 413


@pytest.mark.parametrize("path", ["/webhooks/telnyx", "/slack/events"])
async def test_a_body_over_the_limit_is_refused_where_no_length_is_announced(path: str, bench: Bench) -> None:
    async def stream() -> AsyncIterator[bytes]:
        for _ in range(17):
            yield b"x" * (_LIMIT // 16)

    async with bench.http.post(f"{bench.url}{path}", data=stream()) as response:
        assert response.status == 413


async def test_a_body_just_within_the_limit_is_read(bench: Bench) -> None:
    body = json.dumps(make_text()).encode()
    body += b" " * (_LIMIT - len(body))

    assert await bench.post_signed_by_telnyx(body) == 200


# ------------------------------------------------------------------------------------------------------- 503


@asynccontextmanager
async def locked(bench: Bench) -> AsyncIterator[None]:
    """Hold the database's write lock, as a backup that went wrong may."""
    # In a thread: while it waits for the lock, the bridge must be able to let go of it.
    other = sqlite3.connect(bench.settings.database_path, isolation_level=None, check_same_thread=False)
    try:
        await asyncio.to_thread(other.execute, "BEGIN IMMEDIATE")
        yield
        await asyncio.to_thread(other.execute, "ROLLBACK")
    finally:
        other.close()


async def test_an_event_that_cannot_be_committed_is_answered_503_in_time_and_taken_once_when_it_comes_again(
    bench: Bench,
) -> None:
    root = await bench.open_thread("First")
    event = make_event(
        {"type": "message", "channel": CHANNEL, "user": bench.alice, "text": "Yes", "thread_ts": root, "ts": "1.000100"}
    )

    async with locked(bench):
        async with asyncio.timeout(2.5):  # the carrier waits for two seconds, Slack for three
            answers = await asyncio.gather(
                bench.post_signed_by_telnyx(make_text("Second")), bench.post_signed_by_slack(event)
            )
            assert set(answers) == {503}

    for _ in range(3):
        assert await bench.post_signed_by_telnyx(make_text("Second")) == 200
        assert await bench.post_signed_by_slack(event) == 200
    await bench.wait_until(lambda: bench.phone() and len(bench.thread(root)) == 2)
    await bench.settle()
    assert bench.thread(root)[1:] == ["Second"]
    assert bench.phone() == ["Yes"]


async def test_a_command_that_cannot_be_committed_is_answered_503_and_sends_nothing(bench: Bench) -> None:
    await bench.settle()

    async with locked(bench):
        answer = await bench.slack.command(bench.alice, CHANNEL, "/sms", "4155550101 Hi")
    await bench.settle()

    assert answer.status == 503
    assert bench.slack.errors(bench.alice) == ['/sms failed with the error "dispatch_failed"']
    assert bench.telnyx.sends == []


def refuse_transaction(_name: str) -> NoReturn:
    """Begin no transaction, as a full disk may."""
    raise NotStored("the disk is full")


async def test_a_command_that_was_answered_503_is_done_once_when_the_very_same_request_comes_again(
    bench: Bench,
) -> None:
    fields = {
        "command": "/sms",
        "text": "4155550101 Hi",
        "user_id": bench.alice,
        "team_id": "T0SANDBOX1",
        "channel_id": CHANNEL,
        "trigger_id": "1.2.abc",
    }
    body = urlencode(fields).encode()
    timestamp = str(int(bench.clock.now().timestamp()))
    signed: dict[str, str | None] = {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Slack-Request-Timestamp": timestamp,
        "X-Slack-Signature": bench.slack.courier.sign(body, timestamp),
    }
    store = bench.works.store
    begin, store.transaction = store.transaction, refuse_transaction  # type: ignore[method-assign, assignment]
    assert await bench.post_signed_by_slack(body, signed) == 503
    store.transaction = begin  # type: ignore[method-assign]

    for _ in range(3):
        assert await bench.post_signed_by_slack(body, signed) == 200
    await bench.settle()

    assert bench.phone() == ["Hi"]


# --------------------------------------------------------------------------------------- Slack's own ceremonies


async def test_the_request_url_is_verified_by_its_challenge_without_asking_slack(bench: Bench) -> None:
    await bench.wait_until(lambda: not any(bench.bridge.health.report().values()))
    calls = len(bench.slack.calls)

    answer = await bench.slack.verify_url()

    assert (answer.status, answer.reason) == (200, "")
    assert len(bench.slack.calls) == calls


async def test_a_signed_ssl_check_is_answered_200(bench: Bench) -> None:
    form: dict[str, str | None] = {"Content-Type": "application/x-www-form-urlencoded"}

    assert await bench.post_signed_by_slack(b"ssl_check=1&token=x", form) == 200


_UNKNOWN: list[dict[str, Any]] = [
    {"type": "block_actions", "actions": [{"action_id": "of_yesterday", "type": "button", "block_id": "b"}]},
    {"type": "block_actions", "actions": []},
    {"type": "view_submission", "view": {"id": "V1", "callback_id": "of_yesterday", "state": {"values": {}}}},
    {"type": "view_closed", "view": {"id": "V1", "callback_id": "of_yesterday"}},
    {"type": "shortcut", "callback_id": "of_yesterday"},
    {"type": "message_action", "callback_id": "of_yesterday"},
    {"type": "block_suggestion", "action_id": "of_yesterday", "block_id": "b", "value": "x"},
    {"type": "interactive_message", "callback_id": "x", "actions": [{"name": "a", "type": "button", "value": "1"}]},
    {"type": "dialog_submission", "callback_id": "x", "submission": {}},
    {"type": "invented_tomorrow"},
    {},
]


async def test_an_interaction_that_nobody_knows_is_answered_200(bench: Bench) -> None:
    form: dict[str, str | None] = {"Content-Type": "application/x-www-form-urlencoded"}
    for payload in _UNKNOWN:
        known = {"team": {"id": "T0SANDBOX1"}, "user": {"id": bench.alice}, "trigger_id": "1.2.3", **payload}
        body = urlencode({"payload": json.dumps(known)}).encode()
        assert await bench.post_signed_by_slack(body, form) == 200, payload


async def test_a_command_of_another_name_is_answered_200(bench: Bench) -> None:
    assert (await bench.slack.command(bench.alice, CHANNEL, "/invented", "x")).status == 200


_ODD = [
    *("[]", "5", "null", "{}", '{"type": "invented_tomorrow"}', '{"type": "view_submission"}'),
    *(_DEEP.decode(), _LONG.decode()),
]


async def test_an_interaction_that_cannot_be_understood_is_answered_200_kept_and_parked(bench: Bench) -> None:
    form: dict[str, str | None] = {"Content-Type": "application/x-www-form-urlencoded"}
    for payload in _ODD:
        assert await bench.post_signed_by_slack(urlencode({"payload": payload}).encode(), form) == 200, payload[:50]
    await bench.settle()

    rows = await bench.query("SELECT body, status FROM jobs WHERE kind = 'slack_event'")
    assert [(parse_qs(row["body"])["payload"], row["status"]) for row in rows] == [([odd], "parked") for odd in _ODD]


# ------------------------------------------------------------------------------------------------ the other addresses


async def test_other_requests_get_the_plain_answer(bench: Bench) -> None:
    for method, path, status in (
        ("GET", "/healthz", 200),
        ("GET", "/metrics", 200),
        ("GET", "/webhooks/telnyx", 405),
        ("GET", "/slack/events", 405),
        ("GET", "/slack/events/", 405),
        ("POST", "/healthz", 405),
        ("GET", "/", 404),
        ("GET", "/.env", 404),
    ):
        async with bench.http.request(method, f"{bench.url}{path}") as response:
            assert response.status == status, path


async def test_a_slash_too_many_in_the_address_that_a_platform_was_given_costs_no_text(bench: Bench) -> None:
    event = json.dumps(make_event({"type": "channel_rename"})).encode()
    timestamp = str(int(bench.clock.now().timestamp()))
    signed = {
        "X-Slack-Request-Timestamp": timestamp,
        "X-Slack-Signature": bench.slack.courier.sign(event, timestamp),
        "Content-Type": "application/json",
    }

    assert await bench.post_signed_by_telnyx(make_text("Hi"), query="/") == 200
    assert await bench.post_signed_by_telnyx(make_text("Hi again"), query="/?ref=1") == 200
    async with bench.http.post(f"{bench.url}/slack/events/", data=event, headers=signed) as response:
        assert response.status == 200

    assert await count_jobs(bench, "carrier_event") != {}
    assert await count_jobs(bench, "slack_event") != {}


async def is_ready(bench: Bench) -> dict[str, str] | None:
    """Return what `/readyz` says is wrong, None when it answers 200."""
    async with bench.http.get(f"{bench.url}/readyz") as response:
        said = await response.json()
        assert (response.status == 200) == said["ready"]
        return None if response.status == 200 else {part: word for part, word in said["parts"].items() if word != "ok"}


async def test_it_is_ready_when_database_slack_and_carrier_answer(bench: Bench) -> None:
    await bench.settle()
    await bench.wait_until(lambda: not any(bench.bridge.health.report().values()))

    assert await is_ready(bench) is None


async def test_it_is_not_ready_while_slack_refuses_the_token_and_is_again_when_that_ends(bench: Bench) -> None:
    await bench.wait_until(lambda: not any(bench.bridge.health.report().values()))
    bench.clock.set_rate(100)
    bench.slack.auth_error = "token_revoked"
    await bench.wait_until(lambda: bench.bridge.health.report()["slack"])

    assert (await is_ready(bench) or {}).keys() == {"slack"}

    bench.slack.auth_error = None
    await bench.wait_until(lambda: not any(bench.bridge.health.report().values()))
    assert await is_ready(bench) is None


async def test_the_figures_tell_what_came_and_how_it_was_answered(bench: Bench) -> None:
    await bench.open_thread("Hi")
    await bench.post_signed_by_telnyx(make_text(), {"telnyx-timestamp": None})

    async with bench.http.get(f"{bench.url}/metrics") as response:
        figures = await response.text()

    assert 'textbridge_received_total{source="telnyx",status="200"} 1.0' in figures
    assert 'textbridge_received_total{source="telnyx",status="401"} 1.0' in figures
    assert 'textbridge_texts_total{direction="inbound"} 1.0' in figures
    assert ANA not in figures


async def test_whoever_asks_is_told_within_seconds_that_a_platform_is_gone_and_that_it_is_back(bench: Bench) -> None:
    await bench.wait_until(lambda: not any(bench.bridge.health.report().values()))
    bench.slack.auth_error = "token_revoked"
    bench.clock.leap(timedelta(seconds=3))
    assert (await is_ready(bench) or {}).keys() == {"slack"}

    bench.slack.auth_error = None
    bench.clock.leap(timedelta(seconds=3))
    assert await is_ready(bench) is None


async def test_however_many_ask_the_platforms_are_asked_once_in_two_seconds(bench: Bench) -> None:
    await bench.wait_until(lambda: not any(bench.bridge.health.report().values()))
    before = bench.slack.count_calls()["auth.test"]
    for _ in range(20):
        await is_ready(bench)

    assert bench.slack.count_calls()["auth.test"] <= before + 2


async def test_a_platform_that_does_not_answer_is_told_as_such(bench: Bench) -> None:
    await bench.wait_until(lambda: not any(bench.bridge.health.report().values()))
    bench.fail(bench.slack, FaultKind.SLOW, "auth.test", seconds=2.3, times=1)
    bench.clock.leap(timedelta(seconds=3))
    assert await is_ready(bench) is None
    bench.clock.leap(timedelta(seconds=6))

    assert "no answer" in (await is_ready(bench) or {})["slack"]
    await bench.wait_until(lambda: bench.bridge.health.report()["slack"] is None)


async def test_readiness_tells_how_much_is_still_to_be_done(bench: Bench) -> None:
    bench.fail(bench.slack, FaultKind.RATE_LIMIT, "chat.postMessage", retry_after=3600)
    for number in range(3):
        await bench.text_in(f"Text {number}")
    await bench.settle()
    bench.clock.leap(timedelta(seconds=3))
    async with bench.http.get(f"{bench.url}/readyz") as response:
        backlog = (await response.json())["backlog"]

    assert backlog["unfinished"] == 3
    assert backlog["parked"] == 0
