"""
Texts that are posted together: when more wait for one conversation than Slack's pace lets through one by one.

Only for a real backlog, for each text in a message of its own is better to read, to quote and to react to. The first text's
key stands in the metadata as always, and the others' beside it: whoever finds the message after a lost answer knows what
is in it, and their jobs are finished in the transaction that records where they stand.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.job import Job, Kind, QueuedJob
from bot.domain.message import Direction, Message
from bot.flows.jobs import read_body, read_text_key
from bot.ports import Transaction
from bot.text.escape import MAX_MESSAGE_TEXT

#: Fewer, with the first among them, are shown one by one within some fifteen seconds of Slack's pace.
_FEWEST = 15
#: Two blocks each, of Slack's fifty.
_MOST = 20
#: A text that has waited for less may yet be posted by itself.
_PATIENCE = timedelta(seconds=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Companion:
    """A text that can stand in one message with the one before it."""

    key: str  #: Its job's.
    message: Message


async def find_companions(view: Transaction, job: Job, first: Message, now: datetime) -> Sequence[Companion]:
    """Return the texts that can be posted together with *first*, which *job* is about; none where there is no backlog."""
    if job.lane is None or now - first.created_at < _PATIENCE or not _is_simple(first, read_body(job)):
        return ()
    found: list[Companion] = []
    size = len(first.text)
    for waiting in await view.queue.list_waiting(job.lane, _MOST - 1):
        message = await _read(view, waiting)
        if message is None:
            break
        size += len(message.text)
        if size > MAX_MESSAGE_TEXT:
            break
        found.append(Companion(key=waiting.key, message=message))
    return found if len(found) + 1 >= _FEWEST else ()


async def _read(view: Transaction, waiting: QueuedJob) -> Message | None:
    """Return the text of a job in the lane, None if it is no text or one that stands by itself: what follows it, too."""
    if waiting.kind != Kind.POST_TEXT:
        return None
    body = json.loads(waiting.body)
    if body.get("broadcast"):
        return None
    message = await view.messages.get(read_text_key(waiting.key))
    return message if _is_simple(message, body) else None


def _is_simple(message: Message, body: object) -> bool:
    """Tell whether it is a customer's whole text and nothing else: no picture, no second part, nothing to explain."""
    return (
        isinstance(body, dict)
        and message.direction is Direction.INBOUND
        and body.get("part") == message.text
        and bool(message.text.strip())
        and not body.get("media")
        and not body.get("recovered")
        and not body.get("late")
    )
