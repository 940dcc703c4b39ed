"""
What the carrier reports of our texts: merged, in whatever order it comes.

A receipt may come before the answer to the send, or instead of it: its address names our text, so it settles what the
answer did not. One that comes to the profile's address may name nothing but the carrier's id, which only the answer
tells: it waits for that as long as it may be of a text whose answer is still to come.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.chance import Chance
from bot.clock import Clock
from bot.domain.carrier_events import Receipt
from bot.domain.conversation import POOL, make_parties
from bot.domain.delivery import FAILED, FINAL, DeliveryStatus
from bot.domain.ids import MessageId
from bot.domain.message import Direction, Message, Origin, State
from bot.domain.policy import Policy
from bot.domain.schedule import ScheduleState
from bot.errors import RetryLater
from bot.flows.jobs import enqueue_text, send_key, show_key
from bot.flows.marks import renew_mark
from bot.flows.outcomes import Failure, accept, explain_failure, follow_schedule, learn_sender
from bot.flows.schedule_changes import find_schedule, record_gone
from bot.observe import Log, Metrics
from bot.ports import Store, Transaction

_log = Log("receipts")

_NOT_SETTLED = frozenset({State.WAITING, State.UNDER_WAY, State.UNSETTLED, State.BLOCKED})

#: What the carrier says of a scheduled text before its time.
_NOT_GONE = frozenset({DeliveryStatus.SCHEDULED, DeliveryStatus.CANCELLED, DeliveryStatus.QUEUED})

#: A send without an answer for longer does not make receipts wait; what it was asks the carrier, or a person.
_ANSWER_WAIT = timedelta(hours=1)
#: What the carrier may have without our knowing under which id.
_UNANSWERED = (State.UNDER_WAY, State.UNSETTLED)


class Receipts:
    """Merges receipts."""

    def __init__(self, *, store: Store, policy: Policy, clock: Clock, chance: Chance, metrics: Metrics) -> None:
        self._store = store
        self._policy = policy
        self._clock = clock
        self._chance = chance
        self._metrics = metrics

    async def record_receipt(self, receipt: Receipt, reference: MessageId) -> None:
        """Merge *receipt*, which was asked for. Transaction: as `take_receipt` has it."""
        async with self._store.transaction("record receipt") as tx:
            await self.take_receipt(tx, receipt, reference)

    async def take_receipt(
        self, tx: Transaction, receipt: Receipt, reference: MessageId | None, came_at: datetime | None = None
    ) -> str:
        """
        Merge *receipt*, which came by itself at *came_at*, and return what became of it, for the metrics.

        RetryLater while it may be of a text whose answer, with the carrier's id, is still to come. In the caller's
        transaction: the deliveries, the message if this settles it, the mark, and the line that explains a failure.
        """
        message = await self._find(tx, receipt, reference)
        if message is None:
            if reference is None and came_at is not None and await self._is_answer_due(tx, receipt, came_at):
                raise RetryLater("the answer to a send is still to come, and this may be its receipt")
            return "foreign"
        await self._merge(tx, message, receipt)
        return "merged"

    async def _find(self, tx: Transaction, receipt: Receipt, reference: MessageId | None) -> Message | None:
        message = await tx.messages.find_by_carrier_id(receipt.carrier_id)
        if message is None and reference is not None:
            message = await self._find_by_reference(tx, receipt, reference)
        if message is None or message.direction is not Direction.OUTBOUND:
            return None  # sent from the carrier's portal, or by another program on the same profile
        return message

    async def _find_by_reference(self, tx: Transaction, receipt: Receipt, reference: MessageId) -> Message | None:
        # The reference stands in the address, which the signature does not cover: it must fit what is signed.
        try:
            message = await tx.messages.get(reference)
        except KeyError:
            return None
        conversation = await tx.conversations.get(message.conversation_id)
        if receipt.copies and not set(receipt.copies) & set(conversation.parties.theirs):
            _log.warning("A receipt names a text to somebody else; it is not taken.", message_id=reference)
            return None
        if message.carrier_id is not None and not conversation.parties.is_group:
            return None
        return message

    async def _is_answer_due(self, tx: Transaction, receipt: Receipt, came_at: datetime) -> bool:
        """Tell whether a text to somebody of *receipt* was on its way to the carrier when it came, and still is."""
        now = self._clock.now()
        senders = {POOL, *self._policy.our_numbers} if receipt.sender is None else {POOL, receipt.sender}
        for theirs in receipt.copies:
            for ours in senders:
                conversation = await tx.conversations.find(make_parties(ours, [theirs]))
                if conversation is None:
                    continue
                # However much was written since: one whose outcome stays unknown does not hold up what comes after it.
                for message in await tx.messages.find_outbound_in(conversation.id, _UNANSWERED):
                    request = await tx.deliveries.find_request(message.id)
                    if (
                        request is not None
                        and request.created_at <= came_at
                        and now - request.created_at < _ANSWER_WAIT
                    ):
                        return True
        return False

    async def _merge(self, tx: Transaction, message: Message, receipt: Receipt) -> None:
        now = self._clock.now()
        conversation = await tx.conversations.get(message.conversation_id)
        await learn_sender(tx, conversation, receipt.sender)
        if message.state in _NOT_SETTLED:
            _log.info("A receipt settled a text.", message_id=message.id)
            await accept(tx, message, message.carrier_id or receipt.carrier_id)
            await follow_schedule(tx, message, receipt.carrier_id, now)
            await tx.queue.hasten(send_key(message.id), now)
        elif message.state is State.REFUSED:
            await tx.messages.update(message.id, state=State.ACCEPTED)
        known = await tx.deliveries.of_message(message.id)
        for recipient, reported in receipt.copies.items():
            merged = await tx.deliveries.merge(message.id, recipient, reported)
            before = known.get(recipient)
            if before is not None and before.status == merged.status:
                continue
            if merged.status in FINAL:
                self._metrics.deliveries.labels(merged.status.value).inc()
            if merged.status in FAILED:
                failure = Failure(code=merged.code or merged.status.value, title=merged.title, detail=merged.detail)
                await explain_failure(tx, message, conversation, self._policy, failure, recipient, now)
        await self._follow_schedule(tx, message, receipt)
        message, deliveries = await tx.messages.get(message.id), await tx.deliveries.of_message(message.id)
        await renew_mark(tx, message, conversation, deliveries, now, self._chance)

    async def _follow_schedule(self, tx: Transaction, message: Message, receipt: Receipt) -> None:
        """Record that a scheduled text has gone out, even one that was thought to be taken back, and show it."""
        schedule = await find_schedule(tx, message)
        statuses = {delivery.status for delivery in receipt.copies.values()}
        if message.origin is not Origin.SCHEDULE or not statuses - _NOT_GONE:
            return
        if schedule is not None and schedule.state is not ScheduleState.SENT:
            await record_gone(tx, schedule)
        elif message.state is not State.CANCELLED:
            return
        if message.state is State.CANCELLED:
            _log.warning("A text went out although it was taken back.", message_id=message.id)
            await tx.messages.update(message.id, state=State.ACCEPTED)
        if not await tx.queue.hasten(show_key(message.id), self._clock.now()):
            await enqueue_text(tx, message.conversation_id, message.id, message.text)  # nothing, if it is shown already
