"""What is scheduled, gathered for those who show it."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.ids import RecurrenceId, ScheduleId
from bot.domain.recurrence import Recurrence
from bot.domain.schedule import Schedule
from bot.flows.recurring import find_pending
from bot.flows.schedule_people import find_them
from bot.flows.schedule_wording import Row
from bot.ports import Transaction


async def collect_rows(view: Transaction, region: str) -> Sequence[Row]:
    """Return all that is to come, the soonest first; a text that repeats is one row, with its next time. Reads only."""
    repeating = {recurrence.id: recurrence for recurrence in await view.recurrences.list_active()}
    rows = [await make_recurring_row(view, recurrence, region) for recurrence in repeating.values()]
    shown = {row.schedule.id for row in rows if row.schedule is not None}
    # One that was skipped is on its way back; the row of what repeats shows the next.
    pending = [schedule for schedule in await view.schedules.list_pending() if schedule.id not in shown]
    rows += [await make_row(view, schedule, region) for schedule in pending]
    return sorted(rows, key=lambda row: (row.due_at, row.id))


async def make_row(view: Transaction, schedule: Schedule, region: str, recurrence: Recurrence | None = None) -> Row:
    """Return the row of *schedule*, as it will be once a change under way is through."""
    message = await view.messages.get(schedule.next_message_id or schedule.message_id)
    conversation = await view.conversations.get(message.conversation_id)
    them = await find_them(view, conversation.parties.theirs, region)
    return Row(schedule=schedule, message=message, conversation=conversation, them=them, recurrence=recurrence)


async def make_recurring_row(view: Transaction, recurrence: Recurrence, region: str) -> Row:
    """Return the row of *recurrence* with its next time."""
    pending = await find_pending(view, recurrence)
    if pending is not None:
        return await make_row(view, pending, region, recurrence)
    conversation = await view.conversations.get(recurrence.conversation_id)
    them = await find_them(view, conversation.parties.theirs, region)
    return Row(schedule=None, message=None, conversation=conversation, them=them, recurrence=recurrence)


async def find_row(view: Transaction, named: str, region: str) -> Row | None:
    """Return what people mean by the id *named*: a scheduled text, one that repeats, or one time of such."""
    recurrence = await view.recurrences.find(RecurrenceId(named))
    if recurrence is not None:
        return await make_recurring_row(view, recurrence, region)
    schedule = await view.schedules.find(ScheduleId(named))
    return None if schedule is None else await make_row(view, schedule, region)
