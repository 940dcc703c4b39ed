"""
Quiet hours at the moment of sending: what was accepted by day must not leave at night because something held it up.

A carrier that could not be reached, a spend limit, our own process that was down: each may move a text past the hour
after which nobody is to be texted. So it is asked once more here, and the text waits for the morning.
"""

from __future__ import annotations

from datetime import datetime

from bot.chance import Chance
from bot.domain.conversation import Conversation
from bot.domain.job import Job
from bot.domain.message import Message, Origin, State
from bot.domain.policy import Policy, QuietMoment, find_quiet_hours
from bot.flows import reply_wording
from bot.flows.contacts import find_zones, name_people
from bot.flows.jobs import enqueue_mark, enqueue_send, enqueue_whisper, overtaking_lane, send_lane
from bot.ports import CarrierRequest, Transaction


async def find_night(
    tx: Transaction, conversation: Conversation, policy: Policy, moment: datetime
) -> QuietMoment | None:
    """Tell how *moment* lies in the quiet hours of those in the conversation; None if it does not."""
    if policy.quiet_hours is None:
        return None
    return find_quiet_hours(policy.quiet_hours, moment, await find_zones(tx, conversation.parties.theirs))


async def put_off(
    tx: Transaction,
    job: Job,
    message: Message,
    conversation: Conversation,
    request: CarrierRequest | None,
    policy: Policy,
    now: datetime,
    chance: Chance,
) -> bool:
    """
    Have *message* wait for the morning if it is night for its recipients, and tell its author; the *job* is finished.

    False where it may go: by day, where somebody pressed [Send now], and where an attempt may have reached the carrier,
    for that is to be settled. A scheduled text goes at the time that its author chose.
    """
    if policy.quiet_hours is None or job.lane == overtaking_lane(message.id):
        return False
    if (request is not None and request.attempted_at is not None) or message.origin is Origin.SCHEDULE:
        return False
    quiet = await find_night(tx, conversation, policy, now)
    if quiet is None:
        return False
    await tx.deliveries.forget_request(message.id)
    turn = message.turn + 1
    await tx.messages.update(message.id, state=State.WAITING, due_at=quiet.opens_at, turn=turn)
    await enqueue_send(tx, send_lane(conversation.id), message.id, quiet.opens_at, turn=turn)
    await enqueue_mark(tx, message.id, chance.token())
    if message.author is not None:
        whom = await name_people(tx, conversation.parties.theirs, policy.region)
        text, blocks = reply_wording.waits_for_quiet_hours(message.id, quiet, whom)
        await enqueue_whisper(
            tx,
            f"waits:{message.id}:{turn}",
            channel_id=message.channel_id or conversation.channel_id,
            user_id=message.author,
            thread_ts=conversation.thread_ts,
            text=text,
            blocks=blocks,
        )
    await tx.queue.finish(job)
    return True
