"""Texts for later: made, listed, changed, taken back. Handing them over in time is sending's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bot.chance import Chance
from bot.clock import Clock
from bot.domain.audit import AuditAction
from bot.domain.commands import Sender
from bot.domain.conversation import Conversation
from bot.domain.ids import MessageId, RecurrenceId, ScheduleId, UserId
from bot.domain.media import FileRef
from bot.domain.message import Direction, Message, Origin, State
from bot.domain.phone import Address
from bot.domain.policy import Policy, find_quiet_hours
from bot.domain.recurrence import Occurrence, Recurrence, Rule
from bot.domain.schedule import Schedule, ScheduleState, next_moment
from bot.errors import NotAllowed
from bot.flows import schedule_wording, wording
from bot.flows.accepting import Accepting, check_author, check_text
from bot.flows.auditing import audit_text
from bot.flows.jobs import enqueue_preparation, enqueue_scheduled_send, schedule_lane
from bot.flows.permissions import check_member
from bot.flows.preparing import add_files, check_files
from bot.flows.recurring import (
    add_occurrence,
    add_recurrence,
    change_recurrence,
    end_recurrence,
    skip_occurrence,
)
from bot.flows.schedule_changes import Took, put_in_its_stead, take_back, tell_author
from bot.flows.schedule_list import collect_rows, find_row
from bot.flows.schedule_people import find_them
from bot.flows.schedule_wording import Row, Them
from bot.flows.senders import Senders
from bot.flows.wording import Words
from bot.observe import Log
from bot.ports import Directory, Store, Transaction
from bot.text.escape import escape_sms

_log = Log("schedules")

_TAKE_BACK = "take a scheduled text back"

#: How far ahead a text may be scheduled.
FURTHEST_AHEAD = timedelta(days=366)
#: Schedules shown in one answer.
_PAGE = 10
_ENDED = {
    ScheduleState.SENT: "has gone out already",
    ScheduleState.CANCELLED: "is taken back already",
    ScheduleState.FAILED: "was refused by the carrier; it did not go out",
}


class Schedules:
    """`/schedule`, its form and its buttons."""

    def __init__(
        self,
        *,
        store: Store,
        directory: Directory,
        accepting: Accepting,
        senders: Senders,
        policy: Policy,
        clock: Clock,
        chance: Chance,
    ) -> None:
        self._store = store
        self._directory = directory
        self._accepting = accepting
        self._senders = senders
        self._policy = policy
        self._clock = clock
        self._chance = chance

    # --- Made

    async def schedule_text(  # noqa: PLR0913 - a text, its time, and who wants it
        self,
        *,
        once: str,
        author: UserId,
        to: tuple[Address, ...],
        sender: Sender | None,
        text: str,
        due_at: datetime,
        zone: ZoneInfo,
        note: str | None = None,
        files: tuple[FileRef, ...] = (),
        rule: Rule | None = None,
        unless_reply: bool = False,
    ) -> Words:
        """
        Have *text* and *files* sent at *due_at*, by *rule* again and again from then on; return the private answer.

        *once* names the request: repeated, it schedules nothing more. *unless_reply*: a text from them takes it back.
        Raises NotAllowed. Transaction: the text, its schedule, and the job that hands it over in time.
        """
        check_author(await self._directory.get_person(author))
        side = await self._senders.choose_side(sender, to)
        check_files(files, self._policy, side.medium)
        check_text(text, has_files=bool(files), medium=side.medium)
        now = self._clock.now()
        self._check_time(due_at, now)
        schedule: Schedule | None = None
        recurrence: Recurrence | None = None
        async with self._store.transaction("schedule text") as tx:
            conversation = await self._accepting.open_conversation(tx, side, to)
            await self._accepting.check_consent(tx, conversation)
            them = await find_them(tx, conversation.parties.theirs, self._policy.region)
            if await tx.queue.note_once(f"asked:{once}"):
                if conversation.parties.is_group:
                    raise NotAllowed("🚫 Not scheduled: group messages cannot be scheduled.")
                if rule is None:
                    schedule = await self._add(tx, conversation, author, text, due_at, zone, files, unless_reply)
                else:
                    recurrence = Recurrence(
                        id=RecurrenceId(self._chance.short()),
                        conversation_id=conversation.id,
                        active=True,
                        rule=rule,
                        zone=zone.key,
                        text=text,
                        author=author,
                        created_at=now,
                        unless_reply=unless_reply,
                    )
                    recurrence = await add_recurrence(tx, recurrence, self._chance)
                    first = Occurrence(occurs_on=rule.began_on, due_at=due_at)
                    schedule = await add_occurrence(tx, recurrence, first, now, self._chance, files)
                await self._audit(tx, AuditAction.SCHEDULED, schedule, author, rule="" if rule is None else rule.rrule)
        if schedule is None:
            return wording.line(f"🕘 This text to {them.name} is scheduled already.")
        _log.info("A text was scheduled.", conversation=conversation.id, schedule=schedule.id)
        notes = self._find_notes(them, due_at, note)
        if recurrence is not None:
            return schedule_wording.repeating(recurrence, them, first_at=due_at, zone=zone, notes=notes)
        return schedule_wording.scheduled(schedule, them, text=text, zone=zone, now=now, notes=notes)

    def _check_time(self, due_at: datetime, now: datetime) -> None:
        if due_at > now + FURTHEST_AHEAD:
            raise NotAllowed("🚫 Not scheduled: that is more than a year ahead.")

    async def describe_clock(self, due_at: datetime, zone: ZoneInfo, to: Sequence[Address]) -> str:
        """Say for a form what the clocks show at *due_at*, the customers' beside *zone*'s, and if it is quiet there."""
        async with self._store.reading() as view:
            them = await find_them(view, to, self._policy.region)
        said = f"🕒 {schedule_wording.say_when(due_at, zone, them)}"
        return " ".join([said, *self._find_notes(them, due_at, None)])

    def _find_notes(self, them: Them, due_at: datetime, note: str | None) -> list[str]:
        """Return what the person should know about the time that was chosen."""
        notes = [escape_sms(note)] if note else []
        quiet = find_quiet_hours(self._policy.quiet_hours, due_at, them.zones)
        if quiet is not None:
            notes.append(schedule_wording.in_quiet_hours(quiet))
        return notes

    async def _add(
        self,
        tx: Transaction,
        conversation: Conversation,
        author: UserId,
        text: str,
        due_at: datetime,
        zone: ZoneInfo,
        files: tuple[FileRef, ...],
        unless_reply: bool,  # noqa: FBT001 - passed on
    ) -> Schedule:
        now = self._clock.now()
        message = Message(
            id=MessageId(self._chance.ordered(now)),
            conversation_id=conversation.id,
            direction=Direction.OUTBOUND,
            origin=Origin.SCHEDULE,
            state=State.WAITING,
            text=text,
            created_at=now,
            author=author,
            due_at=due_at,
        )
        await tx.messages.add(message)
        await add_files(tx, message, files, self._chance)
        if files:  # at once: by the time that it is due, Slack may have thrown them away
            await enqueue_preparation(tx, message.id, schedule_lane(message.id))
        schedule = Schedule(
            id=ScheduleId(self._chance.short()),
            message_id=message.id,
            state=ScheduleState.WAITING,
            due_at=due_at,
            zone=zone.key,
            author=author,
            created_at=now,
            unless_reply=unless_reply,
        )
        # Five characters: now and then one is taken.
        while await tx.recurrences.find(RecurrenceId(schedule.id)) or not await tx.schedules.add(schedule):
            schedule = replace(schedule, id=ScheduleId(self._chance.short()))
        await enqueue_scheduled_send(tx, message.id, next_moment(due_at, now))
        return schedule

    # --- Listed

    async def list_schedules(self, zone: ZoneInfo, actor: UserId, page: int = 0, *, said: str | None = None) -> Words:
        """Return one page of what is waiting, the soonest first, with buttons; *said* goes before it. Raises NotAllowed."""
        check_member(await self._directory.get_person(actor), what="see what is scheduled")
        async with self._store.reading() as view:
            rows = await collect_rows(view, self._policy.region)
        pages = max(1, -(-len(rows) // _PAGE))
        page = max(0, min(page, pages - 1))
        shown = rows[page * _PAGE : (page + 1) * _PAGE]
        text, blocks = (
            schedule_wording.list_page(shown, total=len(rows), page=page, pages=pages, zone=zone)
            if rows
            else schedule_wording.nothing_scheduled()
        )
        if said is None:
            return text, blocks
        return f"{said}\n{text}", [*wording.line(said)[1], *blocks]

    # --- Taken back

    async def cancel_schedule(self, named: str, actor: UserId) -> str:
        """Take a scheduled text back, or end one that repeats; return the private answer. Raises NotAllowed."""
        check_member(await self._directory.get_person(actor), what=_TAKE_BACK)
        now = self._clock.now()
        async with self._store.transaction("cancel schedule") as tx:
            row = await self._find(tx, named)
            recurrence, schedule = row.recurrence, row.schedule
            if recurrence is not None:
                if not recurrence.active:
                    return f"`{row.id}` has ended already."
                took = await end_recurrence(tx, recurrence, now)
                await self._note_done(tx, row, actor, AuditAction.TAKEN_BACK, "ended")
                return f"↩️ `{row.id}` has ended: nothing more of it is sent.{_ADDED[took]}"
            if schedule is None:
                raise NotAllowed(_unknown(named))
            if schedule.state is ScheduleState.TAKING_BACK and schedule.next_message_id is None:
                return f"`{schedule.id}` is being taken back."
            took = await take_back(tx, schedule, now)
            if took in (Took.AT_ONCE, Took.ASKED):
                await self._note_done(tx, row, actor, AuditAction.TAKEN_BACK, "took back")
        match took:
            case Took.OVER:
                return f"`{schedule.id}` {_ENDED[schedule.state]}."
            case Took.TOO_LATE:
                return f"`{schedule.id}` goes out within the minute; the carrier no longer takes it back."
            case Took.ASKED:
                return (
                    f"↩️ `{schedule.id}` is being taken back at the carrier. You will be told whether that was in time."
                )
            case Took.AT_ONCE:
                return f"↩️ `{schedule.id}` is taken back. Nothing is sent."

    async def skip_schedule(self, named: str, actor: UserId, zone: ZoneInfo) -> str:
        """Leave a text that repeats out once, and return the private answer. Raises NotAllowed."""
        check_member(await self._directory.get_person(actor), what=_TAKE_BACK)
        async with self._store.transaction("skip schedule") as tx:
            row = await self._find(tx, named)
            if row.recurrence is None:
                raise NotAllowed(f"`{row.id}` does not repeat. `/schedule cancel {row.id}` takes it back.")
            if not row.recurrence.active:
                return f"`{row.id}` has ended already."
            skipped, took, after = await skip_occurrence(tx, row.recurrence, self._clock.now(), self._chance)
            if took in (Took.AT_ONCE, Took.ASKED):
                await self._note_done(tx, row, actor, AuditAction.TAKEN_BACK, "skipped the next of")
        if skipped is None or took is Took.OVER:
            return f"The next of `{row.id}` is just being made or taken back; try again in a moment."
        when = schedule_wording.say_when(skipped.due_at, zone, row.them)
        if took is Took.TOO_LATE:
            return f"The next of `{row.id}` goes out within the minute; the carrier no longer takes it back."
        then = (
            f" The next then goes on {schedule_wording.say_when(after.due_at, zone, row.them)}."
            if after
            else " It was the last."
        )
        return f"⏭️ `{row.id}` is skipped on {when}.{then}{_ADDED[took]}"

    # --- Changed

    async def get_editable(self, named: str, actor: UserId) -> Row:
        """Return what the form to change *named* begins with. Raises NotAllowed where it cannot be changed."""
        check_author(await self._directory.get_person(actor))
        async with self._store.reading() as view:
            row = await self._find(view, named)
        if row.recurrence is not None:
            if not row.recurrence.active:
                raise NotAllowed(f"`{row.id}` has ended; schedule a new one.")
        elif row.schedule is None or row.schedule.state in (ScheduleState.SENT, ScheduleState.CANCELLED):
            raise NotAllowed(f"`{row.id}` can no longer be changed: it has gone out or was taken back.")
        return row

    async def edit_schedule(  # noqa: PLR0913 - all that a form holds
        self,
        named: str,
        actor: UserId,
        *,
        once: str,
        text: str,
        due_at: datetime | None,
        zone: ZoneInfo,
        rule: Rule | None = None,
        unless_reply: bool = False,
        note: str | None = None,
    ) -> Words:
        """
        Change time, text or condition of a scheduled text (*due_at*) or of one that repeats (*rule*; None: as it was).

        Returns the private answer; raises NotAllowed. Transaction: the changed text, in place of the old one or waiting
        for the carrier to give that back.
        """
        row = await self.get_editable(named, actor)
        now = self._clock.now()
        if due_at is not None:
            self._check_time(due_at, now)
        async with self._store.transaction("edit schedule") as tx:
            row = await self._find(tx, named)
            message_id = None if row.schedule is None else row.schedule.message_id
            has_files = message_id is not None and bool(await tx.media.of_message(message_id))
            check_text(text, has_files=has_files, medium=row.conversation.parties.medium)
            await self._accepting.check_consent(tx, row.conversation)
            if not await tx.queue.note_once(f"asked:{once}"):
                return wording.line(f"✏️ `{row.id}` is changed already.")
            took, next_at = await self._change(tx, row, text, due_at or now, rule, now, unless_reply=unless_reply)
            if took is Took.OVER:
                raise NotAllowed(f"`{row.id}` can no longer be changed: it has gone out, or is being taken back.")
            if took is Took.TOO_LATE and row.recurrence is None:
                raise NotAllowed(f"`{row.id}` goes out within the minute; the carrier no longer takes it back.")
            changed = await self._find(tx, named)
            await self._note_done(tx, changed, actor, AuditAction.SCHEDULE_CHANGED, "changed")
        notes = self._find_notes(row.them, next_at or now, note)
        if took is Took.TOO_LATE:
            notes.append("_One goes out within the minute as it was; the change counts from the one after it._")
        return schedule_wording.changed(changed, zone=zone, is_asked=took is Took.ASKED, notes=notes)

    async def _change(
        self,
        tx: Transaction,
        row: Row,
        text: str,
        due_at: datetime,
        rule: Rule | None,
        now: datetime,
        *,
        unless_reply: bool,
    ) -> tuple[Took, datetime | None]:
        if row.recurrence is not None:
            return await change_recurrence(
                tx,
                row.recurrence,
                now,
                self._chance,
                rule=rule or row.recurrence.rule,
                text=text,
                unless_reply=unless_reply,
            )
        if row.schedule is None:
            return Took.OVER, None
        # A form holds whole seconds; what was typed as `in 2 hours` is due at some fraction of one.
        is_moved = due_at.replace(microsecond=0) != row.due_at.replace(microsecond=0)
        if text == row.text and not is_moved and row.schedule.state is not ScheduleState.FAILED:
            took = Took.AT_ONCE  # the condition alone is ours to keep: the carrier need not give the text back for it
        else:
            took = await put_in_its_stead(tx, row.schedule, text=text, due_at=due_at, now=now, chance=self._chance)
        if took in (Took.AT_ONCE, Took.ASKED):
            await tx.schedules.update(row.schedule.id, unless_reply=unless_reply)
        return took, due_at

    async def retry_schedule(self, named: str, actor: UserId) -> str:
        """Hand a text over once more that the carrier refused, or that was too late; return the private answer."""
        check_author(await self._directory.get_person(actor))
        now = self._clock.now()
        async with self._store.transaction("retry schedule") as tx:
            row = await self._find(tx, named)
            if row.schedule is None or row.schedule.state is not ScheduleState.FAILED:
                return f"`{row.id}` is not waiting for this any more."
            await self._accepting.check_consent(tx, row.conversation)
            due_at = max(row.schedule.due_at, now)
            await put_in_its_stead(tx, row.schedule, text=row.text, due_at=due_at, now=now, chance=self._chance)
            await self._note_done(tx, await self._find(tx, named), actor, AuditAction.SCHEDULE_CHANGED, "retried")
        return f"📤 `{row.id}` is handed over again." if due_at > now else f"📤 `{row.id}` is on its way."

    async def _note_done(self, tx: Transaction, row: Row, actor: UserId, action: AuditAction, what: str) -> None:
        """Record what *actor* did, and tell the author if it was somebody else; *what* is it in a word."""
        if row.schedule is None:
            return
        await self._audit(tx, action, row.schedule, actor, what=what)
        if actor != row.author:
            key = f"{what}:{self._clock.now().isoformat()}"
            await tell_author(tx, row.schedule, key, schedule_wording.changed_by(row.id, actor, what))

    async def _audit(
        self, tx: Transaction, action: AuditAction, schedule: Schedule, actor: UserId, **detail: str
    ) -> None:
        message = await tx.messages.get(schedule.next_message_id or schedule.message_id)
        await audit_text(
            tx,
            action,
            message,
            await tx.conversations.get(message.conversation_id),
            at=self._clock.now(),
            actor=actor,
            due_at=(message.due_at or schedule.due_at).isoformat(),
            schedule=schedule.id,
            **{name: value for name, value in detail.items() if value},
        )

    async def _find(self, view: Transaction, named: str) -> Row:
        row = await find_row(view, named, self._policy.region)
        if row is None:
            raise NotAllowed(_unknown(named))
        return row


_ADDED = {
    Took.AT_ONCE: "",
    Took.OVER: "",
    Took.ASKED: " The carrier holds the next one and is asked for it; you will be told what it says.",
    Took.TOO_LATE: " But one goes out within the minute; the carrier no longer takes it back.",
}


def _unknown(named: str) -> str:
    return f"There is no scheduled text `{escape_sms(named)}`. `/schedule list` shows what is waiting."
