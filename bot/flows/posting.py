"""
Posting into Slack: exactly once, in order, whatever becomes of the thread.

The queue's lane keeps the order. A post carries its job's key in its metadata, so a post whose answer never came is
looked up before it is made again, and a second copy, should Slack's own view have been late, is found and deleted.
A post that comes back without `thread_ts` went to the channel because the thread's root was deleted: it is removed,
and the conversation gets a new root that links to the old one.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.chance import Chance
from bot.clock import Clock
from bot.domain.conversation import Conversation
from bot.domain.ids import ChannelId, ConversationId, MessageId, SlackTs
from bot.domain.job import Job
from bot.domain.message import Direction, Message, Origin, State
from bot.domain.policy import Policy
from bot.errors import ChannelUnusable, OutcomeUnknown, Paced, RetryLater, SlackRefused, ThreadGone
from bot.flows import wording
from bot.flows.backlog import Backlogs
from bot.flows.backlog_wording import cannot_be_shown, joint_texts, plain_text
from bot.flows.contacts import find_contacts
from bot.flows.jobs import (
    TextInHand,
    enqueue_line,
    enqueue_mark,
    enqueue_share,
    enqueue_text,
    enqueue_tidying,
    read_body,
    read_text_key,
)
from bot.flows.joining import Companion, find_companions, find_turn, keep_apart
from bot.flows.strays import Strays
from bot.flows.wording import Words
from bot.observe import Log
from bot.ports import Directory, Pace, Post, Posted, Store, Threads, Transaction

_log = Log("posting")

#: Slack's history may show a post only a little later; a second copy is looked for after this long.
_TIDY_AFTER = timedelta(seconds=20)
#: The number of an attempt that has just one before it.
_ONE_EARLIER = 2
#: How long a post waits for a channel that is archived or closed to us and has no substitute.
_CHANNEL_PATIENCE = timedelta(seconds=20)
#: New roots tried for one post before giving way to others: each means that the one before was deleted just now.
_MOST_ROOTS = 3
#: How long a refusal is tried again that we do not know, and how often.
_REFUSAL_PATIENCE = timedelta(minutes=10)
_REFUSAL_WAIT = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """A text that is to be shown."""

    message: Message
    conversation: Conversation
    companions: Sequence[Companion] = ()  #: What is to stand in one message with it.
    is_refused: bool = False  #: Slack refused it as it is, when it was tried before.


@dataclass(frozen=True, slots=True)
class _Placed:
    """Where a post came to stand."""

    conversation: Conversation
    posted: Posted
    is_root: bool
    repeated: bool


class Posting:
    """The use-cases of the post pool."""

    def __init__(
        self,
        *,
        store: Store,
        threads: Threads,
        backlogs: Backlogs,
        directory: Directory,
        pace: Pace,
        policy: Policy,
        clock: Clock,
        chance: Chance,
    ) -> None:
        self._store = store
        self._threads = threads
        self._strays = Strays(store=store, threads=threads)
        self._backlogs = backlogs
        self._pace = pace
        self._directory = directory
        self._policy = policy
        self._clock = clock
        self._chance = chance

    async def post_text(self, job: Job) -> None:
        """
        Show one part of a text in its thread; a whole text together with those behind it, where these would come late.

        Transaction: where each stands, the thread if this opened it, the mark if it already has one to show.
        """
        body = read_body(job)
        message_id = MessageId(body["message"])
        if body.get("late"):
            await self._show_now(job, message_id)
            return
        number, part = int(body["number"]), str(body["part"])
        wanted = await self._look_up(job, message_id)
        message, conversation = wanted.message, wanted.conversation
        words = await self._word_text(conversation, message, number, part, has_media=bool(body.get("media")))
        if body.get("recovered"):
            words = wording.recovered(words)
        quiet = number == 0 and message.direction is Direction.INBOUND and bool(body.get("broadcast"))
        placed = await self._place_together(job, wanted, broadcast=quiet)
        if placed is None:
            placed = await self._place_text(job, wanted, words, part, combine=number == 0, broadcast=quiet)
        async with self._store.transaction("post text") as tx:
            await self._record(tx, job, placed)
            if number == 0:
                await tx.messages.update(
                    message_id, channel_id=placed.conversation.channel_id, slack_ts=placed.posted.ts
                )
                if message.direction is Direction.OUTBOUND:
                    await enqueue_mark(tx, message_id, self._chance.token())
            for key in placed.posted.also:
                if await tx.queue.drop(key):
                    await tx.messages.update(
                        read_text_key(key), channel_id=placed.conversation.channel_id, slack_ts=placed.posted.ts
                    )
            await tx.queue.finish(job)

    async def _look_up(self, job: Job, message_id: MessageId) -> _Wanted:
        """Return what *job* is to show, and what can be shown with it."""
        if isinstance(job.in_hand, TextInHand):  # nothing waits behind it yet, and nothing was tried
            return _Wanted(message=job.in_hand.message, conversation=job.in_hand.conversation)
        async with self._store.reading() as view:
            message = await view.messages.get(message_id)
            conversation = await view.conversations.get(message.conversation_id)
            companions: Sequence[Companion] = ()
            if conversation.thread_ts:  # what opens a thread stands on its card by itself
                turn = find_turn(self._pace, conversation.channel_id)
                companions = await find_companions(view, job, message, now=self._clock.now(), turn=turn)
            is_refused = await view.facts.find_fact(f"plain:{job.key}") is not None
        return _Wanted(message=message, conversation=conversation, companions=companions, is_refused=is_refused)

    async def _place_together(self, job: Job, wanted: _Wanted, *, broadcast: bool) -> _Placed | None:
        """Post a text and its companions as one message; None where there are none, or Slack does not take it."""
        if not wanted.companions:
            return None
        conversation = wanted.conversation
        together = [wanted.message, *(companion.message for companion in wanted.companions)]
        words = joint_texts(
            [(each.text, self._name_sender(conversation, each), each.created_at) for each in together],
            self._clock.now(),
        )
        also = tuple(companion.key for companion in wanted.companions)
        try:
            return await self._place(job, conversation, words, combine=True, broadcast=broadcast, also=also)
        except Paced:
            await self._backlogs.notice(conversation.id)
            raise
        except ChannelUnusable:
            raise
        except SlackRefused as error:
            _log.warning("Texts cannot be posted together; the first goes alone.", job=job.id, word=error.error)
            # On record, for the turn is used up: whoever comes back with the next one would try the same again.
            async with self._store.transaction("keep texts apart") as tx:
                await keep_apart(tx, conversation.id, self._clock.now())
            return None

    async def _place_text(
        self, job: Job, wanted: _Wanted, words: Words, part: str, *, combine: bool, broadcast: bool
    ) -> _Placed:
        """Post a text as *words*, or, where Slack refuses these, plainly as *part*."""
        conversation = wanted.conversation
        try:
            if not wanted.is_refused:
                return await self._place(job, conversation, words, combine=combine, broadcast=broadcast)
        except Paced:
            await self._backlogs.notice(conversation.id)
            raise
        except ChannelUnusable:
            raise
        except SlackRefused as error:
            if not error.is_known:
                await self._be_patient(job, error)
            _log.warning("Slack refuses a text as it is; trying without form.", job=job.id, word=error.error)
            # On record, for the turn is used up: whoever comes back with the next one would be refused again.
            async with self._store.transaction("give up form") as tx:
                await tx.facts.set_fact(f"plain:{job.key}", f"{self._clock.now().timestamp():.6f}")
        return await self._place_plainly(job, conversation, plain_text(words[0], part), combine=combine)

    async def _place_plainly(self, job: Job, conversation: Conversation, plain: Words, *, combine: bool) -> _Placed:
        """Post a text that Slack refuses as it is without any form; if that is refused, too, tell the thread and raise."""
        try:
            return await self._place(job, conversation, plain, combine=combine, broadcast=False)
        except ChannelUnusable:
            raise
        except SlackRefused as again:
            async with self._store.transaction("tell refused text") as tx:
                line, blocks = cannot_be_shown(again.error, job.id)
                await enqueue_line(tx, conversation.id, f"refused:{job.key}", line, blocks)
            raise

    async def _be_patient(self, job: Job, error: SlackRefused) -> None:
        """Return when a refusal that we do not know has lasted for long; RetryLater until then. Transaction: since when."""
        name, now = f"refused:{job.key}", self._clock.now()
        async with self._store.transaction("hear refusal") as tx:
            since = await tx.facts.find_fact(name)
            if since is None:
                await tx.facts.set_fact(name, now.isoformat())
        if since is None or now - datetime.fromisoformat(since) < _REFUSAL_PATIENCE:
            raise RetryLater(error.log, after=_REFUSAL_WAIT) from error

    def _name_sender(self, conversation: Conversation, message: Message) -> str | None:
        """Return who of a group wrote it; None where it is no question."""
        if not conversation.parties.is_group or not message.sender:
            return None
        return wording.name_address(message.sender, self._policy.region)

    async def _show_now(self, job: Job, message_id: MessageId) -> None:
        """Put a text whose time has come in line with the other posts of its thread."""
        async with self._store.transaction("show scheduled text") as tx:
            message = await tx.messages.get(message_id)
            if message.state is not State.CANCELLED:
                has_media = bool(await tx.media.of_message(message_id))
                await enqueue_text(tx, message.conversation_id, message_id, message.text, has_media=has_media)
                if has_media:
                    await enqueue_share(tx, message.conversation_id, message_id)
            await tx.queue.finish(job)

    async def _word_text(
        self, conversation: Conversation, message: Message, number: int, part: str, *, has_media: bool
    ) -> Words:
        if message.direction is Direction.INBOUND:
            sender = self._name_sender(conversation, message) if number == 0 else None
            return wording.customer_text(part, sender=sender, has_media=has_media)
        author = "Textbridge"
        if message.author is not None:
            author = (await self._directory.get_person(message.author)).name
        note = {Origin.SCHEDULE: "scheduled this text", Origin.CORRECTION: "sent a correction"}.get(
            message.origin, "texted"
        )
        return wording.our_text(part, author=author, number=number, note=note)

    async def post_line(self, job: Job) -> None:
        """Tell the thread something. Transaction: the thread if this opened it."""
        body = read_body(job)
        async with self._store.reading() as view:
            conversation = await view.conversations.get(ConversationId(body["conversation"]))
        words = (str(body["text"]), list(body["blocks"]) or wording.line(str(body["text"]))[1])
        try:
            placed = await self._place(job, conversation, words, combine=False, broadcast=False)
        except ChannelUnusable:
            raise
        except SlackRefused as error:
            if not error.is_known:
                await self._be_patient(job, error)
            raise
        async with self._store.transaction("post line") as tx:
            await self._record(tx, job, placed)
            await tx.queue.finish(job)

    async def post_notice(self, job: Job) -> None:
        """Tell a channel something that belongs to no conversation, as soon as the channel can be used."""
        body = read_body(job)
        text = str(body["text"])
        blocks = list(body["blocks"]) or wording.line(text)[1]
        post = Post(channel_id=ChannelId(body["channel"]), text=text, blocks=blocks, key=job.key)
        try:
            await self._post_or_adopt(job, post, None)
        except ChannelUnusable as error:
            if error.error == "not_in_channel":
                with suppress(ChannelUnusable):  # a private one: somebody has to invite the app
                    await self._threads.join(post.channel_id)
            raise RetryLater(error.log, after=_CHANNEL_PATIENCE) from error
        async with self._store.transaction("post notice") as tx:
            await tx.queue.finish(job)

    async def _record(self, tx: Transaction, job: Job, placed: _Placed) -> None:
        if placed.is_root:
            await tx.conversations.open_thread(placed.conversation.id, placed.conversation.channel_id, placed.posted.ts)
        if placed.repeated:
            await self._look_for_copies(tx, job, placed.conversation, _key(job, placed.conversation), placed.posted)

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

    async def _place(
        self,
        job: Job,
        conversation: Conversation,
        words: Words,
        *,
        combine: bool,
        broadcast: bool,
        also: tuple[str, ...] = (),
    ) -> _Placed:
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

    async def _settle_lost_thread(self, job: Job, conversation: Conversation) -> _Placed | None:
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
                return _Placed(conversation=there, posted=posted, is_root=False, repeated=False)
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
    ) -> _Placed:
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
        return _Placed(conversation, posted, conversation.thread_ts is None, repeated)

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


def _key(job: Job, conversation: Conversation) -> str:
    """Return the key in the post's metadata: a card has one of its own for each root, so a stray is not taken for it."""
    return job.key if conversation.thread_ts is not None else f"{job.key}@{conversation.root}"
