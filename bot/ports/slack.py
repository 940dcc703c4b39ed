"""Slack, as the flows need it, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from bot.domain.ids import (
    ChannelId,
    SlackTs,
    TeamId,
    UserId,
)

#: A piece of Slack's Block Kit, as JSON.
Block = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A message to be posted by us. *key* goes into its metadata: by it the post is found again."""

    channel_id: ChannelId
    text: str  #: For notifications and screen readers: plain, escaped.
    blocks: Sequence[Block]
    key: str
    thread_ts: SlackTs | None = None
    broadcast: bool = False  #: Show it in the channel as well.
    also: tuple[str, ...] = ()  #: The keys of the other texts that stand in it; in its metadata as well.


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """Where a post stands."""

    ts: SlackTs
    thread_ts: SlackTs | None  #: None for a threaded post says that the thread's root is gone.
    also: tuple[str, ...] = ()  #: As in the post.


class Threads(Protocol):
    """
    Slack's messages. One call is one request: no retries in here.

    Raises RetryLater when nothing happened, OutcomeUnknown when it may have, ChannelUnusable when the channel is
    archived, gone or closed to us, SlackRefused for any other refusal.
    """

    async def post(self, post: Post) -> Posted:
        """Post it, with no link unfurled and no mention brought to life."""
        ...

    async def find_post(self, post: Post, *, since: datetime) -> Sequence[Posted]:
        """
        Return the posts of ours with the key of *post*, oldest first, made after *since*. Changes nothing.

        One from before may be among them where nothing says that Slack's clock goes with ours.
        """
        ...

    async def delete(self, channel_id: ChannelId, ts: SlackTs) -> None:
        """Delete a post of ours; one already gone is no error."""
        ...

    async def whisper(
        self, channel_id: ChannelId, user_id: UserId, text: str, blocks: Sequence[Block], thread_ts: SlackTs | None
    ) -> None:
        """Tell *user_id*, and nobody else, something in the channel or thread."""
        ...

    async def add_reaction(self, channel_id: ChannelId, ts: SlackTs, name: str) -> None:
        """Add our reaction; one already there is no error."""
        ...

    async def remove_reaction(self, channel_id: ChannelId, ts: SlackTs, name: str) -> None:
        """Remove our reaction; none there is no error."""
        ...

    async def list_replies(self, channel_id: ChannelId, thread_ts: SlackTs, *, since: datetime) -> Sequence[Block]:
        """Return the messages of a thread from *since* on, as Slack gives them; none for a thread that is gone."""
        ...

    async def join(self, channel_id: ChannelId) -> None:
        """Join a public channel; ChannelUnusable if it cannot be joined."""
        ...


class Cards(Protocol):
    """Posts of ours that are changed where they stand. Raises as `Threads` does."""

    async def find_card(self, channel_id: ChannelId, ts: SlackTs) -> Block | None:
        """Return the root of a thread as Slack has it, with `text` and `blocks`; None if it is gone."""
        ...

    async def change_card(self, channel_id: ChannelId, ts: SlackTs, text: str, blocks: Sequence[Block]) -> None:
        """Replace what it says. What stands in its metadata stays."""
        ...


class HomeTab(Protocol):
    """The app's Home tab. Publishing it again changes nothing."""

    async def publish_home(self, user_id: UserId, blocks: Sequence[Block]) -> None:
        """Show *blocks* on the Home tab of *user_id*. Raises RetryLater or SlackRefused."""
        ...


class Standing(StrEnum):
    """Who somebody is to this workspace."""

    MEMBER = "member"  #: A teammate: may text.
    GUEST = "guest"  #: Single- or multi-channel guest.
    OUTSIDER = "outsider"  #: Of another organisation (Slack Connect).
    BOT = "bot"  #: Not a person.
    GONE = "gone"  #: Deactivated, or not known to Slack.
    UNSEEN = "unseen"  #: Slack does not let the app see who they are.


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderGroup:
    """The user group that `SENDERS` names: nobody else may text customers."""

    name: str  #: Its handle, without `@`; where Slack does not know it, what `SENDERS` says.
    exists: bool = True  #: False: Slack knows no such group, or does not let us see its members. Then nobody may text.


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody in Slack."""

    id: UserId
    name: str  #: As teammates see it.
    zone: str | None  #: IANA time zone name.
    standing: Standing
    is_admin: bool = False
    kept_out_by: SenderGroup | None = None  #: The group that they would have to be in to text; None: they may.


@dataclass(frozen=True, slots=True, kw_only=True)
class OurselvesInSlack:
    """Who we are in Slack."""

    team_id: TeamId
    bot_user_id: UserId
    bot_id: str
    workspace_url: str  #: With a slash at the end; `https://acme.slack.com/`.
    enterprise_id: str = ""  #: The organisation that the workspace is part of, if it is part of one.


class Directory(Protocol):
    """Who is who in Slack. Raises RetryLater when Slack cannot tell now."""

    async def get_person(self, user_id: UserId) -> Person:
        """Return the person; one whom Slack does not know stands as GONE, one whom it does not show us as UNSEEN."""
        ...

    async def name_channel(self, channel_id: ChannelId) -> str | None:
        """Return the channel's name without `#`."""
        ...

    async def name_group(self, group_id: str) -> str | None:
        """Return the user group's handle without `@`."""
        ...

    async def get_ourselves(self) -> OurselvesInSlack:
        """Return who we are; SlackRefused if the token is refused."""
        ...
