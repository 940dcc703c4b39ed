"""The step that packs a file of years: every row is there after it, or the file is as it was."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bot.domain.delivery import DeliveryStatus
from bot.domain.ids import (
    CarrierMessageId,
    ChannelId,
    ConversationId,
    MediaId,
    MessageId,
    RecurrenceId,
    ScheduleId,
    SlackTs,
    UserId,
)
from bot.domain.message import Direction, Mark, Origin, State
from bot.domain.phone import Address
from bot.errors import Broken
from storage import database, packing
from storage import migrate as migrations
from storage.database import open_database
from storage.migrate import list_migrations, split_script
from tests.storage.rig import open_rig
from tests.storage.samples import PAIR, pair_of

#: The schema before the step that packs.
_OLD = 10
_WORDS = "a wombat on the porch"
_PAIR, _GROUP, _POOL = "0190a1b2c3d47e5f8a9b0c1d2e3f4a5b", "ffffffffffffffffffffffffffffffff", "pair of no hex"
_IN, _OUT, _LATER, _NEXT = (f"{digit * 31}{end}" for digit, end in (("1", "a"), ("2", "b"), ("3", "c"), ("4", "d")))
_UUID = "0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b"

_CONVERSATIONS = [
    (_PAIR, PAIR.ours, PAIR.key, "C1", "1794000000.000100", 1, None, None, 1_000, 5_000),
    (_GROUP, PAIR.ours, "+14155550163,+17735550118", "C2", None, 3, "C3", "1793000000.999999", 2_000, None),
    (_POOL, "pool", "ACME", "C1", "not a time", 0, None, None, 3_000, 4_000),
]
_THREADS = [("C1", "1794000000.000100", _PAIR), ("C3", "1793000000.999999", _GROUP), ("C1", "not a time", _POOL)]
#: id, conversation, direction, origin, state, text, author, sender, channel, ts, carrier's id, created, due, marks, erased, turn
_MESSAGES = [
    (_IN, _PAIR, "inbound", "phone", "received", _WORDS, None, PAIR.key, "C1", "1794000001.000200", _UUID, 10, None, None,
     None, None, 0),
    (_OUT, _PAIR, "outbound", "thread", "accepted", "Yes", "U1", None, "C1", "1794000002.000300", _UUID.upper(), 20, 21,
     "white_check_mark", "eyes", None, 2),
    (_LATER, _PAIR, "outbound", "schedule", "waiting", "Later", "U2", None, None, None, None, 9, 99, None, None, None, 0),
    (_NEXT, _PAIR, "outbound", "schedule", "waiting", "Instead", "U2", None, None, None, None, 30, 99, None, None, None, 0),
    ("in a group", _GROUP, "inbound", "phone", "received", "", None, "+14155550163", "C2", "1.5", "queue-17", 40, None, None,
     None, 77, 0),
    *(
        (f"state {state}", _POOL, "outbound", origin, state, state, "U1", None, "C1", f"17{number}.000001", None, 50 + number,
         None, mark, mark, None, 0)
        for number, (state, origin, mark) in enumerate(
            (state, list(Origin)[number % len(Origin)].value, list(Mark)[number % len(Mark)].value)
            for number, state in enumerate(each.value for each in State)
        )
    ),
]  # fmt: skip
_DELIVERIES = [
    (_OUT, PAIR.key, "delivered", 60, None, None, None),
    ("in a group", "+14155550163", "sent", 61, None, None, None),
    ("in a group", "+17735550118", "delivery_failed", 62, "40001", "Not routable", "landline"),
    *((f"state {State.NOTE}", f"+1773555{number:04}", status.value, 63, None, None, None)
      for number, status in enumerate(DeliveryStatus)),
]  # fmt: skip
_REQUESTS = [(_OUT, "/messages", "key-1", b"{}", 70, None, 1), (_LATER, "/messages", "key-2", b"{2}", 71, 72, 3)]
_MEDIA = [
    ("m" * 32, _IN, 0, "https://carrier/1", "shared", 80, "p.jpg", "image/jpeg", 5, "aa", "1.jpg", None, "F1", 2, 81, "C1",
     "1794000000.000100", 82, "1794000001.000300", "t" * 32, 83, 84),
    ("n" * 32, _OUT, 1, "F2", "lost", 85, None, None, None, None, None, "gone", None, 0, None, None, None, None, None, None,
     None, None),
]  # fmt: skip
_RECURRENCES = [("r2345", _PAIR, 1, "FREQ=DAILY", "2026-11-22T09:00:00", "UTC", "Hi", "U1", 90, 1, 4, None, 2)]
_SCHEDULES = [("s2345", _LATER, "at_carrier", 99, "UTC", "U2", 91, 1, _NEXT, "r2345")]

_TABLES: dict[str, list[tuple[Any, ...]]] = {
    "conversations": _CONVERSATIONS, "threads": _THREADS, "messages": _MESSAGES, "deliveries": _DELIVERIES,
    "requests": _REQUESTS, "media": _MEDIA, "recurrences": _RECURRENCES, "schedules": _SCHEDULES,
}  # fmt: skip
_COLUMNS = {
    "messages": "id, conversation_id, direction, origin, state, text, author, sender, channel_id, slack_ts, carrier_id,"
    " created_at, due_at, mark_shown, mark_tried, erased_at, turn"
}
_MEDIA_COLUMNS = """position, source, f.state, f.created_at, name, content_type, size, sha256, filename, loss, file_id, uploads,
    began_at, f.channel_id, thread_ts, completed_at, f.slack_ts, token, expires_at, keep_until"""
#: What a person reads in each table, in the columns of old.
_AFTER = {
    "conversations": "SELECT id, ours, theirs, channel_id, thread_ts, root, previous_channel_id, previous_thread_ts,"
    " created_at, active_at FROM conversations ORDER BY number",
    "threads": "SELECT * FROM threads",
    "messages": f"SELECT {_COLUMNS['messages']} FROM messages ORDER BY number",
    "deliveries": "SELECT message_id, recipient, status, occurred_at, code, title, detail FROM deliveries",
    "requests": "SELECT m.id, path, idempotency_key, body, r.created_at, attempted_at, attempts"
    " FROM requests r JOIN messages m ON m.number = r.message",
    "media": f"SELECT f.id, m.id, {_MEDIA_COLUMNS} FROM media f JOIN messages m ON m.number = f.message",
    "recurrences": "SELECT r.id, c.id, active, rrule, began_on, zone, text, author, r.created_at, unless_reply, r.number,"
    " occurs_on, revision FROM recurrences r JOIN conversations c ON c.number = r.conversation",
    "schedules": "SELECT s.id, m.id, s.state, s.due_at, zone, s.author, s.created_at, unless_reply, n.id, recurrence_id"
    " FROM schedules s JOIN messages m ON m.number = s.message LEFT JOIN messages n ON n.number = s.next_message",
}


@pytest.fixture
def old(path: Path) -> Path:
    """Return a file that the program before this one left, with a row of every kind."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE version (one INTEGER PRIMARY KEY, schema INTEGER, compat INTEGER) STRICT")
        connection.execute("INSERT INTO version VALUES (1, ?, 1)", (_OLD,))
        for step in list_migrations()[:_OLD]:
            for statement in split_script(step.script):
                connection.execute(statement)
        connection.execute("BEGIN")
        connection.execute("DELETE FROM messages")
        for table, rows in _TABLES.items():
            columns = f"({_COLUMNS[table]})" if table in _COLUMNS else ""
            marks = ", ".join("?" for _ in rows[0])
            connection.executemany(f"INSERT INTO {table} {columns} VALUES ({marks})", rows)
        connection.execute("COMMIT")
    return path


_MANY = """
INSERT INTO messages (id, conversation_id, direction, origin, state, text, created_at)
WITH RECURSIVE series (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM series WHERE n < 2000)
SELECT 'many ' || n, ?1, 'inbound', 'phone', 'received', ?2 || n, n FROM series"""


def _read_whole(path: Path) -> bytes:
    return path.read_bytes()


def _look(path: Path, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql).fetchall()


def test_the_rows_have_every_word_that_there_is() -> None:
    assert {row[4] for row in _MESSAGES} == set(State)
    assert {row[3] for row in _MESSAGES} == set(Origin)
    assert {row[13] for row in _MESSAGES} >= set(Mark)
    assert {row[2] for row in _DELIVERIES} == set(DeliveryStatus)


async def test_every_row_says_after_it_what_it_said_before(old: Path) -> None:
    async with open_rig(old) as rig:
        for table, sql in _AFTER.items():
            assert sorted(rig.look(sql), key=repr) == sorted(_TABLES[table], key=repr), table
        assert rig.look("PRAGMA foreign_key_check") == []
        assert rig.look("PRAGMA integrity_check") == [("ok",)]
        assert [each for (each,) in rig.look(_AFTER["messages"].replace(_COLUMNS["messages"], "id"))] == [
            row[0] for row in _MESSAGES
        ], "what was stored first is still before what was stored later"


async def test_the_program_finds_everything_by_the_keys_that_it_and_the_platforms_know(old: Path) -> None:
    async with open_rig(old) as rig, rig.store.reading() as view:
        pair = await view.conversations.find(PAIR)
        assert pair is not None
        assert pair == await view.conversations.get(ConversationId(_PAIR))
        assert pair == await view.conversations.find_by_thread(ChannelId("C1"), SlackTs("1794000000.000100"))
        pool = await view.conversations.find(pair_of("pool", "ACME"))
        assert pool == await view.conversations.find_by_thread(ChannelId("C1"), SlackTs("not a time"))
        lost = await view.conversations.get(ConversationId(_GROUP))
        assert (lost.thread_ts, lost.previous_thread_ts) == (None, SlackTs("1793000000.999999"))

        came = await view.messages.find_by_carrier_id(CarrierMessageId(_UUID))
        went = await view.messages.find_by_carrier_id(CarrierMessageId(_UUID.upper()))
        assert came is not None
        assert went is not None
        assert (came.id, came.text, came.sender) == (_IN, _WORDS, PAIR.key)
        assert came == await view.messages.find_in_slack(ChannelId("C1"), SlackTs("1794000001.000200"))
        assert (went.id, went.direction, went.author) == (_OUT, Direction.OUTBOUND, UserId("U1"))
        assert (went.mark_shown, went.mark_tried, went.turn) == (Mark.DELIVERED, Mark.READ, 2)
        assert went == await view.messages.find_in_slack(ChannelId("C1"), SlackTs("1794000002.000300"))
        recent = await view.messages.find_recent(ConversationId(_PAIR), 9)
        assert [message.id for message in recent] == [_NEXT, _OUT, _IN, _LATER]

        copies = await view.deliveries.of_message(MessageId("in a group"))
        assert {address: copy.status for address, copy in copies.items()} == {
            Address("+14155550163"): DeliveryStatus.SENT,
            Address("+17735550118"): DeliveryStatus.DELIVERY_FAILED,
        }
        assert (await view.deliveries.of_message(went.id))[Address(PAIR.key)].status is DeliveryStatus.DELIVERED
        request = await view.deliveries.find_request(MessageId(_LATER))
        assert request is not None
        assert (request.body, request.attempts) == (b"{2}", 3)
        schedule = await view.schedules.find(ScheduleId("s2345"))
        assert schedule is not None
        assert (schedule.message_id, schedule.next_message_id) == (_LATER, _NEXT)
        assert schedule == await view.schedules.find_by_message(MessageId(_LATER))
        recurrence = await view.recurrences.find(RecurrenceId("r2345"))
        assert recurrence is not None
        assert recurrence.conversation_id == _PAIR
        assert [file.id for file in await view.media.of_message(MessageId(_IN))] == [MediaId("m" * 32)]


async def test_a_process_that_dies_in_the_middle_leaves_the_file_as_it_was(
    old: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {table: _look(old, f"SELECT * FROM {table}") for table in _TABLES}
    left = tmp_path / "left"
    left.mkdir()

    def die(letters: str) -> str:
        for file in old.parent.glob(f"{old.name}*"):  # what is on disk at this instant: all that a dead process leaves
            shutil.copy(file, left / file.name)
        raise RuntimeError(letters)

    with monkeypatch.context() as dying:
        dying.setitem(packing.PACKERS, "packed_uuid", die)
        with pytest.raises(sqlite3.OperationalError):
            async with open_rig(old):
                pass

    for path in (old, left / old.name):
        assert _look(path, "SELECT schema FROM version") == [(_OLD,)]
        assert {table: _look(path, f"SELECT * FROM {table}") for table in _TABLES} == before
        async with open_rig(path) as rig:  # and at the next start it is done
            assert sorted(rig.look(_AFTER["messages"]), key=repr) == sorted(_MESSAGES, key=repr)


async def test_a_start_that_is_cancelled_ends_at_once_and_leaves_the_file_as_it_was(
    old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(sqlite3.connect(old)) as connection:
        connection.execute(_MANY, (_PAIR, _WORDS))
        connection.commit()
    before = {table: _look(old, f"SELECT * FROM {table}") for table in _TABLES}
    loop, under_way, packed = asyncio.get_running_loop(), asyncio.Event(), threading.Semaphore(10)

    def pack(letters: str) -> str:
        if not packed.acquire(timeout=0.2):  # from the eleventh on a step of minutes
            loop.call_soon_threadsafe(under_way.set)
        return letters

    with monkeypatch.context() as slow:
        slow.setitem(packing.PACKERS, "packed_id", pack)
        opening = asyncio.ensure_future(open_database(old))
        async with asyncio.timeout(10):
            await under_way.wait()
            opening.cancel()
            with pytest.raises(asyncio.CancelledError):
                await opening

    assert _look(old, "SELECT schema FROM version") == [(_OLD,)]
    assert {table: _look(old, f"SELECT * FROM {table}") for table in _TABLES} == before
    async with open_rig(old) as rig:
        assert rig.look("SELECT COUNT(*) FROM messages") == [(len(before["messages"]),)]


async def test_a_full_disk_is_told_with_the_room_that_is_needed_and_the_file_is_as_it_was(
    old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {table: _look(old, f"SELECT * FROM {table}") for table in _TABLES}
    ((pages,),) = _look(old, "PRAGMA page_count")
    with monkeypatch.context() as full:
        full.setattr(database, "_MIGRATOR", (*database._MIGRATOR, f"PRAGMA max_page_count = {pages + 2}"))
        with pytest.raises(Broken, match=r"as it was: database or disk is full\. About 1 MB must be free\."):
            await open_database(old)

    assert {table: _look(old, f"SELECT * FROM {table}") for table in _TABLES} == before
    async with open_rig(old) as rig:
        assert sorted(rig.look(_AFTER["messages"]), key=repr) == sorted(_MESSAGES, key=repr)


async def test_a_file_that_somebody_else_holds_is_told_and_left(old: Path) -> None:
    with closing(sqlite3.connect(old, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Broken, match="as it was: database is locked"):
            await open_database(old)


async def test_what_is_erased_afterwards_is_nowhere_in_the_file(old: Path) -> None:
    with closing(sqlite3.connect(old)) as connection:
        connection.execute(_MANY, (_PAIR, _WORDS))
        connection.commit()
    async with open_rig(old) as rig:
        await rig.tell_writer("PRAGMA secure_delete = ON")
        await rig.tell_writer("UPDATE packed_messages SET text = ''")
        await rig.tell_writer("PRAGMA wal_checkpoint(TRUNCATE)")
        assert _WORDS.encode() not in _read_whole(old)


async def test_whoever_waits_is_told_that_it_goes_on(
    old: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(migrations, "_TELL_EVERY", 0.0)
    monkeypatch.setattr(migrations, "_INSTRUCTIONS", 100)
    caplog.set_level("INFO", logger="textbridge.migrate")
    async with open_rig(old):
        pass
    told = [record.getMessage() for record in caplog.records]
    assert told[0] == "Bringing the database up to date."
    assert "Still bringing the database up to date." in told
    assert told[-1] == "The database is up to date."


async def test_a_new_file_is_made_without_a_word(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="textbridge.migrate")
    async with open_rig(path):
        pass
    assert caplog.records == []
