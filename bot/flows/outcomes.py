"""
What becomes of a text: the carrier has it, refused it, or nobody knows.

Each is recorded here in one way, however we came to know it: by the carrier's answer, by a receipt, or by neither. All
of it is done in the caller's transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.chance import Chance
from bot.domain.carrier_codes import FailureKind, explain_code
from bot.domain.consent import CustomerStopped, Evidence, EvidenceSource
from bot.domain.conversation import POOL, Conversation
from bot.domain.ids import CarrierMessageId
from bot.domain.message import Message, State
from bot.domain.phone import Address
from bot.domain.policy import Policy
from bot.domain.schedule import ScheduleState
from bot.flows import wording
from bot.flows.consenting import record_consent
from bot.flows.jobs import (
    enqueue_cancellation,
    enqueue_line,
    enqueue_mark,
    enqueue_showing,
    enqueue_text,
    late_mark_key,
)
from bot.flows.optout_notices import tell_optout
from bot.flows.schedule_changes import find_schedule, record_gone, record_taken_back
from bot.flows.schedule_troubles import record_refused
from bot.ports import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a text did not arrive, in the carrier's words."""

    code: str
    title: str | None
    detail: str | None


async def accept(tx: Transaction, message: Message, carrier_id: CarrierMessageId) -> None:
    """Record that the carrier has *message*, however we came to know it; it needs no hourglass any more."""
    await tx.deliveries.close_attempt(message.id)
    await tx.queue.drop(late_mark_key(message.id))
    await tx.messages.update(message.id, state=State.ACCEPTED, carrier_id=carrier_id)


async def learn_sender(tx: Transaction, conversation: Conversation, sender: Address | None) -> None:
    """Record which number of the pool the carrier chose: its answer may tell it, or a receipt before or instead of that."""
    if conversation.parties.ours == POOL and sender is not None:
        await tx.conversations.rename(conversation.id, sender)


async def follow_schedule(tx: Transaction, message: Message, carrier_id: CarrierMessageId, now: datetime) -> None:
    """Record, where *message* is a scheduled one, that the carrier has it; take it back if that is wanted by now."""
    schedule = await find_schedule(tx, message)
    if schedule is None or schedule.state not in (ScheduleState.WAITING, ScheduleState.TAKING_BACK):
        return
    conversation = await tx.conversations.get(message.conversation_id)
    if schedule.due_at <= now:
        await record_gone(tx, schedule)
    elif schedule.state is ScheduleState.TAKING_BACK or any(
        [(await tx.consents.get(address)).blocked for address in conversation.parties.theirs]
    ):
        # They said stop, or somebody cancelled or changed it, while it was being handed over; its author knows why.
        await tx.schedules.set_state(schedule.id, ScheduleState.TAKING_BACK)
        await enqueue_cancellation(tx, message.id, carrier_id)
    else:
        await tx.schedules.set_state(schedule.id, ScheduleState.AT_CARRIER)
    await enqueue_showing(tx, message.id, max(schedule.due_at, now))


async def refuse(
    tx: Transaction,
    message: Message,
    conversation: Conversation,
    policy: Policy,
    failure: Failure,
    now: datetime,
    chance: Chance,
) -> None:
    """Record that *message* was refused, and say why in its thread; privately too, if it was a scheduled one."""
    schedule = await find_schedule(tx, message)
    if schedule is not None and schedule.state is ScheduleState.TAKING_BACK:
        await record_taken_back(tx, schedule, message, now)  # as was wanted, and nobody needs to know of the refusal
        return
    await tx.messages.update(message.id, state=State.REFUSED)
    if schedule is not None:
        await record_refused(
            tx, schedule, message, policy, code=failure.code, title=failure.title, detail=failure.detail
        )
        await enqueue_text(tx, conversation.id, message.id, message.text)
    await explain_failure(tx, message, conversation, policy, failure, None, now)
    await enqueue_mark(tx, message.id, chance.token())


async def explain_failure(
    tx: Transaction,
    message: Message,
    conversation: Conversation,
    policy: Policy,
    failure: Failure,
    recipient: Address | None,
    now: datetime,
) -> None:
    """Say in the thread why a text did not arrive, once for each recipient; and record the opt-out if that is why."""
    explanation = explain_code(failure.code, failure.title, failure.detail)
    name = (
        None
        if recipient is None or not conversation.parties.is_group
        else wording.name_address(recipient, policy.region)
    )
    text, blocks = wording.failure(explanation, code=failure.code, title=failure.title, recipient=name)
    await enqueue_line(tx, conversation.id, f"failure:{message.id}:{recipient or ''}", text, blocks)
    if explanation.kind is FailureKind.OPTED_OUT:
        for address in [recipient] if recipient is not None else conversation.parties.theirs:
            if recipient is None and conversation.parties.is_group:
                break  # the carrier does not say which of the group it was
            evidence = Evidence(
                source=EvidenceSource.CARRIER_REFUSAL, at=now, message_id=message.id, reason=failure.title
            )
            before = await tx.consents.get(address)
            await record_consent(
                tx, address, CustomerStopped(evidence=evidence), evidence, key=f"{message.id}:{address}", now=now
            )
            if not before.blocked:
                await tell_optout(tx, address, policy, key=f"{message.id}:refusal", words="", besides=None)


async def tell_unsettled(tx: Transaction, message: Message, chance: Chance) -> None:
    """Tell the thread that nobody knows what became of *message*, with the buttons that settle it."""
    await tx.messages.update(message.id, state=State.UNSETTLED)
    text, blocks = wording.unsettled(message.id, message.text)
    await enqueue_line(tx, message.conversation_id, f"unsettled:{message.id}", text, blocks)
    await enqueue_mark(tx, message.id, chance.token())
