"""
Sending a text: from "accepted here" to the carrier's yes or no, exactly once.

The request's bytes and its key are stored before it is first made, and every attempt is recorded before it is made. So
an attempt without a known outcome is seen as such by whoever comes next, this process or the one after a crash. It waits
for a receipt that names the text, then the same bytes go again under the same key; the carrier answers a repeated key
with the first answer. After several such rounds people are told, with buttons; the repeats go on until the carrier
forgets the key.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.chance import Chance
from bot.clock import Clock
from bot.domain.carrier_codes import QUEUE_FULL, is_about_access
from bot.domain.carrier_lanes import inbound_lane
from bot.domain.conversation import POOL, Conversation, Medium
from bot.domain.delivery import Delivery
from bot.domain.ids import MessageId
from bot.domain.job import Job, choose_wait
from bot.domain.media import SERVED_FOR, Media
from bot.domain.media_types import UNKNOWN
from bot.domain.message import Message, State
from bot.domain.pace import choose_carrier_rules
from bot.domain.phone import Address, parse_address
from bot.domain.policy import Policy
from bot.domain.schedule import HandOver, Schedule, ScheduleState, choose_hand_over, next_moment
from bot.errors import Busy, CarrierRefused, OutcomeUnknown, RetryLater
from bot.flows import media_wording, optout_wording
from bot.flows.account_events import find_hold
from bot.flows.auditing import audit_send
from bot.flows.carrier_requests import build_body
from bot.flows.consent_at_send import block_for_optout, keep_from_blocked
from bot.flows.jobs import enqueue_line, enqueue_settling, read_body
from bot.flows.marks import renew_mark
from bot.flows.nights import put_off
from bot.flows.outcomes import Failure, accept, follow_schedule, learn_sender, refuse, tell_unsettled
from bot.flows.preparing import block_for_files
from bot.flows.schedule_changes import find_schedule, record_taken_back
from bot.flows.schedule_troubles import is_too_late, tell_missed, tell_unreached, tell_unsettled_schedule
from bot.json_text import read_json, write_json
from bot.observe import Log
from bot.ports import Acceptance, Carrier, CarrierRequest, Pace, Store, Transaction
from bot.text.segments import count_segments

_log = Log("sending")

#: How long an attempt without an answer waits for the receipt that would settle it.
RECEIPT_WAIT = timedelta(seconds=6)
#: Attempts without a known outcome before people are told.
MOST_QUIET_ATTEMPTS = 6
#: How long the carrier remembers a key (its idempotency documentation); after that a repeat could be a second text.
KEY_LIFE = timedelta(hours=24)
#: How long a key is used again: what is sent just before it is forgotten may arrive after.
KEY_USED = KEY_LIFE - timedelta(minutes=5)
#: How long a text may wait for a carrier that cannot be reached before it is given up.
PATIENCE = timedelta(hours=24)
#: How long to wait while what the customer just wrote is being read: it may be STOP.
_LISTEN_WAIT = timedelta(milliseconds=100)
#: When its author wrote it, the conversation was touched: not again for a text that goes out at once.
_LATELY = timedelta(minutes=1)
#: How often a text that waits for a new day of the spend limit looks whether somebody lifted it.
_SPEND_LIMIT_LOOK = timedelta(seconds=60)
_SETTLE_EVERY = timedelta(seconds=60)
#: How long the carrier is left alone when it asks for patience and does not say how long.
_PATIENCE_ASKED = timedelta(seconds=1)

_TO_BE_SENT = frozenset({State.WAITING, State.UNDER_WAY, State.UNSETTLED})


class Sending:
    """The use-cases of the send pool."""

    def __init__(
        self, *, store: Store, carrier: Carrier, pace: Pace, policy: Policy, clock: Clock, chance: Chance
    ) -> None:
        self._store = store
        self._carrier = carrier
        self._pace = pace
        self._policy = policy
        self._clock = clock
        self._chance = chance

    async def send_text(self, job: Job) -> None:
        """Hand a text to the carrier, or settle what became of an earlier attempt to."""
        message_id = MessageId(read_body(job)["message"])
        prepared = await self._prepare(job, message_id)
        if prepared is None:
            return
        request, conversation = prepared
        try:
            acceptance = await self._carrier.send(request)
        except CarrierRefused as error:
            if request.attempted_at is not None and is_about_access(error.code, error.status):
                # An earlier attempt may have gone out all the same: nobody is told that it did not.
                await self._record_unknown(job, request, OutcomeUnknown(error.log))
            else:
                await self._record_refusal(job, message_id, error)
        except OutcomeUnknown as error:
            await self._record_unknown(job, request, error)
        except RetryLater as error:
            if isinstance(error, Busy):
                self._hold_back(request, error)
            await self._record_unreachable(job, request, error)
        else:
            await self._record_acceptance(job, message_id, conversation, acceptance)

    # --- Before the call

    async def _prepare(self, job: Job, message_id: MessageId) -> tuple[CarrierRequest, Conversation] | None:
        """
        Return the request to make now, recorded as under way, and the conversation that it is to.

        None when there is nothing to send, and the job is finished.

        Transaction: the last word on whether this may go out, and that it is about to.
        """
        now = self._clock.now()
        async with self._store.transaction("prepare send") as tx:
            message = await tx.messages.get(message_id)
            if message.state not in _TO_BE_SENT:
                await tx.queue.finish(job)
                return None
            conversation = await tx.conversations.get(message.conversation_id)
            request = await tx.deliveries.find_request(message_id)
            if request is not None and await self._has_given_up(tx, job, message, request, now):
                return None
            schedule = await find_schedule(tx, message)
            if schedule is not None:
                if not await self._is_time(tx, job, message, conversation, schedule, request, now):
                    return None
                request = await tx.deliveries.find_request(message_id)
            held_until = await find_hold(tx, now)
            if held_until is not None and (request is None or request.attempted_at is None):
                raise RetryLater("the spend limit is reached", after=min(held_until - now, _SPEND_LIMIT_LOOK))
            if await put_off(tx, job, message, conversation, request, self._policy, now, self._chance):
                return None
            await _listen(tx, conversation)
            recipients = [a for a in conversation.parties.theirs if not (await tx.consents.get(a)).blocked]
            request, is_blocked = await keep_from_blocked(tx, message, request, recipients, now)
            if is_blocked:
                await self._block(tx, job, message, conversation, request)
                return None
            files = await tx.media.of_message(message_id)
            self._take_turn(message, conversation, is_mms=bool(files) or conversation.parties.is_group)
            if request is None:
                if any(media.filename is None for media in files):  # one with words goes out whole or not at all
                    await block_for_files(tx, message, media_wording.unprepared(), self._chance)
                    await tx.queue.finish(job)
                    return None
                request = await self._store_request(tx, message, conversation, schedule, files, recipients, now)
            else:
                await tx.deliveries.open_attempt(message_id, now)
            await tx.messages.update(
                message_id, state=State.UNDER_WAY if message.state is State.WAITING else message.state
            )
            return request, conversation

    def _take_turn(self, message: Message, conversation: Conversation, *, is_mms: bool) -> None:
        """Return when it is the text's turn; Paced if the carrier would not take it yet."""
        rules = choose_carrier_rules(conversation.parties.ours, is_mms=is_mms, bought=self._policy.send_rates)
        self._pace.take(rules, message.id)

    def _hold_back(self, request: CarrierRequest, error: Busy) -> None:
        """Note that the carrier asked for patience: with one sender if its queue is full, else with all of them."""
        body = read_json(request.body)
        is_mms = "media_urls" in body or isinstance(body["to"], list)
        rules = choose_carrier_rules(str(body.get("from", POOL)), is_mms=is_mms, bought=self._policy.send_rates)
        self._pace.hold_back(rules[0 if error.code == QUEUE_FULL else -1], error.after or _PATIENCE_ASKED)

    async def _has_given_up(
        self, tx: Transaction, job: Job, message: Message, request: CarrierRequest, now: datetime
    ) -> bool:
        """Tell whether an open attempt can no longer be settled; RetryLater while its receipt may still come."""
        if request.attempted_at is None:
            return False
        wait = request.attempted_at + RECEIPT_WAIT - now
        if wait > timedelta(0):
            raise RetryLater("waiting for a receipt", after=wait)
        if now - request.created_at <= KEY_USED:
            return False
        await self._give_up_settling(tx, job, message)
        return True

    async def _is_time(
        self,
        tx: Transaction,
        job: Job,
        message: Message,
        conversation: Conversation,
        schedule: Schedule,
        request: CarrierRequest | None,
        now: datetime,
    ) -> bool:
        """Tell whether a scheduled text is to be handed over now; if not, its job comes back when it is, or is finished."""
        if request is not None and request.attempted_at is not None:
            return True
        if schedule.state is ScheduleState.TAKING_BACK:  # cancelled before anything of it reached the carrier
            await record_taken_back(tx, schedule, message, now)
            await tx.queue.finish(job)
            return False
        if schedule.state is not ScheduleState.WAITING:
            await tx.queue.finish(job)
            return False
        if request is None and is_too_late(schedule, now):
            await tell_missed(tx, schedule, message, self._policy)
            await tx.queue.finish(job)
            return False
        choice = choose_hand_over(schedule.due_at, now)
        if request is not None and "send_at" in read_json(request.body) and choice is not HandOver.TO_CARRIER:
            # It never reached the carrier, which no longer takes it for this moment: it goes from here, at its time.
            await tx.deliveries.forget_request(message.id)
            request = None
        if request is None and choice is HandOver.WAIT:
            raise RetryLater("not its time yet", after=next_moment(schedule.due_at, now) - now)
        if conversation.parties.medium is Medium.WHATSAPP and schedule.due_at > now:
            raise RetryLater("the carrier holds no WhatsApp message for later", after=schedule.due_at - now)
        return True

    async def _store_request(
        self,
        tx: Transaction,
        message: Message,
        conversation: Conversation,
        schedule: Schedule | None,
        files: Sequence[Media],
        recipients: list[Address],
        now: datetime,
    ) -> CarrierRequest:
        """Return the request, as it was before its first attempt, which is recorded along with it."""
        send_at = None
        by_carrier = conversation.parties.medium is Medium.SMS
        if schedule is not None and by_carrier and choose_hand_over(schedule.due_at, now) is HandOver.TO_CARRIER:
            send_at = schedule.due_at
        addresses = await self._give_addresses(tx, files, send_at or now)
        path, body = build_body(message, conversation, recipients, self._policy, send_at, addresses)
        raw = write_json(body)
        request = CarrierRequest(
            message_id=message.id,
            path=path,
            # Of the bytes too: a text that is edited before anything of it went out must not pass for the first one.
            idempotency_key=f"tb-{message.id}-{hashlib.sha256(raw).hexdigest()[:8]}",
            body=raw,
            created_at=now,
        )
        await tx.deliveries.add_request(replace(request, attempted_at=now, attempts=1))
        left_out = [address for address in conversation.parties.theirs if address not in recipients]
        await audit_send(tx, message, conversation, recipients, send_at, now)
        if left_out:
            text, blocks = optout_wording.left_out(left_out, self._policy.region)
            await enqueue_line(tx, conversation.id, f"left-out:{message.id}:{len(left_out)}", text, blocks)
        return request

    async def _give_addresses(
        self, tx: Transaction, files: Sequence[Media], leaves_at: datetime
    ) -> list[tuple[str, str]]:
        """Return where the carrier fetches each of a text's files, which nobody else can guess, and its media type."""
        addresses = []
        for media in files:
            token, filename = self._chance.token(), media.filename or "file"
            expires_at = leaves_at + SERVED_FOR
            keep_until = max(expires_at, media.keep_until or expires_at)
            await tx.media.update(media.id, token=token, expires_at=expires_at, keep_until=keep_until)
            addresses.append((self._policy.media_url(token, filename), media.content_type or UNKNOWN))
        return addresses

    async def _block(
        self, tx: Transaction, job: Job, message: Message, conversation: Conversation, request: CarrierRequest | None
    ) -> None:
        may_have_gone = request is not None and request.attempted_at is not None
        await block_for_optout(
            tx, message, conversation, self._policy, self._clock.now(), self._chance, may_have_gone=may_have_gone
        )
        await tx.queue.finish(job)

    # --- After the call

    async def _record_acceptance(
        self, job: Job, message_id: MessageId, conversation: Conversation, acceptance: Acceptance
    ) -> None:
        """Transaction: the carrier's id, what it says of each copy, and the mark."""
        now = self._clock.now()
        async with self._store.transaction("record acceptance") as tx:
            message = await tx.messages.get(message_id)
            await accept(tx, message, acceptance.carrier_id)
            deliveries = {
                recipient: await tx.deliveries.merge(message_id, recipient, Delivery(status=status, occurred_at=now))
                for recipient, status in acceptance.statuses.items()
            }
            if conversation.active_at is None or now - conversation.active_at >= _LATELY:
                await tx.conversations.touch(conversation.id, now)
            if acceptance.sender:
                await learn_sender(tx, conversation, parse_address(acceptance.sender))
            await follow_schedule(tx, message, acceptance.carrier_id, now)
            if not deliveries.keys() >= set(conversation.parties.theirs):
                # Of a copy it says nothing; a receipt may have.
                deliveries = {**await tx.deliveries.of_message(message_id)}
            accepted = replace(message, state=State.ACCEPTED)
            await renew_mark(tx, accepted, conversation, deliveries, now, self._chance)
            await tx.queue.finish(job)
        counted = count_segments(message.text).parts
        if acceptance.parts is not None and acceptance.parts != counted:
            # The carrier's count is the one that is billed; ours is what people are shown before they send.
            _log.info("The carrier counts other parts.", message_id=message_id, parts=acceptance.parts, counted=counted)
        _log.info("The carrier accepted a text.", message_id=message_id, parts=acceptance.parts)

    async def _record_refusal(self, job: Job, message_id: MessageId, error: CarrierRefused) -> None:
        """Transaction: the refusal, the line that explains it, the mark, and the opt-out if it was one."""
        now = self._clock.now()
        async with self._store.transaction("record refusal") as tx:
            message = await tx.messages.get(message_id)
            conversation = await tx.conversations.get(message.conversation_id)
            await tx.deliveries.close_attempt(message_id)
            failure = Failure(code=error.code, title=error.title, detail=error.detail)
            await refuse(tx, message, conversation, self._policy, failure, now, self._chance)
            await tx.queue.finish(job)
        _log.warning("The carrier refused a text.", message_id=message_id, code=error.code, status=error.status)

    async def _record_unknown(self, job: Job, request: CarrierRequest, error: OutcomeUnknown) -> None:
        """Leave the attempt open, to be settled; after several, transaction: tell people, and settle out of the lane."""
        attempts = request.attempts + 1
        if attempts < MOST_QUIET_ATTEMPTS:
            raise RetryLater(
                error.log, after=max(RECEIPT_WAIT, choose_wait(attempts, self._chance.fraction()))
            ) from error
        async with self._store.transaction("record unsettled") as tx:
            message = await tx.messages.get(request.message_id)
            if message.state is not State.UNSETTLED and message.state in _TO_BE_SENT:
                await tell_unsettled(tx, message, self._chance)
                schedule = await find_schedule(tx, message)
                if schedule is not None:
                    await tell_unsettled_schedule(tx, schedule, message, self._policy)
            if job.lane is not None:
                await enqueue_settling(tx, message.id, self._clock.now() + _SETTLE_EVERY)
                await tx.queue.finish(job)
                return
        raise RetryLater(error.log, after=_SETTLE_EVERY) from error

    async def _give_up_settling(self, tx: Transaction, job: Job, message: Message) -> None:
        if message.state is not State.UNSETTLED:
            await tell_unsettled(tx, message, self._chance)
        await tx.queue.finish(job)

    async def _record_unreachable(self, job: Job, request: CarrierRequest, error: RetryLater) -> None:
        """Transaction: nothing went out; or, when that has been so for a day, that the text is given up."""
        if request.attempted_at is not None:
            raise RetryLater(error.log, after=error.after) from error  # an earlier attempt is still to be settled
        now = self._clock.now()
        async with self._store.transaction("record unreachable") as tx:
            await tx.deliveries.close_attempt(request.message_id)
            message = await tx.messages.get(request.message_id)
            schedule = await find_schedule(tx, message)
            if schedule is not None:
                await tell_unreached(tx, schedule, message, self._policy, since=request.created_at, now=now)
            begun_at = request.created_at if schedule is None else max(request.created_at, schedule.due_at)
            given_up = now - begun_at > PATIENCE
            if given_up:
                conversation = await tx.conversations.get(message.conversation_id)
                failure = Failure(code="10037", title="the carrier could not be reached for a day", detail=None)
                await refuse(tx, message, conversation, self._policy, failure, now, self._chance)
                await tx.queue.finish(job)
        if not given_up:
            raise RetryLater(error.log, after=error.after) from error


async def _listen(tx: Transaction, conversation: Conversation) -> None:
    """Raise RetryLater while anything that somebody in the conversation just wrote is unread: it may be STOP."""
    for address in conversation.parties.theirs:
        if await tx.queue.is_busy(inbound_lane(address)):
            raise RetryLater("reading what they just wrote", after=_LISTEN_WAIT)
