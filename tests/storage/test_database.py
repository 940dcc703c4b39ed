"""The one discipline of the database: all or nothing, on disk, one writer at a time, whatever happens meanwhile."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import aiosqlite
import pytest

from bot.errors import NotStored, RetryLater
from storage.checkpoints import LAST_RESORT_PAGES
from storage.database import BUSY_MILLISECONDS, Database, open_database, run_to_end
from tests.storage.interrupt import interrupt_everywhere
from tests.storage.rig import Rig, locked_by_another, open_rig

_ADD = "INSERT INTO facts VALUES (?, ?)"
_NAMES = "SELECT name FROM facts ORDER BY name"


async def _add(database: Database, *names: str) -> None:
    async with database.write() as connection:
        for name in names:
            await connection.execute_fetchall(_ADD, (name, "x"))


def _database_threads() -> set[threading.Thread]:
    """Return the threads that aiosqlite runs; the loop's own pool is not counted."""
    return {thread for thread in threading.enumerate() if "_connection_worker_thread" in thread.name}


def _find_left(before: set[threading.Thread]) -> list[str]:
    """Return the database threads that are there for good; one that was told to stop may still be on its way out."""
    more = _database_threads() - before
    for thread in more:
        thread.join(timeout=2)
    return sorted(thread.name for thread in more if thread.is_alive())


# ------------------------------------------------------------------------------------------------------ as promised


async def test_every_table_is_strict(rig: Rig) -> None:
    tables = [
        row
        for row in await rig.database.read("PRAGMA table_list")
        if not row["name"].startswith("sqlite_") and row["type"] == "table"
    ]

    assert len(tables) >= 10
    assert [row["name"] for row in tables if not row["strict"]] == []


async def test_a_number_is_not_stored_where_a_text_belongs(rig: Rig) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        async with rig.database.write() as connection:
            await connection.execute_fetchall(
                "INSERT INTO jobs (kind, pool, key, status, body, due_at, created_at)"
                " VALUES ('k', 'p', 'key', 'ready', '', 'tomorrow', 0)"
            )


@pytest.mark.parametrize(
    ("pragma", "value"),
    [
        ("journal_mode", "wal"),
        ("synchronous", 2),
        ("foreign_keys", 1),
        ("busy_timeout", BUSY_MILLISECONDS),
        ("wal_autocheckpoint", LAST_RESORT_PAGES),
    ],
)
async def test_the_connection_that_writes_is_set_up_as_promised(path: Path, pragma: str, value: object) -> None:
    database = await open_database(path)
    try:
        rows = list(await database._writer.execute_fetchall(f"PRAGMA {pragma}"))
        assert rows[0][0] == value
    finally:
        await database.close()


async def test_a_message_of_no_conversation_is_refused(rig: Rig) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
        async with rig.database.write() as connection:
            await connection.execute_fetchall("INSERT INTO requests VALUES (99, '/', 'k', x'00', 0, NULL, 0)")
    assert rig.look("SELECT * FROM requests") == []


async def test_the_connection_that_reads_cannot_write(rig: Rig) -> None:
    with pytest.raises(NotStored, match="readonly"):
        await rig.database.read("INSERT INTO facts VALUES ('a', 'b')")


async def test_a_reader_never_sees_what_is_not_committed_and_waits_for_nobody(rig: Rig) -> None:
    async with rig.database.write() as connection:
        await connection.execute_fetchall(_ADD, ("a", "x"))
        assert await rig.database.read(_NAMES) == []
    assert [row["name"] for row in await rig.database.read(_NAMES)] == ["a"]


# -------------------------------------------------------------------------------------------------- all or nothing


async def test_any_exception_takes_back_all_of_it(rig: Rig) -> None:
    with pytest.raises(KeyError):  # noqa: PT012 - what fails is the block
        async with rig.database.write() as connection:
            await connection.execute_fetchall(_ADD, ("a", "x"))
            raise KeyError

    assert rig.look(_NAMES) == []
    assert rig.writer_is_idle
    await _add(rig.database, "b")
    assert rig.look(_NAMES) == [("b",)]


async def test_a_refused_statement_takes_back_what_came_before_it(rig: Rig) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        await _add(rig.database, "a", "a")

    assert rig.look(_NAMES) == []
    assert rig.writer_is_idle


@pytest.mark.parametrize("twice", [False, True])
async def test_a_cancellation_at_any_await_leaves_all_or_nothing_and_a_free_lock(rig: Rig, *, twice: bool) -> None:
    runs = stored = 0

    async def prepare() -> Callable[[], Coroutine[Any, Any, None]]:
        nonlocal runs
        runs += 1
        return lambda: _add(rig.database, f"{runs} a", f"{runs} b", f"{runs} c")

    async for strike, outcome in interrupt_everywhere(prepare, twice=twice):
        assert isinstance(outcome, asyncio.CancelledError), strike
        assert rig.writer_is_idle, strike
        found = rig.look("SELECT COUNT(*) FROM facts WHERE name LIKE ?", f"{runs} %")[0][0]
        assert found in (0, 3), strike
        stored += found == 3
        await _add(rig.database, f"after {runs}")  # and the next one works

    # The enumeration reached both sides of the commit; else it tries less than it says.
    assert 0 < stored < runs - 1


async def test_a_task_cancelled_while_it_waits_for_its_turn_holds_nobody_up(rig: Rig) -> None:
    async with rig.database.write() as connection:
        waiting = asyncio.ensure_future(_add(rig.database, "never"))
        next_one = asyncio.ensure_future(_add(rig.database, "next"))
        await asyncio.sleep(0)
        waiting.cancel()
        await connection.execute_fetchall(_ADD, ("first", "x"))
    await next_one
    assert waiting.cancelled()
    assert rig.look(_NAMES) == [("first",), ("next",)]


async def test_the_lock_is_held_until_the_rollback_is_through_however_often_it_is_cancelled(rig: Rig) -> None:
    go_on = threading.Event()
    entered = threading.Event()

    def block() -> int:
        entered.set()
        go_on.wait(10)
        return 1

    await rig.database._writer.create_function("block", 0, block)

    async def write_slowly() -> None:
        async with rig.database.write() as connection:
            await connection.execute_fetchall(_ADD, ("never", "x"))
            await connection.execute_fetchall("SELECT block()")

    task = asyncio.ensure_future(write_slowly())
    while not entered.is_set():  # noqa: ASYNC110 - it is set by a thread
        await asyncio.sleep(0)
    for _ in range(3):
        task.cancel()
        for _ in range(3):
            await asyncio.sleep(0)
    try:
        assert not task.done()
        assert rig.database._lock.locked()
    finally:
        go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert rig.writer_is_idle
    assert rig.look(_NAMES) == []


#: Reads a whole table, and so is one of the statements that may take long, wherever those are run.
_ADD_SLOWLY = "INSERT INTO facts SELECT ? || name, 'x' FROM facts WHERE value = 'seed'"


async def test_one_who_joins_anothers_commit_and_is_cancelled_takes_back_its_own_part_and_all_of_that(rig: Rig) -> None:
    await rig.tell_writer("INSERT INTO facts VALUES ('seed', 'seed')")
    runs = stored = 0
    firsts: list[asyncio.Task[None]] = []

    async def join() -> None:
        async with rig.database.write() as connection:
            await connection.execute_fetchall(_ADD_SLOWLY, (f"{runs} a ",))
            await connection.execute_fetchall(_ADD, (f"{runs} b", "x"))
            await connection.execute_fetchall(_ADD_SLOWLY, (f"{runs} c ",))

    async def prepare() -> Callable[[], Coroutine[Any, Any, None]]:
        nonlocal runs
        runs += 1
        firsts.append(asyncio.ensure_future(_add(rig.database, f"first {runs}")))
        await asyncio.sleep(0)  # it has the lock; whoever comes now waits, and shares its commit
        return join

    async for strike, outcome in interrupt_everywhere(prepare, twice=True):
        assert isinstance(outcome, asyncio.CancelledError), strike
        await firsts[-1]
        assert rig.look("SELECT COUNT(*) FROM facts WHERE name = ?", f"first {runs}") == [(1,)], strike
        await _add(rig.database, f"after {runs}")
        found = rig.look("SELECT COUNT(*) FROM facts WHERE name LIKE ?", f"{runs} %")[0][0]
        assert found in (0, 3), strike
        assert rig.writer_is_idle, strike
        stored += found == 3
    await asyncio.gather(*firsts)
    assert 0 < stored < runs - 1


async def test_one_who_fails_takes_nobody_elses_part_with_it(rig: Rig) -> None:
    async def add_and_fail(name: str) -> None:
        async with rig.database.write() as connection:
            await connection.execute_fetchall(_ADD, (name, "x"))
            raise KeyError(name)

    outcomes = await asyncio.gather(
        *(add_and_fail(f"bad {n}") if n % 3 == 1 else _add(rig.database, f"good {n}") for n in range(9)),
        return_exceptions=True,
    )
    assert [isinstance(outcome, KeyError) for outcome in outcomes] == [n % 3 == 1 for n in range(9)]
    assert rig.look(_NAMES) == [(f"good {n}",) for n in range(9) if n % 3 != 1]
    assert rig.writer_is_idle


async def test_when_the_shared_commit_cannot_be_made_nobody_is_told_that_it_was(rig: Rig) -> None:
    await _add(rig.database, "before")
    pages = (await rig.tell_writer("PRAGMA page_count"))[0][0]
    await rig.tell_writer(f"PRAGMA max_page_count = {pages}")
    outcomes = await asyncio.gather(
        *(_add(rig.database, *(f"{n} {m} " + "x" * 3_000 for m in range(4))) for n in range(6)), return_exceptions=True
    )
    await rig.tell_writer("PRAGMA max_page_count = 1073741823")
    for n, outcome in enumerate(outcomes):
        found = rig.look("SELECT COUNT(*) FROM facts WHERE name LIKE ?", f"{n} %")[0][0]
        assert found == (0 if outcome else 4), n
        assert outcome is None or isinstance(outcome, NotStored)
    assert any(outcomes)
    assert rig.writer_is_idle
    await _add(rig.database, "after")


async def test_a_slow_statement_that_was_given_up_does_not_stop_the_loop(rig: Rig) -> None:
    go_on = threading.Event()
    entered = threading.Event()

    in_time: list[bool] = []

    def block() -> int:
        entered.set()
        in_time.append(go_on.wait(5))
        return 1

    await rig.database._writer.create_function("block", 0, block)

    async def write_slowly() -> None:
        async with rig.database.write() as connection:
            await connection.execute_fetchall(_ADD, ("never", "x"))
            await connection.execute_fetchall("SELECT block()")

    first = asyncio.ensure_future(_add(rig.database, "first"))
    await asyncio.sleep(0)
    joined = asyncio.ensure_future(write_slowly())
    while not entered.is_set():  # noqa: ASYNC110 - it is set by a thread
        await asyncio.sleep(0)
    joined.cancel()
    asyncio.get_running_loop().call_soon(asyncio.get_running_loop().call_soon, go_on.set)
    with pytest.raises(asyncio.CancelledError):
        await joined
    await first
    assert in_time == [True], "the loop stood still until the statement gave up by itself"
    assert rig.look(_NAMES) == [("first",)]


async def test_what_was_read_is_still_so_when_it_is_written_whatever_other_processes_do(rig: Rig) -> None:
    other = sqlite3.connect(rig.database.path, isolation_level=None, timeout=0)
    try:
        async with rig.database.write() as connection:
            await connection.execute_fetchall(_NAMES)
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                other.execute(_ADD, ("theirs", "x"))
            await connection.execute_fetchall(_ADD, ("ours", "x"))
        other.execute(_ADD, ("theirs", "x"))
    finally:
        other.close()
    assert rig.look(_NAMES) == [("ours",), ("theirs",)]


async def test_two_writers_go_one_after_the_other(rig: Rig) -> None:
    log: list[str] = []

    async def count_up(name: str) -> None:
        async with rig.database.write() as connection:
            log.append(f"{name} in")
            rows = list(await connection.execute_fetchall("SELECT value FROM facts WHERE name = 'count'"))
            value = int(rows[0]["value"]) if rows else 0
            await asyncio.sleep(0)
            await connection.execute_fetchall("INSERT OR REPLACE INTO facts VALUES ('count', ?)", (str(value + 1),))
            log.append(f"{name} out")

    await asyncio.gather(*(count_up(str(number)) for number in range(20)))

    assert rig.look("SELECT value FROM facts") == [("20",)]
    assert [entry.split()[1] for entry in log] == ["in", "out"] * 20


async def test_work_that_must_end_ends_before_the_cancellation_is_heard() -> None:
    ended = asyncio.Event()
    go_on = asyncio.Event()

    async def work() -> None:
        await go_on.wait()
        ended.set()

    task = asyncio.ensure_future(run_to_end(work()))
    for _ in range(3):  # as often as anybody likes
        await asyncio.sleep(0)
        task.cancel()
    await asyncio.sleep(0)
    assert not task.done()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended.is_set()


async def test_work_that_must_end_and_fails_says_so() -> None:
    async def work() -> None:
        raise KeyError("told")

    with pytest.raises(KeyError, match="told"):
        await run_to_end(work())


# ------------------------------------------------------------------------------------------- when SQLite cannot


async def test_a_file_locked_by_another_process_is_told_as_not_stored_and_works_again_after(rig: Rig) -> None:
    async with locked_by_another(rig.database.path):
        with pytest.raises(NotStored, match="locked") as told:
            await _add(rig.database, "a")
        assert isinstance(told.value, RetryLater)
        assert rig.writer_is_idle

    await _add(rig.database, "b")
    assert rig.look(_NAMES) == [("b",)]


async def test_a_full_disk_is_told_as_not_stored_and_takes_back_all_of_it(rig: Rig) -> None:
    await _add(rig.database, "before")
    pages = (await rig.tell_writer("PRAGMA page_count"))[0][0]
    await rig.tell_writer(f"PRAGMA max_page_count = {pages}")

    with pytest.raises(NotStored, match="full"):  # noqa: PT012 - what fails is the block
        async with rig.database.write() as connection:
            for number in range(50):
                await connection.execute_fetchall(_ADD, (f"big {number}", "x" * 10_000))
    assert rig.writer_is_idle
    assert rig.look(_NAMES) == [("before",)]

    await rig.tell_writer("PRAGMA max_page_count = 1073741823")
    await _add(rig.database, "after")
    assert rig.look(_NAMES) == [("after",), ("before",)]


async def test_a_file_that_cannot_be_written_is_told_as_not_stored(rig: Rig) -> None:
    connection = await aiosqlite.connect(f"file:{rig.database.path}?mode=ro", uri=True, isolation_level=None)
    try:
        database = Database(rig.database.path, connection, rig.database.reader)
        with pytest.raises(NotStored, match="readonly"):
            await _add(database, "a")
    finally:
        await connection.close()


async def test_a_reader_that_finds_the_file_locked_is_told_to_come_back(rig: Rig) -> None:
    await rig.database.read(_NAMES)
    other = sqlite3.connect(rig.database.path, isolation_level=None)
    try:
        await rig.database.close()
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        other.execute(_ADD, ("theirs", "x"))
        other.execute("COMMIT")
        reader = await aiosqlite.connect(rig.database.path, isolation_level=None)
        try:
            await reader.execute_fetchall("PRAGMA busy_timeout = 0")
            database = Database(rig.database.path, reader, reader)
            with pytest.raises(NotStored, match="locked"):
                await database.read(_NAMES)
        finally:
            await reader.close()
    finally:
        other.close()


# ---------------------------------------------------------------------------------------------- opening and closing


async def test_a_closed_database_leaves_no_thread(path: Path) -> None:
    before = _database_threads()
    async with open_rig(path):
        assert len(_database_threads() - before) == 2
    assert _find_left(before) == []


async def test_closing_is_done_to_its_end_whenever_it_is_cancelled(path: Path) -> None:
    before = _database_threads()

    async def prepare() -> Callable[[], Coroutine[Any, Any, None]]:
        database = await open_database(path)
        return database.close

    async for strike, _ in interrupt_everywhere(prepare, twice=True):
        assert _find_left(before) == [], strike


async def test_opening_leaves_no_thread_wherever_it_is_cancelled(path: Path) -> None:
    before = _database_threads()

    async def open_and_close() -> None:
        database = await open_database(path)
        await database.close()

    async def prepare() -> Callable[[], Coroutine[Any, Any, None]]:
        return open_and_close

    async for strike, _ in interrupt_everywhere(prepare, twice=True):
        assert _find_left(before) == [], strike


async def test_a_file_that_is_no_database_is_left_as_it_is(path: Path) -> None:
    before = _database_threads()
    path.write_bytes(b"the accounts of 1987" * 100)  # noqa: ASYNC240 - nobody else runs here
    with pytest.raises(sqlite3.DatabaseError):
        await open_database(path)
    assert path.read_bytes() == b"the accounts of 1987" * 100  # noqa: ASYNC240
    assert _find_left(before) == []


async def test_the_folder_is_made_if_need_be(tmp_path: Path) -> None:
    async with open_rig(tmp_path / "new" / "deeper" / "textbridge.db") as rig:
        assert rig.database.path.exists()


async def test_what_was_committed_is_there_after_a_restart(path: Path) -> None:
    async with open_rig(path) as rig:
        await _add(rig.database, "kept")
    async with open_rig(path) as rig:
        assert rig.look(_NAMES) == [("kept",)]
