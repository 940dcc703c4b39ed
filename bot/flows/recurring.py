"""
Texts that repeat: each time is a text of its own, made when the one before it has come.

There is never more than one time ahead, so what is listed is what is there. How far it got stands in the recurrence, and
moves in the transaction that makes the next time: no restart makes one twice, or leaves one out. What was missed while
nothing ran is sent if it is less than an hour late, else skipped, and the author is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.chance import Chance
from bot.clock import Clock
from bot.domain.ids import MessageId, RecurrenceId, ScheduleId
from bot.domain.job import Job
from bot.domain.media import FileRef
from bot.domain.message import Direction, Message, Origin, State
from bot.domain.policy import Policy
from bot.domain.recurrence import MOST_LATE, Occurrence, Recurrence, Rule, find_coming, find_occurrence
from bot.domain.schedule import Schedule, ScheduleState, next_moment
from bot.errors import NotAllowed, RetryLater
from bot.flows import schedule_wording
from bot.flows.accepting import check_author
from bot.flows.jobs import (
    enqueue_line,
    enqueue_next_occurrence,
    enqueue_preparation,
    enqueue_scheduled_send,
    read_body,
    schedule_lane,
)
from bot.flows.preparing import add_files, refer_again
from bot.flows.schedule_changes import Took, put_in_its_stead, take_back, tell_author
from bot.flows.schedule_people import find_them
from bot.observe import Log
from bot.ports import Directory, Standing, Store, Transaction

_log = Log("recurring")

_TO_COME = frozenset({ScheduleState.WAITING, ScheduleState.AT_CARRIER, ScheduleState.TAKING_BACK})


class Recurring:
    """Makes the next time of a text that repeats."""

    def __init__(self, *, store: Store, directory: Directory, policy: Policy, clock: Clock, chance: Chance) -> None:
        self._store = store
        self._directory = directory
        self._policy = policy
        self._clock = clock
        self._chance = chance

    async def make_next(self, job: Job) -> None:
        """
        Make the time that comes after the newest, whose moment has come; what was missed meanwhile is skipped and told.

        Transaction: the text of that time with its schedule, and the job that makes the one after it.
        """
        body = read_body(job)
        recurrence_id = RecurrenceId(body["recurrence"])
        refusal = await self._find_refusal(recurrence_id)
        async with self._store.transaction("make next occurrence") as tx:
            recurrence = await tx.recurrences.find(recurrence_id)
            if (
                recurrence is not None
                and recurrence.active
                and (recurrence.revision, recurrence.number) == (body["revision"], body["number"])
            ):
                if refusal is None:
                    await self._make_next(tx, recurrence)
                else:
                    await self._end(tx, recurrence)
            await tx.queue.finish(job)

    async def _find_refusal(self, recurrence_id: RecurrenceId) -> str | None:
        """Return why the author may not text any more; None if they may, or if Slack cannot tell just now."""
        async with self._store.reading() as view:
            recurrence = await view.recurrences.find(recurrence_id)
        if recurrence is None:
            return None
        try:
            author = await self._directory.get_person(recurrence.author)
        except RetryLater as error:
            _log.info("It is not known just now whether an author may still text.", trouble=error.log)
            return None
        try:
            if author.standing is not Standing.UNSEEN:
                check_author(author)
        except NotAllowed as error:
            return error.person
        return None

    async def _end(self, tx: Transaction, recurrence: Recurrence) -> None:
        """End what repeats, and tell the thread: its author may no longer text, and may be gone."""
        await tx.recurrences.save(replace(recurrence, active=False))
        text, blocks = schedule_wording.ended_with_author(recurrence)
        await enqueue_line(tx, recurrence.conversation_id, f"ended:{recurrence.id}", text, blocks)

    async def _make_next(self, tx: Transaction, recurrence: Recurrence) -> None:
        now = self._clock.now()
        zone = ZoneInfo(recurrence.zone)
        after = recurrence.occurs_on or recurrence.rule.began_on
        found = find_occurrence(recurrence.rule, zone, after=after)
        missed: list[Occurrence] = []
        while found is not None and found.due_at < now - MOST_LATE:
            missed.append(found)
            found = find_occurrence(recurrence.rule, zone, after=found.occurs_on)
        newest = await find_newest(tx, recurrence)
        if found is None:
            await tx.recurrences.save(replace(recurrence, active=False))
        else:
            newest = await add_occurrence(tx, recurrence, found, now, self._chance)
        if missed and newest is not None:
            _log.warning("Times of a text that repeats were missed.", schedule=recurrence.id, missed=len(missed))
            conversation = await tx.conversations.get(recurrence.conversation_id)
            them = await find_them(tx, conversation.parties.theirs, self._policy.region)
            await tell_author(
                tx,
                newest,
                f"missed:{missed[0].due_at.isoformat()}",
                schedule_wording.missed_times(recurrence, [each.due_at for each in missed], them),
            )


async def add_recurrence(tx: Transaction, recurrence: Recurrence, chance: Chance) -> Recurrence:
    """Store *recurrence* under an id that neither another nor a scheduled text has, and return it."""
    while await tx.schedules.find(ScheduleId(recurrence.id)) is not None or not await tx.recurrences.add(recurrence):
        recurrence = replace(recurrence, id=RecurrenceId(chance.short()))
    return recurrence


async def add_occurrence(
    tx: Transaction,
    recurrence: Recurrence,
    occurrence: Occurrence,
    now: datetime,
    chance: Chance,
    files: Sequence[FileRef] | None = None,
) -> Schedule:
    """Add one time of *recurrence* with its text and *files* (None: those of the time before), and return it."""
    if files is None:
        newest = await find_newest(tx, recurrence)
        files = () if newest is None else refer_again(await tx.media.of_message(newest.message_id))
    advanced = replace(recurrence, number=recurrence.number + 1, occurs_on=occurrence.occurs_on)
    message = Message(
        id=MessageId(chance.ordered(now)),
        conversation_id=recurrence.conversation_id,
        direction=Direction.OUTBOUND,
        origin=Origin.SCHEDULE,
        state=State.WAITING,
        text=recurrence.text,
        created_at=now,
        author=recurrence.author,
        due_at=occurrence.due_at,
    )
    schedule = Schedule(
        id=name_occurrence(recurrence.id, advanced.number),
        message_id=message.id,
        state=ScheduleState.WAITING,
        due_at=occurrence.due_at,
        zone=recurrence.zone,
        author=recurrence.author,
        created_at=now,
        unless_reply=recurrence.unless_reply,
        recurrence_id=recurrence.id,
    )
    await tx.messages.add(message)
    await add_files(tx, message, files, chance)
    if files:
        await enqueue_preparation(tx, message.id, schedule_lane(message.id))
    await tx.schedules.add(schedule)
    await enqueue_scheduled_send(tx, message.id, next_moment(occurrence.due_at, now))
    await tx.recurrences.save(advanced)
    await enqueue_next_occurrence(tx, advanced, occurrence.due_at)
    return schedule


def name_occurrence(recurrence_id: RecurrenceId, number: int) -> ScheduleId:
    """Return the id of one time of a text that repeats."""
    return ScheduleId(f"{recurrence_id}-{number}")


async def find_newest(tx: Transaction, recurrence: Recurrence) -> Schedule | None:
    """Return the time that was made last."""
    return await tx.schedules.find(name_occurrence(recurrence.id, recurrence.number))


async def find_pending(tx: Transaction, recurrence: Recurrence) -> Schedule | None:
    """Return the time that has not come yet, if there is one."""
    newest = await find_newest(tx, recurrence)
    return newest if newest is not None and newest.state in _TO_COME else None


async def end_recurrence(tx: Transaction, recurrence: Recurrence, now: datetime) -> Took:
    """Have *recurrence* send nothing more, and take its next time back."""
    await tx.recurrences.save(replace(recurrence, active=False))
    pending = await find_pending(tx, recurrence)
    return Took.AT_ONCE if pending is None else await take_back(tx, pending, now)


async def skip_occurrence(
    tx: Transaction, recurrence: Recurrence, now: datetime, chance: Chance
) -> tuple[Schedule | None, Took, Schedule | None]:
    """Take the next time of *recurrence* back and make the one after it; return both, and what became of the first."""
    pending = await find_pending(tx, recurrence)
    if pending is None or pending.state is ScheduleState.TAKING_BACK:
        return pending, Took.OVER, None
    took = await take_back(tx, pending, now)
    if took in (Took.TOO_LATE, Took.OVER):
        return pending, took, None
    after = find_coming(recurrence.rule, ZoneInfo(recurrence.zone), now=now, after=recurrence.occurs_on)
    if after is None:
        await tx.recurrences.save(replace(recurrence, active=False))
        return pending, took, None
    return pending, took, await add_occurrence(tx, recurrence, after, now, chance)


async def change_recurrence(
    tx: Transaction, recurrence: Recurrence, now: datetime, chance: Chance, *, rule: Rule, text: str, unless_reply: bool
) -> tuple[Took, datetime | None]:
    """
    Give *recurrence* another rule, text or condition; return what became of its next time, and when the next is due now.

    A time that goes out within the minute goes as it was; the change counts from the one after it.
    """
    zone = ZoneInfo(recurrence.zone)
    pending = await find_pending(tx, recurrence)
    changed = replace(
        recurrence, rule=rule, text=text, unless_reply=unless_reply, revision=recurrence.revision + 1, active=True
    )
    if rule == recurrence.rule and pending is not None and recurrence.occurs_on is not None:
        coming: Occurrence | None = Occurrence(occurs_on=recurrence.occurs_on, due_at=pending.due_at)
    else:
        coming = find_coming(rule, zone, now=now)
    taken = {each.due_at for each in await tx.schedules.list_occurrences(recurrence.id) if each != pending}
    while coming is not None and coming.due_at in taken:
        coming = find_coming(rule, zone, now=now, after=coming.occurs_on)
    if coming is None:
        return Took.OVER, None
    if pending is not None:
        took = await put_in_its_stead(tx, pending, text=text, due_at=coming.due_at, now=now, chance=chance)
        if took in (Took.AT_ONCE, Took.ASKED):
            await tx.schedules.update(pending.id, unless_reply=unless_reply)
            changed = replace(changed, occurs_on=coming.occurs_on)
            await tx.recurrences.save(changed)
            await enqueue_next_occurrence(tx, changed, coming.due_at)
            return took, coming.due_at
        while coming is not None and coming.due_at <= pending.due_at:
            coming = find_coming(rule, zone, now=now, after=coming.occurs_on)
        if coming is None:
            return took, None
    else:
        took = Took.AT_ONCE
    await add_occurrence(tx, changed, coming, now, chance)
    return took, coming.due_at
