"""The buttons under texts: what a person decides that no rule can."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from bot.chance import Chance
from bot.clock import Clock
from bot.domain.actions import are_shown, read_message_id
from bot.domain.audit import AuditAction
from bot.domain.carrier_events import Receipt, read_copies, read_reference_in
from bot.domain.ids import ChannelId, MessageId, SlackTs, UserId
from bot.domain.message import Direction, Message, Origin, State
from bot.domain.policy import Policy
from bot.errors import CarrierRefused, NotAllowed, RetryLater
from bot.flows import reply_wording
from bot.flows.accepting import Accepting, Draft, check_author, check_text
from bot.flows.auditing import audit_text
from bot.flows.early import look_early
from bot.flows.holding import is_still_here, take_out
from bot.flows.jobs import enqueue_mark, enqueue_preparation, enqueue_send, overtaking_lane, send_key
from bot.flows.preparing import add_missing_files, check_files, read_attachments, refer_again
from bot.flows.receipts import Receipts
from bot.flows.sending import KEY_USED
from bot.flows.wording import Words
from bot.ports import Carrier, Directory, Store, Transaction
from bot.text.notes import find_sms_prefix, strip_note_sign

#: The carrier's clock and ours may differ by so much.
_RECORDS_SKEW = timedelta(minutes=10)
_CARRIER_PATIENCE = timedelta(seconds=1, milliseconds=800)


#: What is answered privately: a sentence, or words with buttons.
Answer = str | Words

#: What has not been sent, and may be by its author's word.
_SENDABLE = frozenset({State.CONFIRMING, State.NOTE, State.BLOCKED, State.CANCELLED})
_DECIDED = "This is decided already."


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

    async def send_reply(self, value: str, actor: UserId) -> Answer:
        """
        Send a reply that waits for its author's word. Transaction: its send.

        *value* is the button's. Pressed beneath other words than the message has by now, it asks anew.
        """
        check_author(await self._directory.get_person(actor))
        async with self._store.transaction("confirm reply") as tx:
            message = await _get_own(tx, read_message_id(value), actor)
            if message.state not in _SENDABLE:
                return _DECIDED
            if message.channel_id and message.slack_ts:
                early = await look_early(tx, message.channel_id, message.slack_ts)
                if early.is_deleted:
                    return reply_wording.question_deleted()
            conversation = await tx.conversations.get(message.conversation_id)
            if not are_shown(value, message.text):
                if message.state is State.NOTE:
                    return "📝 You changed this since, and it is a note now. It is not sent."
                return await self._accepting.word_question(tx, conversation, message, message.text, changed=True)
            has_files = bool(await tx.media.of_message(message.id))
            check_text(message.text, has_files=has_files, medium=conversation.parties.medium)
            try:
                await self._accepting.check_consent(tx, conversation)
            except NotAllowed as error:
                if message.state is not State.CONFIRMING or error.person is None:
                    raise
                return await self._block(tx, message, actor, error.person)
            if message.state is not State.CONFIRMING:
                await self._audit(tx, AuditAction.NOTE_SENT, message, actor)
            return await self._accepting.release(tx, conversation, message)

    async def send_as_text(
        self, channel_id: ChannelId, ts: SlackTs, actor: UserId, attached: Sequence[Mapping[str, Any]] = ()
    ) -> Answer:
        """
        Send what was kept as a note in a thread, at its author's word. Transaction: its send.

        *attached*: the files that Slack says it has.
        """
        check_author(await self._directory.get_person(actor))
        async with self._store.transaction("send as text") as tx:
            message = await _find_own(tx, channel_id, ts, actor)
            if message.state not in _SENDABLE:
                return "This is not a note: it was sent already, or its mark says why not."
            files = read_attachments(attached)
            text = message.text
            if message.state is State.NOTE:
                text = strip_note_sign(find_sms_prefix(text) or text)
            conversation = await tx.conversations.get(message.conversation_id)
            check_files(files, self._policy, conversation.parties.medium)
            check_text(text, has_files=bool(files), medium=conversation.parties.medium)
            await self._accepting.check_consent(tx, conversation)
            await tx.messages.update(message.id, text=text)
            await add_missing_files(tx, message, files, self._chance)
            await self._audit(tx, AuditAction.NOTE_SENT, message, actor)
            return await self._accepting.release(tx, conversation, replace(message, text=text))

    async def keep_reply(self, message_id: MessageId, actor: UserId) -> str:
        """Keep a reply that waits for its author's word as a note. Transaction: that it is one."""
        async with self._store.transaction("keep reply") as tx:
            message = await _get_own(tx, message_id, actor)
            if message.state not in _SENDABLE:
                return _DECIDED
            if message.state is State.CONFIRMING:
                await self._make_note(tx, message)
        return "📝 Kept as a note. It is not sent."

    async def mark_as_note(self, message_id: MessageId, actor: UserId) -> str:
        """Turn a reply that still waits into a note. Transaction: that it is one, and that nothing is sent."""
        async with self._store.transaction("mark as note") as tx:
            return await self._mark_as_note(tx, await _get_own(tx, message_id, actor), actor)

    async def mark_as_note_there(self, channel_id: ChannelId, ts: SlackTs, actor: UserId) -> str:
        """Turn a reply that still waits into a note, by where it stands. Transaction: as `mark_as_note`."""
        async with self._store.transaction("mark as note") as tx:
            return await self._mark_as_note(tx, await _find_own(tx, channel_id, ts, actor), actor)

    async def _mark_as_note(self, tx: Transaction, message: Message, actor: UserId) -> str:
        if message.state is State.NOTE:
            return "📝 This is a note already. It is not sent."
        if message.state in (State.BLOCKED, State.CANCELLED):
            await tx.messages.update(message.id, state=State.NOTE)
            await enqueue_mark(tx, message.id, self._chance.token())
            return "📝 This is a note now. It was not sent."
        if not await is_still_here(tx, message):
            return "✏️ Too late: this has gone out already, and the customer has it."
        await self._audit(tx, AuditAction.TAKEN_BACK, message, actor)
        await self._make_note(tx, message)
        return "📝 This is a note now. It is not sent."

    async def _block(self, tx: Transaction, message: Message, actor: UserId, reason: str) -> str:
        """Take a reply that its author wants sent, and that must not be, out of the line; return why."""
        await take_out(tx, message, State.BLOCKED)
        await self._audit(tx, AuditAction.NOT_SENT, message, actor, why=reason.removeprefix("🚫 "))
        await enqueue_mark(tx, message.id, self._chance.token())
        return reason

    async def _make_note(self, tx: Transaction, message: Message) -> None:
        await take_out(tx, message, State.NOTE)
        await enqueue_mark(tx, message.id, self._chance.token())

    async def send_now(self, message_id: MessageId, actor: UserId) -> str:
        """
        Send what waits for quiet hours or its hold, at once. Transaction: its place in the line.

        Others of its conversation may wait before it, and go on waiting: it goes past them, in a lane of its own.
        """
        check_author(await self._directory.get_person(actor))
        async with self._store.transaction("send now") as tx:
            message = await _get(tx, message_id)
            if message.state is not State.WAITING or message.origin is Origin.SCHEDULE:
                return "This is not waiting any more."
            conversation = await tx.conversations.get(message.conversation_id)
            await self._accepting.check_consent(tx, conversation)
            if not await tx.queue.drop(send_key(message_id, message.turn)):
                return "This is not waiting any more."
            waited_until = "" if message.due_at is None else message.due_at.isoformat()
            await self._audit(tx, AuditAction.SENT_NOW, message, actor, waited_until=waited_until)
            turn, lane = message.turn + 1, overtaking_lane(message_id)
            await tx.messages.update(message_id, due_at=None, turn=turn)
            if await tx.media.of_message(message_id):
                await enqueue_preparation(tx, message_id, lane, turn=turn)
            await enqueue_send(tx, lane, message_id, None, turn=turn)
        return "📤 On its way."

    async def _audit(
        self, tx: Transaction, action: AuditAction, message: Message, actor: UserId, **detail: str
    ) -> None:
        conversation = await tx.conversations.get(message.conversation_id)
        await audit_text(tx, action, message, conversation, at=self._clock.now(), actor=actor, **detail)

    async def send_correction(self, value: str, actor: UserId) -> Answer:
        """
        Send the edited text of a message that had gone out, once. Transaction: a text of its own.

        *value* is the button's. Pressed beneath other words than the message has by now, it asks anew.
        """
        check_author(await self._directory.get_person(actor))
        message_id = read_message_id(value)
        async with self._store.transaction("send correction") as tx:
            message = await _get(tx, message_id)
            text = await tx.facts.find_fact(f"edit:{message_id}")
            if await tx.facts.find_fact(f"corrected:{message_id}") and not text:
                return "The correction is on its way already."
            if not text:
                return "There is nothing to correct."
            if not are_shown(value, text):
                return reply_wording.still_has_original(message_id, text)
            conversation = await tx.conversations.get(message.conversation_id)
            check_text(text, medium=conversation.parties.medium)
            await self._accepting.check_consent(tx, conversation)
            await tx.facts.set_fact(f"corrected:{message_id}", text)
            await tx.facts.set_fact(f"edit:{message_id}", "")  # a second press, or a second finger, sends nothing
            draft = Draft(text=text, author=actor, origin=Origin.CORRECTION)
            taken = await self._accepting.take(tx, conversation, draft)
            if taken is not None:
                await self._audit(tx, AuditAction.CORRECTED, taken, actor, corrects=message_id)
            if taken is not None and taken.due_at is not None:
                return "⏳ The correction waits for the end of their quiet hours."
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
            await self._receipts.record_receipt(receipt, message_id)
            return "The carrier's record has been read; the mark shows what it says."
        if await self._find_on_record(message):
            return "The carrier has it on record; the mark shows what it says."
        async with self._store.transaction("settle now") as tx:
            if message.state is State.UNSETTLED:
                # Nothing settles it any more once they have opted out: asking the carrier again could text them.
                await self._accepting.check_consent(tx, await tx.conversations.get(message.conversation_id))
            hastened = await tx.queue.hasten(f"settle:{message_id}", self._clock.now())
            request = await tx.deliveries.find_request(message_id)
        if hastened:
            return (
                "Asking the carrier now, under the same key: they cannot get it twice. The mark will show the answer."
            )
        is_old = request is not None and self._clock.now() - request.created_at > KEY_USED
        if message.state is State.UNSETTLED and is_old:
            return (
                "The carrier has no record of this text, and after a day it cannot be asked again under the same key. "
                "Most likely it never went out. [Send again] sends it anew."
            )
        return "This is settled, or is being settled right now; look at its mark."

    async def _find_on_record(self, message: Message) -> bool:
        """Settle a text by the carrier's detail records, if it is among them; False where it is not, or nothing answers."""
        async with self._store.reading() as view:
            request = await view.deliveries.find_request(message.id)
            conversation = await view.conversations.get(message.conversation_id)
        if request is None or request.attempted_at is None:
            return False
        try:
            async with asyncio.timeout(_CARRIER_PATIENCE.total_seconds()):
                since = request.created_at - _RECORDS_SKEW
                for carrier_id in await self._carrier.list_outbound(conversation.parties.theirs[0], since=since):
                    record = await self._carrier.find_message(carrier_id)
                    if record is not None and read_reference_in(record.get("webhook_url")) == message.id:
                        receipt = Receipt(
                            carrier_id=carrier_id, sender=None, copies=read_copies(record, self._clock.now())
                        )
                        await self._receipts.record_receipt(receipt, message.id)
                        return True
        except (TimeoutError, RetryLater, CarrierRefused):
            pass  # asking again under the key, which comes next, needs no record
        return False


async def _get(tx: Transaction, message_id: MessageId) -> Message:
    try:
        return await tx.messages.get(message_id)
    except KeyError:
        raise NotAllowed("This text is no longer known here.") from None


async def _get_own(tx: Transaction, message_id: MessageId, actor: UserId) -> Message:
    message = await _get(tx, message_id)
    if message.author != actor or message.direction is not Direction.OUTBOUND:
        raise NotAllowed("Only its author can decide this.")
    return message


async def _find_own(tx: Transaction, channel_id: ChannelId, ts: SlackTs, actor: UserId) -> Message:
    message = await tx.messages.find_in_slack(channel_id, ts)
    if message is None or message.direction is not Direction.OUTBOUND:
        raise NotAllowed("This works on what a teammate wrote in a customer's thread, and on nothing else.")
    if message.erased_at is not None:
        raise NotAllowed("What this said was erased. Write it anew in the thread to send it.")
    if message.author != actor:
        raise NotAllowed("Only its author can do this. Write it anew in the thread to send it yourself.")
    return message
