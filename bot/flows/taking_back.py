"""Asking the carrier for a scheduled text that it holds."""

from __future__ import annotations

from datetime import timedelta

from bot.clock import Clock
from bot.domain.audit import BRIDGE, AuditAction, AuditEntry
from bot.domain.carrier_events import read_copies
from bot.domain.carrier_lanes import inbound_lane
from bot.domain.delivery import DeliveryStatus
from bot.domain.ids import CarrierMessageId, MessageId
from bot.domain.job import Job
from bot.domain.phone import Address
from bot.domain.schedule import ScheduleState
from bot.errors import CarrierRefused, RetryLater
from bot.flows import schedule_wording
from bot.flows.jobs import read_body
from bot.flows.schedule_changes import record_not_taken_back, record_taken_back, tell_author
from bot.observe import Log
from bot.ports import Carrier, Store

_log = Log("taking_back")

#: How long to wait while what a customer just wrote is being read: it may be STOP.
_LISTEN_WAIT = timedelta(milliseconds=100)


class TakingBack:
    """Takes scheduled texts back at the carrier."""

    def __init__(self, *, store: Store, carrier: Carrier, clock: Clock) -> None:
        self._store = store
        self._carrier = carrier
        self._clock = clock

    async def cancel_at_carrier(self, job: Job) -> None:
        """
        Ask the carrier to give a scheduled text back, and tell its author.

        Transaction: whether it was in time; if so, what goes in its stead is put in place.
        """
        body = read_body(job)
        message_id = MessageId(body["message"])
        carrier_id = CarrierMessageId(body["carrier_id"])
        problem: CarrierRefused | None = None
        try:
            await self._carrier.cancel(carrier_id)
        except CarrierRefused as error:
            # It may be refused because an earlier attempt, whose answer never came, was in time.
            problem = None if await self._is_taken_back(carrier_id, job) else error
        now = self._clock.now()
        async with self._store.transaction("record cancellation") as tx:
            schedule = await tx.schedules.find_by_message(message_id)
            if schedule is not None and schedule.state is ScheduleState.TAKING_BACK:
                is_changed = schedule.next_message_id is not None
                if problem is None:
                    await record_taken_back(tx, schedule, await tx.messages.get(message_id), now)
                    told = schedule_wording.was_taken_back(schedule, is_changed=is_changed)
                else:
                    await record_not_taken_back(tx, schedule, ScheduleState.AT_CARRIER)
                    reason = f"{problem.code}: {problem.title or 'no reason given'}"
                    told = schedule_wording.was_not_taken_back(schedule, reason, is_changed=is_changed)
                await tell_author(tx, schedule, f"cancelled:{job.id}", told)
            await tx.queue.finish(job)
        if problem is not None:
            _log.info("A scheduled text was not to be had back.", message_id=message_id, code=problem.code)

    async def watch_held(self, job: Job) -> None:
        """
        Take a text that was handed over from the shell back if somebody it goes to opted out since.

        It runs shortly before the text falls due. Transactions: who opted out; then, with the job, that it was taken
        back. Raises RetryLater while what they just wrote is unread.
        """
        body = read_body(job)
        carrier_id = CarrierMessageId(body["carrier_id"])
        people = [Address(each) for each in body["people"]]
        async with self._store.transaction("look who opted out") as tx:
            for address in people:
                if await tx.queue.is_busy(inbound_lane(address)):
                    raise RetryLater("reading what they just wrote", after=_LISTEN_WAIT)
            stopped = [address for address in people if (await tx.consents.get(address)).blocked]
            if not stopped:
                await tx.queue.finish(job)
                return
        problem: CarrierRefused | None = None
        try:
            await self._carrier.cancel(carrier_id)
        except CarrierRefused as error:
            problem = None if await self._is_taken_back(carrier_id, job) else error
        async with self._store.transaction("record cancellation") as tx:
            if problem is None:
                await tx.audit.record(
                    AuditEntry(
                        key=f"{AuditAction.TAKEN_BACK}:{carrier_id}",
                        at=self._clock.now(),
                        actor=BRIDGE,
                        action=AuditAction.TAKEN_BACK,
                        numbers=tuple(people),
                        subject=carrier_id,
                        detail={"why": "opted out before its time"},
                    )
                )
            await tx.queue.finish(job)
        if problem is not None:
            _log.warning("A text of the shell's could not be taken back.", carrier_id=carrier_id, code=problem.code)

    async def _is_taken_back(self, carrier_id: CarrierMessageId, job: Job) -> bool:
        try:
            record = await self._carrier.find_message(carrier_id)
        except CarrierRefused:
            record = None
        if record is None:
            return job.unsettled  # asked twice, the carrier no longer knows it
        copies = read_copies(record, self._clock.now()).values()
        return bool(copies) and all(copy.status is DeliveryStatus.CANCELLED for copy in copies)
