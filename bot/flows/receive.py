"""What comes from the carrier: a stored webhook is read, and becomes a text in a thread, a receipt, or a count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import assert_never

from bot.chance import Chance
from bot.clock import Clock
from bot.domain.account_events import AccountEvent, HostedOrderChange, LinkClick, SpendLimitReached
from bot.domain.carrier_events import InboundText, MediaRef, Receipt, UnknownEvent, choose_ours, read_event
from bot.domain.consent import (
    ConsentSignal,
    CustomerStarted,
    CustomerStopped,
    Evidence,
    EvidenceSource,
    read_consent,
)
from bot.domain.conversation import Conversation, make_parties, was_quiet
from bot.domain.ids import CarrierMessageId, ConversationId, MediaId, MessageId
from bot.domain.job import Job
from bot.domain.media import Media, MediaState
from bot.domain.message import Direction, Message, Origin, State
from bot.domain.policy import Policy
from bot.domain.stored_event import read_stored
from bot.domain.whatsapp import Reaction
from bot.errors import NotUnderstood
from bot.flows import optout_wording, wording
from bot.flows.account_events import AccountEvents
from bot.flows.consenting import record_consent
from bot.flows.jobs import (
    TextInHand,
    enqueue_fetch,
    enqueue_line,
    enqueue_reaction,
    enqueue_share,
    enqueue_text,
)
from bot.flows.optout_notices import tell_optout
from bot.flows.receipts import Receipts
from bot.flows.unless_reply import heed_reply
from bot.observe import Log, Metrics
from bot.ports import Store, Transaction
from bot.text.emoji import find_short_name
from bot.text.tapbacks import Tapback, matches_quotation, parse_tapback

_log = Log("receive")

#: How far back a tapback's quotation is looked for, in texts of the conversation.
_QUOTABLE = 200
#: So long after they said STOP or START the carrier may still tell us: a moment further back is taken for a wrong one.
_LATEST = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Event:
    """A stored webhook, read."""

    job: Job
    said: InboundText | Receipt | AccountEvent
    reference: MessageId | None  #: Of the text that it is about, as the address says to which it was sent.
    recovered: bool  #: It never came: it was asked for.


class Receive:
    """The use-cases of the carrier_in pool."""

    def __init__(
        self,
        *,
        store: Store,
        receipts: Receipts,
        account_events: AccountEvents,
        policy: Policy,
        clock: Clock,
        chance: Chance,
        metrics: Metrics,
    ) -> None:
        self._store = store
        self._receipts = receipts
        self._account_events = account_events
        self._policy = policy
        self._clock = clock
        self._chance = chance
        self._metrics = metrics

    async def read_carrier_event(self, job: Job) -> None:
        """Read a stored webhook. What cannot be read is Broken: the worker parks it, and nothing is lost."""
        await self.read_carrier_events([job])

    async def read_carrier_events(self, jobs: Sequence[Job]) -> None:
        """
        Read stored webhooks. Transaction, one for all of them: what each one means, and its job done.

        Whatever is raised for one of them is raised for all, and none has been read: then they are read one by one.
        """
        events = [self._read(job) for job in jobs]
        taken = []
        async with self._store.transaction("read carrier events") as tx:
            for event in events:
                taken.append(await self._take(tx, event))
                await tx.queue.finish(event.job)
        for kind, outcome, message in taken:
            self._metrics.events.labels("telnyx", kind, outcome).inc()
            if message is not None:
                self._metrics.texts.labels("inbound").inc()
                _log.info("A text came in.", conversation=message.conversation_id, message_id=message.id)

    def _read(self, job: Job) -> _Event:
        try:
            stored = read_stored(job.body)
        except (RecursionError, ValueError) as error:
            raise NotUnderstood("an event nested too deep, or with a number too long") from error
        said = read_event(stored.event, self._policy.region)
        if isinstance(said, UnknownEvent):
            raise NotUnderstood("an event of a type nobody here knows")
        reference = MessageId(stored.reference) if stored.reference else None
        return _Event(job=job, said=said, reference=reference, recovered=stored.recovered)

    async def _take(self, tx: Transaction, event: _Event) -> tuple[str, str, Message | None]:
        """Take in one event; return its kind and what became of it, for the metrics, and the text that it brought."""
        said = event.said
        match said:
            case InboundText():
                message = await self._take_text(tx, said, recovered=event.recovered)
                return "message.received", "repeated" if message is None else "received", message
            case Receipt():
                # What the receipt says itself is signed; what stands in the address to which it was sent is not.
                reference = said.reference or event.reference
                return "receipt", await self._receipts.take_receipt(tx, said, reference, event.job.created_at), None
            case LinkClick():
                return "link_clicked", await self._account_events.take_click(tx, said), None
            case SpendLimitReached():
                return "spend_limit", await self._account_events.take_spend_limit(tx, said, event.job.id), None
            case HostedOrderChange():
                return "hosted_order", await self._account_events.take_hosted_order(tx, said, event.job.id), None
            case _:
                assert_never(said)

    async def _take_text(self, tx: Transaction, event: InboundText, *, recovered: bool) -> Message | None:
        """Take in a text: its conversation, what it says about consent, and the posts that will show it; None: known."""
        now = self._clock.now()
        ours, theirs = choose_ours(event, self._policy.our_numbers)
        conversation = await tx.conversations.get_or_create(
            make_parties(ours, theirs, event.medium),
            new_id=ConversationId(self._chance.ordered(now)),
            channel_id=self._policy.choose_channel(ours),
            now=now,
        )
        message = Message(
            id=MessageId(self._chance.ordered(now)),
            conversation_id=conversation.id,
            direction=Direction.INBOUND,
            origin=Origin.PHONE,
            state=State.RECEIVED,
            text=event.words,
            created_at=now,
            sender=event.sender,
            carrier_id=event.carrier_id,
        )
        if not await tx.messages.add(message):
            return None
        shown = await self._show(tx, conversation, message, event, recovered=recovered)
        await self._heed(tx, conversation, message, event)
        if shown:
            await heed_reply(tx, conversation, message, self._policy, now)
        await tx.conversations.touch(conversation.id, now)
        return message

    async def _show(
        self, tx: Transaction, conversation: Conversation, message: Message, event: InboundText, *, recovered: bool
    ) -> bool:
        """Have the text shown; False if it is a tapback, shown as a reaction instead."""
        if event.reaction is not None and await self._react_on_whatsapp(tx, message, event.reaction):
            return False
        tapback = None if event.media else parse_tapback(event.words)
        if tapback is not None and await self._react(tx, message, tapback):
            return False
        await enqueue_text(
            tx,
            conversation.id,
            message.id,
            message.text,
            broadcast=was_quiet(conversation, message.created_at, self._policy.notice_after),
            has_media=bool(event.media),
            recovered=recovered,
            in_hand=TextInHand(message=message, conversation=conversation),
        )
        await self._keep_media(tx, conversation, message, event.media)
        return True

    async def _keep_media(
        self, tx: Transaction, conversation: Conversation, message: Message, media: tuple[MediaRef, ...]
    ) -> None:
        """Have the pictures fetched and shared, after the text, which never waits for them."""
        for position, ref in enumerate(media):
            item = Media(
                id=MediaId(self._chance.token()),
                message_id=message.id,
                position=position,
                source=ref.url,
                state=MediaState.EXPECTED,
                created_at=message.created_at,
                content_type=ref.content_type,
                size=ref.size,
                sha256=ref.sha256,
            )
            await tx.media.add(item)
            await enqueue_fetch(tx, item.id)
        if media:
            await enqueue_share(tx, conversation.id, message.id)

    async def _react(self, tx: Transaction, message: Message, tapback: Tapback) -> bool:
        """Show *tapback* on the one text that it quotes; False when none or several could be meant: then it stays text."""
        quoted = [
            candidate
            for candidate in await tx.messages.find_recent(message.conversation_id, _QUOTABLE)
            if candidate.id != message.id and candidate.text and matches_quotation(tapback.quotation, candidate.text)
        ]
        if len(quoted) != 1 or quoted[0].state in (State.NOTE, State.BLOCKED, State.CANCELLED):
            return False
        if quoted[0].slack_ts is None and parse_tapback(quoted[0].text) is not None:
            return False  # shown as a reaction itself, it has no place where this one could be
        await enqueue_reaction(
            tx,
            message.conversation_id,
            quoted[0].id,
            message.id,
            tapback.reaction,
            removed=tapback.removed,
            instead_of=message.id,
        )
        return True

    async def _react_on_whatsapp(self, tx: Transaction, message: Message, reaction: Reaction) -> bool:
        """Show *reaction* on the message that it names, in place of their earlier one; False where it cannot be shown."""
        about = await tx.messages.find_by_carrier_id(CarrierMessageId(reaction.carrier_id))
        name = find_short_name(reaction.emoji) if reaction.emoji else None
        if about is None or about.conversation_id != message.conversation_id or (reaction.emoji and name is None):
            return False
        shown = f"reaction:{about.id}"
        before = await tx.facts.find_fact(shown)
        if before and before != name:
            await enqueue_reaction(
                tx, message.conversation_id, about.id, f"{message.id}:off", before, removed=True, instead_of=None
            )
        if name and before != name:
            await enqueue_reaction(
                tx, message.conversation_id, about.id, message.id, name, removed=False, instead_of=message.id
            )
        await tx.facts.set_fact(shown, name or "")
        return True

    async def _heed(self, tx: Transaction, conversation: Conversation, message: Message, event: InboundText) -> None:
        """Take in what the text says about being texted."""
        said = event.text if event.text.strip() else event.words  # under a subject, the text alone is what says STOP
        signal = read_consent(said, event.autoresponse_type)
        if signal is ConsentSignal.NONE:
            return
        sender = event.sender
        # Without the carrier's reading the words alone were read: they need not be read again.
        from_carrier = event.autoresponse_type is not None and read_consent(said, None) is not signal
        source = EvidenceSource.CARRIER_WORD if from_carrier else EvidenceSource.KEYWORD
        # By the carrier's clock, for it may tell us late and in another order; but not by one that is plainly wrong.
        now, said_at = message.created_at, event.said_at
        said_at = said_at if said_at is not None and now - _LATEST <= said_at <= now else now
        evidence = Evidence(source=source, at=said_at, message_id=message.id, words=wording.shorten(said, 200))
        match signal:
            case ConsentSignal.STOP:
                await record_consent(
                    tx, sender, CustomerStopped(evidence=evidence), evidence, key=message.id, now=message.created_at
                )
                await tell_optout(tx, sender, self._policy, key=message.id, words=said, besides=conversation.id)
                _log.info("Somebody opted out.", conversation=conversation.id, source=source)
            case ConsentSignal.START:
                before = await tx.consents.get(sender)
                started = CustomerStarted(at=said_at)
                after = await record_consent(tx, sender, started, evidence, key=message.id, now=message.created_at)
                if before.blocked:
                    text, blocks = optout_wording.opted_in(sender, self._policy.region, after)
                    await enqueue_line(tx, conversation.id, f"optin:{message.id}", text, blocks)
            case ConsentSignal.ASKS_TO_STOP:
                if not (await tx.consents.get(sender)).blocked:
                    text, blocks = optout_wording.asks_to_stop(message.id, sender, self._policy.region)
                    await enqueue_line(tx, conversation.id, f"asks:{message.id}", text, blocks)
            case ConsentSignal.HELP:
                answered = (event.autoresponse_type or "").strip().upper() == "HELP"
                text, blocks = optout_wording.help_wanted(sender, self._policy.region, answered=answered)
                await enqueue_line(tx, conversation.id, f"help:{message.id}", text, blocks)
            case _:
                assert_never(signal)
