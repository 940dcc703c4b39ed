"""
Slack's Web API over slack_sdk, posts and marks without it.

One shared session, and no retries in here (the SDK's own would post twice).

What an answer means for the next step is decided in `bot.gateways.slack_answers`. Posting is the only call here that must not be
repeated blindly; all others may be, for Slack answers a repeated one with `already_reacted` and its kin.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from typing import Any

import aiohttp
from slack_sdk.errors import SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.ids import ChannelId, SlackTs, TeamId, UserId
from bot.domain.pace import choose_slack_rules
from bot.errors import Busy, ChannelUnusable, OutcomeUnknown, RetryLater, SlackRefused
from bot.gateways.slack_answers import judge, judge_in_thread
from bot.gateways.slack_direct import DirectCalls
from bot.observe import Log, Metrics
from bot.ports import Block, OurselvesInSlack, Pace, Person, Post, Posted, Standing

_log = Log("slack")

#: The type in our posts' metadata. The payload is one opaque key: metadata is visible to the whole workspace.
METADATA_TYPE = "textbridge"
#: Two clocks never agree, and ours may be set; a post found before its attempt is still ours, for its key says so. Where
#: they are further apart than five minutes nothing comes in at all, for no signature is fresh.
_CLOCK_SKEW = timedelta(minutes=10)
#: In seconds, as Slack tells how far a clock is from UTC.
_HOUR = 3600
#: Pages of a thread's replies that are read at once when what was missed is looked for.
_MOST_PAGES = 20
#: Messages a page when a post is looked for: the most that Slack gives.
_LOOKUP_PAGE = 999
#: Interrupted searches that are remembered.
_MOST_LOOKUPS = 100


class SlackGateway:
    """`bot.ports.Threads` and `bot.ports.Directory` (uncached) for Slack."""

    def __init__(self, *, client: AsyncWebClient, pace: Pace, metrics: Metrics) -> None:
        self._client = client
        self._direct = DirectCalls(client)
        self._pace = pace
        self._metrics = metrics
        self._ourselves: OurselvesInSlack | None = None
        self._looked: dict[tuple[str, str, str, str, int | None], tuple[dict[str, Posted], str | None]] = {}
        self._glanced_at: set[tuple[ChannelId, SlackTs | None, str]] = set()
        self._heard_at = 0.0  #: The latest timestamp that Slack gave a post of ours.

    # --- Threads

    async def post(self, post: Post) -> Posted:
        """Post it, with no link unfurled and no mention brought to life."""
        try:
            answer = await self._post(post)
        except SlackRefused as error:
            raise judge_in_thread(error) if post.thread_ts else error from error
        ts = answer.get("ts")
        if not isinstance(ts, str):
            raise OutcomeUnknown("Slack's yes has no timestamp")
        with suppress(ValueError):
            self._heard_at = max(self._heard_at, float(ts))
        message = answer.get("message")
        # Slack posts into a deleted thread at top level and says ok; the only sign is that thread_ts is missing.
        thread_ts = message.get("thread_ts") if isinstance(message, Mapping) else post.thread_ts
        return Posted(ts=SlackTs(ts), thread_ts=None if thread_ts is None else SlackTs(thread_ts), also=post.also)

    async def _post(self, post: Post) -> Mapping[str, Any]:
        options: dict[str, Any] = {"thread_ts": post.thread_ts} if post.thread_ts else {}
        if post.thread_ts and post.broadcast:
            options["reply_broadcast"] = True
        return await self._ask(
            "chat.postMessage",
            lambda: self._direct.call_directly(
                "chat.postMessage",
                {
                    "channel": post.channel_id,
                    "text": post.text,
                    "blocks": list(post.blocks),
                    "metadata": {"event_type": METADATA_TYPE, "event_payload": _name_texts(post)},
                    "unfurl_links": False,
                    "unfurl_media": False,
                    "parse": "none",
                    "link_names": False,
                    "mrkdwn": False,
                    **options,
                },
            ),
            repeatable=False,
            ticket=post.key,
            posts_to=post.channel_id,
        )

    async def find_post(self, post: Post, *, since: datetime) -> Sequence[Posted]:
        """Return the posts of ours with the key of *post*, oldest first, made after *since*."""
        oldest = (since - _CLOCK_SKEW).timestamp()
        found: dict[str, Posted] = {}
        place = (post.channel_id, post.thread_ts, post.key)
        if self._heard_at < oldest and place not in self._glanced_at:
            # Nothing says so far that Slack's clock goes with ours: the first page counts, whatever its times.
            found = await self._look_at_place(post, {}, pages=1)
            if not found and len(self._glanced_at) < _MOST_LOOKUPS:
                self._glanced_at.add(place)  # so that a search that is interrupted gets on
        if not found:
            found = await self._look_at_place(post, {"oldest": f"{oldest:.6f}", "inclusive": True}, pages=None)
        self._glanced_at.discard(place)
        return [found[ts] for ts in sorted(found)]

    async def _look_at_place(self, post: Post, span: Mapping[str, Any], *, pages: int | None) -> dict[str, Posted]:
        window = {"channel": post.channel_id, "include_all_metadata": True, **span}
        found: dict[str, Posted] = {}
        if post.thread_ts:
            found = await self._look(
                "conversations.replies",
                {**window, "ts": str(post.thread_ts)},
                post.key,
                self._client.conversations_replies,
                pages=pages,
            )
        if not found:
            found = await self._look(
                "conversations.history", window, post.key, self._client.conversations_history, pages=pages
            )
        return found

    async def _look(
        self,
        method: str,
        window: Mapping[str, Any],
        key: str,
        call: Callable[..., Awaitable[Any]],
        *,
        pages: int | None,
    ) -> dict[str, Posted]:
        """
        Return the posts with *key* within *window*, however much else stands there, or on its first *pages*.

        One that is interrupted by Slack's pace goes on where it was: a busy channel after a long outage has more pages than
        Slack gives in a minute. What is found by then is kept in memory; another process begins anew.
        """
        place = (method, str(window["channel"]), str(window.get("ts")), key, pages)
        found, cursor = self._looked.pop(place, ({}, None))
        for _ in count() if pages is None else range(pages):
            try:
                answer = await self._ask(
                    method,
                    partial(call, **window, limit=_LOOKUP_PAGE, cursor=cursor),
                    repeatable=True,
                )
            except SlackRefused as error:
                if error.error in ("thread_not_found", "channel_not_found", "message_not_found"):
                    return found
                raise
            except RetryLater:
                if len(self._looked) < _MOST_LOOKUPS:
                    self._looked[place] = found, cursor
                raise
            for message in answer.get("messages") or ():
                _collect(found, message, key)
            cursor = (answer.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                break
        return found

    async def _page(self, method: str, call: Callable[[str | None], Awaitable[Any]]) -> Any:
        cursor: str | None = None
        for _ in range(_MOST_PAGES):
            try:
                answer = await self._ask(method, partial(call, cursor), repeatable=True)
            except SlackRefused as error:
                if error.error in ("thread_not_found", "channel_not_found", "message_not_found"):
                    return
                raise
            for message in answer.get("messages") or ():
                yield message
            cursor = (answer.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                return

    async def delete(self, channel_id: ChannelId, ts: SlackTs) -> None:
        """Delete a post of ours; one already gone is no error."""
        await self._do(
            "chat.delete",
            lambda: self._client.chat_delete(channel=channel_id, ts=ts),
            already="message_not_found",
            ticket=f"{channel_id} {ts}",
        )

    async def whisper(
        self, channel_id: ChannelId, user_id: UserId, text: str, blocks: Sequence[Block], thread_ts: SlackTs | None
    ) -> None:
        """Tell *user_id*, and nobody else, something in the channel or thread."""
        await self._ask(
            "chat.postEphemeral",
            lambda: self._client.chat_postEphemeral(
                channel=channel_id,
                user=user_id,
                text=text,
                blocks=[dict(block) for block in blocks],
                thread_ts=thread_ts,
            ),
            repeatable=True,
        )

    async def add_reaction(self, channel_id: ChannelId, ts: SlackTs, name: str) -> None:
        """Add our reaction; one already there is no error."""
        await self._do(
            "reactions.add",
            lambda: self._direct.call_directly("reactions.add", {"channel": channel_id, "timestamp": ts, "name": name}),
            already="already_reacted",
            ticket=f"{channel_id} {ts} {name}",
        )

    async def remove_reaction(self, channel_id: ChannelId, ts: SlackTs, name: str) -> None:
        """Remove our reaction; none there is no error."""
        await self._do(
            "reactions.remove",
            lambda: self._direct.call_directly(
                "reactions.remove", {"channel": channel_id, "timestamp": ts, "name": name}
            ),
            already="no_reaction",
            ticket=f"{channel_id} {ts} {name}",
        )

    async def list_replies(self, channel_id: ChannelId, thread_ts: SlackTs, *, since: datetime) -> Sequence[Block]:
        """Return the messages of a thread from *since* on, as Slack gives them; none for a thread that is gone."""
        return [
            message
            async for message in self._page(
                "conversations.replies",
                lambda cursor: self._client.conversations_replies(
                    channel=channel_id, ts=thread_ts, oldest=f"{since.timestamp():.6f}", limit=200, cursor=cursor
                ),
            )
        ]

    async def find_card(self, channel_id: ChannelId, ts: SlackTs) -> Block | None:
        """Return the root of a thread as Slack has it, with `text` and `blocks`; None if it is gone."""
        try:
            answer = await self._ask(
                "conversations.replies",
                lambda: self._client.conversations_replies(channel=channel_id, ts=ts, limit=1),
                repeatable=True,
            )
        except SlackRefused as error:
            if error.error in ("thread_not_found", "message_not_found"):
                return None
            raise
        found = next(iter(answer.get("messages") or ()), None)
        return found if isinstance(found, Mapping) and found.get("ts") == ts and "subtype" not in found else None

    async def change_card(self, channel_id: ChannelId, ts: SlackTs, text: str, blocks: Sequence[Block]) -> None:
        """Replace what it says. What stands in its metadata stays, for none is sent."""
        await self._ask(
            "chat.update",
            lambda: self._client.chat_update(
                channel=channel_id,
                ts=ts,
                text=text,
                blocks=[dict(block) for block in blocks],
                parse="none",
                link_names=False,
            ),
            repeatable=True,
            ticket=f"{channel_id} {ts}",
        )

    async def publish_home(self, user_id: UserId, blocks: Sequence[Block]) -> None:
        """Show *blocks* on the Home tab of *user_id*."""
        view = {"type": "home", "blocks": [dict(block) for block in blocks]}
        await self._ask(
            "views.publish", lambda: self._client.views_publish(user_id=user_id, view=view), repeatable=True
        )

    async def join(self, channel_id: ChannelId) -> None:
        """Join a public channel; ChannelUnusable if it cannot be joined."""
        try:
            await self._ask(
                "conversations.join", lambda: self._client.conversations_join(channel=channel_id), repeatable=True
            )
        except SlackRefused as error:
            raise ChannelUnusable(method=error.method, error=error.error) from error

    # --- Directory

    async def get_person(self, user_id: UserId) -> Person:
        """Return the person; one whom Slack does not know stands as GONE, one whom it does not show us as UNSEEN."""
        try:
            answer = await self._ask("users.info", lambda: self._client.users_info(user=user_id), repeatable=True)
        except SlackRefused as error:
            if error.error in ("user_not_found", "user_not_visible", "users_not_found"):
                return Person(id=user_id, name="somebody", zone=None, standing=Standing.GONE)
            _log.error(
                "Slack does not tell who somebody is, so they cannot text: `doctor` says more.", trouble=error.log
            )
            return Person(id=user_id, name="somebody", zone=None, standing=Standing.UNSEEN)
        return _read_person(user_id, answer.get("user") or {}, await self.get_ourselves())

    async def name_channel(self, channel_id: ChannelId) -> str | None:
        """Return the channel's name without `#`."""
        try:
            answer = await self._ask(
                "conversations.info", lambda: self._client.conversations_info(channel=channel_id), repeatable=True
            )
        except SlackRefused:
            return None
        name = (answer.get("channel") or {}).get("name")
        return name if isinstance(name, str) else None

    async def name_group(self, group_id: str) -> str | None:
        """Return the user group's handle without `@`."""
        try:
            answer = await self._ask("usergroups.list", self._client.usergroups_list, repeatable=True)
        except SlackRefused:
            return None
        for group in answer.get("usergroups") or ():
            if group.get("id") == group_id:
                return str(group.get("handle") or group.get("name") or "") or None
        return None

    async def find_members(self, named: str) -> tuple[str, frozenset[UserId]] | None:
        """
        Return the handle and the members of the user group whose id or handle is *named*.

        None where there is none, it is disabled, or the app may not see it.
        """
        try:
            answer = await self._ask("usergroups.list", self._client.usergroups_list, repeatable=True)
            groups = [group for group in answer.get("usergroups") or () if named in (group["id"], group.get("handle"))]
            if not groups:
                return None
            group_id = str(groups[0]["id"])
            listed = await self._ask(
                "usergroups.users.list",
                lambda: self._client.usergroups_users_list(usergroup=group_id),
                repeatable=True,
            )
        except SlackRefused:
            return None
        members = frozenset(UserId(str(user)) for user in listed.get("users") or ())
        return str(groups[0].get("handle") or named), members

    async def get_ourselves(self) -> OurselvesInSlack:
        """Return who we are; asked once, for it does not change while the token stands."""
        if self._ourselves is None:
            self._ourselves = await self.check_access()
        return self._ourselves

    async def check_access(self) -> OurselvesInSlack:
        """Ask Slack who we are. Raises RetryLater when it refuses the token or cannot be reached."""
        answer = await self._ask("auth.test", self._client.auth_test, repeatable=True)
        url = str(answer.get("url") or "https://slack.com/")
        return OurselvesInSlack(
            team_id=TeamId(str(answer.get("team_id") or "")),
            bot_user_id=UserId(str(answer.get("user_id") or "")),
            bot_id=str(answer.get("bot_id") or ""),
            workspace_url=url if url.endswith("/") else url + "/",
            enterprise_id=str(answer.get("enterprise_id") or ""),
        )

    # --- One way to call

    async def call(self, method: str, data: Mapping[str, Any], *, repeatable: bool) -> Mapping[str, Any]:
        """Call *method* with *data* as a form, which keeps it out of addresses, judged as every call here is."""
        return await self._ask(method, lambda: self._client.api_call(method, data=dict(data)), repeatable=repeatable)

    async def _do(self, method: str, call: Callable[[], Awaitable[Any]], *, already: str, ticket: str) -> None:
        try:
            await self._ask(method, call, repeatable=True, ticket=ticket)
        except SlackRefused as error:
            if error.error != already:
                raise

    async def _ask(
        self,
        method: str,
        call: Callable[[], Awaitable[Any]],
        *,
        repeatable: bool,
        ticket: str | None = None,
        posts_to: ChannelId | None = None,
    ) -> Mapping[str, Any]:
        """Make *call* when it is its turn. *ticket*: what keeps the turn of one who is sent away; the same each time."""
        rules = choose_slack_rules(method, posts_to)
        self._pace.take(rules, ticket)
        outcome = "error"
        try:
            answer = await call()
        except (TimeoutError, SlackClientError, aiohttp.ClientError, ValueError, AttributeError) as error:
            # AttributeError: the SDK's, at a 200 that is no JSON object, such as some proxy's page.
            judged = judge(error, method, repeatable=repeatable)
            outcome = type(judged).__name__
            if isinstance(judged, Busy) and judged.after is not None:
                # For this method, and where it is about posts only for this channel: others are not held up.
                self._pace.hold_back(rules[0], judged.after)
            raise judged from error
        else:
            outcome = "ok"
            data = answer if isinstance(answer, dict) else answer.data  # made by `call_directly`, else by the SDK
            return data if isinstance(data, Mapping) else {}
        finally:
            self._metrics.calls.labels("slack", method, outcome).inc()


def _name_texts(post: Post) -> dict[str, Any]:
    """Return the payload of the metadata: opaque keys, for the whole workspace may read it."""
    return {"key": post.key, "also": list(post.also)} if post.also else {"key": post.key}


def _collect(found: dict[str, Posted], message: Mapping[str, Any], key: str) -> None:
    metadata = message.get("metadata") or {}
    if (metadata.get("event_payload") or {}).get("key") == key and metadata.get("event_type") == METADATA_TYPE:
        thread_ts = message.get("thread_ts")
        if thread_ts == message["ts"]:  # a root with replies names itself
            thread_ts = None
        also = metadata["event_payload"].get("also")
        found[message["ts"]] = Posted(
            ts=SlackTs(message["ts"]),
            thread_ts=None if thread_ts is None else SlackTs(thread_ts),
            also=tuple(str(each) for each in also) if isinstance(also, list) else (),
        )


def _read_person(user_id: UserId, user: Mapping[str, Any], ourselves: OurselvesInSlack) -> Person:
    profile = user.get("profile") or {}
    name = (
        profile.get("display_name")
        or profile.get("real_name")
        or user.get("real_name")
        or user.get("name")
        or "somebody"
    )
    team = user.get("team_id")
    is_foreign = bool(team and ourselves.team_id and team != ourselves.team_id)
    # Other organisations have enterprises, too: only somebody from another workspace of our own is no stranger.
    organisation = (user.get("enterprise_user") or {}).get("enterprise_id")
    is_colleague = bool(ourselves.enterprise_id) and organisation == ourselves.enterprise_id
    if user.get("deleted"):
        standing = Standing.GONE
    elif user.get("is_bot") or user_id == "USLACKBOT":
        standing = Standing.BOT
    elif user.get("is_stranger") or (is_foreign and not is_colleague):
        standing = Standing.OUTSIDER
    elif user.get("is_restricted") or user.get("is_ultra_restricted"):
        standing = Standing.GUEST
    else:
        standing = Standing.MEMBER
    return Person(
        id=user_id,
        name=str(name),
        zone=_read_zone(user),
        standing=standing,
        is_admin=bool(user.get("is_admin") or user.get("is_owner")),
    )


def _read_zone(user: Mapping[str, Any]) -> str | None:
    """Return the zone of somebody's clock: its name, else one of the same distance to UTC; None where Slack tells neither."""
    name, offset = user.get("tz"), user.get("tz_offset")
    if isinstance(name, str) and name:
        return name
    if not isinstance(offset, int) or offset % _HOUR or not -12 * _HOUR <= offset <= 14 * _HOUR:
        return None
    return f"Etc/GMT{-offset // _HOUR:+d}"  # POSIX counts these westwards
