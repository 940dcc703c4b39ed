"""The jobs that flows enqueue: their lanes, which keep order, and their keys, which keep them from happening twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bot.domain.conversation import Conversation
from bot.domain.ids import CarrierMessageId, ChannelId, ConversationId, MediaId, MessageId, SlackTs, UserId
from bot.domain.job import Job, Kind, NewJob, Pool
from bot.domain.message import PATIENCE_SECONDS, Message
from bot.domain.phone import Address
from bot.domain.recurrence import Recurrence
from bot.json_text import read_json, write_json
from bot.ports import Block, Transaction
from bot.text.escape import split_for_slack

#: A little more than the patience, so that the mark chosen then is the hourglass.
_PATIENCE = timedelta(seconds=PATIENCE_SECONDS, milliseconds=200)


@dataclass(frozen=True, slots=True, kw_only=True)
class TextInHand:
    """What is handed on with the job that shows a text, so that it need not be looked up."""

    message: Message
    conversation: Conversation  #: As it is when its lane is free: only jobs of the lane change where its thread stands.


def read_body(job: Job) -> Mapping[str, Any]:
    """Return the JSON object that the job carries."""
    body: Mapping[str, Any] = read_json(job.body)
    return body


def post_lane(conversation_id: ConversationId) -> str:
    """Return the lane of all that is posted into one thread."""
    return f"post:{conversation_id}"


def send_lane(conversation_id: ConversationId) -> str:
    """Return the lane of all texts to one conversation."""
    return f"send:{conversation_id}"


def overtaking_lane(message_id: MessageId) -> str:
    """Return the lane of a text that somebody sends now though others of its conversation still wait."""
    return f"now:{message_id}"


def schedule_lane(message_id: MessageId) -> str:
    """Return the lane of one scheduled text: it must not hold up today's."""
    return f"schedule:{message_id}"


def send_key(message_id: MessageId, turn: int = 0) -> str:
    """Return the key of the job that sends a text, put in line for the *turn*-th time again."""
    return f"send:{message_id}:{turn}" if turn else f"send:{message_id}"


def text_key(message_id: MessageId, number: int) -> str:
    """Return the key of the job that shows part *number* of a text."""
    return f"text:{message_id}:{number}"


def read_text_key(key: str) -> MessageId:
    """Return the text that the job with *key* shows."""
    return MessageId(key.split(":")[1])


def backlog_lane(conversation_id: ConversationId) -> str:
    """Return the lane of what a card says about texts that wait."""
    return f"backlog:{conversation_id}"


async def enqueue_backlog(tx: Transaction, conversation_id: ConversationId, token: str) -> None:
    """Have the card say how many texts wait, until none do. *token* is any new one."""
    lane = backlog_lane(conversation_id)
    if not await tx.queue.is_busy(lane):
        body = {"conversation": conversation_id}
        await _enqueue(tx, Kind.SHOW_BACKLOG, Pool.CHORE, f"{lane}:{token}", body, lane=lane)


async def enqueue_contact(tx: Transaction, conversation_id: ConversationId, token: str) -> None:
    """Have the card say who its people are by now. *token* is any new one."""
    # In the lane of what else is rewritten on the card: two that read it, then write it, would undo each other.
    await _enqueue(
        tx,
        Kind.SHOW_CONTACT,
        Pool.CHORE,
        f"contact:{conversation_id}:{token}",
        {"conversation": conversation_id},
        lane=backlog_lane(conversation_id),
    )


async def enqueue_text(
    tx: Transaction,
    conversation_id: ConversationId,
    message_id: MessageId,
    text: str,
    *,
    broadcast: bool = False,
    has_media: bool = False,
    recovered: bool = False,
    in_hand: TextInHand | None = None,
) -> None:
    """
    Have *text* shown in its thread, in as many posts as it takes, in order; *broadcast*: in the channel as well.

    *in_hand*: the message and its conversation, where the caller's transaction has read or written them.
    """
    parts = split_for_slack(text) or [""]
    for number, part in enumerate(parts):
        await _enqueue(
            tx,
            Kind.POST_TEXT,
            Pool.POST,
            text_key(message_id, number),
            {
                "message": message_id,
                "number": number,
                "part": part,
                "broadcast": broadcast and number == 0,
                "media": has_media,
                "recovered": recovered and number == 0,
            },
            lane=post_lane(conversation_id),
            in_hand=in_hand,
        )


def show_key(message_id: MessageId) -> str:
    """Return the key of the job that shows a scheduled text when its time comes."""
    return f"show:{message_id}"


async def enqueue_showing(tx: Transaction, message_id: MessageId, due_at: datetime) -> None:
    """Have a scheduled text shown in its thread at *due_at*."""
    # In no lane: at the head of one it would hold up what is posted before its time.
    await _enqueue(
        tx, Kind.POST_TEXT, Pool.POST, show_key(message_id), {"message": message_id, "late": True}, due_at=due_at
    )


async def enqueue_line(
    tx: Transaction,
    conversation_id: ConversationId,
    key: str,
    text: str,
    blocks: Sequence[Block] = (),
) -> None:
    """Have the thread told *text*, once for each *key*."""
    await _enqueue(
        tx,
        Kind.POST_LINE,
        Pool.POST,
        f"line:{key}",
        {"conversation": conversation_id, "text": text, "blocks": list(blocks)},
        lane=post_lane(conversation_id),
    )


async def enqueue_notice(
    tx: Transaction, key: str, channel_id: ChannelId, text: str, blocks: Sequence[Block] = ()
) -> None:
    """Have a channel told something that belongs to no conversation, once for each *key*."""
    body = {"channel": channel_id, "text": text, "blocks": list(blocks)}
    await _enqueue(tx, Kind.POST_NOTICE, Pool.POST, f"notice:{key}", body, lane=f"notice:{channel_id}")


async def enqueue_reaction(
    tx: Transaction,
    conversation_id: ConversationId,
    message_id: MessageId,
    key: str,
    name: str,
    *,
    removed: bool,
    instead_of: MessageId | None,
) -> None:
    """
    Have a customer's tapback shown on the message that it quotes, after that has been posted.

    *instead_of*: the text that is shown should Slack refuse the reaction.
    """
    await _enqueue(
        tx,
        Kind.REACT,
        Pool.POST,
        f"react:{key}",
        {"message": message_id, "name": name, "removed": removed, "instead_of": instead_of},
        lane=post_lane(conversation_id),
    )


async def enqueue_whisper(
    tx: Transaction,
    key: str,
    *,
    channel_id: ChannelId,
    user_id: UserId,
    thread_ts: SlackTs | None,
    text: str,
    blocks: Sequence[Block] = (),
) -> None:
    """Have *user_id* told something privately, once for each *key*."""
    body = {"channel": channel_id, "user": user_id, "thread": thread_ts, "text": text, "blocks": list(blocks)}
    await _enqueue(tx, Kind.WHISPER, Pool.CHORE, f"whisper:{key}", body)


def mark_lane(message_id: MessageId) -> str:
    """Return the lane of the mark on one message."""
    return f"mark:{message_id}"


def late_mark_key(message_id: MessageId) -> str:
    """Return the key of the job that looks whether a text still waits."""
    return f"mark:{message_id}:late"


async def enqueue_mark(tx: Transaction, message_id: MessageId, token: str) -> None:
    """Have the mark on a message brought up to date. *token* is any new one: marks may be asked for again and again."""
    await _enqueue(
        tx, Kind.SHOW_MARK, Pool.MARK, f"mark:{message_id}:{token}", {"message": message_id}, lane=mark_lane(message_id)
    )


async def enqueue_late_mark(tx: Transaction, message_id: MessageId, now: datetime) -> None:
    """Have the mark looked at once the patience is over, so that a text that still waits shows an hourglass."""
    # In no lane: at the head of one it would hold up the marks that come before its time.
    await _enqueue(
        tx,
        Kind.SHOW_MARK,
        Pool.MARK,
        late_mark_key(message_id),
        {"message": message_id, "late": True},
        due_at=now + _PATIENCE,
    )


async def enqueue_send(
    tx: Transaction, lane: str, message_id: MessageId, due_at: datetime | None, *, turn: int = 0
) -> None:
    """Have a text handed to the carrier, after those before it in the *lane*."""
    await _enqueue(
        tx,
        Kind.SEND_TEXT,
        Pool.SEND,
        send_key(message_id, turn),
        {"message": message_id},
        lane=lane,
        due_at=due_at,
    )


async def enqueue_scheduled_send(tx: Transaction, message_id: MessageId, due_at: datetime) -> None:
    """Have a scheduled text handed over at *due_at*; in a lane of its own, for it must not hold up today's texts."""
    await _enqueue(
        tx,
        Kind.SEND_TEXT,
        Pool.SEND,
        send_key(message_id),
        {"message": message_id},
        lane=schedule_lane(message_id),
        due_at=due_at,
    )


async def enqueue_settling(tx: Transaction, message_id: MessageId, due_at: datetime) -> None:
    """Have an unsettled text repeated under its key, out of the lane: the conversation goes on meanwhile."""
    await _enqueue(tx, Kind.SEND_TEXT, Pool.SEND, f"settle:{message_id}", {"message": message_id}, due_at=due_at)


async def enqueue_cancellation(
    tx: Transaction, message_id: MessageId, carrier_id: CarrierMessageId, *, again: str = ""
) -> None:
    """Have a scheduled text taken back at the carrier; *again*: any new token, where it may have been refused before."""
    await _enqueue(
        tx,
        Kind.CANCEL_AT_CARRIER,
        Pool.CHORE,
        f"cancel:{carrier_id}:{again}" if again else f"cancel:{carrier_id}",
        {"message": message_id, "carrier_id": carrier_id},
        lane=schedule_lane(message_id),
    )


async def enqueue_watch(
    tx: Transaction, carrier_id: CarrierMessageId, people: Sequence[Address], due_at: datetime
) -> None:
    """Have a text that the carrier holds, and no message of ours stands for, looked at before its time."""
    body = {"carrier_id": carrier_id, "people": list(people)}
    await _enqueue(tx, Kind.WATCH_HELD, Pool.CHORE, f"watch:{carrier_id}", body, due_at=due_at)


async def enqueue_next_occurrence(tx: Transaction, recurrence: Recurrence, due_at: datetime) -> None:
    """Have the next time of a text that repeats made when the newest, due at *due_at*, has come."""
    await _enqueue(
        tx,
        Kind.NEXT_OCCURRENCE,
        Pool.CHORE,
        f"occur:{recurrence.id}:{recurrence.revision}:{recurrence.number}",
        {"recurrence": recurrence.id, "revision": recurrence.revision, "number": recurrence.number},
        due_at=due_at,
    )


async def enqueue_look(tx: Transaction, user_id: UserId, token: str, *, fresh: bool) -> None:
    """Have the carrier account shown on somebody's Home tab; *token*: any new one."""
    await _enqueue(tx, Kind.SHOW_ACCOUNT, Pool.CHORE, f"account:{user_id}:{token}", {"user": user_id, "fresh": fresh})


async def enqueue_tidying(tx: Transaction, key: str, body: Mapping[str, Any], due_at: datetime) -> None:
    """Have a second copy of a post looked for and deleted, some time after the post was repeated."""
    await _enqueue(tx, Kind.TIDY_POST, Pool.CHORE, f"tidy:{key}", body, due_at=due_at)


async def enqueue_fetch(tx: Transaction, media_id: MediaId) -> None:
    """Have a customer's picture fetched, at once: its address may not last."""
    await _enqueue(tx, Kind.FETCH_MEDIA, Pool.MEDIA, f"fetch:{media_id}", {"media": media_id})


async def enqueue_upload(tx: Transaction, media_id: MediaId, number: int) -> None:
    """Have our copy of a file brought to Slack, for the time *number*."""
    await _enqueue(tx, Kind.UPLOAD_MEDIA, Pool.MEDIA, f"upload:{media_id}:{number}", {"media": media_id})


async def enqueue_share(
    tx: Transaction, conversation_id: ConversationId, message_id: MessageId, *, again: str = ""
) -> None:
    """Have the files of a text shown in its thread, after what is in line there; *again*: any new token, once more."""
    await _enqueue(
        tx,
        Kind.SHARE_MEDIA,
        Pool.POST,
        f"share:{message_id}:{again}" if again else share_key(message_id),
        {"message": message_id},
        lane=post_lane(conversation_id),
    )


async def enqueue_late_share(tx: Transaction, message_id: MessageId, token: str) -> None:
    """Have the rest of a text's files shown when they are there, out of the lane: the conversation goes on meanwhile."""
    await _enqueue(
        tx,
        Kind.SHARE_MEDIA,
        Pool.MEDIA,
        late_share_key(message_id) if not token else f"{late_share_key(message_id)}:{token}",
        {"message": message_id, "late": True},
    )


def share_key(message_id: MessageId) -> str:
    """Return the key of the job that shows a text's files."""
    return f"share:{message_id}"


def late_share_key(message_id: MessageId) -> str:
    """Return the key of the job that shows what came too late for its turn."""
    return f"share-late:{message_id}"


async def enqueue_preparation(tx: Transaction, message_id: MessageId, lane: str, *, turn: int = 0) -> None:
    """Have a teammate's files made ready, in the *lane* of the send, before it."""
    key = f"prepare:{message_id}:{turn}" if turn else f"prepare:{message_id}"
    await _enqueue(tx, Kind.PREPARE_MEDIA, Pool.MEDIA, key, {"message": message_id}, lane=lane)


async def _enqueue(
    tx: Transaction,
    kind: Kind,
    pool: Pool,
    key: str,
    body: Mapping[str, Any],
    *,
    lane: str | None = None,
    due_at: datetime | None = None,
    in_hand: object = None,
) -> None:
    job = NewJob(kind=kind, pool=pool, key=key, lane=lane, due_at=due_at, body=write_json(body).decode())
    await tx.queue.enqueue(job, in_hand=in_hand)
