"""
The mark on a message: desired state, shown by at most one reaction.

Each time the job runs it asks anew what the mark should be. Before a reaction is asked for, its name is stored as
*tried*: after a crash it may or may not be there, and is then removed along with the one that was shown.

While the channel is archived, or the app not in it, no reaction can be changed: what the mark should be waits for it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta

from bot.chance import Chance
from bot.clock import Clock
from bot.domain.conversation import Conversation, Medium
from bot.domain.delivery import Delivery
from bot.domain.ids import ChannelId, MessageId, SlackTs
from bot.domain.job import Job
from bot.domain.message import Mark, Message, choose_mark
from bot.domain.phone import Address
from bot.errors import ChannelUnusable, NotGranted, RetryLater, SlackRefused
from bot.flows.jobs import enqueue_mark, mark_lane, read_body
from bot.observe import Log
from bot.ports import Store, Threads, Transaction

_log = Log("marks")

#: How often a mark that cannot be changed is tried again: at first, and when it has waited for some time.
_SOON = timedelta(seconds=20)
_SELDOM = timedelta(minutes=5)
_SOME_TIME = timedelta(minutes=10)
#: How long it is tried at all: most channels that are archived for longer stay so.
_LONGEST = timedelta(days=1)


async def renew_mark(
    tx: Transaction,
    message: Message,
    conversation: Conversation,
    deliveries: Mapping[Address, Delivery],
    now: datetime,
    chance: Chance,
) -> None:
    """
    Have the mark on *message* brought up to date, if there is anything to be done.

    It and its *deliveries* are given as they stand in this transaction.

    Between a send and the end of it nothing is. What a mark that is being shown may be about to change is unknown, so
    then it is looked at once more.
    """
    wanted = _choose(message, conversation, deliveries, now)
    is_shown = wanted == message.mark_shown and message.mark_tried is None
    if not is_shown or await tx.queue.is_busy(mark_lane(message.id)):
        await enqueue_mark(tx, message.id, chance.token())


def _choose(
    message: Message, conversation: Conversation, deliveries: Mapping[Address, Delivery], now: datetime
) -> Mark | None:
    shows_read = conversation.parties.medium is Medium.WHATSAPP
    return choose_mark(message, tuple(deliveries.values()), now, shows_read=shows_read)


class Marks:
    """The use-case of the mark pool."""

    def __init__(self, *, store: Store, threads: Threads, clock: Clock, chance: Chance) -> None:
        self._store = store
        self._threads = threads
        self._clock = clock
        self._chance = chance

    async def show_mark(self, job: Job) -> None:
        """Bring the mark on a message up to date. Transactions: the mark tried, the mark shown."""
        body = read_body(job)
        message_id = MessageId(body["message"])
        if body.get("late"):
            async with self._store.transaction("look at mark") as tx:
                await enqueue_mark(tx, message_id, self._chance.token())
                await tx.queue.finish(job)
            return
        async with self._store.reading() as view:
            message = await view.messages.get(message_id)
            conversation = await view.conversations.get(message.conversation_id)
            deliveries = await view.deliveries.of_message(message_id)
        wanted = _choose(message, conversation, deliveries, self._clock.now())
        if message.channel_id is not None and message.slack_ts is not None:
            try:
                await self._change(message, message.channel_id, message.slack_ts, wanted)
            except (ChannelUnusable, NotGranted) as error:
                self._check_patience(job, error)
        async with self._store.transaction("finish mark") as tx:
            if message.slack_ts is not None:
                await tx.messages.update(message_id, mark_shown=wanted, mark_tried=None)
            await tx.queue.finish(job)

    def _check_patience(self, job: Job, error: SlackRefused) -> None:
        """Raise RetryLater unless what stands in the way of the mark has done so for too long."""
        waited = self._clock.now() - job.created_at
        if waited < _LONGEST:
            raise RetryLater(error.log, after=_SOON if waited < _SOME_TIME else _SELDOM) from error
        _log.info("A mark could not be shown for long, and is given up.", word=error.error)

    async def _change(self, message: Message, channel_id: ChannelId, ts: SlackTs, wanted: Mark | None) -> None:
        for stale in {message.mark_shown, message.mark_tried} - {wanted, None}:
            await self._react(self._threads.remove_reaction, channel_id, ts, stale)
        if wanted is None or wanted == message.mark_shown:
            return
        async with self._store.transaction("try mark") as tx:
            await tx.messages.update(message.id, mark_shown=None, mark_tried=wanted)
        await self._react(self._threads.add_reaction, channel_id, ts, wanted)

    async def _react(
        self,
        call: Callable[[ChannelId, SlackTs, str], Awaitable[None]],
        channel_id: ChannelId,
        ts: SlackTs,
        mark: Mark | None,
    ) -> None:
        if mark is None:
            return
        try:
            await call(channel_id, ts, mark.value)
        except (ChannelUnusable, NotGranted):
            raise
        except SlackRefused as error:
            # The message was deleted, or takes no more reactions: there is nothing left to mark.
            _log.info("A mark cannot be shown.", message_channel=channel_id, word=error.error)
