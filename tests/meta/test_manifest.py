"""
The Slack app manifest: within Slack's limits, complete, and asking for what it needs and no more.

Limits and names are from Slack's manifest reference (docs.slack.dev/reference/app-manifest); its schema does not check
the names of scopes and events, so a slip there would only show when an event never comes.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

MANIFEST: dict[str, Any] = yaml.safe_load((Path(__file__).resolve().parents[2] / "app.yaml").read_text("utf-8"))
FEATURES, SETTINGS = MANIFEST["features"], MANIFEST["settings"]
SCOPES: set[str] = set(MANIFEST["oauth_config"]["scopes"]["bot"])
EVENTS: set[str] = set(SETTINGS["event_subscriptions"]["bot_events"])

#: Every event that may be asked for, with the scope without which Slack does not send it (None: it needs none).
SCOPE_OF_EVENT = {
    "app_home_opened": None,
    "app_uninstalled": None,
    "channel_archive": "channels:read",
    "channel_deleted": "channels:read",
    "channel_id_changed": "channels:read",
    "channel_rename": "channels:read",
    "channel_unarchive": "channels:read",
    "file_shared": "files:read",
    "group_archive": "groups:read",
    "group_deleted": "groups:read",
    "group_rename": "groups:read",
    "group_unarchive": "groups:read",
    "member_joined_channel": "channels:read",
    "member_left_channel": "channels:read",
    "message.channels": "channels:history",
    "message.groups": "groups:history",
    "reaction_added": "reactions:read",
    "reaction_removed": "reactions:read",
    "tokens_revoked": None,
    "user_change": "users:read",
}

#: Scopes that no event needs, with the method or feature that does.
SCOPE_OF_METHOD = {
    "channels:join": "conversations.join",
    "chat:write": "chat.postMessage",
    "commands": "slash commands and shortcuts",
    "files:read": "reading a file's bytes",
    "files:write": "files.getUploadURLExternal",
    "reactions:write": "reactions.add",
    "usergroups:read": "usergroups.list",
    "users:read": "users.info",
}


def test_it_has_slacks_sections_and_no_others() -> None:
    assert set(MANIFEST) == {"_metadata", "display_information", "features", "oauth_config", "settings"}
    assert MANIFEST["_metadata"] == {"major_version": 1, "minor_version": 1}
    assert set(FEATURES) == {"app_home", "bot_user", "shortcuts", "slash_commands"}
    assert set(SETTINGS) == {
        "event_subscriptions",
        "interactivity",
        "org_deploy_enabled",
        "socket_mode_enabled",
        "token_rotation_enabled",
    }


def test_what_it_shows_of_itself_fits() -> None:
    shown = MANIFEST["display_information"]

    assert set(shown) == {"name", "description", "long_description", "background_color"}
    assert 1 <= len(shown["name"]) <= 35
    assert 1 <= len(shown["description"]) <= 140
    assert 175 <= len(shown["long_description"]) <= 4000
    assert re.fullmatch(r"#[0-9a-f]{6}", shown["background_color"])
    assert set(FEATURES["bot_user"]) == {"display_name", "always_online"}
    assert 1 <= len(FEATURES["bot_user"]["display_name"]) <= 80


def test_people_can_open_its_home_and_read_what_it_writes_to_them() -> None:
    assert FEATURES["app_home"] == {
        "home_tab_enabled": True,
        "messages_tab_enabled": True,
        "messages_tab_read_only_enabled": True,
    }


def test_the_commands_are_these_three() -> None:
    assert [command["command"] for command in FEATURES["slash_commands"]] == ["/sms", "/schedule", "/optouts"]


@pytest.mark.parametrize("command", FEATURES["slash_commands"], ids=lambda command: command["command"])
def test_a_command_fits_and_gets_what_was_typed_untouched(command: dict[str, Any]) -> None:
    assert set(command) == {"command", "url", "description", "usage_hint", "should_escape"}
    assert re.fullmatch(r"/[a-z]{1,31}", command["command"])
    assert 1 <= len(command["description"]) <= 2000
    assert "help" in command["usage_hint"]
    assert len(command["usage_hint"]) <= 1000
    assert command["should_escape"] is False  # a number or a text that Slack turned into a token is not what was typed


def test_the_shortcuts_are_these_two_and_fit() -> None:
    found = {(shortcut["callback_id"], shortcut["type"], shortcut["name"]) for shortcut in FEATURES["shortcuts"]}

    assert found == {
        ("new_text", "global", "New text message"),
        ("send_as_text", "message", "Send as text"),
        ("mark_as_note", "message", "Mark as note"),
    }
    for shortcut in FEATURES["shortcuts"]:
        assert set(shortcut) == {"name", "type", "callback_id", "description"}
        assert len(shortcut["name"]) <= 24
        assert 1 <= len(shortcut["description"]) <= 150


def test_every_address_is_the_one_that_takes_all_and_waits_to_be_filled_in() -> None:
    addresses = [
        SETTINGS["event_subscriptions"]["request_url"],
        SETTINGS["interactivity"]["request_url"],
        SETTINGS["interactivity"]["message_menu_options_url"],
        *(command["url"] for command in FEATURES["slash_commands"]),
    ]

    assert set(addresses) == {"https://YOUR-PUBLIC-URL/slack/events"}
    assert urlsplit(addresses[0]).scheme == "https"


def test_it_speaks_http_to_one_workspace_with_a_token_that_lasts() -> None:
    assert SETTINGS["interactivity"]["is_enabled"] is True
    assert SETTINGS["socket_mode_enabled"] is False  # the bridge has an address anyway, for the carrier
    assert SETTINGS["org_deploy_enabled"] is False
    assert SETTINGS["token_rotation_enabled"] is False  # a rotated token needs the OAuth flow, which there is none of


def test_every_event_is_one_of_slacks_and_has_its_scope() -> None:
    assert set() == EVENTS - SCOPE_OF_EVENT.keys()
    needed = {scope for event in EVENTS if (scope := SCOPE_OF_EVENT[event])}
    assert needed - SCOPES == set()
    assert len(EVENTS) == len(SETTINGS["event_subscriptions"]["bot_events"]) <= 100


def test_no_scope_is_asked_for_without_a_use() -> None:
    needed = {scope for event in EVENTS if (scope := SCOPE_OF_EVENT[event])}

    assert needed | SCOPE_OF_METHOD.keys() == SCOPES
    assert len(SCOPES) == len(MANIFEST["oauth_config"]["scopes"]["bot"])
    assert set(MANIFEST["oauth_config"]) == {"scopes"}
    assert set(MANIFEST["oauth_config"]["scopes"]) == {"bot"}  # nothing is done in a person's name


def test_what_can_happen_to_a_public_channel_is_heard_of_a_private_one_too() -> None:
    public = {event.removeprefix("channel_") for event in EVENTS if event.startswith("channel_")}
    private = {event.removeprefix("group_") for event in EVENTS if event.startswith("group_")}

    assert public == private
    assert {"message.channels", "message.groups"} <= EVENTS
