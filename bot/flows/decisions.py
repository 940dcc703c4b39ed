"""The buttons under texts: what a person decides that no rule can."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from bot.chance import Chance
from bot.clock import Clock
from bot.domain.audit import AuditAction
from bot.domain.carrier_events import Receipt, read_copies
from bot.domain.ids import ChannelId, MessageId, SlackTs, UserId
from bot.domain.message import Direction, Message, Origin, State
from bot.domain.policy import Policy
from bot.errors import CarrierRefused, NotAllowed, RetryLater
from bot.flows import wording
from bot.flows.accepting import Accepting, Draft, check_author, check_text
from bot.flows.auditing import audit_text
from bot.flows.jobs import enqueue_mark, send_key
from bot.flows.preparing import refer_again
from bot.flows.receipts import Receipts
from bot.ports import Carrier, Directory, Store, Transaction
from bot.text.escape import escape_sms
from bot.text.notes import strip_note_sign

_CARRIER_PATIENCE = timedelta(seconds=1, milliseconds=800)


class Decisions:
    """Each method is one button; it returns the private answer and raises NotAllowed where the answer is no."""

    def __init__(
        self,
        *,
        store: Store,
        carrier: Carrier,
        directory: Directory,
        accepting: Accepting,
        receipts: Receipts,
        policy: Policy,
        clock: Clock,
        chance: Chance,
    ) -> None:
        self._store = store
        self._carrier = carrier
        self._directory = directory
        self._accepting = accepting
        self._receipts = receipts
        self._policy = policy
        self._clock = clock
        self._chance = chance

    async def send_reply(self, message_id: MessageId, actor: UserId) -> str:
        """Send a reply that waits for its author's word. Transaction: its send."""
        check_author(await self._directory.get_person(actor))
        async with self._store.transaction("confirm reply") as tx:
            message = await _get(tx, message_id)
            if message.author != actor:
                raise NotAllowed("Only its author can send this.")
            if message.state is not State.CONFIRMING:
                return "This is decided already."
            conversation = await tx.conversations.get(message.conversation_id)
            has_files = bool(await tx.media.of_message(message_id))
            check_text(message.text, has_files=has_files, medium=conversation.parties.medium)
            await self._accepting.check_consent(tx, conversation)
            await self._accepting.release(tx, conversation, message)
        return "📤 On its way."

    async def send_as_text(self, channel_id: ChannelId, ts: SlackTs, actor: UserId) -> str:
        """Send what was kept as a note in a thread, at its author's word. Transaction: its send."""
        check_author(await self._directory.get_person(actor))
        async with self._store.transaction("send as text") as tx:
            message = await tx.messages.find_in_slack(channel_id, ts)
            if message is None or message.direction is not Direction.OUTBOUND:
                raise NotAllowed("Only what a teammate wrote in a customer's thread can be sent as a text.")
            if message.author != actor:
                raise NotAllowed("Only its author can send this. Write it anew in the thread to send it yourself.")
            if message.state is not State.NOTE:
                return "This is not a note: it was sent already, or its mark says why not."
            conversation = await tx.conversations.get(message.conversation_id)
            await self._accepting.check_consent(tx, conversation)
            text = strip_note_sign(message.text)
            check_text(text, medium=conversation.parties.medium)
            await tx.messages.update(message.id, text=text)
            await self._accepting.release(tx, conversation, message)
            await audit_text(tx, AuditAction.NOTE_SENT, message, conversation, at=self._clock.now(), actor=actor)
        return f"📤 On its way: “{escape_sms(wording.shorten(text, 300))}”"

    async def keep_reply(self, message_id: MessageId, actor: UserId) -> str:
        """Keep a reply that waits for its author's word as a note. Transaction: that it is one."""
        async with self._store.transaction("keep reply") as tx:
            message = await _get(tx, message_id)
            if message.author != actor:
                raise NotAllowed("Only its author can decide this.")
            if message.state is not State.CONFIRMING:
                return "This is decided already."
            await tx.messages.update(message_id, state=State.NOTE)
            await enqueue_mark(tx, message_id, self._chance.token())
        return "📝 Kept as a note. It is not sent."

    async def send_now(self, message_id: MessageId, actor: UserId) -> str:
        """Send what waits for quiet hours or its hold, at once. Transaction: its new time."""
        check_author(await self._directory.get_person(actor))
        async with self._store.transaction("send now") as tx:
            message = await _get(tx, message_id)
            if message.state is not State.WAITING or not await tx.queue.hasten(send_key(message_id), self._clock.now()):
                return "This is not waiting any more."
            await tx.messages.update(message_id, due_at=None)
            waited_until = "" if message.due_at is None else message.due_at.isoformat()
            await audit_text(
                tx,
                AuditAction.SENT_NOW,
                message,
                await tx.conversations.get(message.conversation_id),
                at=self._clock.now(),
                actor=actor,
                waited_until=waited_until,
            )
        return "📤 On its way."

    async def send_correction(self, message_id: MessageId, actor: UserId) -> str:
        """Send the edited text of a message that had gone out, once. Transaction: a text of its own."""
        check_author(await self._directory.get_person(actor))
        async with self._store.transaction("send correction") as tx:
            message = await _get(tx, message_id)
            text = await tx.facts.find_fact(f"edit:{message_id}")
            if text is None:
                return "There is nothing to correct."
            if await tx.facts.find_fact(f"corrected:{message_id}") == text:  # a second press, or a second finger
                return "The correction is on its way already."
            conversation = await tx.conversations.get(message.conversation_id)
            check_text(text, medium=conversation.parties.medium)
            await self._accepting.check_consent(tx, conversation)
            await tx.facts.set_fact(f"corrected:{message_id}", text)
            draft = Draft(text=text, author=actor, origin=Origin.CORRECTION)
            taken = await self._accepting.take(tx, conversation, draft)
            if taken is not None:
                await audit_text(
                    tx, AuditAction.CORRECTED, taken, conversation, at=self._clock.now(), corrects=message_id
                )
        return "📤 The correction is on its way."

    async def send_again(self, message_id: MessageId, actor: UserId) -> str:
        """Send once more, under a new key, what may have gone out. Transaction: a text of its own, the old one let go."""
        check_author(await self._directory.get_person(actor))
        async with self._store.transaction("send again") as tx:
            message = await _get(tx, message_id)
            if message.state is not State.UNSETTLED:
                return "This has been settled in the meantime; look at its mark."
            conversation = await tx.conversations.get(message.conversation_id)
            await self._accepting.check_consent(tx, conversation)
            if not await tx.queue.note_once(f"again:{message_id}"):
                return "It is being sent again already."
            await tx.queue.drop(f"settle:{message_id}")
            files = refer_again(await tx.media.of_message(message_id))
            draft = Draft(text=message.text, author=actor, origin=Origin.COMMAND, files=files)
            taken = await self._accepting.take(tx, conversation, draft)
            if taken is not None:
                await audit_text(
                    tx, AuditAction.SENT_AGAIN, taken, conversation, at=self._clock.now(), repeats=message_id
                )
        return "📤 Sent again. If the first one did go out, they get it twice."

    async def check_outcome(self, message_id: MessageId, actor: UserId) -> str:
        """Find out what became of a text: by the carrier's record, or by repeating the request under its own key."""
        check_author(await self._directory.get_person(actor))
        async with self._store.reading() as view:
            message = await _get(view, message_id)
        if message.carrier_id is not None:
            try:
                async with asyncio.timeout(_CARRIER_PATIENCE.total_seconds()):
                    record = await self._carrier.find_message(message.carrier_id)
            except (TimeoutError, RetryLater, CarrierRefused):
                return "The carrier does not answer just now. Try again in a minute."
            if record is None:
                return "The carrier has no record of this text."
            receipt = Receipt(carrier_id=message.carrier_id, sender=None, copies=read_copies(record, self._clock.now()))
            await self._receipts.record_receipt(None, receipt, message_id)
            return "The carrier's record has been read; the mark shows what it says."
        async with self._store.transaction("settle now") as tx:
            hastened = await tx.queue.hasten(f"settle:{message_id}", self._clock.now())
        if hastened:
            return (
                "Asking the carrier now, under the same key: they cannot get it twice. The mark will show the answer."
            )
        return "This is settled, or is being settled right now; look at its mark."


async def _get(tx: Transaction, message_id: MessageId) -> Message:
    try:
        return await tx.messages.get(message_id)
    except KeyError:
        raise NotAllowed("This text is no longer known here.") from None
