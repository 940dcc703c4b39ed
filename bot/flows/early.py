"""
What is read of a message before the message itself, or before what came earlier: the newest word counts.

Slack repeats an event that was not answered a minute later, then five, then an hour; and a reaction is not in its
message's lane. Each of these is remembered as a fact that says first when it was, in seconds, and holds nobody's words:
of a change only under which key it is kept, as it came (`storage/raw.py` throws both away).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
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

_ALL = _DELETED, _CROSSED, _NOTED, _CHANGED = "deleted", "crossed", "noted", "changed"
#: What is said of a message besides its own words.
_Change = MessageEdited | FilesRemoved | MessageDeleted
#: More is not looked through behind one message.
_MOST_BEHIND = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Early:
    """What was read so far of one message, besides itself."""

    is_deleted: bool  #: Before it was read, or while its author was asked.
    is_crossed: bool  #: Its author put an ❌ on it.
    is_noted: bool  #: A change made a note of it, whatever else was made of it afterwards.
    changed_at: float  #: When it was last changed, in seconds; 0 if it was not.
    change_key: str  #: Under which key the last change came; empty if none did.


async def look_early(view: Transaction, channel_id: ChannelId, ts: SlackTs) -> Early:
    """Return what was read so far of a message."""
    deleted, crossed, noted, changed = names = [_name(what, channel_id, ts) for what in _ALL]
    facts = await view.facts.find_facts(names)
    changed_at, change_key = _split(facts.get(changed))
    return Early(
        is_deleted=deleted in facts,
        is_crossed=crossed in facts,
        is_noted=noted in facts,
        changed_at=changed_at,
        change_key=change_key,
    )


async def note_deletion(tx: Transaction, event: MessageDeleted, now: datetime, *, is_known: bool) -> None:
    """
    Remember that a message is deleted which nobody has read yet, and which may be in a customer's thread.

    One that *is known* may still have a question open, whether to send it.
    """
    if is_known or not event.is_placed or await _may_come(tx, event.channel_id, event.thread_ts):
        await _remember(tx, _DELETED, event, now)


async def note_cross(tx: Transaction, event: ReactionAdded, now: datetime) -> None:
    """Remember that the author of a message, which nobody has read yet, put an ❌ on it."""
    await _remember(tx, _CROSSED, event, now)


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
            await _remember(tx, _NOTED, event, now)
    name = _name(_CHANGED, event.channel_id, event.ts)
    known_at, _ = _split(await tx.facts.find_fact(name))
    at = now.timestamp() if event.at is None else float(event.at)
    if at < known_at:
        return False
    await tx.facts.set_fact(name, f"{at:.6f} {key}")
    return True


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


async def bring_up_to_date(
    view: Transaction, event: ThreadReply, early: Early, behind: Sequence[_Change] = ()
) -> ThreadReply:
    """
    Return *event* with the words and files that the newest change gave the message.

    It is one that was read *early*, or that waits *behind* the message.
    """
    at = early.changed_at
    body = await view.queue.find_body(early.change_key) if early.change_key else None
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


async def _remember(tx: Transaction, what: str, event: _Change | ReactionAdded, now: datetime) -> None:
    await tx.facts.set_fact(_name(what, event.channel_id, event.ts), f"{now.timestamp():.6f}")


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
