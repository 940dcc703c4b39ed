"""
Accepting a text from a teammate: the rules that decide whether it goes out, and when.

Every path that sends, from a thread, a command, a form or a button, comes through here, so no rule has a way around it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.chance import Chance
from bot.clock import Clock
from bot.domain.audit import AuditAction
from bot.domain.conversation import Conversation, Medium, make_parties
from bot.domain.ids import ChannelId, ConversationId, MessageId, SlackTs, UserId
from bot.domain.media import FileRef
from bot.domain.message import Direction, Message, Origin, State
from bot.domain.phone import Address, is_phone, time_zones
from bot.domain.policy import Policy
from bot.domain.senders import OurSide
from bot.domain.whatsapp import MOST_CAPTION_CHARACTERS, MOST_CHARACTERS
from bot.errors import NotAllowed
from bot.flows import wording
from bot.flows.auditing import audit_text
from bot.flows.jobs import (
    enqueue_late_mark,
    enqueue_mark,
    enqueue_preparation,
    enqueue_send,
    enqueue_text,
    enqueue_whisper,
    send_lane,
)
from bot.flows.permissions import describe_standing
from bot.flows.preparing import add_files
from bot.observe import Metrics
from bot.ports import Person, Standing, Transaction
from bot.text.segments import Encoding, count_segments


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What somebody wants to send."""

    text: str
    author: UserId
    origin: Origin
    channel_id: ChannelId | None = None  #: Where it stands in Slack already, if it does.
    slack_ts: SlackTs | None = None
    files: tuple[FileRef, ...] = ()


def check_author(person: Person) -> None:
    """Raise NotAllowed, with the reason for the person, if *person* may not text customers."""
    if person.standing is not Standing.MEMBER:
        raise NotAllowed(wording.not_a_member(describe_standing(person.standing)))
    if person.kept_out_by is not None:
        raise NotAllowed(wording.not_a_sender(person.kept_out_by.name, exists=person.kept_out_by.exists))


def check_text(text: str, *, has_files: bool = False, medium: Medium = Medium.SMS) -> None:
    """Raise NotAllowed, with the numbers, if *text* cannot be sent by *medium* as it is."""
    if not text.strip() and has_files:
        return
    if not text.strip():
        raise NotAllowed("🚫 Not sent: there is no text in it that a phone can show.")
    if medium is Medium.WHATSAPP:
        most = MOST_CAPTION_CHARACTERS if has_files else MOST_CHARACTERS
        if len(text) > most:
            raise NotAllowed(wording.too_long_for_whatsapp(len(text), most))
        return
    segments = count_segments(text)
    if segments.is_too_long:
        raise NotAllowed(
            wording.too_long(segments.parts, segments.units, unicode_text=segments.encoding is Encoding.UCS2)
        )


class Accepting:
    """Takes drafts in, inside the caller's transaction."""

    def __init__(self, *, policy: Policy, clock: Clock, chance: Chance, metrics: Metrics) -> None:
        self._policy = policy
        self._clock = clock
        self._chance = chance
        self._metrics = metrics

    async def open_conversation(self, tx: Transaction, side: OurSide, theirs: tuple[Address, ...]) -> Conversation:
        """Return the conversation with *theirs*, made if need be."""
        return await tx.conversations.get_or_create(
            make_parties(side.address, theirs, side.medium),
            new_id=ConversationId(self._chance.token()),
            channel_id=self._policy.choose_channel(side.address),
            now=self._clock.now(),
        )

    async def check_consent(self, tx: Transaction, conversation: Conversation) -> None:
        """Raise NotAllowed if nobody in the conversation may, or can, be texted."""
        if not conversation.parties.can_be_texted:
            raise NotAllowed(wording.only_a_name(conversation.parties))
        consents = [await tx.consents.get(address) for address in conversation.parties.theirs]
        if all(consent.blocked for consent in consents):
            raise NotAllowed(wording.blocked_by_optout(conversation.parties, self._policy.region, consents[0]))

    def find_opening(self, conversation: Conversation) -> datetime | None:
        """Return until when the quiet hours hold a text back, None if they do not."""
        if self._policy.quiet_hours is None:
            return None
        zones = {zone for address in conversation.parties.theirs if is_phone(address) for zone in time_zones(address)}
        return self._policy.quiet_hours.find_opening(
            self._clock.now(), tuple(ZoneInfo(zone) for zone in sorted(zones)) or (ZoneInfo("UTC"),)
        )

    async def take_note(self, tx: Transaction, conversation: Conversation, draft: Draft) -> Message | None:
        """Store *draft* as a note: marked, and never sent. None if it is stored already."""
        message = self._make(conversation, draft, State.NOTE)
        if not await tx.messages.add(message):
            return None
        await enqueue_mark(tx, message.id, self._chance.token())
        return message

    async def take_blocked(
        self, tx: Transaction, conversation: Conversation, draft: Draft, reason: str
    ) -> Message | None:
        """Store *draft* as not sent, and tell its author *reason* privately. None if it is stored already."""
        message = self._make(conversation, draft, State.BLOCKED)
        if not await tx.messages.add(message):
            return None
        await enqueue_whisper(
            tx,
            f"blocked:{message.id}",
            channel_id=draft.channel_id or conversation.channel_id,
            user_id=draft.author,
            thread_ts=conversation.thread_ts,
            text=reason,
        )
        await audit_text(
            tx, AuditAction.NOT_SENT, message, conversation, at=self._clock.now(), why=reason.removeprefix("🚫 ")
        )
        await enqueue_mark(tx, message.id, self._chance.token())
        return message

    async def ask_first(self, tx: Transaction, conversation: Conversation, draft: Draft) -> Message | None:
        """Store *draft* until its author confirms it. None if it is stored already."""
        message = self._make(conversation, draft, State.CONFIRMING)
        if not await tx.messages.add(message):
            return None
        await add_files(tx, message, draft.files, self._chance)
        text, blocks = wording.confirm_reply(
            message.id, draft.text, conversation.parties, self._policy.region, files=len(draft.files)
        )
        await enqueue_whisper(
            tx,
            f"confirm:{message.id}",
            channel_id=draft.channel_id or conversation.channel_id,
            user_id=draft.author,
            thread_ts=conversation.thread_ts,
            text=text,
            blocks=blocks,
        )
        await enqueue_mark(tx, message.id, self._chance.token())
        return message

    async def take(self, tx: Transaction, conversation: Conversation, draft: Draft) -> Message | None:
        """
        Store *draft* and have it sent, after the hold and the quiet hours; show it in the thread if it is not there yet.

        None if it is stored already. The caller has checked author, text and consent; consent is asked again when it
        is sent.
        """
        message = self._make(conversation, draft, State.WAITING)
        due_at = await self._find_due(tx, conversation, message)
        message = replace(message, due_at=due_at)
        if not await tx.messages.add(message):
            return None
        await add_files(tx, message, draft.files, self._chance)
        if message.slack_ts is None:
            await enqueue_text(tx, conversation.id, message.id, message.text, has_media=bool(draft.files))
        if draft.files:
            await enqueue_preparation(tx, message.id, send_lane(conversation.id))
        await enqueue_send(tx, conversation.id, message.id, due_at)
        await self._count(tx, conversation, message)
        return message

    async def release(self, tx: Transaction, conversation: Conversation, message: Message) -> None:
        """Have a stored text sent that its author has just confirmed, or turned from a note into a text."""
        due_at = self.find_opening(conversation)
        await tx.messages.update(message.id, state=State.WAITING, due_at=due_at)
        if await tx.media.of_message(message.id):
            await enqueue_preparation(tx, message.id, send_lane(conversation.id))
        await enqueue_send(tx, conversation.id, message.id, due_at)
        await self._count(tx, conversation, message)
        await enqueue_mark(tx, message.id, self._chance.token())

    async def _count(self, tx: Transaction, conversation: Conversation, message: Message) -> None:
        await enqueue_late_mark(tx, message.id, self._clock.now())
        await tx.conversations.touch(conversation.id, self._clock.now())
        self._metrics.texts.labels("outbound").inc()

    async def _find_due(self, tx: Transaction, conversation: Conversation, message: Message) -> datetime | None:
        now = self._clock.now()
        opening = self.find_opening(conversation)
        if opening is not None and message.author is not None:
            zones = time_zones(conversation.parties.theirs[0]) if is_phone(conversation.parties.theirs[0]) else ("UTC",)
            text, blocks = wording.waits_for_quiet_hours(
                message.id, opening, ZoneInfo(zones[0] if zones else "UTC"), conversation.parties, self._policy.region
            )
            await enqueue_whisper(
                tx,
                f"quiet:{message.id}",
                channel_id=message.channel_id or conversation.channel_id,
                user_id=message.author,
                thread_ts=conversation.thread_ts,
                text=text,
                blocks=blocks,
            )
        held = now + self._policy.hold if message.origin is Origin.THREAD and self._policy.hold else None
        return max((moment for moment in (opening, held) if moment is not None), default=None)

    def _make(self, conversation: Conversation, draft: Draft, state: State) -> Message:
        return Message(
            id=MessageId(self._chance.token()),
            conversation_id=conversation.id,
            direction=Direction.OUTBOUND,
            origin=draft.origin,
            state=state,
            text=draft.text,
            created_at=self._clock.now(),
            author=draft.author,
            channel_id=draft.channel_id,
            slack_ts=draft.slack_ts,
        )
