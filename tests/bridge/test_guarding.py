"""No one gets in: who may text, what replays do, and what customers' words can and cannot do."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from nacl.signing import SigningKey

from bot.sandbox.faults import FaultKind
from tests.bridge.events import make_event, make_reply, make_text
from tests.bridge.harness import ANA, BEN, CHANNEL, OURS, SIGNING_SECRET, Bench, open_bench

_FORM: dict[str, str | None] = {"Content-Type": "application/x-www-form-urlencoded"}

# ------------------------------------------------------------------------------------------------------- who may text

_OUTSIDE: dict[str, dict[str, Any]] = {
    "guest": {"restricted": True},
    "guest of one channel": {"ultra_restricted": True},
    "person of another organisation": {"stranger": True},
}


@pytest.mark.parametrize("kind", _OUTSIDE.values(), ids=_OUTSIDE.keys())
async def test_nothing_goes_out_from_a(kind: dict[str, Any], bench: Bench) -> None:
    """By reply, command, form, schedule, opt-out or button."""
    root = await bench.open_thread("please stop texting me")
    card = bench.slack.thread(CHANNEL, root)[-1]
    outsider = bench.slack.add_user("mallory", **kind)

    ts = await bench.reply("Hello", root, user=outsider)
    assert "Only full members" in await bench.command("/sms", "4155550102 Hello", user=outsider)
    assert "Only full members" in await bench.command("/schedule", "4155550102 in 2 hours Hello", user=outsider)
    assert "Only full members" in await bench.command("/optouts", "add 4155550102 why not", user=outsider)
    assert "Only full members" in await bench.click(card, "Opt them out", user=outsider)
    await bench.command("/sms", user=outsider)
    for view in bench.slack.views(outsider):
        answer = await bench.slack.submit_view(outsider, view["id"], {"to": BEN, "text0": "Hello"})
        assert "Only full members" in str(answer.errors)
    await bench.pass_time(timedelta(hours=3))

    assert bench.telnyx.sends == []
    assert bench.marks(ts) == {"no_entry"}
    assert bench.whispers("Only full members", user=outsider)
    assert "Nobody has opted out" in await bench.command("/optouts")


async def test_somebody_who_left_the_company_cannot_text(bench: Bench) -> None:
    root = await bench.open_thread()
    bench.slack.workspace.users[bench.alice].deleted = True
    event = make_reply(bench.alice, "Hi", root)
    await bench.post_signed_by_slack({"type": "event_callback", "event_id": "Ev1", "event": event})
    await bench.settle()

    assert bench.telnyx.sends == []


async def test_a_reply_from_another_workspace_is_not_sent_though_its_event_bears_that_workspaces_id(
    bench: Bench,
) -> None:
    """In a shared channel the callback's own `team_id` may be theirs; who we are, only `auth.test` says."""
    root = await bench.open_thread()
    event = make_reply(bench.alice, "Hi", root) | {"user_team": "T0OTHER", "source_team": "T0OTHER"}
    await bench.post_signed_by_slack({**make_event(event), "team_id": "T0OTHER"})
    await bench.settle()

    assert bench.telnyx.sends == []
    assert bench.whispers("Only full members", user=bench.alice)


async def test_a_guest_may_still_write_notes(bench: Bench) -> None:
    root = await bench.open_thread()
    guest = bench.slack.add_user("guest", restricted=True)
    ts = await bench.reply("note: call them", root, user=guest)
    await bench.settle()

    assert bench.marks(ts) == {"memo"}


async def test_another_persons_question_is_not_mine_to_answer() -> None:
    async with open_bench(thread_mode="confirm") as bench:
        root = await bench.open_thread()
        await bench.reply("Hello", root)
        await bench.settle()
        (question,) = bench.whispers("Send this")
        bob = bench.slack.add_user("bob")
        action = question["blocks"][-1]["elements"][0]
        payload = {
            "type": "block_actions",
            "team": {"id": "T0SANDBOX1"},
            "user": {"id": bob},
            "trigger_id": "9.9",
            "actions": [{**action, "block_id": "b"}],
        }
        assert await bench.post_signed_by_slack(urlencode({"payload": json.dumps(payload)}).encode(), _FORM) == 200
        await bench.settle()

        assert bench.telnyx.sends == []


@pytest.mark.parametrize("action", ["send", "keep", "send_now", "check", "send_again", "opt_out", "cancel_schedule"])
async def test_a_button_of_ours_with_a_made_up_value_does_nothing(action: str, bench: Bench) -> None:
    await bench.open_thread()
    payload = {
        "type": "block_actions",
        "team": {"id": "T0SANDBOX1"},
        "user": {"id": bench.alice},
        "trigger_id": "9.9",
        "actions": [{"type": "button", "action_id": action, "block_id": "b", "value": "' OR 1=1 --"}],
    }
    assert await bench.post_signed_by_slack(urlencode({"payload": json.dumps(payload)}).encode(), _FORM) == 200
    await bench.settle()

    assert bench.telnyx.sends == []


# --------------------------------------------------------------------------------------------------------- replays


async def test_a_command_that_is_replayed_sends_nothing_more(bench: Bench) -> None:
    fields = {
        "command": "/sms",
        "text": "4155550101 Only once",
        "user_id": bench.alice,
        "team_id": "T0SANDBOX1",
        "channel_id": CHANNEL,
        "trigger_id": "1.2.abc",
        "response_url": f"{bench.slack.base_url}/response/x",
    }
    body = urlencode(fields).encode()
    for _ in range(3):
        assert await bench.post_signed_by_slack(body, _FORM) == 200
    await bench.settle()

    assert bench.phone() == ["Only once"]


async def test_a_scheduling_command_that_is_replayed_schedules_nothing_more(bench: Bench) -> None:
    fields = {
        "command": "/schedule",
        "text": "4155550101 in 2 hours Only once",
        "user_id": bench.alice,
        "team_id": "T0SANDBOX1",
        "channel_id": CHANNEL,
        "trigger_id": "1.2.abc",
    }
    for _ in range(3):
        assert await bench.post_signed_by_slack(urlencode(fields).encode(), _FORM) == 200
    await bench.settle()

    assert len(bench.telnyx.sends) == 1


async def test_of_two_commands_under_one_trigger_none_passes_for_the_other(bench: Bench) -> None:
    """Slack gives each a trigger of its own; an answer must not say that something is on its way which is not."""
    fields = {"command": "/sms", "user_id": bench.alice, "team_id": "T0SANDBOX1", "trigger_id": "1.2.abc"}
    for text in ("First", "Second"):
        body = urlencode({**fields, "channel_id": CHANNEL, "text": f"4155550101 {text}"}).encode()
        assert await bench.post_signed_by_slack(body, _FORM) == 200
    await bench.settle()

    assert bench.phone() == ["First", "Second"]


async def submit_text(bench: Bench, view: dict[str, Any], text: str) -> None:
    """Let Slack tell that Alice submits the form *view* with *text* to Ana, whether or not it is still open."""
    state = {"to": {"to": {"value": ANA}}, "text0": {"count_parts": {"value": text}}}
    payload = {
        "type": "view_submission",
        "team": {"id": "T0SANDBOX1"},
        "user": {"id": bench.alice},
        "trigger_id": "9.9",
        "view": {**view, "state": {"values": state}},
    }
    assert await bench.post_signed_by_slack(urlencode({"payload": json.dumps(payload)}).encode(), _FORM) == 200


async def test_a_form_that_is_submitted_again_with_other_words_sends_those(bench: Bench) -> None:
    """Slack lets whoever it told of a failure press the button again, and change something first."""
    await bench.command("/sms")
    (view,) = bench.slack.views(bench.alice)
    for text in ("First", "Second", "Second"):
        await submit_text(bench, view, text)
    await bench.settle()

    assert bench.phone() == ["First", "Second"]


async def test_a_form_that_is_submitted_twice_sends_once(bench: Bench) -> None:
    await bench.command("/sms")
    (view,) = bench.slack.views(bench.alice)
    await bench.slack.submit_view(bench.alice, view["id"], {"to": ANA, "text0": "Only once"})
    await submit_text(bench, view, "Only once")
    await bench.settle()

    assert bench.phone() == ["Only once"]


async def test_a_command_that_is_replayed_does_nothing_even_where_doing_it_again_would_undo_something(
    bench: Bench,
) -> None:
    """It lifted nothing when it was given; what was set since must stay, also after a restart."""
    fields = {"command": "/optouts", "text": "remove 4155550101", "user_id": bench.alice, "team_id": "T0SANDBOX1"}
    body = urlencode({**fields, "channel_id": CHANNEL, "trigger_id": "1.2.abc"}).encode()
    timestamp = str(int(bench.clock.now().timestamp()))
    signed = {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": bench.slack.courier.sign(body, timestamp)}
    assert await bench.post_signed_by_slack(body, {**_FORM, **signed}) == 200
    await bench.command("/optouts", "add 4155550101 asked us on the phone")

    assert await bench.post_signed_by_slack(body, {**_FORM, **signed}) == 200
    await bench.restart()
    assert await bench.post_signed_by_slack(body, {**_FORM, **signed}) == 200

    assert "has *opted out*" in await bench.command("/optouts", "4155550101")


async def test_a_click_that_is_replayed_does_nothing(bench: Bench) -> None:
    root = await bench.open_thread("please stop texting me")
    card = bench.slack.thread(CHANNEL, root)[-1]
    (button,) = [element for block in card["blocks"] for element in block.get("elements", []) if "value" in element]
    payload = {
        "type": "block_actions",
        "team": {"id": "T0SANDBOX1"},
        "user": {"id": bench.alice},
        "trigger_id": "9.9",
        "actions": [{**button, "block_id": "b"}],
    }
    body = urlencode({"payload": json.dumps(payload)}).encode()
    timestamp = str(int(bench.clock.now().timestamp()))
    signed = {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": bench.slack.courier.sign(body, timestamp)}
    assert await bench.post_signed_by_slack(body, {**_FORM, **signed}) == 200
    assert "can be texted again" in await bench.command("/optouts", "remove 4155550101")

    assert await bench.post_signed_by_slack(body, {**_FORM, **signed}) == 200
    await bench.settle()

    assert "can be texted" in await bench.command("/optouts", "4155550101")


async def test_a_webhook_that_is_replayed_is_shown_once(bench: Bench) -> None:
    for named in (make_text("Only once"), {"data": {**make_text("No id")["data"], "id": None}}):
        body = json.dumps(named).encode()
        headers = dict(bench.telnyx.sign(body))
        for _ in range(3):
            assert await bench.post_signed_by_telnyx(body, headers) == 200
    await bench.settle()

    assert len(bench.shown("Only once")) == 1


async def test_while_secrets_are_changed_both_are_good_and_a_third_is_not() -> None:
    old = SigningKey(bytes(32))
    both = f"{base64.b64encode(bytes(old.verify_key)).decode()}, "
    async with open_bench(slack_signing_secret=f"the-new-one,{SIGNING_SECRET}") as bench:
        keys = both + bench.telnyx.public_key
        bench.settings = replace(bench.settings, telnyx_public_key=keys)
        await bench.restart()
        body = json.dumps(make_text()).encode()
        timestamp = str(int(bench.clock.now().timestamp()))
        for key, status in ((old, 200), (SigningKey(b"3" * 32), 401)):
            signature = base64.b64encode(key.sign(timestamp.encode() + b"|" + body).signature).decode()
            changes: dict[str, str | None] = {
                "telnyx-timestamp": timestamp, "telnyx-signature-ed25519": signature
            }  # fmt: skip
            assert await bench.post_signed_by_telnyx(body, changes) == status
        assert await bench.post_signed_by_telnyx(make_text("Hello")) == 200

        event = json.dumps(make_event({"type": "channel_rename"})).encode()
        for secret, status in (("the-new-one", 200), (SIGNING_SECRET, 200), ("a-third", 401)):
            signed = f"v0:{timestamp}:".encode() + event
            digest = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
            slack = {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": f"v0={digest}"}
            assert await bench.post_signed_by_slack(event, slack) == status


async def test_a_receipt_signed_for_another_time_is_refused_even_if_it_was_good_once(bench: Bench) -> None:
    body = json.dumps({"data": {"event_type": "message.received", "id": "1", "payload": {}}}).encode()
    headers = bench.telnyx.sign(body)
    assert await bench.post_signed_by_telnyx(body, dict(headers)) == 200
    bench.clock.leap(timedelta(minutes=6))

    assert await bench.post_signed_by_telnyx(body, dict(headers)) == 401


# ------------------------------------------------------------------------------------------------ customers' words

_NASTY = [
    "<!channel> <!here> <!everyone>",
    "<@U000000001> @channel @here",
    "<https://evil.example|your bank>",
    "*bold* _italic_ ~gone~ `code` ```block```",
    "> quoted\n• listed",
    ":tada: :x:",
    "&lt;!channel&gt; &amp;",
    "<#C0TEXTS> <!subteam^S123> <!date^1^{date}|x>",
    "mailto:a@b.example https://unfurl.example",
    "\u202egnp.exe",
    "half \ud83d a pair",
    "nul \x00 byte",
]


async def test_customers_words_stand_exactly_as_sent_and_bring_nothing_to_life(bench: Bench) -> None:
    for words in _NASTY:
        await bench.text_in(words.replace("\ud83d", "\ufffd"))
        await bench.settle()

    posts = [call.params for call in bench.slack.calls if call.method == "chat.postMessage"]
    assert len(posts) == len(_NASTY)
    for words, post in zip(_NASTY, posts, strict=True):
        seen = words.replace("\ud83d", "\ufffd").replace("\x00", "\ufffd")
        escaped = seen.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        assert post["text"].endswith(escaped)
        assert not re.search(r"<[@!#]", post["text"])
        (rich,) = [block for block in post["blocks"] if block["type"] == "rich_text"]
        assert rich["elements"] == [{"type": "rich_text_section", "elements": [{"type": "text", "text": seen}]}]
        assert str(post["unfurl_links"]).lower() in {"false", "0"}
        assert str(post["unfurl_media"]).lower() in {"false", "0"}
        assert str(post["mrkdwn"]).lower() in {"false", "0"}
        assert post["parse"] == "none"


async def test_customers_words_in_lines_of_ours_bring_nothing_to_life_either(bench: Bench) -> None:
    """In the lines that tell of an opt-out, and in the list of those."""
    root = await bench.open_thread()
    await bench.text_in("*STOP* <!channel>")
    await bench.text_in("~STOP~")
    await bench.settle()
    shown = bench.thread(root)[-1] + await bench.command("/optouts") + await bench.command("/optouts", "4155550101")

    assert "<!channel" not in shown
    assert "~STOP~" not in shown


async def test_what_a_teammate_quotes_back_to_themselves_brings_nothing_to_life(bench: Bench) -> None:
    answer = await bench.command("/sms", "4155550101 <!channel> & *bold*")
    scheduled = await bench.command("/schedule", "4155550101 in 2 hours <!channel>")
    listed = await bench.command("/schedule", "list")
    wrong = await bench.command("/sms", "<!channel>")

    for words in (answer, scheduled, listed, wrong):
        assert "<!channel" not in words


async def test_a_long_text_goes_on_in_the_next_messages_in_order_and_whole(bench: Bench) -> None:
    words = "".join(f"Sentence number {number} of a very long letter. " for number in range(300))
    root = await bench.open_thread("First")
    await bench.text_in(words)
    await bench.text_in("Last")
    await bench.settle()

    replies = bench.slack.thread(CHANNEL, root)[1:]
    parts = [
        "".join(
            element["text"]
            for block in reply["blocks"]
            for section in block["elements"]
            for element in section["elements"]
        )
        for reply in replies
    ]
    assert len(parts) >= 4
    assert all(len(part) <= 4000 for part in parts)
    assert "".join(parts[:-1]) == words
    assert parts[-1] == "Last"


async def test_a_first_text_that_is_long_opens_one_thread(bench: Bench) -> None:
    await bench.text_in("x" * 9000)
    await bench.settle()

    (root,) = bench.slack.messages(CHANNEL)
    assert len(bench.thread(root["ts"])) == 3


@pytest.mark.parametrize("words", ["", None, "   ", "\n"])
async def test_a_text_without_words_is_shown_as_such(words: str | None, bench: Bench) -> None:
    await bench.text_in(words)
    await bench.settle()

    (root,) = bench.slack.messages(CHANNEL)
    assert "empty text" in root["text"]


@pytest.mark.parametrize("sender", ["72975", "Telnyx", "MY BANK", "+442071838750", "+18005550199", "anonymous"])
async def test_a_text_is_taken_from_whatever_sender_the_carrier_names(sender: str, bench: Bench) -> None:
    event = make_text("Your code is 1234")
    event["data"]["payload"]["from"] = {"phone_number": sender}
    await bench.post_signed_by_telnyx(event)
    await bench.settle()

    (root,) = bench.slack.messages(CHANNEL)
    assert sender in root["text"]


# ------------------------------------------------------------------------------------------------------------- the log


async def test_no_number_and_no_text_is_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """A whole day: texts, replies, commands, schedules, failures, opt-outs, forgeries and rubbish."""
    from bot.observe import _JsonFormatter, _TextFormatter

    caplog.set_level(logging.INFO)
    secret = "Xylophone-lessons"
    async with open_bench(send_hold_seconds=1) as bench:
        bench.clock.set_rate(20)
        root = await bench.open_thread(f"Hi {secret}")
        bench.fail(bench.telnyx, FaultKind.RATE_LIMIT, "POST /messages", times=1)
        bench.fail(bench.slack, FaultKind.DROP_ANSWER, "chat.postMessage", times=1)
        ts = await bench.reply(f"Hello {secret}", root)
        await bench.wait_mark(ts, "white_check_mark")
        await bench.reply(f"note: {secret}", root)
        await bench.slack.edit(bench.alice, CHANNEL, ts, f"Hallo {secret}")
        await bench.settle()
        await bench.command("/sms", f"4155550102 {secret}")
        await bench.command("/sms", f"415555 {secret}")
        await bench.command("/schedule", f"4155550102 in 2 hours {secret}")
        await bench.command("/optouts", f"add 4155550103 {secret}")
        await bench.command("/optouts")
        bench.telnyx.block(sender=OURS, person=BEN)
        await bench.command("/sms", f"4155550102 {secret}")
        strange = {"event_type": "message.received", "id": ANA, "payload": {"from": ANA, "text": secret}}
        await bench.post_signed_by_telnyx({"data": strange})
        await bench.post_signed_by_telnyx({"data": secret}, {"telnyx-timestamp": "1"})
        await bench.post_signed_by_slack({"event": secret, "user": ANA}, {"X-Slack-Signature": "v0=00"})
        await bench.post_signed_by_slack({"event": {"type": "message", "text": secret, "channel": 5}})
        await bench.text_in("STOP")
        await bench.settle()

    assert len(caplog.records) > 10
    formatters = (_TextFormatter(), _JsonFormatter())
    lines = [formatter.format(record) for record in caplog.records for formatter in formatters]
    for line in lines:
        assert secret not in line
        assert not re.search(r"(?:\+?1)?(?:415|312)[-). ]*555", line), line
    for hidden in ("xoxb-made-up", "made-up-signing", "KEYmade-up"):
        assert not any(hidden in line for line in lines)
