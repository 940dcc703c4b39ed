"""
Reading Slack's events, tolerantly: which of them concern us, and what they say.

Sources: docs.slack.dev (Events API, the message event and its subtypes). Only what a person wrote into a thread may
ever become a text, so that is stated positively here; whatever else comes is told apart or left alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

from bot.domain.carrier_lanes import as_mapping, clean
from bot.domain.ids import ChannelId, SlackTs, UserId
from bot.errors import NotUnderstood


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadReply:
    """A person wrote something in a thread."""

    channel_id: ChannelId
    thread_ts: SlackTs
    ts: SlackTs
    user_id: UserId
    text: str  #: mrkdwn, entity-escaped.
    blocks: object  #: As Slack sent them; parsed by `bot.text`.
    files: Sequence[Mapping[str, Any]]
    parent_user_id: UserId | None  #: Who wrote the thread's root, where Slack says.
    teams: frozenset[str]  #: The workspaces that Slack names as theirs; in most events it names none.
    edited_at: SlackTs | None = None  #: When its author last changed it, if these are no longer the first words.


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageEdited:
    """A person changed what they had written."""

    channel_id: ChannelId
    thread_ts: SlackTs | None  #: Of the thread that it stands in; None for a root.
    ts: SlackTs
    at: SlackTs | None  #: When; None where Slack does not say.
    user_id: UserId
    text: str
    blocks: object
    files: Sequence[Mapping[str, Any]] | None  #: Those that it still has; None where none are spoken of.


@dataclass(frozen=True, slots=True, kw_only=True)
class FilesRemoved:
    """A file was taken off a message whose words stay."""

    channel_id: ChannelId
    thread_ts: SlackTs | None  #: Of the thread that it stands in; None for a root.
    ts: SlackTs
    at: SlackTs | None  #: When; None where Slack does not say.
    text: str
    blocks: object
    files: Sequence[Mapping[str, Any]]  #: Those that it still has.

    @property
    def left(self) -> frozenset[str]:
        """The ids of the files that it still has."""
        return frozenset(file["id"] for file in self.files if isinstance(file.get("id"), str))


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageDeleted:
    """A message is gone, or only a placeholder is left of it."""

    channel_id: ChannelId
    ts: SlackTs
    thread_ts: SlackTs | None = None  #: Of the thread that it stood in; None for a root, and where Slack does not say.
    is_placed: bool = True  #: False: Slack does not say where it stood.


@dataclass(frozen=True, slots=True, kw_only=True)
class ReactionAdded:
    """A person put a reaction on a message."""

    channel_id: ChannelId
    ts: SlackTs
    user_id: UserId
    name: str
    item_user_id: UserId | None  #: Who wrote the message, where Slack says.


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelClosed:
    """A channel was archived or deleted."""

    channel_id: ChannelId


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeOpened:
    """A person looks at the app's Home tab."""

    user_id: UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class NotForUs:
    """Anything else: kept in the count."""

    type: str


SlackEvent = (
    ThreadReply | MessageEdited | FilesRemoved | MessageDeleted | ReactionAdded | ChannelClosed | HomeOpened | NotForUs
)

#: Every event that does something here, as the manifest subscribes to them; any other is only counted.
HANDLED_EVENTS = frozenset(
    {
        "message.channels",
        "message.groups",
        "reaction_added",
        "channel_archive",
        "channel_deleted",
        "group_archive",
        "group_deleted",
        "app_home_opened",
    }
)

#: The subtypes of what a person wrote. `file_share`: with files; `thread_broadcast`: also sent to the channel.
_WRITTEN = frozenset({None, "file_share", "thread_broadcast"})
_TS = re.compile(r"^[0-9]{1,12}\.[0-9]{1,9}$")
_CLOSED = frozenset({"channel_archive", "channel_deleted", "group_archive", "group_deleted"})


def read_slack_event(event: object) -> SlackEvent:
    """Return what the inner *event* of a callback says. Raises NotUnderstood for what is no event."""
    inner = as_mapping(event)
    kind = inner.get("type")
    if not isinstance(kind, str):
        raise NotUnderstood("a Slack event without a type")
    if kind == "message":
        return _read_message(inner)
    if kind == "reaction_added":
        item = as_mapping(inner.get("item"))
        if item.get("type") == "message" and all(
            _is_name(each) for each in (item.get("channel"), item.get("ts"), inner.get("user"))
        ):
            return ReactionAdded(
                channel_id=ChannelId(item["channel"]),
                ts=SlackTs(item["ts"]),
                user_id=UserId(inner["user"]),
                name=clean(inner.get("reaction")),
                item_user_id=UserId(author) if _is_name(author := inner.get("item_user")) else None,
            )
    if kind == "app_home_opened" and inner.get("tab") != "messages" and _is_name(inner.get("user")):
        return HomeOpened(user_id=UserId(inner["user"]))
    if kind in _CLOSED and _is_name(inner.get("channel")):
        return ChannelClosed(channel_id=ChannelId(inner["channel"]))
    return NotForUs(type=clean(kind))


def _read_message(event: Mapping[str, Any]) -> SlackEvent:
    # In the samples of Slack's own libraries it is empty where there is none.
    subtype = None if event.get("subtype") == "" else event.get("subtype")
    channel = event.get("channel")
    if not _is_name(channel):
        return NotForUs(type="message")
    if subtype == "message_deleted" and _is_name(event.get("deleted_ts")):
        before = event.get("previous_message")
        thread = before.get("thread_ts") if isinstance(before, Mapping) else None
        return MessageDeleted(
            channel_id=ChannelId(channel),
            ts=SlackTs(event["deleted_ts"]),
            thread_ts=SlackTs(thread) if _is_name(thread) and thread != event["deleted_ts"] else None,
            is_placed=isinstance(before, Mapping),
        )
    if subtype == "message_changed":
        return _read_change(event, ChannelId(channel))
    ts, thread_ts, user = event.get("ts"), event.get("thread_ts"), event.get("user")
    written = (
        (subtype is None or isinstance(subtype, str))
        and subtype in _WRITTEN
        and not event.get("bot_id")
        and not event.get("hidden")
        and not event.get("is_ephemeral")  # shown to one person alone
        and _is_name(ts)
        and _is_name(thread_ts)
        and _is_name(user)
        and thread_ts != ts
    )
    if not written:
        return NotForUs(type=f"message.{clean(subtype)}" if subtype else "message")
    teams = (event.get("user_team"), event.get("source_team"))
    return ThreadReply(
        channel_id=ChannelId(channel),
        thread_ts=SlackTs(str(thread_ts)),
        ts=SlackTs(str(ts)),
        user_id=UserId(str(user)),
        text=clean(event.get("text")),
        blocks=event.get("blocks"),
        files=_read_files(event),
        parent_user_id=UserId(parent) if _is_name(parent := event.get("parent_user_id")) else None,
        teams=frozenset(team for team in teams if isinstance(team, str) and team),
        edited_at=_read_ts(as_mapping(event.get("edited")).get("ts")),
    )


def _read_change(event: Mapping[str, Any], channel_id: ChannelId) -> SlackEvent:
    message = as_mapping(event.get("message"))
    previous = as_mapping(event.get("previous_message"))
    ts = message.get("ts")
    if not _is_name(ts):
        return NotForUs(type="message.message_changed")
    if message.get("subtype") == "tombstone":  # a root with replies was deleted: a placeholder stays
        return MessageDeleted(channel_id=channel_id, ts=SlackTs(ts))
    # A link that unfolds, a file that is processed, new metadata: all come as changes, without an edit by a person.
    edited = as_mapping(message.get("edited"))
    user = edited.get("user") or message.get("user")
    is_edit = edited and message.get("text") != previous.get("text") and _is_name(user) and not message.get("bot_id")
    files = [file for file in _read_files(message) if file.get("mode") != "tombstone"]
    thread_ts, at = _read_ts(message.get("thread_ts")), _read_ts(event.get("event_ts")) or _read_ts(event.get("ts"))
    thread_ts = None if thread_ts == ts else thread_ts
    text, blocks = clean(message.get("text")), message.get("blocks")
    if is_edit:
        return MessageEdited(
            channel_id=channel_id,
            thread_ts=thread_ts,
            ts=SlackTs(ts),
            at=at,
            user_id=UserId(str(user)),
            text=text,
            blocks=blocks,
            files=files if "files" in message or "files" in previous else None,
        )
    removed = FilesRemoved(
        channel_id=channel_id, thread_ts=thread_ts, ts=SlackTs(ts), at=at, text=text, blocks=blocks, files=files
    )
    had = {file.get("id") for file in (*_read_files(message), *_read_files(previous))}
    if had - removed.left and _is_name(user) and not message.get("bot_id"):
        return removed
    return NotForUs(type="message.message_changed")


def _read_ts(value: object) -> SlackTs | None:
    return SlackTs(value) if isinstance(value, str) and _TS.match(value) else None


def _read_files(message: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    files = message.get("files")
    if not isinstance(files, list):
        return []
    return [file for file in files if isinstance(file, Mapping) and (file.get("id") is None or _is_name(file["id"]))]


def _is_name(value: object) -> TypeGuard[str]:
    """Tell whether *value* can be what Slack calls something by: an id or a ts, which are ASCII and can be stored."""
    return isinstance(value, str) and value.isascii()
