"""`unless they reply`: what is taken back by itself when a customer writes first."""

from __future__ import annotations

from datetime import datetime

from bot.domain.audit import CUSTOMER, AuditAction, AuditEntry
from bot.domain.conversation import Conversation
from bot.domain.message import Message
from bot.domain.policy import Policy
from bot.domain.schedule import Schedule, ScheduleState
from bot.flows import schedule_wording
from bot.flows.recurring import end_recurrence, find_pending
from bot.flows.schedule_changes import Took, take_back, tell_author
from bot.flows.schedule_people import find_them
from bot.ports import Transaction


async def heed_reply(
    tx: Transaction, conversation: Conversation, reply: Message, policy: Policy, now: datetime
) -> None:
    """
    Take back what was to go to *conversation* unless they reply, now that *reply* has come, and tell the authors.

    In the caller's transaction, the one that stores the reply. A tapback shown as a reaction is no reply.
    """
    if not await tx.schedules.is_any_unless_reply(conversation.id):
        return
    ended = set()
    for recurrence in await tx.recurrences.list_active(conversation.id):
        if recurrence.unless_reply:
            ended.add(recurrence.id)
            pending = await find_pending(tx, recurrence)
            took = await end_recurrence(tx, recurrence, now)
            if pending is not None:
                await _tell(tx, pending, recurrence.id, conversation, reply, policy, took, repeats=True)
    for schedule in await tx.schedules.list_unless_reply(conversation.id):
        if schedule.recurrence_id in ended:
            continue
        if schedule.state is ScheduleState.TAKING_BACK and schedule.next_message_id is None:
            continue
        took = await take_back(tx, schedule, now)
        await _tell(tx, schedule, schedule.id, conversation, reply, policy, took, repeats=False)


async def _tell(
    tx: Transaction,
    schedule: Schedule,
    named: str,
    conversation: Conversation,
    reply: Message,
    policy: Policy,
    took: Took,
    *,
    repeats: bool,
) -> None:
    if took is Took.OVER:
        return
    if took is not Took.TOO_LATE:
        entry = AuditEntry(
            key=f"{AuditAction.TAKEN_BACK}:{schedule.message_id}",
            at=reply.created_at,
            actor=CUSTOMER,
            action=AuditAction.TAKEN_BACK,
            numbers=conversation.parties.theirs,
            subject=schedule.message_id,
            detail={"schedule": schedule.id, "what": "they replied first"},
        )
        await tx.audit.record(entry)
    them = await find_them(tx, conversation.parties.theirs, policy.region)
    if took is Took.TOO_LATE and not repeats:
        told = schedule_wording.replied_too_late(named, them)
    else:
        told = schedule_wording.replied(named, them, is_asked=took is Took.ASKED, repeats=repeats)
    if took is Took.TOO_LATE and repeats:
        told += " One more goes out within the minute; the carrier no longer takes it back."
    await tell_author(tx, schedule, f"replied:{reply.id}", told)
