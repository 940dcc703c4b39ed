"""Commands, presses, forms, shortcuts and response_url of the simulated Slack."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.sandbox.slack_sim import NotPossibleError
from tests.sandbox.slack_receiver import Bench, open_bench


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with open_bench() as opened:
        bench_app = opened.app
        opened.sim.courier.subscriptions = frozenset()  # no events here
        assert bench_app.requests == []
        yield opened


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


CHOICES = [{"text": plain("One"), "value": "1"}, {"text": plain("Two"), "value": "2"}]
ROW = {
    "type": "actions",
    "block_id": "row",
    "elements": [
        {"type": "button", "action_id": "go", "text": plain("Go"), "value": "v1", "style": "primary"},
        {"type": "static_select", "action_id": "pick", "options": CHOICES},
    ],
}
FORM = {
    "type": "modal",
    "callback_id": "new",
    "title": plain("New text"),
    "submit": plain("Send"),
    "private_metadata": "m",
    "notify_on_close": True,
    "blocks": [
        {
            "type": "input",
            "block_id": "to",
            "label": plain("To"),
            "element": {"type": "plain_text_input", "action_id": "number", "max_length": 12},
        },
        {
            "type": "input",
            "block_id": "from",
            "label": plain("From"),
            "optional": True,
            "element": {
                "type": "static_select",
                "action_id": "ours",
                "options": CHOICES,
                "initial_option": CHOICES[0],
            },
        },
        {
            "type": "input",
            "block_id": "who",
            "label": plain("Who"),
            "optional": True,
            "element": {"type": "external_select", "action_id": "contact", "min_query_length": 2},
        },
    ],
}


async def open_form(bench: Bench, view: dict[str, Any] | None = None) -> dict[str, Any]:
    """Let Ana ask for the form and return it."""
    await bench.sim.global_shortcut(bench.ana, "new_sms")
    trigger = bench.app.requests[-1].body["trigger_id"]
    answer = await bench.client.views_open(trigger_id=trigger, view=view or FORM)
    opened: dict[str, Any] = answer["view"]
    return opened


# ------------------------------------------------------------------------------------------------------------ commands


async def test_a_command_comes_as_form_fields_with_its_text_untouched(bench: Bench) -> None:
    text = "+14155550101 a & b <c> grüße"
    answer = await bench.sim.command(bench.ana, bench.channel, "/sms", text)
    assert answer.ok
    [request] = bench.app.requests
    assert request.genuine
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert set(request.body) == {
        "token", "team_id", "team_domain", "channel_id", "channel_name", "user_id", "user_name", "command", "text",
        "api_app_id", "is_enterprise_install", "response_url", "trigger_id",
    }  # fmt: skip
    assert (request.body["command"], request.body["text"]) == ("/sms", text)
    assert (request.body["user_id"], request.body["channel_id"]) == (bench.ana, bench.channel)
    assert bench.sim.ephemerals(bench.ana) == []


async def test_what_the_app_answers_to_a_command_is_shown(bench: Bench) -> None:
    said = {"response_type": "in_channel", "text": "for all"}
    bench.app.answers.extend([web.Response(text="just text"), web.json_response(said)])
    await bench.sim.command(bench.ana, bench.channel, "/sms", "x")
    assert [each["text"] for each in bench.sim.ephemerals(bench.ana)] == ["just text"]
    await bench.sim.command(bench.ana, bench.channel, "/sms", "x")
    assert [each["text"] for each in bench.sim.messages(bench.channel)] == ["for all"]


async def test_a_failed_command_is_not_retried_and_its_user_is_told(bench: Bench) -> None:
    bench.sim.courier.patience = timedelta(milliseconds=50)
    bench.app.answers.extend([web.Response(status=500), bench.app.hold])
    assert not (await bench.sim.command(bench.ana, bench.channel, "/sms", "x")).ok
    assert (await bench.sim.command(bench.ana, bench.channel, "/sms", "x")).reason == "http_timeout"
    assert len(bench.app.requests) == 2
    assert bench.sim.errors(bench.ana) == [
        '/sms failed with the error "dispatch_failed"',
        '/sms failed with the error "operation_timeout"',
    ]
    assert bench.sim.errors(bench.ben) == []


# ------------------------------------------------------------------------------------------------------------- presses


async def test_a_press_in_a_thread_says_where_who_and_what(bench: Bench) -> None:
    root = await bench.client.chat_postMessage(channel=bench.channel, text="root")
    posted = await bench.client.chat_postMessage(channel=bench.channel, text="x", blocks=[ROW], thread_ts=root["ts"])
    answer = await bench.sim.click(bench.ana, bench.channel, posted["ts"], "go")
    assert answer.ok
    body = bench.app.requests[-1].body
    assert set(body) == {
        "type", "team", "enterprise", "is_enterprise_install", "user", "api_app_id", "token", "container",
        "trigger_id", "channel", "state", "response_url", "actions", "message",
    }  # fmt: skip
    assert body["type"] == "block_actions"
    assert body["container"] == {
        "type": "message",
        "message_ts": posted["ts"],
        "channel_id": bench.channel,
        "is_ephemeral": False,
        "thread_ts": root["ts"],
    }
    [action] = body["actions"]
    assert (action["type"], action["action_id"], action["block_id"], action["value"]) == ("button", "go", "row", "v1")
    assert body["message"]["ts"] == posted["ts"]
    assert body["user"]["id"] == bench.ana
    await bench.sim.click(bench.ana, bench.channel, posted["ts"], "pick", value="2")
    [action] = bench.app.requests[-1].body["actions"]
    assert action["selected_option"] == CHOICES[1]


async def test_a_press_on_an_ephemeral_has_no_message(bench: Bench) -> None:
    shown = await bench.client.chat_postEphemeral(channel=bench.channel, user=bench.ana, text="x", blocks=[ROW])
    await bench.sim.click(bench.ana, bench.channel, shown["message_ts"], "go")
    body = bench.app.requests[-1].body
    assert body["container"]["is_ephemeral"] is True
    assert "message" not in body
    with pytest.raises(NotPossibleError, match="sees no message"):
        await bench.sim.click(bench.ben, bench.channel, shown["message_ts"], "go")
    with pytest.raises(NotPossibleError, match="no element"):
        await bench.sim.click(bench.ana, bench.channel, shown["message_ts"], "nonsense")


async def test_an_app_that_does_not_take_a_press_is_shown_as_not_responding(bench: Bench) -> None:
    posted = await bench.client.chat_postMessage(channel=bench.channel, text="x", blocks=[ROW])
    bench.app.answers.append(web.Response(status=404))
    answer = await bench.sim.click(bench.ana, bench.channel, posted["ts"], "go")
    assert (answer.status, answer.reason) == (404, "http_error")
    assert bench.sim.errors(bench.ana) == [answer.shown]


async def test_a_message_shortcut_carries_its_message(bench: Bench) -> None:
    ts = await bench.sim.post(bench.ana, bench.channel, "again please")
    await bench.sim.shortcut(bench.ben, bench.channel, ts, "resend_sms")
    body = bench.app.requests[-1].body
    assert (body["type"], body["callback_id"], body["message_ts"]) == ("message_action", "resend_sms", ts)
    assert (body["message"]["text"], body["user"]["id"]) == ("again please", bench.ben)
    assert "response_url" in body
    await bench.sim.global_shortcut(bench.ben, "new_sms")
    assert "response_url" not in bench.app.requests[-1].body


# --------------------------------------------------------------------------------------------------------- response_url


async def take_response_url(bench: Bench) -> AsyncWebhookClient:
    """Let Ana type a command and return Slack's own client for answering it later."""
    await bench.sim.command(bench.ana, bench.channel, "/sms", "x")
    url = bench.app.requests[-1].body["response_url"]
    return AsyncWebhookClient(url, session=bench.session, retry_handlers=[])


async def test_a_response_url_works_five_times_within_thirty_minutes(bench: Bench) -> None:
    respond = await take_response_url(bench)
    assert [(await respond.send(text=str(number))).status_code for number in range(6)] == [200] * 5 + [404]
    assert [each["text"] for each in bench.sim.ephemerals(bench.ana)] == ["0", "1", "2", "3", "4"]
    late = await take_response_url(bench)
    await bench.clock.advance(timedelta(minutes=30, seconds=1))
    answer = await late.send(text="too late")
    assert (answer.status_code, "expired_url" in answer.body) == (404, True)


async def test_a_response_may_be_for_all_and_in_a_thread(bench: Bench) -> None:
    root = await bench.client.chat_postMessage(channel=bench.channel, text="root")
    respond = await take_response_url(bench)
    await respond.send_dict({"text": "hi", "response_type": "in_channel", "thread_ts": root["ts"]})
    assert [each["text"] for each in bench.sim.thread(bench.channel, root["ts"])] == ["root", "hi"]
    assert (await respond.send_dict({"text": ""})).status_code == 400


async def test_a_response_replaces_or_deletes_what_was_pressed(bench: Bench) -> None:
    posted = await bench.client.chat_postMessage(channel=bench.channel, text="x", blocks=[ROW])
    shown = await bench.client.chat_postEphemeral(channel=bench.channel, user=bench.ana, text="y", blocks=[ROW])
    reads: list[tuple[str, Callable[[], list[str]]]] = [
        (posted["ts"], lambda: [each["text"] for each in bench.sim.messages(bench.channel)]),
        (shown["message_ts"], lambda: [each["text"] for each in bench.sim.ephemerals(bench.ana)]),
    ]
    for ts, read in reads:
        await bench.sim.click(bench.ana, bench.channel, ts, "go")
        url = bench.app.requests[-1].body["response_url"]
        respond = AsyncWebhookClient(url, session=bench.session, retry_handlers=[])
        await respond.send(text="done", replace_original=True)
        assert read() == ["done"]
        await respond.send(delete_original=True)
        assert read() == []


# --------------------------------------------------------------------------------------------------------------- modals


async def test_a_form_is_opened_filled_in_and_submitted(bench: Bench) -> None:
    view = await open_form(bench)
    assert view["state"] == {"values": {}}
    assert view["root_view_id"] == view["id"]
    [shown] = bench.sim.views(bench.ana)
    assert shown == view
    answer = await bench.sim.submit_view(bench.ana, view["id"], {"to": "+14155550101", "from": "2"})
    assert answer.ok
    body = bench.app.requests[-1].body
    assert body["type"] == "view_submission"
    assert body["view"]["state"]["values"] == {
        "to": {"number": {"type": "plain_text_input", "value": "+14155550101"}},
        "from": {"ours": {"type": "static_select", "selected_option": CHOICES[1]}},
        "who": {"contact": {"type": "external_select", "selected_option": None}},
    }
    assert (body["view"]["private_metadata"], body["view"]["callback_id"]) == ("m", "new")
    assert bench.sim.views(bench.ana) == []


async def test_slacks_client_sends_no_incomplete_form(bench: Bench) -> None:
    view = await open_form(bench)
    before = len(bench.app.requests)
    empty = await bench.sim.submit_view(bench.ana, view["id"])
    long = await bench.sim.submit_view(bench.ana, view["id"], {"to": "x" * 13})
    assert (set(empty.errors), set(long.errors), len(bench.app.requests)) == ({"to"}, {"to"}, before)
    assert len(bench.sim.views(bench.ana)) == 1


async def test_the_answer_to_a_submission_may_show_errors_update_push_or_clear(bench: Bench) -> None:
    view = await open_form(bench)
    other = FORM | {"title": plain("Other")}
    for said in (
        {"response_action": "errors", "errors": {"to": "not a number"}},
        {"response_action": "update", "view": other},
        {"response_action": "push", "view": FORM},
    ):
        bench.app.answers.append(web.json_response(said))
        answer = await bench.sim.submit_view(bench.ana, view["id"], {"to": "1"})
        assert answer.errors == said.get("errors", {})
    below, top = bench.sim.views(bench.ana)
    assert (below["id"], below["title"]["text"]) == (view["id"], "Other")
    assert (top["previous_view_id"], top["root_view_id"]) == (view["id"], view["id"])
    bench.app.answers.append(web.json_response({"response_action": "clear"}))
    await bench.sim.submit_view(bench.ana, top["id"], {"to": "1"})
    assert bench.sim.views(bench.ana) == []


@pytest.mark.parametrize(
    "said",
    [
        {"response_action": "errors", "errors": {"nonsense": "x"}},
        {"response_action": "update", "view": {"type": "modal"}},
    ],
)
async def test_an_answer_that_slack_cannot_follow_is_shown_as_trouble(bench: Bench, said: dict[str, Any]) -> None:
    view = await open_form(bench)
    bench.app.answers.append(web.json_response(said))
    answer = await bench.sim.submit_view(bench.ana, view["id"], {"to": "1"})
    assert answer.shown == "We had some trouble connecting. Try again?"
    assert bench.sim.errors(bench.ana) == [answer.shown]
    assert len(bench.sim.views(bench.ana)) == 1


async def test_a_trigger_opens_one_view_within_three_seconds(bench: Bench) -> None:
    await bench.sim.global_shortcut(bench.ana, "new_sms")
    trigger = bench.app.requests[-1].body["trigger_id"]
    open_it = bench.client.views_open
    assert (await open_it(trigger_id=trigger, view=FORM))["ok"]
    assert await bench.get_error(open_it(trigger_id=trigger, view=FORM)) == "exchanged_trigger_id"
    await bench.sim.global_shortcut(bench.ana, "new_sms")
    await bench.clock.advance(timedelta(seconds=3, milliseconds=1))
    late = bench.app.requests[-1].body["trigger_id"]
    assert await bench.get_error(open_it(trigger_id=late, view=FORM)) == "expired_trigger_id"
    assert await bench.get_error(open_it(trigger_id="1.2.x", view=FORM)) == "invalid_trigger_id"


async def test_at_most_three_views_stand_over_one_another(bench: Bench) -> None:
    view = await open_form(bench)
    errors: list[str | None] = []
    for _ in range(3):
        await bench.sim.submit_view(bench.ana, bench.sim.views(bench.ana)[-1]["id"])  # incomplete: stays open
        await bench.sim.global_shortcut(bench.ana, "more")
        push = bench.client.views_push(trigger_id=bench.app.requests[-1].body["trigger_id"], view=FORM)
        errors.append(await bench.get_error(push) if len(errors) == 2 else (await push).get("error"))
    assert errors == [None, None, "push_limit_reached"]
    assert [each["root_view_id"] for each in bench.sim.views(bench.ana)] == [view["id"]] * 3


async def test_a_view_is_updated_under_its_hash(bench: Bench) -> None:
    view = await open_form(bench)
    update = bench.client.views_update
    changed = await update(view_id=view["id"], hash=view["hash"], view=FORM | {"title": plain("Later")})
    assert changed["view"]["id"] == view["id"]
    assert bench.sim.views(bench.ana)[0]["title"]["text"] == "Later"
    assert await bench.get_error(update(view_id=view["id"], hash=view["hash"], view=FORM)) == "hash_conflict"
    assert await bench.get_error(update(view_id="V404", view=FORM)) == "not_found"


async def test_a_view_beyond_slacks_limits_is_refused_before_its_trigger_is_spent(bench: Bench) -> None:
    await bench.sim.global_shortcut(bench.ana, "new_sms")
    trigger = bench.app.requests[-1].body["trigger_id"]
    for wrong in (
        FORM | {"title": plain("x" * 25)},
        FORM | {"private_metadata": "x" * 3001},
        {key: value for key, value in FORM.items() if key != "submit"},
        FORM | {"blocks": [{"type": "divider"}] * 101},
    ):
        call = bench.client.views_open(trigger_id=trigger, view=wrong)
        assert await bench.get_error(call) == "invalid_arguments"
    assert (await bench.client.views_open(trigger_id=trigger, view=FORM))["ok"]


async def test_closing_is_told_where_the_view_asks_for_it(bench: Bench) -> None:
    await open_form(bench)
    await bench.sim.close_view(bench.ana)
    assert bench.app.requests[-1].body["type"] == "view_closed"
    assert bench.app.requests[-1].body["is_cleared"] is False
    await open_form(bench, FORM | {"notify_on_close": False})
    before = len(bench.app.requests)
    assert await bench.sim.close_view(bench.ana) is None
    assert (len(bench.app.requests), bench.sim.views(bench.ana)) == (before, [])


async def test_a_select_that_the_app_fills_asks_for_its_options(bench: Bench) -> None:
    view = await open_form(bench)
    bench.app.answers.append(web.json_response({"options": CHOICES}))
    answer = await bench.sim.options(bench.ana, view["id"], "contact", "an")
    assert answer.body == {"options": CHOICES}
    body = bench.app.requests[-1].body
    assert (body["type"], body["action_id"], body["block_id"], body["value"]) == (
        "block_suggestion",
        "contact",
        "who",
        "an",
    )
    assert (await bench.sim.options(bench.ana, view["id"], "contact", "a")).reason == "too_short"


async def test_the_home_tab_is_published_opened_and_used(bench: Bench) -> None:
    bench.sim.courier.subscriptions = None
    home = {"type": "home", "blocks": [ROW]}
    first = await bench.client.views_publish(user_id=bench.ana, view=home)
    second = await bench.client.views_publish(user_id=bench.ana, view=home, hash=first["view"]["hash"])
    assert second["view"]["id"] == first["view"]["id"]
    stale = bench.client.views_publish(user_id=bench.ana, view=home, hash=first["view"]["hash"])
    assert await bench.get_error(stale) == "hash_conflict"
    await bench.sim.open_home(bench.ana)
    await bench.sim.settle()
    assert bench.app.events("app_home_opened")[0]["view"]["id"] == first["view"]["id"]
    await bench.sim.click_in_view(bench.ana, first["view"]["id"], "pick", value="1")
    body = bench.app.requests[-1].body
    assert (body["container"], body["actions"][0]["selected_option"]) == (
        {"type": "view", "view_id": first["view"]["id"]},
        CHOICES[0],
    )
    assert body["view"]["state"]["values"]["row"]["pick"]["selected_option"] == CHOICES[0]
    assert bench.sim.home(bench.ben) is None
