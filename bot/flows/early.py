"""
What is read of a message before the message itself, or before what came earlier: the newest word counts.

Slack repeats an event that was not answered a minute later, then five, then an hour; and a reaction is not in its
message's lane. Each of these is remembered as a fact that says first when it was, in seconds, and holds nobody's words:
of a change only under which key it is kept, as it came (`storage/raw.py` throws both away).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bot.domain.ids import ChannelId, SlackTs
from bot.domain.slack_events import (
    FilesRemoved,
    MessageDeleted,
    MessageEdited,
    ReactionAdded,
    ThreadReply,
    read_slack_event,
)
from bot.json_text import read_json
from bot.ports import Transaction


async def note_deletion(tx: Transaction, event: MessageDeleted, now: datetime) -> None:
    """Remember that a message in a customer's thread, which nobody has read yet, is deleted."""
    if await _may_come(tx, event.channel_id, event.thread_ts):
        await tx.facts.set_fact(_name("deleted", event.channel_id, event.ts), f"{now.timestamp():.6f}")


async def was_deleted(tx: Transaction, event: ThreadReply) -> bool:
    """Tell whether the deletion of a message was read before it."""
    return await tx.facts.find_fact(_name("deleted", event.channel_id, event.ts)) is not None


async def note_cross(tx: Transaction, event: ReactionAdded, now: datetime) -> None:
    """Remember that the author of a message, which nobody has read yet, put an ❌ on it."""
    await tx.facts.set_fact(_name("crossed", event.channel_id, event.ts), f"{now.timestamp():.6f}")


async def was_crossed(tx: Transaction, event: ThreadReply) -> bool:
    """Tell whether its author's ❌ was read before a message."""
    return await tx.facts.find_fact(_name("crossed", event.channel_id, event.ts)) is not None


async def note_change(
    tx: Transaction, event: MessageEdited | FilesRemoved, key: str, now: datetime, *, is_known: bool
) -> bool:
    """
    Remember the change that came under *key*; False if it is older than one that was read before.

    *is_known*: the message was read. Another one is remembered only where it may still come.
    """
    if not is_known and not await _may_come(tx, event.channel_id, event.thread_ts):
        return True
    name = _name("changed", event.channel_id, event.ts)
    known_at, _ = _split(await tx.facts.find_fact(name))
    at = now.timestamp() if event.at is None else float(event.at)
    if at < known_at:
        return False
    await tx.facts.set_fact(name, f"{at:.6f} {key}")
    return True


async def bring_up_to_date(view: Transaction, event: ThreadReply) -> ThreadReply:
    """Return *event* with the words and files that the newest change gave the message, if that was read before it."""
    at, key = _split(await view.facts.find_fact(_name("changed", event.channel_id, event.ts)))
    if event.edited_at is not None and float(event.edited_at) >= at:  # found in the thread, as it was later still
        return event
    body = await view.queue.find_body(key) if key else None
    changed = None if body is None else read_slack_event(read_json(body)["event"])
    if not isinstance(changed, MessageEdited | FilesRemoved):
        return event
    files = event.files if changed.files is None else changed.files
    return replace(event, text=changed.text, blocks=changed.blocks, files=files)


def _name(what: str, channel_id: ChannelId, ts: SlackTs) -> str:
    return f"{what}:{channel_id}:{ts}"


def _split(fact: str | None) -> tuple[float, str]:
    at, _, key = (fact or "0").partition(" ")
    return float(at), key


async def _may_come(tx: Transaction, channel_id: ChannelId, thread_ts: SlackTs | None) -> bool:
    """Tell whether a message that nobody has read stood in a customer's thread."""
    return thread_ts is not None and await tx.conversations.find_by_thread(channel_id, thread_ts) is not None
