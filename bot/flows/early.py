"""
What is read of a message before the message itself, or before what came earlier: the newest word counts.

Slack repeats an event that was not answered a minute later, then five, then an hour; and a reaction is not in its
message's lane. Each of these is remembered as a fact that says first when it was, in seconds, and holds nobody's words:
of a change only under which key it is kept, as it came (`storage/raw.py` throws both away).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from bot.domain.ids import ChannelId, SlackTs
from bot.domain.job import Pool
from bot.domain.slack_events import (
    FilesRemoved,
    MessageDeleted,
    MessageEdited,
    ReactionAdded,
    ThreadReply,
    read_slack_event,
)
from bot.errors import NotUnderstood
from bot.json_text import read_json
from bot.ports import Transaction

#: What is said of a message besides its own words.
_Change = MessageEdited | FilesRemoved | MessageDeleted
#: More is not looked through behind one message.
_MOST_BEHIND = 50


async def note_deletion(tx: Transaction, event: MessageDeleted, now: datetime, *, is_known: bool) -> None:
    """
    Remember that a message is deleted which nobody has read yet, and which may be in a customer's thread.

    One that *is known* may still have a question open, whether to send it.
    """
    if is_known or not event.is_placed or await _may_come(tx, event.channel_id, event.thread_ts):
        await tx.facts.set_fact(_name("deleted", event.channel_id, event.ts), f"{now.timestamp():.6f}")


async def was_deleted(tx: Transaction, channel_id: ChannelId, ts: SlackTs) -> bool:
    """Tell whether the deletion of a message was read: before the message itself, or while its author was asked."""
    return await tx.facts.find_fact(_name("deleted", channel_id, ts)) is not None


async def note_cross(tx: Transaction, event: ReactionAdded, now: datetime) -> None:
    """Remember that the author of a message, which nobody has read yet, put an ❌ on it."""
    await tx.facts.set_fact(_name("crossed", event.channel_id, event.ts), f"{now.timestamp():.6f}")


async def was_crossed(tx: Transaction, event: ThreadReply) -> bool:
    """Tell whether its author's ❌ was read before a message."""
    return await tx.facts.find_fact(_name("crossed", event.channel_id, event.ts)) is not None


async def note_change(
    tx: Transaction,
    event: MessageEdited | FilesRemoved,
    key: str,
    now: datetime,
    *,
    is_known: bool,
    is_note: bool = False,
) -> bool:
    """
    Remember the change that came under *key*; False if it is older than one that was read before.

    *is_known*: the message was read. Another one is remembered only where it may still come. *is_note*: this makes a
    note of it, which is remembered whatever else is made of it afterwards.
    """
    if not is_known:
        if not await _may_come(tx, event.channel_id, event.thread_ts):
            return True
        if is_note:
            await tx.facts.set_fact(_name("noted", event.channel_id, event.ts), f"{now.timestamp():.6f}")
    name = _name("changed", event.channel_id, event.ts)
    known_at, _ = _split(await tx.facts.find_fact(name))
    at = now.timestamp() if event.at is None else float(event.at)
    if at < known_at:
        return False
    await tx.facts.set_fact(name, f"{at:.6f} {key}")
    return True


async def was_noted(tx: Transaction, event: ThreadReply) -> bool:
    """Tell whether a change that was read before a message had made a note of it."""
    return await tx.facts.find_fact(_name("noted", event.channel_id, event.ts)) is not None


async def find_behind(view: Transaction, lane: str, event: ThreadReply) -> Sequence[_Change]:
    """
    Return what waits in the lane of a message that could not be read at once and says something of it, in order.

    It was told before anything of the message can have gone out, and so it counts.
    """
    found: list[_Change] = []
    for waiting in await view.queue.list_waiting(lane, _MOST_BEHIND):
        if event.ts not in waiting.body:  # without reading all that is said of others
            continue
        with suppress(ValueError, RecursionError, NotUnderstood):  # it is parked when its turn comes
            callback = read_json(waiting.body)
            change = read_slack_event(callback.get("event") if isinstance(callback, Mapping) else None)
            if isinstance(change, _Change) and (change.channel_id, change.ts) == (event.channel_id, event.ts):
                found.append(change)
    return found


async def bring_up_to_date(view: Transaction, event: ThreadReply, behind: Sequence[_Change] = ()) -> ThreadReply:
    """
    Return *event* with the words and files that the newest change gave the message.

    It is one that was read before the message, or that waits *behind* it.
    """
    at, key = _split(await view.facts.find_fact(_name("changed", event.channel_id, event.ts)))
    body = await view.queue.find_body(key) if key else None
    newest = None if body is None else read_slack_event(read_json(body)["event"])
    for change in behind:
        if not isinstance(change, MessageDeleted) and (change.at is None or float(change.at) >= at):
            at, newest = at if change.at is None else float(change.at), change
    if event.edited_at is not None and float(event.edited_at) >= at:  # found in the thread, as it was later still
        return event
    if not isinstance(newest, MessageEdited | FilesRemoved):
        return event
    files = event.files if newest.files is None else newest.files
    return replace(event, text=newest.text, blocks=newest.blocks, files=files)


def _name(what: str, channel_id: ChannelId, ts: SlackTs) -> str:
    return f"{what}:{channel_id}:{ts}"


def _split(fact: str | None) -> tuple[float, str]:
    at, _, key = (fact or "0").partition(" ")
    return float(at), key


async def _may_come(tx: Transaction, channel_id: ChannelId, thread_ts: SlackTs | None) -> bool:
    """
    Tell whether a message that nobody has read stood in a thread that is a customer's, or may be.

    People answer faster than Slack answers us: while we post, any thread may be one whose root that was.
    """
    if thread_ts is None:
        return False
    if await tx.conversations.find_by_thread(channel_id, thread_ts) is not None:
        return True
    return await tx.queue.is_pool_busy(Pool.POST)
