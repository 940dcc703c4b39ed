"""
Texts that are posted together: which of those that wait for one conversation.

When and how many is said in `bot.domain.joining`. The first text's key stands in the metadata as always, and the others'
beside it: whoever finds the message after a lost answer knows what is in it, and their jobs are finished in the
transaction that records where they stand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bot.domain.ids import ChannelId, ConversationId
from bot.domain.job import Job, Kind, QueuedJob
from bot.domain.joining import MOST_TOGETHER, count_companions, is_held_up
from bot.domain.message import Direction, Message
from bot.domain.pace import choose_slack_rules
from bot.flows.jobs import read_body, read_text_key
from bot.json_text import read_json
from bot.ports import Pace, Transaction

#: Seconds for which nothing is joined in a conversation after Slack refused it: by then what waited is shown.
_APART_FOR = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Companion:
    """A text that can stand in one message with the one before it."""

    key: str  #: Its job's.
    message: Message


def find_turn(pace: Pace, channel_id: ChannelId) -> timedelta:
    """Return how long whoever asks to post into the channel now, and again after each post, waits each time; zero: not at all."""
    turn = timedelta(0)
    for rule in choose_slack_rules("chat.postMessage", channel_id):
        wait = pace.find_wait(rule.name)
        if wait and rule.limit is not None:  # the next turn may be near, but those after it are as far apart as any
            turn = max(turn, wait, timedelta(seconds=rule.limit.interval))
    return turn


async def find_companions(
    view: Transaction, job: Job, first: Message, *, now: datetime, turn: timedelta
) -> Sequence[Companion]:
    """
    Return the texts that are posted together with *first*, which *job* is about, in order; none where it is shown by itself.

    *turn*: how long whoever asked now would wait for a turn.
    """
    if not turn or job.lane is None or not _is_simple(first, read_body(job)):
        return ()
    apart_since = await view.facts.find_fact(_apart(first.conversation_id))
    if apart_since is not None and now.timestamp() - float(apart_since) < _APART_FOR:
        return ()
    if not is_held_up(now - first.created_at, await view.queue.count_waiting(job.lane), turn):
        return ()
    found: list[Companion] = []
    for waiting in await view.queue.list_waiting(job.lane, MOST_TOGETHER - 1):
        companion = await _find_companion(view, waiting)
        if companion is None:
            break
        found.append(companion)
    return found[: count_companions(len(first.text), [len(each.message.text) for each in found])]


async def keep_apart(tx: Transaction, conversation_id: ConversationId, now: datetime) -> None:
    """Have the conversation's texts shown one by one for a while: Slack refused a message of several."""
    await tx.facts.set_fact(_apart(conversation_id), f"{now.timestamp():.6f}")


def _apart(conversation_id: ConversationId) -> str:
    return f"apart:{conversation_id}"


async def _find_companion(view: Transaction, waiting: QueuedJob) -> Companion | None:
    """Return the text of a job in the lane; None if it is no text, or one that stands by itself, which parts the others."""
    if waiting.kind != Kind.POST_TEXT:
        return None
    body = read_json(waiting.body)
    message = await view.messages.get(read_text_key(waiting.key))
    can_follow = _is_simple(message, body) and not body.get("broadcast")
    return Companion(key=waiting.key, message=message) if can_follow else None


def _is_simple(message: Message, body: Mapping[str, Any]) -> bool:
    """Tell whether it is a customer's whole text and nothing else: no picture, no second part, nothing to explain."""
    return (
        message.direction is Direction.INBOUND
        and body.get("part") == message.text
        and bool(message.text.strip())
        and not body.get("media")
        and not body.get("recovered")
        and not body.get("late")
    )
