"""
Accepting a text from a teammate: the rules that decide whether it goes out, and when.

Every path that sends, from a thread, a command, a form or a button, comes through here, so no rule has a way around it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.chance import Chance
from bot.clock import Clock
from bot.domain.audit import AuditAction
from bot.domain.conversation import Conversation, Medium, make_parties
from bot.domain.ids import ChannelId, ConversationId, MessageId, SlackTs, UserId
from bot.domain.media import FileRef
from bot.domain.message import Direction, Message, Origin, State
from bot.domain.phone import Address
from bot.domain.policy import Policy, QuietMoment
from bot.domain.senders import OurSide
from bot.domain.whatsapp import MOST_CAPTION_CHARACTERS, MOST_CHARACTERS
from bot.errors import NotAllowed
from bot.flows import optout_wording, reply_wording, wording
from bot.flows.auditing import audit_text
from bot.flows.contacts import name_people
from bot.flows.jobs import (
    enqueue_late_mark,
    enqueue_mark,
    enqueue_preparation,
    enqueue_send,
    enqueue_text,
    enqueue_whisper,
    send_lane,
)
from bot.flows.nights import find_night
from bot.flows.permissions import describe_standing
from bot.flows.preparing import add_files
from bot.flows.wording import Words
from bot.observe import Metrics
from bot.ports import Person, Standing, Transaction
from bot.text.segments import Encoding, count_segments

#: A shorter hold is what people expect of an undo, and a private line for each would be noise.
_HOLD_TOLD = timedelta(seconds=60)


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
    if person.standing is Standing.UNSEEN:
        raise NotAllowed(wording.unseen_author())
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
        now = self._clock.now()
        return await tx.conversations.get_or_create(
            make_parties(side.address, theirs, side.medium),
            new_id=ConversationId(self._chance.ordered(now)),
            channel_id=self._policy.choose_channel(side.address),
            now=now,
        )

    async def check_consent(self, tx: Transaction, conversation: Conversation) -> tuple[Address, ...]:
        """Return who of the conversation has opted out; raise NotAllowed if nobody in it may, or can, be texted."""
        if not conversation.parties.can_be_texted:
            raise NotAllowed(wording.only_a_name(conversation.parties))
        consents = [await tx.consents.get(address) for address in conversation.parties.theirs]
        if all(consent.blocked for consent in consents):
            raise NotAllowed(optout_wording.blocked_by_optout(conversation.parties, self._policy.region, consents))
        return tuple(consent.address for consent in consents if consent.blocked)

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

    async def keep_back(self, tx: Transaction, conversation: Conversation, draft: Draft) -> Message | None:
        """Store *draft* as one that waits for its author's word, without asking. None if it is stored already."""
        message = self._make(conversation, draft, State.CONFIRMING)
        if not await tx.messages.add(message):
            return None
        await add_files(tx, message, draft.files, self._chance)
        return message

    async def ask_first(self, tx: Transaction, conversation: Conversation, draft: Draft) -> Message | None:
        """Store *draft* until its author confirms it. None if it is stored already."""
        message = await self.keep_back(tx, conversation, draft)
        if message is None:
            return None
        await self.ask_again(tx, message, draft.text)
        await enqueue_mark(tx, message.id, self._chance.token())
        return message

    async def ask_again(self, tx: Transaction, message: Message, words: str, *, changed: bool = False) -> None:
        """Ask the author of a stored text privately whether to send *words*, which is what it says now."""
        conversation = await tx.conversations.get(message.conversation_id)
        text, blocks = await self.word_question(tx, conversation, message, words, changed=changed)
        await self._whisper(tx, conversation, message, f"confirm:{message.id}:{self._chance.token()}", (text, blocks))

    async def word_question(
        self, tx: Transaction, conversation: Conversation, message: Message, words: str, *, changed: bool = False
    ) -> Words:
        """Return the question whether to send *words*: to whom, and with how many files."""
        files = len(await tx.media.of_message(message.id))
        whom = await name_people(tx, conversation.parties.theirs, self._policy.region)
        return reply_wording.confirm_reply(message.id, words, whom, files=files, changed=changed)

    async def take(self, tx: Transaction, conversation: Conversation, draft: Draft) -> Message | None:
        """
        Store *draft* and have it sent, after the hold and the quiet hours; show it in the thread if it is not there yet.

        None if it is stored already. The caller has checked author, text and consent; consent is asked again when it
        is sent.
        """
        quiet = await find_night(tx, conversation, self._policy, self._clock.now())
        message = self._make(conversation, draft, State.WAITING, due_at=self._choose_due(draft.origin, quiet))
        if not await tx.messages.add(message):
            return None
        await add_files(tx, message, draft.files, self._chance)
        if message.slack_ts is None:
            await enqueue_text(tx, conversation.id, message.id, message.text, has_media=bool(draft.files))
        if draft.files:
            await enqueue_preparation(tx, message.id, send_lane(conversation.id))
        await enqueue_send(tx, send_lane(conversation.id), message.id, message.due_at)
        await self._count(tx, conversation, message)
        await self._tell_wait(tx, conversation, message, quiet)
        return message

    async def release(self, tx: Transaction, conversation: Conversation, message: Message) -> Words:
        """
        Have a stored text sent that its author has just confirmed, or turned from a note into a text.

        Returns the private answer: that it is on its way, or until when it waits.
        """
        quiet = await find_night(tx, conversation, self._policy, self._clock.now())
        turn, due_at = message.turn + 1, None if quiet is None else quiet.opens_at
        await tx.messages.update(message.id, state=State.WAITING, due_at=due_at, turn=turn)
        lane = send_lane(conversation.id)
        if await tx.media.of_message(message.id):
            await enqueue_preparation(tx, message.id, lane, turn=turn)
        await enqueue_send(tx, lane, message.id, due_at, turn=turn)
        await self._count(tx, conversation, message)
        await enqueue_mark(tx, message.id, self._chance.token())
        if quiet is None:
            return reply_wording.on_its_way(message.text)
        return reply_wording.waits_for_quiet_hours(
            message.id, quiet, await name_people(tx, conversation.parties.theirs, self._policy.region)
        )

    async def _count(self, tx: Transaction, conversation: Conversation, message: Message) -> None:
        await enqueue_late_mark(tx, message.id, self._clock.now())
        await tx.conversations.touch(conversation.id, self._clock.now())
        self._metrics.texts.labels("outbound").inc()

    def _choose_due(self, origin: Origin, quiet: QuietMoment | None) -> datetime | None:
        opening = None if quiet is None else quiet.opens_at
        held = self._clock.now() + self._policy.hold if self._is_held(origin) else None
        return max((moment for moment in (opening, held) if moment is not None), default=None)

    def _is_held(self, origin: Origin) -> bool:
        return origin is Origin.THREAD and bool(self._policy.hold)

    async def _tell_wait(
        self, tx: Transaction, conversation: Conversation, message: Message, quiet: QuietMoment | None
    ) -> None:
        """Tell the author privately until when their text waits, with what they can do meanwhile."""
        if quiet is not None:
            words = reply_wording.waits_for_quiet_hours(
                message.id, quiet, await name_people(tx, conversation.parties.theirs, self._policy.region)
            )
        elif message.due_at is not None and self._policy.hold >= _HOLD_TOLD:
            words = reply_wording.waits_in_hold(
                message.id,
                await name_people(tx, conversation.parties.theirs, self._policy.region),
                message.due_at,
                self._policy.hold,
            )
        else:
            return
        await self._whisper(tx, conversation, message, f"waits:{message.id}", words)

    async def _whisper(
        self, tx: Transaction, conversation: Conversation, message: Message, key: str, words: Words
    ) -> None:
        if message.author is not None:
            text, blocks = words
            await enqueue_whisper(
                tx,
                key,
                channel_id=message.channel_id or conversation.channel_id,
                user_id=message.author,
                thread_ts=conversation.thread_ts,
                text=text,
                blocks=blocks,
            )

    def _make(
        self, conversation: Conversation, draft: Draft, state: State, *, due_at: datetime | None = None
    ) -> Message:
        now = self._clock.now()
        return Message(
            id=MessageId(self._chance.ordered(now)),
            conversation_id=conversation.id,
            direction=Direction.OUTBOUND,
            origin=draft.origin,
            state=state,
            text=draft.text,
            created_at=now,
            author=draft.author,
            channel_id=draft.channel_id,
            slack_ts=draft.slack_ts,
            due_at=due_at,
        )
