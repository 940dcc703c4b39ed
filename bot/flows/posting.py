"""
What is shown in Slack: texts, those that come late together, lines, and notices; and what is done about a refusal.

The queue's lane keeps the order; where a post comes to stand, and that it stands there once, is `bot.flows.placing`'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.chance import Chance
from bot.clock import Clock
from bot.domain.conversation import Conversation
from bot.domain.ids import ChannelId, ConversationId, MessageId
from bot.domain.job import Job
from bot.domain.message import Direction, Message, Origin, State
from bot.domain.policy import Policy
from bot.errors import ChannelUnusable, Paced, RetryLater, SlackRefused
from bot.flows import wording
from bot.flows.backlog import Backlogs
from bot.flows.backlog_wording import cannot_be_shown, joint_texts, plain_text
from bot.flows.jobs import (
    TextInHand,
    enqueue_line,
    enqueue_mark,
    enqueue_share,
    enqueue_text,
    read_body,
    read_text_key,
)
from bot.flows.joining import Companion, find_companions, find_turn, keep_apart
from bot.flows.placing import Placed, Placing
from bot.flows.wording import Words
from bot.observe import Log
from bot.ports import Directory, Pace, Post, Store

_log = Log("posting")

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


class Posting:
    """The use-cases of the post pool."""

    def __init__(
        self,
        *,
        store: Store,
        placing: Placing,
        backlogs: Backlogs,
        directory: Directory,
        pace: Pace,
        policy: Policy,
        clock: Clock,
        chance: Chance,
    ) -> None:
        self._store = store
        self._placing = placing
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
            await self._placing.record(tx, job, placed)
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

    async def _place_together(self, job: Job, wanted: _Wanted, *, broadcast: bool) -> Placed | None:
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
            return await self._placing.place(job, conversation, words, combine=True, broadcast=broadcast, also=also)
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
    ) -> Placed:
        """Post a text as *words*, or, where Slack refuses these, plainly as *part*."""
        conversation = wanted.conversation
        try:
            if not wanted.is_refused:
                return await self._placing.place(job, conversation, words, combine=combine, broadcast=broadcast)
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

    async def _place_plainly(self, job: Job, conversation: Conversation, plain: Words, *, combine: bool) -> Placed:
        """Post a text that Slack refuses as it is without any form; if that is refused, too, tell the thread and raise."""
        try:
            return await self._placing.place(job, conversation, plain, combine=combine, broadcast=False)
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
            placed = await self._placing.place(job, conversation, words, combine=False, broadcast=False)
        except ChannelUnusable:
            raise
        except SlackRefused as error:
            if not error.is_known:
                await self._be_patient(job, error)
            raise
        async with self._store.transaction("post line") as tx:
            await self._placing.record(tx, job, placed)
            await tx.queue.finish(job)

    async def post_notice(self, job: Job) -> None:
        """Tell a channel something that belongs to no conversation, as soon as the channel can be used."""
        body = read_body(job)
        text = str(body["text"])
        blocks = list(body["blocks"]) or wording.line(text)[1]
        post = Post(channel_id=ChannelId(body["channel"]), text=text, blocks=blocks, key=job.key)
        await self._placing.place_in_channel(job, post)
        async with self._store.transaction("post notice") as tx:
            await tx.queue.finish(job)
