"""
Putting a post where it belongs: exactly once, whatever becomes of the thread and its channel.

A post carries its job's key in its metadata, so a post whose answer never came is looked up before it is made again, and a
second copy, should Slack's own view have been late, is found and deleted. A post that comes back without `thread_ts` went
to the channel because the thread's root was deleted: it is removed, and the conversation gets a new root that links to
the old one.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.chance import Chance
from bot.clock import Clock
from bot.domain.conversation import Conversation
from bot.domain.ids import ChannelId, ConversationId, SlackTs
from bot.domain.job import Job
from bot.domain.policy import Policy
from bot.errors import ChannelUnusable, OutcomeUnknown, RetryLater, ThreadGone
from bot.flows import wording
from bot.flows.contacts import find_contacts
from bot.flows.jobs import enqueue_tidying, read_body
from bot.flows.strays import Strays
from bot.flows.wording import Words
from bot.observe import Log
from bot.ports import Directory, Post, Posted, Store, Threads, Transaction

_log = Log("placing")

#: Slack's history may show a post only a little later; a second copy is looked for after this long.
_TIDY_AFTER = timedelta(seconds=20)
#: The number of an attempt that has just one before it.
_ONE_EARLIER = 2
#: How long a post waits for a channel that is archived or closed to us and has no substitute.
_CHANNEL_PATIENCE = timedelta(seconds=20)
#: New roots tried for one post before giving way to others: each means that the one before was deleted just now.
_MOST_ROOTS = 3


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a post came to stand."""

    conversation: Conversation
    posted: Posted
    is_root: bool  #: It opened the thread.
    repeated: bool  #: There may be a second copy of it that is not to be seen yet.


class Placing:
    """Puts posts into threads and channels, and says where they stand."""

    def __init__(
        self,
        *,
        store: Store,
        threads: Threads,
        directory: Directory,
        policy: Policy,
        clock: Clock,
        chance: Chance,
    ) -> None:
        self._store = store
        self._threads = threads
        self._strays = Strays(store=store, threads=threads)
        self._directory = directory
        self._policy = policy
        self._clock = clock
        self._chance = chance

    async def place(
        self,
        job: Job,
        conversation: Conversation,
        words: Words,
        *,
        combine: bool,
        broadcast: bool,
        also: tuple[str, ...] = (),
    ) -> Placed:
        """
        Post *words* into the conversation's thread, opening or replacing it as need be.

        *combine*: where the thread must be opened, the words stand on its card instead of under it. *also*: the keys of
        the jobs whose texts stand in it besides.
        """
        remains = await self._settle_lost_thread(job, conversation)
        if remains is not None:
            return remains
        for _ in range(_MOST_ROOTS):
            try:
                if conversation.thread_ts is None and not combine:
                    conversation = await self._open_bare_thread(job, conversation)
                placed = await self._post_once(job, conversation, words, broadcast=broadcast, also=also)
            except ChannelUnusable as error:
                conversation = await self._find_usable_channel(conversation, error)
                continue
            except ThreadGone as error:
                _log.info("A thread takes no more; opening a new one.", conversation=conversation.id, word=error.error)
                conversation = await self._lose_thread(conversation, conversation.channel_id)
                continue
            if conversation.thread_ts is None or placed.posted.thread_ts is not None:
                return placed
            _log.info("A thread's root is gone; opening a new one.", conversation=conversation.id)
            try:
                await self._strays.discard(conversation.id, conversation.channel_id, placed.posted)
            except RetryLater as error:
                # It stands there still: the next attempt must look for it, and not post beside it.
                raise OutcomeUnknown(error.log) from error
            conversation = await self._lose_thread(conversation, conversation.channel_id)
        raise RetryLater("the thread's root is deleted as soon as it is posted", after=_CHANNEL_PATIENCE)

    async def record(self, tx: Transaction, job: Job, placed: Placed) -> None:
        """Record in *tx* the thread that a post opened, and have a second copy looked for where there may be one."""
        if placed.is_root:
            await tx.conversations.open_thread(placed.conversation.id, placed.conversation.channel_id, placed.posted.ts)
        if placed.repeated:
            await self._look_for_copies(tx, job, placed.conversation, _key(job, placed.conversation), placed.posted)

    async def place_in_channel(self, job: Job, post: Post) -> None:
        """Post what belongs to no conversation. Raises RetryLater while the channel cannot be used."""
        try:
            await self._post_or_adopt(job, post, None)
        except ChannelUnusable as error:
            if error.error == "not_in_channel":
                with suppress(ChannelUnusable):  # a private one: somebody has to invite the app
                    await self._threads.join(post.channel_id)
            raise RetryLater(error.log, after=_CHANNEL_PATIENCE) from error

    async def open_thread(self, job: Job, conversation: Conversation) -> Conversation:
        """Return *conversation* with a thread, opened for *job* if it has none. For jobs of the conversation's lane only."""
        if conversation.thread_ts is not None:
            return conversation
        try:
            return await self._open_bare_thread(job, conversation)
        except ChannelUnusable as error:
            await self.leave_channel(conversation, error)
            raise RetryLater(error.log) from error

    async def leave_channel(self, conversation: Conversation, error: ChannelUnusable) -> None:
        """Make the conversation's channel usable, or move the conversation to one that may be; RetryLater if none is."""
        await self._find_usable_channel(conversation, error)

    async def tidy_post(self, job: Job) -> None:
        """Delete a second copy of a post, if there is one: the first was not to be seen when it was posted again."""
        body = read_body(job)
        thread = body["thread"]
        post = Post(
            channel_id=ChannelId(body["channel"]),
            text="",
            blocks=(),
            key=str(body["key"]),
            thread_ts=None if thread is None else SlackTs(thread),
        )
        for posted in await self._threads.find_post(post, since=datetime.fromisoformat(body["since"])):
            if posted.ts != body["keep"]:
                _log.warning("A post stood twice; the second copy is deleted.", job=job.id)
                conversation_id = body.get("conversation")
                await self._strays.discard(conversation_id, post.channel_id, posted)
        async with self._store.transaction("tidy post") as tx:
            await tx.queue.finish(job)

    async def _settle_lost_thread(self, job: Job, conversation: Conversation) -> Placed | None:
        """
        Find what an earlier attempt may have left of the post in or beside the thread that was lost since.

        In that thread it stands where it belongs, and that place is returned; a stray beside it is deleted.
        """
        thread_ts, channel_id = conversation.previous_thread_ts, conversation.previous_channel_id
        if not job.unsettled or thread_ts is None or channel_id is None:
            return None
        post = Post(channel_id=channel_id, text="", blocks=(), key=job.key, thread_ts=thread_ts)
        for posted in await self._threads.find_post(post, since=job.started_at):
            if posted.thread_ts == thread_ts:
                there = replace(conversation, channel_id=channel_id, thread_ts=thread_ts)
                return Placed(conversation=there, posted=posted, is_root=False, repeated=False)
            if posted.thread_ts is None:
                _log.info("A stray of a lost thread is deleted.", job=job.id)
                await self._strays.discard(conversation.id, channel_id, posted)
        return None

    async def _open_bare_thread(self, job: Job, conversation: Conversation) -> Conversation:
        post = await self._build_root(conversation, f"card:{conversation.id}:{conversation.root}", None)
        posted, repeated = await self._post_or_adopt(job, post, conversation.id)
        async with self._store.transaction("open thread") as tx:
            await tx.conversations.open_thread(conversation.id, conversation.channel_id, posted.ts)
            if repeated:
                await self._look_for_copies(tx, job, conversation, post.key, posted)
        return replace(conversation, thread_ts=posted.ts, root=conversation.root + 1)

    async def _post_once(
        self, job: Job, conversation: Conversation, words: Words, *, broadcast: bool, also: tuple[str, ...]
    ) -> Placed:
        key = _key(job, conversation)
        if conversation.thread_ts is None:
            post = replace(await self._build_root(conversation, key, words), also=also)
        else:
            text, blocks = words
            post = Post(
                channel_id=conversation.channel_id,
                text=text,
                blocks=blocks,
                key=key,
                thread_ts=conversation.thread_ts,
                broadcast=broadcast,
                also=also,
            )
        posted, repeated = await self._post_or_adopt(job, post, conversation.id)
        return Placed(conversation, posted, conversation.thread_ts is None, repeated)

    async def _post_or_adopt(self, job: Job, post: Post, conversation_id: ConversationId | None) -> tuple[Posted, bool]:
        """Return where the post stands, and whether there may be a second copy of it that is not to be seen yet."""
        if job.unsettled:
            found = await self._threads.find_post(post, since=job.started_at)
            if found:
                _log.info("A post whose answer never came was found.", job=job.id)
                for extra in found[1:]:
                    await self._strays.discard(conversation_id, post.channel_id, extra)
                # One earlier attempt made one copy; of several, each may have, and Slack shows them late.
                return found[0], job.attempts > _ONE_EARLIER
        return await self._threads.post(post), job.unsettled

    async def _build_root(self, conversation: Conversation, key: str, content: Words | None) -> Post:
        workspace_url = None
        if conversation.previous_thread_ts:
            workspace_url = (await self._directory.get_ourselves()).workspace_url
        async with self._store.reading() as view:
            contacts = await find_contacts(view, conversation.parties.theirs)
        text, blocks = wording.card(
            conversation,
            region=self._policy.region,
            several_numbers=self._policy.has_several_numbers,
            workspace_url=workspace_url,
            content=content,
            contacts=contacts,
        )
        return Post(channel_id=conversation.channel_id, text=text, blocks=blocks, key=key)

    async def _look_for_copies(
        self, tx: Transaction, job: Job, conversation: Conversation, key: str, kept: Posted
    ) -> None:
        body = {
            "conversation": conversation.id,
            "channel": conversation.channel_id,
            "thread": conversation.thread_ts,
            "key": key,
            "keep": kept.ts,
            "since": job.started_at.isoformat(),
        }
        await enqueue_tidying(tx, f"{key}:{self._chance.token()}", body, self._clock.now() + _TIDY_AFTER)

    async def _lose_thread(self, conversation: Conversation, channel_id: ChannelId) -> Conversation:
        async with self._store.transaction("lose thread") as tx:
            await tx.conversations.lose_thread(conversation.id, channel_id=channel_id)
            return await tx.conversations.get(conversation.id)

    async def _find_usable_channel(self, conversation: Conversation, error: ChannelUnusable) -> Conversation:
        """Return the conversation, moved to a channel that may be usable; RetryLater if there is none."""
        if error.error == "not_in_channel":
            try:
                await self._threads.join(conversation.channel_id)
            except ChannelUnusable:
                _log.debug("Joining the channel was refused.", channel=conversation.channel_id)
            else:
                return conversation
        for channel_id in (self._policy.choose_channel(conversation.parties.ours), self._policy.default_channel):
            if channel_id != conversation.channel_id:
                _log.warning(
                    "A channel cannot be used; the conversation moves.", channel=conversation.channel_id, to=channel_id
                )
                return await self._lose_thread(conversation, channel_id)
        _log.error(
            "The channel cannot be used and there is no other: invite the app to it, unarchive it, or set SLACK_CHANNEL.",
            channel=conversation.channel_id,
            word=error.error,
        )
        raise RetryLater(f"channel unusable: {error.error}", after=_CHANNEL_PATIENCE)


def _key(job: Job, conversation: Conversation) -> str:
    """Return the key in the post's metadata: a card has one of its own for each root, so a stray is not taken for it."""
    return job.key if conversation.thread_ts is not None else f"{job.key}@{conversation.root}"
