"""
Taking a scheduled text back, and putting another in its stead: here at once, at the carrier by asking first.

What goes out is never changed: a changed text is a new one, with its own request and key, and the schedule points to it
only when the old one certainly goes no more. So however a change races with the clock, one of the two goes out, never
both. While the carrier is asked, the new one waits in `next_message_id`; the carrier's yes puts it in place, its no
throws it away, and people are told either way.

Each function works inside the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from bot.chance import Chance
from bot.domain.ids import MessageId
from bot.domain.media import KEPT_FOR_SENDING, MediaState
from bot.domain.message import Direction, Message, Origin, State
from bot.domain.schedule import POINT_OF_NO_RETURN, Schedule, ScheduleState, next_moment
from bot.flows import schedule_wording
from bot.flows.jobs import (
    enqueue_cancellation,
    enqueue_preparation,
    enqueue_scheduled_send,
    enqueue_whisper,
    schedule_lane,
    send_key,
    show_key,
)
from bot.ports import Block, Transaction

#: Of a text that nobody has yet, or that nobody will have.
_NOT_GONE = frozenset({State.WAITING, State.UNDER_WAY, State.ACCEPTED})


async def find_schedule(tx: Transaction, message: Message) -> Schedule | None:
    """Return the schedule of *message*, if it is a scheduled text; of any other nothing is asked."""
    return await tx.schedules.find_by_message(message.id) if message.origin is Origin.SCHEDULE else None


class Took(StrEnum):
    """What became of the wish to take a scheduled text back."""

    AT_ONCE = "at_once"  #: It does not go out.
    ASKED = "asked"  #: The carrier is asked for it, or is about to be; its author is told what it says.
    TOO_LATE = "too_late"  #: It goes out within the minute, and the carrier no longer gives it back.
    OVER = "over"  #: There is nothing to take back: it went out, was refused, or was taken back before.


async def take_back(tx: Transaction, schedule: Schedule, now: datetime) -> Took:
    """Have *schedule* not go out, if that can still be."""
    match schedule.state:
        case ScheduleState.SENT | ScheduleState.CANCELLED | ScheduleState.FAILED:
            return Took.OVER
        case ScheduleState.TAKING_BACK:
            await drop_next(tx, schedule)
            return Took.ASKED
        case ScheduleState.WAITING | ScheduleState.AT_CARRIER:
            message = await tx.messages.get(schedule.message_id)
            if await _is_here(tx, schedule, message):
                await _end(tx, message)
                await tx.schedules.set_state(schedule.id, ScheduleState.CANCELLED)
                return Took.AT_ONCE
            return await _ask(tx, schedule, message, now)


async def put_in_its_stead(
    tx: Transaction, schedule: Schedule, *, text: str, due_at: datetime, now: datetime, chance: Chance
) -> Took:
    """Have *text* go at *due_at* instead of what *schedule* holds, if that can still be. One that failed is revived."""
    if schedule.state in (ScheduleState.SENT, ScheduleState.CANCELLED):
        return Took.OVER
    if schedule.state is ScheduleState.TAKING_BACK and schedule.next_message_id is None:
        return Took.OVER  # somebody cancelled it; the carrier is being asked
    old = await tx.messages.get(schedule.message_id)
    instead = Message(
        id=MessageId(chance.ordered(now)),
        conversation_id=old.conversation_id,
        direction=Direction.OUTBOUND,
        origin=Origin.SCHEDULE,
        state=State.WAITING,
        text=text,
        created_at=now,
        author=schedule.author,
        due_at=due_at,
    )
    if schedule.state is ScheduleState.TAKING_BACK:
        await drop_next(tx, schedule)
        took = Took.ASKED
    elif schedule.state is ScheduleState.FAILED or await _is_here(tx, schedule, old):
        took = Took.AT_ONCE
    else:
        took = await _ask(tx, schedule, old, now)
    if took is Took.TOO_LATE:
        return took
    await tx.messages.add(instead)
    if took is Took.AT_ONCE:
        await _end(tx, old)
        await _put_in_place(tx, schedule, old, instead, now)
    else:
        await tx.schedules.update(schedule.id, next_message_id=instead.id)
    return took


async def record_taken_back(tx: Transaction, schedule: Schedule, message: Message, now: datetime) -> bool:
    """Record that *message*, which was to be taken back, certainly does not go out; tell whether another goes instead."""
    await _end(tx, message)
    if schedule.next_message_id is None:
        await tx.schedules.set_state(schedule.id, ScheduleState.CANCELLED)
        return False
    await _put_in_place(tx, schedule, message, await tx.messages.get(schedule.next_message_id), now)
    return True


async def record_not_taken_back(tx: Transaction, schedule: Schedule, state: ScheduleState) -> None:
    """Record that what was to be taken back goes out, or went: *schedule* is now in *state*, and nothing goes instead."""
    await drop_next(tx, schedule)
    await tx.schedules.set_state(schedule.id, state)


async def record_gone(tx: Transaction, schedule: Schedule) -> None:
    """Record that what *schedule* holds has gone out, and tell its author where it was to be taken back or changed."""
    if schedule.state is ScheduleState.TAKING_BACK:
        told = schedule_wording.was_not_taken_back(schedule, None, is_changed=schedule.next_message_id is not None)
        await tell_author(tx, schedule, f"gone:{schedule.message_id}", told)
    await record_not_taken_back(tx, schedule, ScheduleState.SENT)


async def drop_next(tx: Transaction, schedule: Schedule) -> None:
    """Have nothing go instead of what is being taken back."""
    if schedule.next_message_id is not None:
        await tx.messages.update(schedule.next_message_id, state=State.CANCELLED)
        await tx.schedules.update(schedule.id, next_message_id=None)


async def tell_author(tx: Transaction, schedule: Schedule, key: str, text: str, blocks: Sequence[Block] = ()) -> None:
    """Tell the author of *schedule* privately, in its thread where there is one, once for each *key*."""
    message = await tx.messages.get(schedule.message_id)
    conversation = await tx.conversations.get(message.conversation_id)
    await enqueue_whisper(
        tx,
        f"schedule:{schedule.id}:{key}",
        channel_id=conversation.channel_id,
        user_id=schedule.author,
        thread_ts=conversation.thread_ts,
        text=text,
        blocks=blocks,
    )


async def _is_here(tx: Transaction, schedule: Schedule, message: Message) -> bool:
    """Tell whether nobody but us can have it: no request for it was made, or none whose outcome is open."""
    if schedule.state is not ScheduleState.WAITING or message.state not in (State.WAITING, State.UNDER_WAY):
        return False
    request = await tx.deliveries.find_request(message.id)
    return request is None or request.attempted_at is None


async def _ask(tx: Transaction, schedule: Schedule, message: Message, now: datetime) -> Took:
    if schedule.state is ScheduleState.AT_CARRIER and schedule.due_at - now < POINT_OF_NO_RETURN:
        return Took.TOO_LATE
    await tx.schedules.set_state(schedule.id, ScheduleState.TAKING_BACK)
    if message.carrier_id is not None:  # else its acceptance, when it comes, asks for it
        await enqueue_cancellation(tx, message.id, message.carrier_id, again=now.isoformat())
    return Took.ASKED


async def _end(tx: Transaction, message: Message) -> None:
    if message.state in _NOT_GONE:
        await tx.messages.update(message.id, state=State.CANCELLED)
    await tx.queue.drop(send_key(message.id))
    await tx.queue.drop(show_key(message.id))


async def _put_in_place(tx: Transaction, schedule: Schedule, old: Message, new: Message, now: datetime) -> None:
    due_at = new.due_at or now
    await tx.schedules.update(
        schedule.id, message_id=new.id, next_message_id=None, state=ScheduleState.WAITING, due_at=due_at
    )
    files = await tx.media.of_message(old.id)
    for media in files:
        await tx.media.update(media.id, message_id=new.id, token=None, expires_at=None)
        if media.keep_until is not None and media.keep_until <= now:  # our copy is gone: fetched from Slack once more
            await tx.media.update(media.id, state=MediaState.EXPECTED, filename=None, keep_until=None)
        elif media.keep_until is not None:
            await tx.media.update(media.id, keep_until=max(media.keep_until, due_at + KEPT_FOR_SENDING))
    files = await tx.media.of_message(new.id)
    if any(media.state is MediaState.EXPECTED for media in files):
        await enqueue_preparation(tx, new.id, schedule_lane(new.id))
    await enqueue_scheduled_send(tx, new.id, next_moment(due_at, now))
