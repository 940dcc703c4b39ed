"""A Slack in memory: the ports `Threads`, `HomeTab` and `Directory` for the program, and people who use it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from bot.clock import Clock
from bot.domain.ids import ChannelId, SlackTs, TeamId, UserId
from bot.errors import ChannelUnusable, SlackRefused
from bot.ports import Block, OurselvesInSlack, Person, Post, Posted, Standing
from tests.doubles.border import Border

Json = dict[str, Any]

TEAM = TeamId("T0TEAM")
BOT = UserId("U0BOT")
ANN = UserId("U0ANN")
BEN = UserId("U0BEN")
GUEST = UserId("U0GUEST")
CHANNEL = ChannelId("C0TEXTS")

#: Microseconds: more than posts are made in one test.
_STANDSTILL = 100_000


@dataclass(slots=True, kw_only=True)
class SlackMessage:
    """One message, still there or deleted."""

    channel: ChannelId
    ts: SlackTs
    user: UserId
    text: str
    blocks: Sequence[Block] = ()
    key: str | None = None
    also: tuple[str, ...] = ()
    thread_ts: SlackTs | None = None
    broadcast: bool = False
    deleted_by: UserId | None = None
    files: Sequence[Json] = ()
    reactions: dict[str, set[UserId]] = field(default_factory=dict)

    @property
    def words(self) -> str:
        """What stands in it as rich text, which is how customers' and our own texts are shown."""
        return "".join(_list_texts(block) for block in self.blocks if block["type"] == "rich_text")

    @property
    def texts(self) -> list[str]:
        """The texts that stand in it: none, one, or several that were shown together, each a block of its own."""
        if not self.also:
            return [self.words] if self.words else []
        return [_list_texts(block) for block in self.blocks if block["type"] == "rich_text"]

    @property
    def our_marks(self) -> set[str]:
        """The names of the program's own reactions."""
        return {name for name, users in self.reactions.items() if BOT in users}


def _list_texts(element: Any) -> str:
    if element.get("type") == "text":
        return str(element["text"])
    return "".join(_list_texts(each) for each in element.get("elements", ()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Whisper:
    """What one person was told."""

    user: UserId
    text: str
    channel: ChannelId
    thread_ts: SlackTs | None
    blocks: Sequence[Block] = ()


class MemorySlack:
    """One workspace."""

    def __init__(self, border: Border, clock: Clock) -> None:
        self.messages: list[SlackMessage] = []
        self.whispers: list[Whisper] = []
        self.homes: dict[UserId, Sequence[Block]] = {}
        self.channels: dict[ChannelId, str] = {CHANNEL: "texts", ChannelId("C0SPARE"): "spare"}
        self.archived: set[ChannelId] = set()
        self.people = {
            ANN: _make_person(ANN, "Ann"),
            BEN: _make_person(BEN, "Ben"),
            GUEST: _make_person(GUEST, "Gus", Standing.GUEST),
        }
        #: How long it takes until a search shows a post.
        self.search_lag = timedelta(0)
        self.found_together = 0  #: How often a search found a post in which several texts stand.
        self._border = border
        self._clock = clock
        self._last_microsecond = 0

    # --- Threads

    async def post(self, post: Post) -> Posted:
        """Post it; into a thread whose root is gone, at top level, as Slack does."""
        return await self._border.call("slack post", lambda: self._post(post), repeatable=False)

    def _post(self, post: Post) -> Posted:
        self._check_open("chat.postMessage", post.channel_id)
        thread_ts = post.thread_ts
        if thread_ts is not None and self.find(post.channel_id, thread_ts) is None:
            thread_ts = None
        message = SlackMessage(
            channel=post.channel_id,
            ts=self.make_ts(),
            user=BOT,
            text=post.text,
            blocks=list(post.blocks),
            key=post.key,
            also=post.also,
            thread_ts=thread_ts,
            broadcast=post.broadcast and thread_ts is not None,
        )
        self.messages.append(message)
        return Posted(ts=message.ts, thread_ts=thread_ts, also=message.also)

    async def find_post(self, post: Post, *, since: datetime) -> Sequence[Posted]:
        """Return the posts with the key of *post*: those in its thread, else those in the channel."""
        return await self._border.ask("slack find_post", lambda: self._find_post(post, since))

    def _find_post(self, post: Post, since: datetime) -> list[Posted]:
        # On a clock that stands still a post's timestamp is a little ahead of it.
        oldest, newest = _to_micros(since), _to_micros(self._clock.now() - self.search_lag) + _STANDSTILL
        found = [
            message
            for message in self.messages
            if (message.channel, message.key, message.deleted_by) == (post.channel_id, post.key, None)
            and oldest <= _read_micros(message.ts) <= newest
        ]
        in_thread = [message for message in found if post.thread_ts and message.thread_ts == post.thread_ts]
        at_top = [message for message in found if message.thread_ts is None or message.broadcast]
        self.found_together += any(message.also for message in in_thread or at_top)
        return [
            Posted(ts=message.ts, thread_ts=message.thread_ts, also=message.also) for message in in_thread or at_top
        ]

    async def delete(self, channel_id: ChannelId, ts: SlackTs) -> None:
        """Delete a post of ours; one already gone is no error."""
        await self._border.call("slack delete", lambda: self._delete(channel_id, ts))

    def _delete(self, channel_id: ChannelId, ts: SlackTs) -> None:
        message = self.find(channel_id, ts)
        if message is None:
            return
        if message.user != BOT:
            raise SlackRefused(method="chat.delete", error="cant_delete_message")
        message.deleted_by = BOT

    async def whisper(
        self, channel_id: ChannelId, user_id: UserId, text: str, blocks: Sequence[Block], thread_ts: SlackTs | None
    ) -> None:
        """Tell *user_id* something."""
        whisper = Whisper(user=user_id, text=text, channel=channel_id, thread_ts=thread_ts, blocks=list(blocks))
        await self._border.call("slack whisper", lambda: self._whisper(whisper))

    def _whisper(self, whisper: Whisper) -> None:
        self._check_open("chat.postEphemeral", whisper.channel)
        if whisper.user not in self.people:
            raise SlackRefused(method="chat.postEphemeral", error="user_not_in_channel")
        self.whispers.append(whisper)

    async def add_reaction(self, channel_id: ChannelId, ts: SlackTs, name: str) -> None:
        """Add our reaction; one already there is no error."""
        await self._border.call(
            "slack add_reaction", lambda: self._react("reactions.add", channel_id, ts).setdefault(name, set()).add(BOT)
        )

    async def remove_reaction(self, channel_id: ChannelId, ts: SlackTs, name: str) -> None:
        """Remove our reaction; none there is no error."""
        await self._border.call(
            "slack remove_reaction",
            lambda: self._react("reactions.remove", channel_id, ts).setdefault(name, set()).discard(BOT),
        )

    def _react(self, method: str, channel_id: ChannelId, ts: SlackTs) -> dict[str, set[UserId]]:
        message = self.find(channel_id, ts)
        if message is None:
            raise SlackRefused(method=method, error="message_not_found")
        self._check_open(method, channel_id)
        return message.reactions

    async def list_replies(self, channel_id: ChannelId, thread_ts: SlackTs, *, since: datetime) -> Sequence[Block]:
        """Return the messages of a thread, its root first."""
        return await self._border.ask("slack list_replies", lambda: self._list_replies(channel_id, thread_ts, since))

    def _list_replies(self, channel_id: ChannelId, thread_ts: SlackTs, since: datetime) -> list[Block]:
        return [
            self._describe(message)
            for message in self.messages
            if message.channel == channel_id
            and thread_ts in (message.ts, message.thread_ts)
            and message.deleted_by is None
            and _read_micros(message.ts) >= _to_micros(since)
        ]

    async def find_card(self, channel_id: ChannelId, ts: SlackTs) -> Block | None:
        """Return the root as it stands."""
        return await self._border.ask("slack find_card", lambda: self._find_card(channel_id, ts))

    def _find_card(self, channel_id: ChannelId, ts: SlackTs) -> Block | None:
        message = self.find(channel_id, ts)
        return None if message is None else {"ts": ts, "text": message.text, "blocks": list(message.blocks)}

    async def change_card(self, channel_id: ChannelId, ts: SlackTs, text: str, blocks: Sequence[Block]) -> None:
        """Replace what it says."""
        await self._border.call("slack change_card", lambda: self._change_card(channel_id, ts, text, blocks))

    def _change_card(self, channel_id: ChannelId, ts: SlackTs, text: str, blocks: Sequence[Block]) -> None:
        message = self.find(channel_id, ts)
        if message is None:
            raise SlackRefused(method="chat.update", error="message_not_found")
        message.text, message.blocks = text, list(blocks)

    async def join(self, channel_id: ChannelId) -> None:
        """Join; we are in every channel already, unless it is archived."""
        await self._border.call("slack join", lambda: self._check_open("conversations.join", channel_id))

    def _check_open(self, method: str, channel_id: ChannelId) -> None:
        if channel_id not in self.channels:
            raise ChannelUnusable(method=method, error="channel_not_found")
        if channel_id in self.archived:
            raise ChannelUnusable(method=method, error="is_archived")

    # --- HomeTab

    async def publish_home(self, user_id: UserId, blocks: Sequence[Block]) -> None:
        """Show *blocks* on somebody's Home tab."""
        await self._border.call("slack publish_home", lambda: self.homes.update({user_id: blocks}))

    # --- Directory

    async def get_person(self, user_id: UserId) -> Person:
        """Return the person; an unknown one stands as GONE."""
        gone = Person(id=user_id, name="somebody", zone=None, standing=Standing.GONE)
        return await self._border.ask("slack get_person", lambda: self.people.get(user_id, gone))

    async def name_channel(self, channel_id: ChannelId) -> str | None:
        """Return the channel's name."""
        return await self._border.ask("slack name_channel", lambda: self.channels.get(channel_id))

    async def name_group(self, group_id: str) -> str | None:
        """Return nothing: there are no groups."""
        return await self._border.ask("slack name_group", lambda: None)

    async def get_ourselves(self) -> OurselvesInSlack:
        """Return who we are."""
        ourselves = OurselvesInSlack(
            team_id=TEAM, bot_user_id=BOT, bot_id="B0BOT", workspace_url="https://acme.slack.com/"
        )
        return await self._border.ask("slack get_ourselves", lambda: ourselves)

    # --- What people do: each returns the event that Slack makes of it

    def say(
        self, user: UserId, root: SlackMessage, text: str, *, files: Sequence[Json] = ()
    ) -> tuple[SlackMessage, Json]:
        """Reply in a thread."""
        message = SlackMessage(
            channel=root.channel, ts=self.make_ts(), user=user, text=text, thread_ts=root.ts, files=files
        )
        self.messages.append(message)
        return message, self._describe(message)

    def edit(self, message: SlackMessage, text: str) -> Json:
        """Change what one had written."""
        before = self._describe(message)
        message.text = text
        changed = {**self._describe(message), "edited": {"user": message.user, "ts": self.make_ts()}}
        return {
            "type": "message",
            "subtype": "message_changed",
            "channel": message.channel,
            "ts": self.make_ts(),
            "message": changed,
            "previous_message": before,
        }

    def remove(self, user: UserId, message: SlackMessage) -> Json:
        """Delete a message: one's own, or any as an admin. A root with replies leaves a placeholder behind."""
        before = self._describe(message)
        message.deleted_by = user
        event: Json = {"type": "message", "channel": message.channel, "ts": self.make_ts(), "previous_message": before}
        if any(reply.thread_ts == message.ts and reply.deleted_by is None for reply in self.messages):
            placeholder = {"type": "message", "subtype": "tombstone", "ts": message.ts, "thread_ts": message.ts}
            return event | {"subtype": "message_changed", "message": placeholder}
        return event | {"subtype": "message_deleted", "deleted_ts": message.ts}

    def _describe(self, message: SlackMessage) -> Json:
        thread = {} if message.thread_ts is None else {"thread_ts": message.thread_ts}
        bot = {"bot_id": "B0BOT"} if message.user == BOT else {}
        files = {"subtype": "file_share", "files": list(message.files)} if message.files else {}
        return {
            "type": "message",
            "channel": message.channel,
            "ts": message.ts,
            "user": message.user,
            "text": message.text,
            **thread,
            **bot,
            **files,
        }

    # --- What a test looks at

    def find(self, channel_id: ChannelId, ts: SlackTs) -> SlackMessage | None:
        """Return the message if it is there and not deleted."""
        return next(
            (m for m in self.messages if (m.channel, m.ts, m.deleted_by) == (channel_id, ts, None)),
            None,
        )

    def posted(self, holds: Callable[[SlackMessage], bool] = lambda _: True) -> Iterator[SlackMessage]:
        """Yield the program's posts that it has not itself deleted, oldest first."""
        for message in self.messages:
            if message.user == BOT and message.deleted_by != BOT and holds(message):
                yield message

    def words(self, key: str = "") -> list[str]:
        """Return the texts of both sides as the program shows them, in order."""
        return [text for message in self.posted() if (message.key or "").startswith(key) for text in message.texts]

    def lines(self, part: str) -> list[str]:
        """Return the program's own lines with *part* in them."""
        return [message.text for message in self.posted() if part in message.text and not message.words]

    def make_ts(self) -> SlackTs:
        """Return the timestamp of a new message."""
        self._last_microsecond = max(_to_micros(self._clock.now()), self._last_microsecond + 1)
        return SlackTs(f"{self._last_microsecond // 1_000_000}.{self._last_microsecond % 1_000_000:06d}")


def _make_person(user: UserId, name: str, standing: Standing = Standing.MEMBER) -> Person:
    return Person(id=user, name=name, zone="America/Chicago", standing=standing)


def _to_micros(moment: datetime) -> int:
    return round(moment.timestamp() * 1_000_000)


def _read_micros(ts: SlackTs) -> int:
    return int(ts.replace(".", ""))
