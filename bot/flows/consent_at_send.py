"""Consent, asked once more in the transaction that is followed by the call: the last word on who is texted."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from bot.chance import Chance
from bot.domain.audit import AuditAction
from bot.domain.conversation import Conversation
from bot.domain.message import Message, State
from bot.domain.phone import Address
from bot.domain.policy import Policy
from bot.domain.schedule import POINT_OF_NO_RETURN, ScheduleState
from bot.flows import optout_wording
from bot.flows.auditing import audit_text
from bot.flows.carrier_requests import list_addressees
from bot.flows.jobs import enqueue_mark, enqueue_whisper
from bot.flows.schedule_changes import drop_next
from bot.ports import CarrierRequest, Transaction


async def keep_from_blocked(
    tx: Transaction,
    message: Message,
    request: CarrierRequest | None,
    recipients: Sequence[Address],
    now: datetime,
) -> tuple[CarrierRequest | None, bool]:
    """
    Return the request that may still be made to *recipients*, who are all that may be texted, and whether none may.

    One to a group that never went out is forgotten when somebody of it opts out, to be made anew for the others.
    """
    if recipients and (request is None or list_addressees(request) <= set(recipients)):
        return request, False
    if recipients and await tx.deliveries.forget_request(message.id):
        return None, False
    return request, not await _may_be_held(tx, message, request, now)


async def _may_be_held(tx: Transaction, message: Message, request: CarrierRequest | None, now: datetime) -> bool:
    """
    Tell whether the carrier may hold the text for its time, without our knowing under which id.

    Then it would go out to somebody who said stop meanwhile. Asked again under the same key the carrier tells the id,
    and `follow_schedule` takes the text back.
    """
    if request is None or request.attempted_at is None or "send_at" not in json.loads(request.body):
        return False
    schedule = await tx.schedules.find_by_message(message.id)
    return schedule is not None and schedule.due_at - now > POINT_OF_NO_RETURN


async def block_for_optout(
    tx: Transaction,
    message: Message,
    conversation: Conversation,
    policy: Policy,
    now: datetime,
    chance: Chance,
    *,
    may_have_gone: bool,
) -> None:
    """
    Record that *message* is not sent because its recipient opted out, and tell its author why, privately.

    Where an earlier attempt *may have gone* out it stays unsettled, for a receipt to settle: nobody may repeat it.
    """
    await tx.messages.update(message.id, state=State.UNSETTLED if may_have_gone else State.BLOCKED)
    schedule = await tx.schedules.find_by_message(message.id)
    if schedule is not None:
        await drop_next(tx, schedule)
        await tx.schedules.set_state(schedule.id, ScheduleState.CANCELLED)
    consents = [await tx.consents.get(address) for address in conversation.parties.theirs]
    if message.author is not None:
        await enqueue_whisper(
            tx,
            f"blocked:{message.id}",
            channel_id=message.channel_id or conversation.channel_id,
            user_id=message.author,
            thread_ts=conversation.thread_ts,
            text=optout_wording.stopped_unsettled(conversation.parties, policy.region)
            if may_have_gone
            else optout_wording.blocked_by_optout(conversation.parties, policy.region, consents),
        )
    why = "opted out while its outcome was not known" if may_have_gone else "opted out when its turn came"
    await audit_text(tx, AuditAction.NOT_SENT, message, conversation, at=now, why=why)
    await enqueue_mark(tx, message.id, chance.token())
