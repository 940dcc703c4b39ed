"""A simulated Slack workspace: who and what is in it. No rules of the Web API and no HTTP here."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from bot.clock import Clock
from bot.sandbox.slack_text import FEW_EMOJI, Json

#: Every scope the product's manifest may ask for; a test takes one away to see what then happens.
ALL_SCOPES = frozenset({
    "app_mentions:read", "channels:history", "channels:join", "channels:read", "chat:write", "chat:write.customize",
    "commands", "emoji:read", "files:read", "files:write", "groups:history", "groups:read", "im:history", "im:read",
    "im:write", "mpim:history", "mpim:read", "reactions:read", "reactions:write", "team:read", "usergroups:read",
    "users:read", "users:read.email",
})  # fmt: skip


class NotPossibleError(Exception):
    """What Slack's own client does not let a person do, such as writing into an archived channel."""


class ApiError(Exception):
    """A refusal of the Web API: `{"ok": false, "error": code, **more}`."""

    def __init__(self, code: str, **more: Any) -> None:
        super().__init__(code)
        self.code = code
        self.more: Json = more


@dataclass(slots=True, kw_only=True)
class User:
    """One person, or the bot."""

    id: str
    name: str
    real_name: str
    team_id: str
    tz: str = "America/Chicago"
    restricted: bool = False  #: A multi-channel guest.
    ultra_restricted: bool = False  #: A single-channel guest.
    stranger: bool = False  #: Of another organisation, here by a shared channel.
    deleted: bool = False
    is_admin: bool = False
    is_bot: bool = False


@dataclass(slots=True, kw_only=True)
class Message:
    """One message of a channel."""

    ts: str
    text: str = ""
    user: str | None = None
    subtype: str | None = None
    thread_ts: str | None = None  #: The root's ts in a reply; None in a root, replied to or not.
    blocks: list[Json] = field(default_factory=list)
    attachments: list[Json] = field(default_factory=list)
    bot_id: str | None = None
    app_id: str | None = None
    username: str | None = None  #: The name under which an app posted, when it chose one.
    icons: Json | None = None
    metadata: Json | None = None
    files: list[str] = field(default_factory=list)
    edited: Json | None = None
    reactions: dict[str, list[str]] = field(default_factory=dict)
    client_msg_id: str | None = None
    hidden: bool = False
    more: Json = field(default_factory=dict)  #: What only some subtypes have: `inviter`, `old_name`.


@dataclass(slots=True, kw_only=True)
class Channel:
    """One conversation: a channel, or the bot's direct messages with one person."""

    id: str
    name: str
    created: int
    private: bool = False
    archived: bool = False
    ext_shared: bool = False  #: Shared with another organisation.
    im_user: str | None = None
    members: list[str] = field(default_factory=list)
    messages: dict[str, Message] = field(default_factory=dict)  #: By ts, oldest first.

    @property
    def kind(self) -> str:
        """Return the `channel_type` of its events."""
        if self.im_user is not None:
            return "im"
        return "group" if self.private else "channel"

    def replies(self, ts: str) -> list[Message]:
        """Return the replies to the root *ts*, oldest first."""
        return [message for message in self.messages.values() if message.thread_ts == ts]


@dataclass(slots=True, kw_only=True)
class Ephemeral:
    """A message that one person sees, until they reload."""

    user: str
    channel: str
    ts: str
    text: str
    blocks: list[Json]
    thread_ts: str | None


class FileState(StrEnum):
    """How far an upload has come."""

    PROMISED = "promised"  #: An upload address was given.
    UPLOADED = "uploaded"  #: The bytes are there; nobody was told to keep them.
    COMPLETE = "complete"  #: To be kept, and shared where it was asked for.
    DELETED = "deleted"  #: Gone.


@dataclass(slots=True, kw_only=True)
class StoredFile:
    """One file."""

    id: str
    name: str
    user: str
    created: int
    title: str = ""
    mimetype: str = ""
    content: bytes = b""
    alt_txt: str = ""
    state: FileState = FileState.PROMISED
    processed: bool = False  #: Until Slack has looked at it, `mimetype` is empty.
    stub: bool = False  #: Events name it only as `file_access: check_file_info`, as in shared channels.
    mode: str = "hosted"
    shares: dict[str, list[Json]] = field(default_factory=dict)  #: By channel.
    in_form: bool = False  #: Given to a form of the app, which may read it though it is shared nowhere.


@dataclass(slots=True, kw_only=True)
class UserGroup:
    """A group of people that can be mentioned."""

    id: str
    handle: str
    name: str
    users: list[str]


@dataclass(slots=True, kw_only=True)
class Trigger:
    """The right to open one view, for three seconds."""

    id: str
    user: str
    expires_at: datetime
    used: bool = False


@dataclass(slots=True, kw_only=True)
class ResponseUrl:
    """The right to answer one interaction five times in half an hour."""

    token: str
    user: str
    channel: str
    expires_at: datetime
    uses_left: int = 5
    message_ts: str | None = None  #: The message or ephemeral on which somebody pressed; None after a command.
    thread_ts: str | None = None


#: What changed, for whoever draws it: (kind, data).
Listener = Callable[[str, Json], None]


def _drop_event(_event: Json, _channel: Channel | None) -> None:
    """Stand in until a courier is there."""


def _forget(_span: timedelta, _work: Callable[[], None]) -> None:
    """Stand in until a courier is there."""


@dataclass(slots=True, kw_only=True)
class Workspace:
    """All that a workspace holds; what happens in it is `slack_messages` and the rest."""

    clock: Clock
    team_id: str
    bot_token: str
    team_name: str = "Sandbox"
    team_domain: str = "sandbox"
    app_id: str = "A0SANDBOX1"
    bot_id: str = "B0SANDBOX1"
    bot_user: str = "U0SANDBOT1"
    base_url: str = ""  #: Of the server that plays Slack, without a slash at the end.
    scopes: set[str] = field(default_factory=lambda: set(ALL_SCOPES))
    emoji: dict[str, str] = field(default_factory=lambda: dict(FEW_EMOJI))
    reaction_names: Container[str] | None = None  #: Which names reactions may have; None: any well-formed one.
    custom_emoji: dict[str, str] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    files: dict[str, StoredFile] = field(default_factory=dict)
    usergroups: dict[str, UserGroup] = field(default_factory=dict)
    ephemerals: list[Ephemeral] = field(default_factory=list)
    shown_errors: dict[str, list[str]] = field(default_factory=dict)  #: By user: what Slack told them went wrong.
    views: dict[str, list[Json]] = field(default_factory=dict)  #: By user: the modals open, topmost last.
    homes: dict[str, Json] = field(default_factory=dict)  #: By user: the Home tab.
    triggers: dict[str, Trigger] = field(default_factory=dict)
    response_urls: dict[str, ResponseUrl] = field(default_factory=dict)
    listeners: list[Listener] = field(default_factory=list)
    history_lag: timedelta = timedelta(0)  #: How long until history and replies show a message.
    share_delay: timedelta = timedelta(milliseconds=200)  #: Between a completed upload and its message.
    share_never: bool = False  #: completeUploadExternal says ok and nothing is shared.
    alt_txt_prevents_sharing: bool = True  #: A fault of the platform (python-slack-sdk issue 1818).
    redirect_downloads: bool = False  #: A file's address first redirects to another that needs the token again.
    tombstones_take_replies: bool = False  #: Whether an app's reply to a deleted root with replies stays in its thread.
    publish: Callable[[Json, Channel | None], None] = _drop_event
    later: Callable[[timedelta, Callable[[], None]], None] = _forget
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    _last_microsecond: int = 0

    def make_id(self, prefix: str) -> str:
        """Return an id never given before, such as `C000000007`."""
        return f"{prefix}{next(self._numbers):09d}"

    def make_ts(self) -> str:
        """Return a timestamp later than all before, which is what Slack numbers messages with."""
        microsecond = round(self.clock.now().timestamp() * 1_000_000)
        self._last_microsecond = max(microsecond, self._last_microsecond + 1)
        return f"{self._last_microsecond // 1_000_000}.{self._last_microsecond % 1_000_000:06d}"

    def epoch(self) -> int:
        """Return the seconds of the present moment."""
        return int(self.clock.now().timestamp())

    def notify(self, kind: str, data: Json) -> None:
        """Tell whoever draws the workspace that something changed."""
        for listener in list(self.listeners):
            listener(kind, data)

    def find_channel(self, name: str) -> Channel | None:
        """Return the channel with this id or name, or the direct messages with this user."""
        if name in self.channels:
            return self.channels[name]
        if name in self.users:
            return self.open_im(name)
        wanted = name.removeprefix("#")
        return next((channel for channel in self.channels.values() if channel.name == wanted), None)

    def get_channel(self, channel_id: str) -> Channel:
        """Return the channel; raises ApiError channel_not_found also where the bot cannot see it."""
        channel = self.find_channel(channel_id)
        if channel is None or (channel.private and self.bot_user not in channel.members):
            raise ApiError("channel_not_found")
        return channel

    def get_user(self, user_id: str) -> User:
        """Return the user; raises ApiError user_not_found."""
        if user_id not in self.users:
            raise ApiError("user_not_found")
        return self.users[user_id]

    def open_im(self, user_id: str) -> Channel:
        """Return the bot's direct messages with *user_id*, opening them the first time."""
        for channel in self.channels.values():
            if channel.im_user == user_id:
                return channel
        channel = Channel(
            id=self.make_id("D"),
            name=user_id,
            created=self.epoch(),
            private=True,
            im_user=user_id,
            members=[self.bot_user, user_id],
        )
        self.channels[channel.id] = channel
        return channel

    def make_trigger(self, user: str) -> str:
        """Return a trigger id good for one view within three seconds."""
        trigger = Trigger(
            id=f"{self.make_id('1')}.{self.epoch()}.sandbox",
            user=user,
            expires_at=self.clock.now() + timedelta(seconds=3),
        )
        self.triggers[trigger.id] = trigger
        return trigger.id

    def make_response_url(
        self, user: str, channel: str, *, message_ts: str | None = None, thread_ts: str | None = None
    ) -> str:
        """Return an address at which one interaction can be answered five times in thirty minutes."""
        token = self.make_id("R")
        self.response_urls[token] = ResponseUrl(
            token=token,
            user=user,
            channel=channel,
            expires_at=self.clock.now() + timedelta(minutes=30),
            message_ts=message_ts,
            thread_ts=thread_ts,
        )
        return f"{self.base_url}/response/{token}"

    def known_emoji(self) -> Mapping[str, str]:
        """Return what the composer turns into pictures: the standard names and the workspace's own."""
        return {**self.emoji, **dict.fromkeys(self.custom_emoji, "")}


def read_ts(ts: str) -> Decimal:
    """Return the sort key of a timestamp; raises decimal.InvalidOperation."""
    return Decimal(ts)


def find_view(stacks: Iterable[list[Json]], view_id: str) -> Json | None:
    """Return the open modal with this id."""
    return next((view for stack in stacks for view in stack if view["id"] == view_id), None)
