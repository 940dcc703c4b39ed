"""Telling the threads of an opt-out, and taking back what was to be sent."""

from __future__ import annotations

from dataclasses import replace

from bot.domain.conversation import Conversation
from bot.domain.ids import ConversationId, UserId
from bot.domain.message import Message, State
from bot.domain.phone import Address
from bot.domain.policy import Policy
from bot.domain.schedule import Schedule, ScheduleState
from bot.flows import optout_wording
from bot.flows.jobs import enqueue_cancellation, enqueue_line, enqueue_whisper, send_key
from bot.flows.schedule_changes import drop_next
from bot.ports import Transaction

_NOT_YET_SENT = (State.WAITING, State.CONFIRMING)
#: Being handed over: the carrier may hold it for its time already.
_MAYBE_AT_CARRIER = (State.UNDER_WAY, State.UNSETTLED)


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
    conversations = {besides} if besides is not None else await _find_conversations(tx, address)
    text, blocks = optout_wording.opted_out(address, policy.region, words, by=by)
    for conversation_id in sorted(conversations):
        await enqueue_line(tx, conversation_id, f"optout:{key}:{conversation_id}", text, blocks)
    for schedule in await tx.schedules.list_pending():
        message = await tx.messages.get(schedule.message_id)
        conversation = await tx.conversations.get(message.conversation_id)
        if address not in conversation.parties.theirs:
            continue
        at_carrier = schedule.state is not ScheduleState.WAITING or message.state in _MAYBE_AT_CARRIER
        if await _take_back(tx, schedule, message, conversation, at_carrier=at_carrier):
            await enqueue_whisper(
                tx,
                f"optout-cancels:{schedule.id}",
                channel_id=conversation.channel_id,
                user_id=schedule.author,
                thread_ts=conversation.thread_ts,
                text=optout_wording.schedule_stopped(schedule, address, policy.region, at_carrier=at_carrier),
            )


async def _take_back(
    tx: Transaction, schedule: Schedule, message: Message, conversation: Conversation, *, at_carrier: bool
) -> bool:
    """Take *schedule* back, wherever it waits; False where somebody has done so, or where the others still get it."""
    if schedule.state is ScheduleState.TAKING_BACK:
        await drop_next(tx, schedule)  # where it was being changed, nothing goes in its stead
        return schedule.next_message_id is not None
    if at_carrier:
        await tx.schedules.set_state(schedule.id, ScheduleState.TAKING_BACK)
        if message.carrier_id is not None:  # else it is taken back once the carrier has told it
            await enqueue_cancellation(tx, message.id, message.carrier_id)
        return True
    if conversation.parties.is_group:
        return False  # the send leaves this one out
    await tx.schedules.set_state(schedule.id, ScheduleState.CANCELLED)
    await tx.messages.update(message.id, state=State.CANCELLED)
    await tx.queue.drop(send_key(message.id))
    return True


async def _find_conversations(tx: Transaction, address: Address) -> set[ConversationId]:
    """Return those whose threads are to be told: every one that is open, or will be by a text that waits."""
    waiting = await tx.messages.find_outbound_to(address, _NOT_YET_SENT)
    opened = [found.id for found in await tx.conversations.find_with(address) if found.thread_ts is not None]
    return {*opened, *(message.conversation_id for message in waiting)}
