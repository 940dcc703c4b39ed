"""Events of Slack's: whatever stands in a field, an event is read, or understood to be none, and can be stored."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

import pytest

from bot.domain.slack_events import FilesRemoved, MessageEdited, NotForUs, ThreadReply, read_slack_event
from bot.errors import NotUnderstood

ROOT, TS = "1700000000.000100", "1700000001.000200"
REPLY = {"type": "message", "channel": "C1", "user": "U1", "ts": TS, "thread_ts": ROOT, "text": "Hi", "blocks": []}
FILE = {"id": "F1", "name": "a.jpg", "mode": "hosted"}
EVENTS: dict[str, dict[str, Any]] = {
    "a reply": {**REPLY, "parent_user_id": "U2", "user_team": "T1", "edited": {"ts": TS}},
    "files": {**REPLY, "subtype": "file_share", "files": [FILE]},
    "an edit": {
        "type": "message",
        "subtype": "message_changed",
        "channel": "C1",
        "event_ts": TS,
        "message": {**REPLY, "text": "Hello", "edited": {"user": "U1", "ts": TS}, "files": [FILE]},
        "previous_message": {**REPLY, "files": [FILE, {**FILE, "id": "F2"}]},
    },
    "a file removed": {
        "type": "message",
        "subtype": "message_changed",
        "channel": "C1",
        "message": {**REPLY, "files": []},
        "previous_message": {**REPLY, "files": [FILE]},
    },
    "a deletion": {
        "type": "message", "subtype": "message_deleted", "channel": "C1", "deleted_ts": TS, "previous_message": REPLY,
    },
    "a reaction": {
        "type": "reaction_added", "user": "U1", "reaction": "x", "item_user": "U2",
        "item": {"type": "message", "channel": "C1", "ts": TS},
    },
    "the home tab": {"type": "app_home_opened", "user": "U1", "tab": "home"},
    "a channel closed": {"type": "channel_archive", "channel": "C1"},
}  # fmt: skip
ODD: tuple[Any, ...] = (
    None,
    0,
    True,
    1.5,
    "",
    "\ud800",
    "Zürich",
    [],
    {},
    [None],
    [[]],
    {"id": []},
    {"ts": {}},
    [{"id": ["F1"]}],
)


def find_paths(value: object, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*path, key)
        yield from find_paths(inner, (*path, key))


def replace(event: dict[str, Any], path: tuple[Any, ...], odd: object) -> dict[str, Any]:
    changed: Any = copy.deepcopy(event)
    place = changed
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = odd
    return changed  # type: ignore[no-any-return] # the same shape


def is_storable(value: object) -> bool:
    """Tell whether every string that is a field's own can be put into the database; blocks are read before."""
    names = {each.name for each in fields(value)} - {"blocks"}  # type: ignore[arg-type] # every event is a dataclass
    texts = [getattr(value, name) for name in names]
    return all(text.encode("utf-8", "replace").decode() == text for text in texts if isinstance(text, str))


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_whatever_stands_in_a_field_it_is_read_or_understood_to_be_no_event(name: str) -> None:
    event = EVENTS[name]
    for path in find_paths(event):
        for odd in ODD:
            try:
                read = read_slack_event(replace(event, path, odd))
            except NotUnderstood:
                assert path == ("type",)
                continue
            assert is_storable(read), (path, odd)


@pytest.mark.parametrize(
    ("name", "kind"), [("a reply", ThreadReply), ("an edit", MessageEdited), ("a file removed", FilesRemoved)]
)
def test_what_is_as_slack_sends_it_is_read(name: str, kind: type) -> None:
    assert isinstance(read_slack_event(EVENTS[name]), kind)


def test_a_subtype_that_is_no_word_is_not_for_us() -> None:
    assert isinstance(read_slack_event({**REPLY, "subtype": {"a": 1}}), NotForUs)


def test_an_empty_subtype_is_none() -> None:
    assert isinstance(read_slack_event({**REPLY, "subtype": ""}), ThreadReply)


@pytest.mark.parametrize("odd", [0, False, [], {}])
def test_what_is_neither_a_word_nor_left_out_is_no_subtype(odd: object) -> None:
    assert isinstance(read_slack_event({**REPLY, "subtype": odd}), NotForUs)


@pytest.mark.parametrize("more", [{"subtype": "me_message"}, {"subtype": "never_heard_of"}, {"is_ephemeral": True}])
def test_what_is_not_plainly_written_into_the_thread_for_all_to_see_is_not_for_us(more: dict[str, object]) -> None:
    assert isinstance(read_slack_event({**REPLY, **more}), NotForUs)
