"""What comes from the carrier: a stored webhook is read, and becomes a text in a thread, a receipt, or a count."""

from __future__ import annotations

from typing import assert_never

from bot.chance import Chance
from bot.clock import Clock
from bot.domain.account_events import HostedOrderChange, LinkClick, SpendLimitReached
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
        try:
            stored = read_stored(job.body)
        except (RecursionError, ValueError) as error:
            raise NotUnderstood("an event nested too deep, or with a number too long") from error
        event = read_event(stored.event, self._policy.region)
        reference = MessageId(stored.reference) if stored.reference else None
        match event:
            case InboundText():
                outcome = await self._receive_text(job, event, recovered=stored.recovered)
                kind = "message.received"
            case Receipt():
                outcome = await self._receipts.record_receipt(job, event, reference)
                kind = "receipt"
            case LinkClick():
                outcome, kind = await self._account_events.record_click(job, event), "link_clicked"
            case SpendLimitReached():
                outcome, kind = await self._account_events.record_spend_limit(job, event), "spend_limit"
            case HostedOrderChange():
                outcome, kind = await self._account_events.record_hosted_order(job, event), "hosted_order"
            case UnknownEvent():
                raise NotUnderstood("an event of a type nobody here knows")
            case _:
                assert_never(event)
        self._metrics.events.labels("telnyx", kind, outcome).inc()

    async def _receive_text(self, job: Job, event: InboundText, *, recovered: bool) -> str:
        """Transaction: the conversation, the text, what it says about consent, and the posts that will show it."""
        now = self._clock.now()
        ours, theirs = choose_ours(event, self._policy.our_numbers)
        async with self._store.transaction("receive text") as tx:
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
                text=event.text,
                created_at=now,
                sender=event.sender,
                carrier_id=event.carrier_id,
            )
            added = await tx.messages.add(message)
            if added:
                shown = await self._show(tx, conversation, message, event, recovered=recovered)
                await self._heed(tx, conversation, message, event)
                if shown:
                    await heed_reply(tx, conversation, message, self._policy, now)
                await tx.conversations.touch(conversation.id, now)
            await tx.queue.finish(job)
        if not added:
            return "repeated"
        self._metrics.texts.labels("inbound").inc()
        _log.info("A text came in.", conversation=conversation.id, message_id=message.id)
        return "received"

    async def _show(
        self, tx: Transaction, conversation: Conversation, message: Message, event: InboundText, *, recovered: bool
    ) -> bool:
        """Have the text shown; False if it is a tapback, shown as a reaction instead."""
        if event.reaction is not None and await self._react_on_whatsapp(tx, message, event.reaction):
            return False
        tapback = None if event.media else parse_tapback(event.text)
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
            tx, message.conversation_id, quoted[0].id, message.id, tapback.reaction, removed=tapback.removed
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
            await enqueue_reaction(tx, message.conversation_id, about.id, f"{message.id}:off", before, removed=True)
        if name and before != name:
            await enqueue_reaction(tx, message.conversation_id, about.id, message.id, name, removed=False)
        await tx.facts.set_fact(shown, name or "")
        return True

    async def _heed(self, tx: Transaction, conversation: Conversation, message: Message, event: InboundText) -> None:
        """Take in what the text says about being texted."""
        signal = read_consent(event.text, event.autoresponse_type)
        if signal is ConsentSignal.NONE:
            return
        sender = event.sender
        # Without the carrier's reading the words alone were read: they need not be read again.
        from_carrier = event.autoresponse_type is not None and read_consent(event.text, None) is not signal
        source = EvidenceSource.CARRIER_WORD if from_carrier else EvidenceSource.KEYWORD
        evidence = Evidence(
            source=source, at=message.created_at, message_id=message.id, words=wording.shorten(event.text, 200)
        )
        match signal:
            case ConsentSignal.STOP:
                await record_consent(
                    tx, sender, CustomerStopped(evidence=evidence), evidence, key=message.id, now=message.created_at
                )
                await tell_optout(tx, sender, self._policy, key=message.id, words=event.text, besides=conversation.id)
                _log.info("Somebody opted out.", conversation=conversation.id, source=source)
            case ConsentSignal.START:
                before = await tx.consents.get(sender)
                started = CustomerStarted(at=message.created_at)
                after = await record_consent(tx, sender, started, evidence, key=message.id, now=message.created_at)
                if before.blocked:
                    text, blocks = optout_wording.opted_in(sender, self._policy.region, still_blocked=after.blocked)
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
