"""
`app.yaml` asks Slack for exactly what the program serves: its commands, shortcuts, events, and the methods it calls.

Everything is derived from the code, so that a new command, event or call that the manifest does not know fails here and
not in somebody's workspace. The manifest's own form is `test_manifest.py`'s.
"""

from __future__ import annotations

import ast
import inspect
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import yaml
from slack_bolt import BoltResponse
from slack_bolt.async_app import AsyncApp, AsyncBoltRequest
from slack_sdk.web.async_client import AsyncWebClient

from bot.app import open_bridge
from bot.domain.slack_events import HANDLED_EVENTS, NotForUs, read_slack_event
from bot.settings import read_settings
from handlers.commands import COMMANDS
from handlers.listeners import MARK_AS_NOTE_SHORTCUT, SEND_AS_TEXT_SHORTCUT
from handlers.modals import NEW_TEXT_SHORTCUT

ROOT = Path(__file__).resolve().parents[2]
MANIFEST: dict[str, Any] = yaml.safe_load((ROOT / "app.yaml").read_text("utf-8"))
FEATURES = MANIFEST["features"]
EVENTS: set[str] = set(MANIFEST["settings"]["event_subscriptions"]["bot_events"])
SCOPES: set[str] = set(MANIFEST["oauth_config"]["scopes"]["bot"])

#: Events that are subscribed to, stored, counted in `textbridge_events` and else passed over, each with its reason.
ONLY_COUNTED = {
    "app_uninstalled": "the token's checks say so in /readyz; the count says when",
    "tokens_revoked": "likewise",
    "channel_rename": "channels are known by their ids; names are asked for anew every few minutes",
    "group_rename": "likewise",
    "channel_unarchive": "a post that waits for its channel is tried again by itself",
    "group_unarchive": "likewise",
    "member_joined_channel": "likewise, when it is the bot that joined",
    "member_left_channel": "the next post finds out by its refusal, and joins again or moves",
    "reaction_removed": "taking one's ❌ back does not send: what was taken back stays so",
}

#: An event of each type that does something, with no more in it than it takes.
SAMPLES: dict[str, dict[str, Any]] = {
    "message.channels": {"type": "message", "channel": "C1", "user": "U1", "ts": "2.0", "thread_ts": "1.0"},
    "message.groups": {"type": "message", "channel": "G1", "user": "U1", "ts": "2.0", "thread_ts": "1.0"},
    "reaction_added": {
        "type": "reaction_added",
        "user": "U1",
        "reaction": "x",
        "item": {"type": "message", "channel": "C1", "ts": "2.0"},
    },
    "channel_archive": {"type": "channel_archive", "channel": "C1"},
    "channel_deleted": {"type": "channel_deleted", "channel": "C1"},
    "group_archive": {"type": "group_archive", "channel": "G1"},
    "group_deleted": {"type": "group_deleted", "channel": "G1"},
    "app_home_opened": {"type": "app_home_opened", "user": "U1", "tab": "home"},
}

#: The scopes that each method of the Web API needs in channels of both kinds (docs.slack.dev/reference/methods).
SCOPES_OF_METHOD: dict[str, set[str]] = {
    "auth.test": set(),
    "chat.delete": {"chat:write"},
    "chat.getPermalink": set(),
    "chat.postEphemeral": {"chat:write"},
    "chat.postMessage": {"chat:write"},
    "chat.update": {"chat:write"},
    "conversations.history": {"channels:history", "groups:history"},
    "conversations.info": {"channels:read", "groups:read"},
    "conversations.join": {"channels:join"},
    "conversations.members": {"channels:read", "groups:read"},
    "conversations.replies": {"channels:history", "groups:history"},
    "files.completeUploadExternal": {"files:write"},
    "files.delete": {"files:write"},
    "files.getUploadURLExternal": {"files:write"},
    "files.info": {"files:read"},
    "reactions.add": {"reactions:write"},
    "reactions.get": {"reactions:read"},
    "reactions.remove": {"reactions:write"},
    "usergroups.list": {"usergroups:read"},
    "usergroups.users.list": {"usergroups:read"},
    "users.info": {"users:read"},
    "views.open": set(),
    "views.push": set(),
    "views.publish": set(),
    "views.update": set(),
}


def find_sources() -> Iterator[Path]:
    """Yield every Python file of the program but the simulators, which are Slack and do not call it."""
    for folder in ("bot", "handlers"):
        yield from (path for path in sorted((ROOT / folder).rglob("*.py")) if "sandbox" not in path.parts)


def find_client_methods() -> dict[str, str]:
    """Return the Web API's method behind each of the SDK's, such as chat.postMessage behind chat_postMessage."""
    found: dict[str, str] = {}
    for name, function in inspect.getmembers(AsyncWebClient, inspect.isfunction):
        called = re.findall(r'api_call\(\s*"([a-zA-Z.]+)"', inspect.getsource(function))
        if len(called) == 1 and not name.startswith("_"):
            found[name] = called[0]
    return found


def find_called_methods() -> dict[str, str]:
    """Return every method of the Web API that the program calls, with a place where it does."""
    known = find_client_methods()
    called: dict[str, str] = {}
    for path in find_sources():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            place = f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"
            if isinstance(node, ast.Attribute) and node.attr in known and _is_client(node.value):
                called.setdefault(known[node.attr], place)
            elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                name = node.args[0].value
                if name in known.values():
                    called.setdefault(str(name), place)
    return called


def _is_client(node: ast.expr) -> bool:
    return "client" in (_name_of(node) or "") or "slack" in (_name_of(node) or "")


def _name_of(node: ast.expr) -> str | None:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else None


CALLED = find_called_methods()


@pytest.fixture
async def bolt(tmp_path: Path) -> Any:
    """Return the slack-bolt app that serves the program's `/slack/events`, with every listener on it."""
    settings = read_settings(
        {
            "slack_bot_token": "xoxb-1",
            "slack_signing_secret": "secret",
            "slack_channel": "C0123456789",
            "telnyx_api_key": "KEY1",
            "telnyx_public_key": "A" * 43 + "=",
            "telnyx_phone_number": "+13125550100",
            "telnyx_api_url": "http://127.0.0.1:9/v2",  # where nobody listens: a flow may ask what the account has
            "slack_api_url": "http://127.0.0.1:9/api/",
            "database_url": f"sqlite:///{tmp_path / 'data.db'}",
        }
    )
    async with open_bridge(settings) as bridge:
        works = await bridge.open_works()
        try:
            yield (await works.open_framework()).bolt
        finally:
            await bridge.stop()


async def find_listener(bolt: AsyncApp, body: dict[str, Any] | str) -> str:
    """Return the name of the function that would be called for a request."""
    request = AsyncBoltRequest(body=body if isinstance(body, str) else urlencode({"payload": json.dumps(body)}))
    for listener in bolt._async_listeners:
        if await listener.async_matches(req=request, resp=BoltResponse(status=200)):
            name: str = listener.ack_function.__name__
            return name
    return "nothing"


# ------------------------------------------------------------------------------------------------ what people start


def test_its_commands_are_those_that_the_program_has() -> None:
    assert [command["command"] for command in FEATURES["slash_commands"]] == list(COMMANDS)


@pytest.mark.parametrize("command", [entry["command"] for entry in FEATURES["slash_commands"]])
async def test_a_command_reaches_a_listener_of_its_own(command: str, bolt: AsyncApp) -> None:
    body = urlencode({"command": command, "text": "help", "user_id": "U1", "team_id": "T1", "trigger_id": "1"})

    assert await find_listener(bolt, body) not in ("acknowledge", "nothing")


def test_its_shortcuts_are_those_that_the_program_has() -> None:
    found = {shortcut["callback_id"]: shortcut["type"] for shortcut in FEATURES["shortcuts"]}

    assert found == {NEW_TEXT_SHORTCUT: "global", SEND_AS_TEXT_SHORTCUT: "message", MARK_AS_NOTE_SHORTCUT: "message"}


@pytest.mark.parametrize("shortcut", FEATURES["shortcuts"], ids=lambda shortcut: shortcut["callback_id"])
async def test_a_shortcut_reaches_a_listener_of_its_own(shortcut: dict[str, str], bolt: AsyncApp) -> None:
    kind = {"global": "shortcut", "message": "message_action"}[shortcut["type"]]
    body = {"type": kind, "callback_id": shortcut["callback_id"], "user": {"id": "U1"}, "trigger_id": "1"}

    assert await find_listener(bolt, body) not in ("acknowledge", "nothing")


async def test_what_the_program_does_not_have_is_only_acknowledged(bolt: AsyncApp) -> None:
    assert await find_listener(bolt, urlencode({"command": "/other", "user_id": "U1"})) == "acknowledge"
    assert await find_listener(bolt, {"type": "shortcut", "callback_id": "other"}) == "acknowledge"
    assert await find_listener(bolt, {"type": "message_action", "callback_id": "other"}) == "acknowledge"


# ------------------------------------------------------------------------------------------------------------ events


def test_every_event_that_does_something_is_subscribed_to() -> None:
    assert HANDLED_EVENTS <= EVENTS


def test_every_event_that_is_subscribed_to_does_something_or_says_why_it_does_not() -> None:
    assert ONLY_COUNTED.keys() == EVENTS - HANDLED_EVENTS


@pytest.mark.parametrize("event", sorted(HANDLED_EVENTS))
def test_an_event_said_to_do_something_is_understood(event: str) -> None:
    assert not isinstance(read_slack_event(SAMPLES[event]), NotForUs)


@pytest.mark.parametrize("event", sorted(ONLY_COUNTED))
def test_an_event_said_to_be_only_counted_does_nothing(event: str) -> None:
    sample = {**SAMPLES["reaction_added"], "channel": "C1", "type": event}

    assert isinstance(read_slack_event(sample), NotForUs)


# ------------------------------------------------------------------------------------------------------------ scopes


def test_the_calls_to_slack_are_found_in_the_code() -> None:
    sure = {"chat.postMessage", "conversations.replies", "reactions.remove", "auth.test", "views.open", "files.info"}

    assert sure <= CALLED.keys()


@pytest.mark.parametrize("method", sorted(CALLED))
def test_a_method_that_is_called_has_its_scopes(method: str) -> None:
    assert method in SCOPES_OF_METHOD, f"{CALLED[method]} calls {method}: look its scopes up and add them here"
    assert SCOPES_OF_METHOD[method] - SCOPES == set()


def test_each_call_is_named_after_what_it_calls() -> None:
    """The names stand in `/metrics` and in the errors that people are told."""
    known = find_client_methods()
    source = (ROOT / "bot" / "gateways" / "slack.py").read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or _name_of(node.func) not in ("_ask", "_do", "_page"):
            continue
        name = node.args[0]
        if isinstance(name, ast.Constant):
            inside = {
                known[part.attr] for part in ast.walk(node) if isinstance(part, ast.Attribute) and part.attr in known
            } | {
                part.args[0].value
                for part in ast.walk(node)
                if isinstance(part, ast.Call)
                and _name_of(part.func) == "call_directly"
                and isinstance(part.args[0], ast.Constant)
            }
            assert inside == {name.value}, f"bot/gateways/slack.py:{node.lineno}"
