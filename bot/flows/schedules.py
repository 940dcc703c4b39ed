"""Texts for later: made, listed, taken back. Handing them over in time is sending's."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bot.chance import Chance
from bot.clock import Clock
from bot.domain.actions import Action
from bot.domain.audit import AuditAction
from bot.domain.carrier_events import read_copies
from bot.domain.commands import Sender
from bot.domain.delivery import DeliveryStatus
from bot.domain.ids import CarrierMessageId, MessageId, ScheduleId, UserId
from bot.domain.job import Job
from bot.domain.media import FileRef
from bot.domain.message import Direction, Message, Origin, State
from bot.domain.phone import Address
from bot.domain.policy import Policy
from bot.domain.schedule import POINT_OF_NO_RETURN, Schedule, ScheduleState, next_moment
from bot.domain.when import describe_wait, format_when
from bot.errors import CarrierRefused, NotAllowed
from bot.flows import wording
from bot.flows.accepting import Accepting, check_author, check_text
from bot.flows.auditing import audit_text
from bot.flows.jobs import (
    enqueue_cancellation,
    enqueue_preparation,
    enqueue_scheduled_send,
    enqueue_whisper,
    read_body,
    schedule_lane,
    send_key,
    show_key,
)
from bot.flows.preparing import add_files, check_files
from bot.flows.senders import Senders
from bot.flows.wording import Words
from bot.observe import Log
from bot.ports import Block, Carrier, Directory, Store, Transaction
from bot.text.escape import escape_sms

_log = Log("schedules")

#: How far ahead a text may be scheduled.
FURTHEST_AHEAD = timedelta(days=366)
#: What stands behind the action of a [Cancel] in the list, which stays when one of it is pressed.
FROM_LIST = "list"
#: Schedules shown in one answer; a message has at most 50 blocks.
_MOST_LISTED = 40


class Schedules:
    """`/schedule` and its buttons."""

    def __init__(
        self,
        *,
        store: Store,
        carrier: Carrier,
        directory: Directory,
        accepting: Accepting,
        senders: Senders,
        policy: Policy,
        clock: Clock,
        chance: Chance,
    ) -> None:
        self._store = store
        self._carrier = carrier
        self._directory = directory
        self._accepting = accepting
        self._senders = senders
        self._policy = policy
        self._clock = clock
        self._chance = chance

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
    ) -> Words:
        """
        Have *text* and *files* sent at *due_at* and return the private answer, with [Cancel].

        *once* names the request: repeated, it schedules nothing more. Raises NotAllowed. Transaction: the text, its
        schedule, and the job that hands it over in time.
        """
        check_author(await self._directory.get_person(author))
        side = await self._senders.choose_side(sender, to)
        check_files(files, self._policy, side.medium)
        check_text(text, has_files=bool(files), medium=side.medium)
        now = self._clock.now()
        if due_at > now + FURTHEST_AHEAD:
            raise NotAllowed("🚫 Not scheduled: that is more than a year ahead.")
        async with self._store.transaction("schedule text") as tx:
            conversation = await self._accepting.open_conversation(tx, side, to)
            await self._accepting.check_consent(tx, conversation)
            schedule = None
            if await tx.queue.note_once(f"asked:{once}"):
                if conversation.parties.is_group:
                    raise NotAllowed("🚫 Not scheduled: group messages cannot be scheduled.")
                message = Message(
                    id=MessageId(self._chance.token()),
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
                schedule = await self._add(tx, message, due_at, zone, author)
                await enqueue_scheduled_send(tx, message.id, next_moment(due_at, now))
                await audit_text(
                    tx,
                    AuditAction.SCHEDULED,
                    message,
                    conversation,
                    at=now,
                    due_at=due_at.isoformat(),
                    schedule=schedule.id,
                )
        whom = escape_sms(wording.name_parties(conversation.parties, self._policy.region))
        if schedule is None:
            return wording.line(f"🕘 This text to {whom} is scheduled already.")
        _log.info("A text was scheduled.", conversation=conversation.id, schedule=schedule.id)
        # A breath later than when it was read: `in 2 hours` is to be told as 2 hours, not as 1 hour 59 minutes.
        wait = describe_wait(due_at + timedelta(seconds=1), now)
        lines = [
            f"🕘 Scheduled for *{escape_sms(format_when(due_at, zone))}* ({wait}) to {whom}, as `{schedule.id}`:",
            wording.quote(wording.shorten(text, 1500) or "a picture or file"),
        ]
        if note:
            lines.insert(1, escape_sms(note))
        return wording.line("\n".join(lines), [_cancel_button(schedule.id)])

    async def _add(
        self, tx: Transaction, message: Message, due_at: datetime, zone: ZoneInfo, author: UserId
    ) -> Schedule:
        schedule = Schedule(
            id=ScheduleId(self._chance.short()),
            message_id=message.id,
            state=ScheduleState.WAITING,
            due_at=due_at,
            zone=zone.key,
            author=author,
            created_at=message.created_at,
        )
        while not await tx.schedules.add(schedule):  # five characters: now and then one is taken
            schedule = replace(schedule, id=ScheduleId(self._chance.short()))
        return schedule

    async def list_schedules(self, zone: ZoneInfo) -> Words:
        """Return what is waiting, with id, time, author and [Cancel], the soonest first."""
        async with self._store.reading() as view:
            pending = await view.schedules.list_pending()
            rows = []
            for schedule in pending[:_MOST_LISTED]:
                message = await view.messages.get(schedule.message_id)
                conversation = await view.conversations.get(message.conversation_id)
                rows.append((schedule, message, conversation))
        if not rows:
            return wording.line("Nothing is scheduled. `/schedule <number> <when> <text>` schedules a text.")
        heading = f"*{len(pending)} scheduled {'text' if len(pending) == 1 else 'texts'}*"
        if len(pending) > len(rows):
            heading += f", the next {len(rows)} of them"
        blocks: list[Block] = list(wording.line(heading)[1])
        for schedule, message, conversation in rows:
            sentence = (
                f"`{schedule.id}` *{escape_sms(format_when(schedule.due_at, zone))}* to "
                f"{escape_sms(wording.name_parties(conversation.parties, self._policy.region))} by <@{schedule.author}>"
                f"{' (being taken back)' if schedule.state is ScheduleState.TAKING_BACK else ''}\n"
                f"{escape_sms(wording.shorten(message.text, 150))}"
            )
            section = dict(wording.line(sentence)[1][0])
            section["accessory"] = {**_cancel_button(schedule.id), "action_id": f"{Action.CANCEL_SCHEDULE}:{FROM_LIST}"}
            blocks.append(section)
        lines = [heading] + [
            f"{schedule.id} {format_when(schedule.due_at, zone)} "
            f"{wording.name_parties(conversation.parties, self._policy.region)} <@{schedule.author}>: "
            f"{escape_sms(wording.shorten(message.text))}"
            for schedule, message, conversation in rows
        ]
        return "\n".join(lines), blocks

    async def cancel_schedule(self, schedule_id: ScheduleId, actor: UserId) -> str:
        """Take a scheduled text back, here or at the carrier, and return the private answer. Raises NotAllowed."""
        check_author(await self._directory.get_person(actor))
        now = self._clock.now()
        async with self._store.transaction("cancel schedule") as tx:
            schedule = await tx.schedules.find(schedule_id)
            if schedule is None:
                raise NotAllowed(
                    f"There is no scheduled text `{escape_sms(schedule_id)}`. `/schedule list` shows what is waiting."
                )
            match schedule.state:
                case ScheduleState.CANCELLED:
                    return f"`{schedule.id}` is taken back already."
                case ScheduleState.SENT:
                    return f"`{schedule.id}` has gone out already and cannot be taken back."
                case ScheduleState.FAILED:
                    return f"`{schedule.id}` was refused by the carrier; it did not go out."
                case ScheduleState.TAKING_BACK:
                    return f"`{schedule.id}` is being taken back."
                case ScheduleState.WAITING | ScheduleState.AT_CARRIER:
                    return await self._take_back(tx, schedule, actor, now)

    async def _take_back(self, tx: Transaction, schedule: Schedule, actor: UserId, now: datetime) -> str:
        message = await tx.messages.get(schedule.message_id)
        conversation = await tx.conversations.get(message.conversation_id)
        if schedule.state is ScheduleState.WAITING and message.state is State.WAITING:
            await tx.schedules.set_state(schedule.id, ScheduleState.CANCELLED)
            await tx.messages.update(message.id, state=State.CANCELLED)
            await tx.queue.drop(send_key(message.id))
            await audit_text(tx, AuditAction.TAKEN_BACK, message, conversation, at=now, actor=actor)
            return f"↩️ `{schedule.id}` is taken back. Nothing is sent."
        if schedule.state is ScheduleState.AT_CARRIER and schedule.due_at - now < POINT_OF_NO_RETURN:
            return f"`{schedule.id}` goes out within the minute; the carrier no longer takes it back."
        await tx.schedules.set_state(schedule.id, ScheduleState.TAKING_BACK)
        await audit_text(tx, AuditAction.TAKEN_BACK, message, conversation, at=now, actor=actor)
        if message.carrier_id is not None:
            await enqueue_cancellation(tx, message.id, message.carrier_id)
        return f"↩️ `{schedule.id}` is being taken back at the carrier. You will be told whether that was in time."

    async def cancel_at_carrier(self, job: Job) -> None:
        """Ask the carrier to take a scheduled text back, and tell its author. Transaction: whether it was in time."""
        body = read_body(job)
        message_id = MessageId(body["message"])
        carrier_id = CarrierMessageId(body["carrier_id"])
        problem: CarrierRefused | None = None
        try:
            await self._carrier.cancel(carrier_id)
        except CarrierRefused as error:
            # It may be refused because an earlier attempt, whose answer never came, was in time.
            problem = None if await self._is_taken_back(carrier_id, job) else error
        async with self._store.transaction("record cancellation") as tx:
            schedule = await tx.schedules.find_by_message(message_id)
            message = await tx.messages.get(message_id)
            if schedule is not None and schedule.state is ScheduleState.TAKING_BACK:
                if problem is None:
                    await tx.schedules.set_state(schedule.id, ScheduleState.CANCELLED)
                    await tx.messages.update(message_id, state=State.CANCELLED)
                    await tx.queue.drop(show_key(message_id))
                    told = f"↩️ `{schedule.id}` was taken back at the carrier. It is not sent."
                else:
                    await tx.schedules.set_state(schedule.id, ScheduleState.AT_CARRIER)
                    reason = f"{problem.code}: {problem.title or 'no reason given'}"
                    told = f"⚠️ `{schedule.id}` could not be taken back: it was too late ({reason})."
                conversation = await tx.conversations.get(message.conversation_id)
                await enqueue_whisper(
                    tx,
                    f"cancelled:{schedule.id}:{job.id}",
                    channel_id=conversation.channel_id,
                    user_id=schedule.author,
                    thread_ts=conversation.thread_ts,
                    text=told,
                )
            await tx.queue.finish(job)

    async def _is_taken_back(self, carrier_id: CarrierMessageId, job: Job) -> bool:
        try:
            record = await self._carrier.find_message(carrier_id)
        except CarrierRefused:
            record = None
        if record is None:
            return job.unsettled  # asked twice, the carrier no longer knows it
        copies = read_copies(record, self._clock.now()).values()
        return bool(copies) and all(copy.status is DeliveryStatus.CANCELLED for copy in copies)


def _cancel_button(schedule_id: ScheduleId) -> Block:
    return wording.button(
        "Cancel",
        Action.CANCEL_SCHEDULE,
        schedule_id,
        style="danger",
    )
