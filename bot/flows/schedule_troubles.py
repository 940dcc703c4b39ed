"""Telling the author of a scheduled text, in time to act, that it does not go as it should."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.domain import recurrence
from bot.domain.carrier_codes import explain_code
from bot.domain.message import Message, State
from bot.domain.policy import Policy
from bot.domain.schedule import MOST_LATE, TELL_AHEAD, Schedule, ScheduleState
from bot.flows import schedule_wording
from bot.flows.schedule_changes import drop_next, tell_author
from bot.flows.schedule_people import find_them
from bot.ports import Transaction
from bot.text.escape import escape_sms

#: How long the carrier may be out of reach before the author of a text that it should hold is told.
_QUIET = timedelta(minutes=15)


def is_too_late(schedule: Schedule, now: datetime) -> bool:
    """Tell whether a text that could not go at its time is no longer to go by itself."""
    return now - schedule.due_at > (MOST_LATE if schedule.recurrence_id is None else recurrence.MOST_LATE)


async def tell_missed(tx: Transaction, schedule: Schedule, message: Message, policy: Policy) -> None:
    """Record that a text was not sent since it could not go near its time, and tell its author, who may have it sent."""
    await tx.messages.update(message.id, state=State.CANCELLED)
    await tx.schedules.set_state(schedule.id, ScheduleState.FAILED)
    conversation = await tx.conversations.get(message.conversation_id)
    them = await find_them(tx, conversation.parties.theirs, policy.region)
    text, blocks = schedule_wording.missed(schedule, them)
    await tell_author(tx, schedule, f"missed:{message.id}", text, blocks)


async def record_refused(
    tx: Transaction,
    schedule: Schedule,
    message: Message,
    policy: Policy,
    *,
    code: str,
    title: str | None,
    detail: str | None,
) -> None:
    """Record that the carrier does not take a scheduled text, and tell its author why and what can be done."""
    await drop_next(tx, schedule)
    await tx.schedules.set_state(schedule.id, ScheduleState.FAILED)
    conversation = await tx.conversations.get(message.conversation_id)
    them = await find_them(tx, conversation.parties.theirs, policy.region)
    explanation = explain_code(code, title, detail)
    reason = f"{escape_sms(explanation.sentence)} {escape_sms(explanation.next_step)} _(Telnyx {escape_sms(code)})_"
    text, blocks = schedule_wording.not_handed_over(schedule, them, reason)
    await tell_author(tx, schedule, f"refused:{message.id}", text, blocks)


async def tell_unreached(
    tx: Transaction, schedule: Schedule, message: Message, policy: Policy, *, since: datetime, now: datetime
) -> None:
    """Tell the author, once, that the carrier has been out of reach *since* so long that its time may suffer."""
    if now - since < _QUIET and schedule.due_at - now > TELL_AHEAD:
        return
    conversation = await tx.conversations.get(message.conversation_id)
    them = await find_them(tx, conversation.parties.theirs, policy.region)
    told = schedule_wording.not_reached(schedule, them)
    await tell_author(tx, schedule, f"unreached:{message.id}", told)


async def tell_unsettled_schedule(tx: Transaction, schedule: Schedule, message: Message, policy: Policy) -> None:
    """Tell the author that nobody knows whether the carrier holds the text."""
    conversation = await tx.conversations.get(message.conversation_id)
    them = await find_them(tx, conversation.parties.theirs, policy.region)
    told = schedule_wording.not_settled(schedule, them)
    await tell_author(tx, schedule, f"unsettled:{message.id}", told)
