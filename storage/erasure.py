"""
Erasing what somebody wrote and was written.

Texts and pictures go, stored requests, the jobs that carry them, and the words of their evidence. What stays: that
there was a conversation and when, what became of each text, and the proof of every opt-out, without which we would
text somebody who said STOP. What is still under way is not erased but said, for whoever erases to wait.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import aiosqlite

from bot.clock import Clock
from bot.domain.carrier_lanes import inbound_lane
from bot.domain.ids import ConversationId, MediaId
from bot.domain.job import Kind
from bot.domain.message import State
from bot.domain.phone import Address
from bot.errors import Broken, NotAllowed
from storage.database import BUSY_MILLISECONDS, Database
from storage.moments import to_micros
from storage.packing import unpack_id, unpack_ts
from storage.queue import QueueRows
from storage.shelf import FileShelf
from storage.store import StoreTransaction
from storage.transcript import OF_NUMBER
from storage.words import STATE_CODES

_CONVERSATIONS = f"SELECT number, id, theirs FROM conversations WHERE {OF_NUMBER}"  # noqa: S608 - a constant
_THREADS = "SELECT thread_ts FROM packed_threads WHERE conversation = ?"
_MESSAGES = """
SELECT m.number, m.id, m.state, m.text, s.id AS schedule, s.state AS schedule_state
FROM packed_messages m LEFT JOIN schedules s ON s.message = m.number WHERE m.conversation = ?"""
_MEDIA = """
SELECT f.id FROM packed_messages m JOIN media f ON f.message = m.number WHERE f.source <> '' AND m.conversation = ?"""
_WORDS = "SELECT COUNT(*) AS words FROM consent_changes WHERE address = ? AND words IS NOT NULL"
_JOBS = "SELECT id, key, kind, lane, status, body FROM jobs WHERE body <> ''"

_LEFT_WAITING = (State.CONFIRMING, State.WAITING, State.UNSETTLED)
_ERASE_MESSAGE = f"""
UPDATE packed_messages SET text = '', erased_at = COALESCE(erased_at, ?2), state = CASE
    WHEN state IN ({", ".join(str(STATE_CODES[state]) for state in _LEFT_WAITING)}) THEN {STATE_CODES[State.CANCELLED]}
    ELSE state END
WHERE number = ?1"""  # noqa: S608 - numbers
_ERASE_REQUEST = "UPDATE requests SET body = x'' WHERE message = ?"
_ERASE_DETAIL = "UPDATE packed_deliveries SET detail = NULL WHERE message = ?"
_ERASE_MEDIA = """
UPDATE media SET source = '', name = NULL, filename = NULL, sha256 = NULL, token = NULL, expires_at = NULL,
    keep_until = NULL, address = NULL WHERE message = ?"""
_CANCEL_SCHEDULE = "UPDATE schedules SET state = 'cancelled' WHERE message = ? AND state = 'waiting'"
#: What a late edit, and the correction after it, said.
_ERASE_EDITS = "DELETE FROM facts WHERE name IN ('edit:' || ?1, 'corrected:' || ?1)"
#: A text that repeats says its words again and again: it ends.
_ERASE_RECURRENCES = f"""
UPDATE recurrences SET active = 0, text = ''
WHERE conversation IN (SELECT number FROM packed_conversations WHERE {OF_NUMBER})"""  # noqa: S608 - a constant
_ERASE_WORDS = "UPDATE consent_changes SET words = NULL WHERE address = ?"
_CONTACT = "SELECT 1 FROM contacts WHERE address = ?"
_ERASE_CONTACT = "DELETE FROM contacts WHERE address = ?"
_ERASE_REST = (_ERASE_REQUEST, _ERASE_DETAIL, _ERASE_MEDIA, _CANCEL_SCHEDULE)
_END_PARKED = """
UPDATE jobs SET status = 'done', body = '', finished_at = ?, trouble = 'erased' WHERE id = ? AND status = 'parked'"""

#: Already read, and kept for a while as it came.
_EMPTY_EVENT = "UPDATE jobs SET body = '' WHERE id = ?"

_INBOX = (Kind.CARRIER_EVENT, Kind.SLACK_EVENT)
_UNDER_WAY = STATE_CODES[State.UNDER_WAY]
_HELD_BY_CARRIER = ("at_carrier", "taking_back")
_STILL_TO_GO = (STATE_CODES[State.CONFIRMING], STATE_CODES[State.WAITING])


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """What an erasure takes, or would take."""

    conversations: int
    groups: int  #: Of the conversations, those with more people than one.
    texts: int
    files: int  #: Pictures and other files.
    unsent: int  #: Texts that wait to be sent, and will not be.
    jobs: int  #: Not done yet.
    events: int  #: Already read, and kept for a while as they came.
    words: int  #: Pieces of evidence whose words go; the evidence stays.
    contacts: int = 0  #: 1 where their name or time zone was set.
    hindrances: Sequence[str] = field(default=())  #: Why it cannot be done now, in words.

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to erase."""
        taken = (self.texts, self.files, self.jobs, self.events, self.words, self.unsent, self.contacts)
        return not any(taken)


#: What else is to be done in the transaction that erases: given what is erased, and in which conversations.
Besides = Callable[[StoreTransaction, Erasure, Sequence[ConversationId]], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    conversations: Sequence[ConversationId]
    messages: Sequence[sqlite3.Row]
    media: Sequence[MediaId]
    jobs: Sequence[sqlite3.Row]
    erasure: Erasure


async def plan_erasure(database: Database, address: Address) -> Erasure:
    """Return what erasing *address* would take."""
    async with database.reading() as connection:
        return (await _find(connection, address)).erasure


async def erase(
    database: Database, address: Address, shelf: FileShelf, clock: Clock, *, besides: Besides | None = None
) -> Erasure:
    """
    Erase *address* and return what was taken. Afterwards call `scrub`: until then the old bytes are still in the file.

    *shelf*: where our own copies of pictures are; *besides*: what else to do in the same transaction.

    Raises NotAllowed, with nothing erased, when something of theirs is under way.
    """
    async with database.write() as connection:
        found = await _find(connection, address)
        if found.erasure.hindrances:
            raise NotAllowed(" ".join(found.erasure.hindrances))
        queue = QueueRows(connection, clock)
        for job in found.jobs:
            if job["status"] == "parked":
                await connection.execute_fetchall(_END_PARKED, (to_micros(clock.now()), job["id"]))
            elif job["status"] == "done":
                await connection.execute_fetchall(_EMPTY_EVENT, (job["id"],))
            else:
                await queue.drop(job["key"])
        for message in found.messages:
            await erase_message(connection, message["number"], unpack_id(message["id"]), clock)
        await connection.execute_fetchall(_ERASE_RECURRENCES, (address,))
        await connection.execute_fetchall(_ERASE_WORDS, (address,))
        await connection.execute_fetchall(_ERASE_CONTACT, (address,))
        if besides is not None:
            await besides(StoreTransaction(connection, clock), found.erasure, found.conversations)
    await shelf.remove(found.media)
    return found.erasure


async def erase_message(connection: aiosqlite.Connection, number: int, message_id: str, clock: Clock) -> None:
    """
    Erase all words of one text, in the caller's transaction; its files on the shelf are the caller's to remove.

    *number* is what the tables call it by, *message_id* the program.
    """
    await connection.execute_fetchall(_ERASE_MESSAGE, (number, to_micros(clock.now())))
    for statement in _ERASE_REST:
        await connection.execute_fetchall(statement, (number,))
    await connection.execute_fetchall(_ERASE_EDITS, (message_id,))


async def scrub(database: Database) -> None:
    """
    Write the file anew, so that nothing erased is left in its free pages or its log.

    Raises Broken when another process did not let go of the log in time; what was erased stays erased meanwhile.
    """
    try:
        async with aiosqlite.connect(database.path, isolation_level=None) as connection:
            await connection.execute_fetchall(f"PRAGMA busy_timeout = {BUSY_MILLISECONDS}")
            await connection.execute_fetchall("VACUUM")
            ((busy, *_),) = await connection.execute_fetchall("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.OperationalError as error:
        raise Broken(_explain(str(error))) from error
    if busy:
        raise Broken(_explain("its log is in use"))


def _explain(trouble: str) -> str:
    return (
        f"The texts are erased, but traces may be left in the file's free pages: it is busy ({trouble}). "
        "Run the same again in a quiet moment, or with the bridge stopped."
    )


async def _find(connection: aiosqlite.Connection, address: Address) -> _Found:
    conversations = list(await connection.execute_fetchall(_CONVERSATIONS, (address,)))
    messages: list[sqlite3.Row] = []
    media: list[MediaId] = []
    names: set[str] = set()  # by which the body of a job says that it belongs to one of the conversations
    for conversation in conversations:
        names.add(conversation["id"])
        number = (conversation["number"],)
        messages += await connection.execute_fetchall(_MESSAGES, number)
        names |= {unpack_ts(row["thread_ts"]) for row in await connection.execute_fetchall(_THREADS, number)}
        media += [MediaId(row["id"]) for row in await connection.execute_fetchall(_MEDIA, number)]
    names |= {unpack_id(message["id"]) for message in messages} | set(media)
    jobs = [job for job in await connection.execute_fetchall(_JOBS) if _belongs(job, names, address)]
    (evidence,) = await connection.execute_fetchall(_WORDS, (address,))
    contacts = list(await connection.execute_fetchall(_CONTACT, (address,)))
    return _Found(
        conversations=[ConversationId(row["id"]) for row in conversations],
        messages=messages,
        media=media,
        jobs=jobs,
        erasure=Erasure(
            conversations=len(conversations),
            groups=sum("," in row["theirs"] for row in conversations),
            texts=sum(bool(row["text"]) for row in messages),
            files=len(media),
            unsent=sum(row["state"] in _STILL_TO_GO for row in messages),
            jobs=sum(job["status"] != "done" for job in jobs),
            events=sum(job["status"] == "done" for job in jobs),
            words=int(evidence["words"]),
            contacts=len(contacts),
            hindrances=tuple(_find_hindrances(messages, jobs)),
        ),
    )


def _belongs(job: sqlite3.Row, names: set[str], address: Address) -> bool:
    if job["lane"] == inbound_lane(address) or any(name in job["body"] for name in names):
        return True
    # Of what came in, whatever names the number is theirs. A job of our own that does may be another customer's, in
    # whose text somebody mentions them.
    return job["kind"] in _INBOX and re.search(re.escape(address) + r"(?!\d)", job["body"]) is not None


def _find_hindrances(messages: Sequence[sqlite3.Row], jobs: Sequence[sqlite3.Row]) -> Sequence[str]:
    found = []
    if any(job["status"] == "running" for job in jobs):
        found.append("Something of theirs is being worked on at this moment. Try again in a minute.")
    if any(job["status"] in ("ready", "waiting") and job["kind"] in _INBOX for job in jobs):
        found.append(
            "Something about them has come in and has not been read yet; it may say STOP. "
            "Let the bridge read it first: start it, or look at `python -m bot queue`."
        )
    if any(message["state"] == _UNDER_WAY for message in messages):
        found.append("A text to them is on its way to the carrier. Try again once its outcome is known.")
    held = [row["schedule"] for row in messages if row["schedule_state"] in _HELD_BY_CARRIER]
    if held:
        commands = ", ".join(f"/schedule cancel {each}" for each in held)
        found.append(f"The carrier holds scheduled texts to them. Take them back first, in Slack: {commands}")
    return found
