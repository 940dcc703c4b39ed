"""Telling the threads of an opt-out, and taking back what was to be sent."""

from __future__ import annotations

from dataclasses import replace

from bot.domain.ids import ConversationId, UserId
from bot.domain.message import State
from bot.domain.phone import Address
from bot.domain.policy import Policy
from bot.domain.schedule import ScheduleState
from bot.flows import wording
from bot.flows.jobs import enqueue_cancellation, enqueue_line, enqueue_whisper, send_key
from bot.flows.schedule_changes import drop_next
from bot.ports import Transaction

_NOT_YET_SENT = (State.WAITING, State.CONFIRMING, State.ACCEPTED)


async def tell_optout(
    tx: Transaction,
    address: Address,
    policy: Policy,
    *,
    key: str,
    words: str,
    besides: ConversationId | None,
    by: UserId | None = None,
) -> None:
    """
    Tell the thread in which it happened, or else every thread with *address*, and take their scheduled texts back.

    *words* are what they texted, if they did; *by* is the teammate who set it, if one did.
    Texts that wait for their turn are stopped when it comes: each send asks once more.
    """
    for found in await tx.conversations.find_with(address):
        for recurrence in await tx.recurrences.list_active(found.id):
            await tx.recurrences.save(replace(recurrence, active=False))
    messages = await tx.messages.find_outbound_to(address, _NOT_YET_SENT)
    conversations = {besides} if besides is not None else {message.conversation_id for message in messages}
    if besides is None:
        conversations |= {
            found.id for found in await tx.conversations.find_with(address) if found.thread_ts is not None
        }
    text, blocks = wording.opted_out(address, policy.region, words, by=by)
    for conversation_id in sorted(conversations):
        await enqueue_line(tx, conversation_id, f"optout:{key}:{conversation_id}", text, blocks)
    for message in messages:
        schedule = await tx.schedules.find_by_message(message.id)
        if schedule is not None and schedule.state is ScheduleState.TAKING_BACK:
            await drop_next(tx, schedule)  # it was being changed: now nothing goes in its stead
        if schedule is None or schedule.state not in (ScheduleState.WAITING, ScheduleState.AT_CARRIER):
            continue
        conversation = await tx.conversations.get(message.conversation_id)
        if schedule.state is ScheduleState.AT_CARRIER and message.carrier_id is not None:
            await tx.schedules.set_state(schedule.id, ScheduleState.TAKING_BACK)
            await enqueue_cancellation(tx, message.id, message.carrier_id)
        elif conversation.parties.is_group:
            continue  # the others still get it; the send leaves this one out
        else:
            await tx.schedules.set_state(schedule.id, ScheduleState.CANCELLED)
            await tx.messages.update(message.id, state=State.CANCELLED)
            await tx.queue.drop(send_key(message.id))
        await enqueue_whisper(
            tx,
            f"optout-cancels:{schedule.id}",
            channel_id=conversation.channel_id,
            user_id=schedule.author,
            thread_ts=conversation.thread_ts,
            text=f"🚫 Your scheduled text `{schedule.id}` is taken back: "
            f"{wording.name_address(address, policy.region)} opted out."
            + (" It does not repeat any more." if schedule.recurrence_id is not None else ""),
        )
