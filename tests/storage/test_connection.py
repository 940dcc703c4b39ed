"""What is quick runs at once, on the loop's thread; what may take long never does."""

from __future__ import annotations

import asyncio
import re
import sqlite3
import threading
from contextlib import closing

import pytest

from storage import audit, conversations, deliveries, messages, queue, recurrences, schedules
from storage.connection import BEGIN, LAST_ROW, NearConnection, change, insert
from tests.storage.rig import Rig

_HERE = "SELECT who() FROM facts WHERE name = ?"
_READS_ALL = "SELECT who() FROM facts WHERE value = ?"
_ADD = "INSERT INTO facts VALUES (?, 'x')"


@pytest.fixture
async def writer(rig: Rig) -> NearConnection:
    writer = rig.database._writer
    assert isinstance(writer, NearConnection)
    await writer.create_function("who", 0, threading.get_ident)
    await writer.execute_fetchall(_ADD, ("a",))
    return writer


async def _find_thread(writer: NearConnection, sql: str, *values: str) -> int:
    ((thread,),) = await writer.execute_fetchall(sql, values)
    return int(thread)


async def test_a_search_by_an_index_runs_where_it_is_asked_for(writer: NearConnection) -> None:
    assert await _find_thread(writer, _HERE, "a") == threading.get_ident()


async def test_what_reads_a_whole_table_goes_to_the_thread(writer: NearConnection) -> None:
    assert await _find_thread(writer, _READS_ALL, "x") != threading.get_ident()


async def test_a_count_goes_to_the_thread_even_if_it_looks_quick(writer: NearConnection) -> None:
    ((thread,),) = await writer.scan(_HERE, ("a",))
    assert thread != threading.get_ident()


async def test_a_write_runs_at_once_within_a_transaction_only(writer: NearConnection) -> None:
    sql = "INSERT INTO facts VALUES (?, who()) RETURNING value"
    assert await _find_thread(writer, sql, "b") != threading.get_ident()  # it would wait for the disk
    await writer.execute_fetchall("BEGIN IMMEDIATE")
    assert await _find_thread(writer, sql, "c") == threading.get_ident()
    await writer.execute_fetchall("ROLLBACK")


@pytest.mark.parametrize("earlier", [0, 1, 3])
async def test_a_file_that_another_process_holds_is_waited_for_on_the_thread_however_often_it_was_free_before(
    rig: Rig, writer: NearConnection, earlier: int
) -> None:
    await writer.execute_fetchall("PRAGMA busy_timeout = 5000")
    for _ in range(earlier):
        await writer.execute_fetchall(BEGIN)
        await writer.execute_fetchall("ROLLBACK")
    with closing(sqlite3.connect(rig.database.path, isolation_level=None)) as other:
        other.execute(BEGIN)
        waiting = asyncio.ensure_future(writer.execute_fetchall(BEGIN))
        for _ in range(5):
            await asyncio.sleep(0)
        assert not waiting.done()
        other.execute("ROLLBACK")
    await waiting
    await writer.execute_fetchall("ROLLBACK")


async def test_while_the_thread_is_at_work_what_is_quick_waits_behind_it(writer: NearConnection) -> None:
    go_on = threading.Event()
    await writer.create_function("block", 0, lambda: go_on.wait(10))
    blocked = asyncio.ensure_future(writer.execute_fetchall("SELECT block()"))
    await asyncio.sleep(0)
    behind = asyncio.ensure_future(_find_thread(writer, _HERE, "a"))
    for _ in range(5):
        await asyncio.sleep(0)
    assert not behind.done()
    go_on.set()
    await blocked
    assert await behind != threading.get_ident()
    assert await _find_thread(writer, _HERE, "a") == threading.get_ident()


async def test_one_who_is_cancelled_does_not_let_others_overtake_what_still_runs(writer: NearConnection) -> None:
    go_on = threading.Event()
    await writer.create_function("block", 0, lambda: go_on.wait(10))
    blocked = asyncio.ensure_future(writer.execute_fetchall("SELECT block()"))
    await asyncio.sleep(0)
    blocked.cancel()
    await asyncio.gather(blocked, return_exceptions=True)
    behind = asyncio.ensure_future(_find_thread(writer, _HERE, "a"))
    await asyncio.sleep(0)
    assert not behind.done()
    go_on.set()
    assert await behind != threading.get_ident()


async def test_a_closed_connection_says_so(rig: Rig, writer: NearConnection) -> None:
    await rig.database.close()
    with pytest.raises(ValueError, match="closed"):
        await writer.execute_fetchall(_HERE, ("a",))


def count_parameters(sql: str) -> int:
    """Return how many parameters *sql* takes."""
    return sql.count("?") if "?1" not in sql else max(map(int, re.findall(r"\?(\d+)", sql)))


async def test_what_each_text_needs_runs_at_once(writer: NearConnection) -> None:
    """Whatever refers to messages needs an index, or the plan of each INSERT into them reads a whole table."""
    hot = (
        *(messages._ADD, messages._GET, messages._BY_CARRIER_ID, messages._IN_SLACK, messages._RECENT),
        *(messages._write_update(("state", "carrier_id")), messages._write_update(("channel_id", "slack_ts"))),
        *(conversations._CREATE, conversations._FIND, conversations._GET, conversations._FIND_BY_THREAD),
        *(conversations._ADD_THREAD, conversations._OPEN_THREAD, conversations._TOUCH),
        *(deliveries._ADD_REQUEST, deliveries._FIND_REQUEST, deliveries._OPEN_ATTEMPT, deliveries._CLOSE_ATTEMPT),
        *(deliveries._OF_COPY, deliveries._OF_MESSAGE, deliveries._PUT),
        *(
            queue.INSERT,
            queue._INSERT_CLAIMED,
            queue._FINISH,
            queue._PARK,
            queue._PROMOTE,
            queue._DUE,
            queue._CLAIM,
            queue._IS_ANY_DUE,
            queue._IS_ANY_WAITING,
            queue._IS_BUSY,
            queue._IS_POOL_BUSY,
            LAST_ROW,
        ),
        *(queue._NEXT_DUE, schedules._UNLESS_REPLY, schedules._IS_ANY_UNLESS_REPLY, recurrences._ACTIVE_IN),
    )
    await writer.execute_fetchall("BEGIN IMMEDIATE")
    assert [sql for sql in hot if not writer._is_quick(sql, (None,) * count_parameters(sql))] == []
    await writer.execute_fetchall("ROLLBACK")


@pytest.mark.parametrize(
    "sql", [queue.INSERT, queue._INSERT_CLAIMED, queue._CLAIM, queue._FINISH, messages._ADD, audit._RECORD]
)
async def test_no_row_that_each_text_writes_has_a_table_made_on_its_way(writer: NearConnection, sql: str) -> None:
    """SQLite makes one for RETURNING, and for a list of more than two in a CHECK, each time anew."""
    program = await writer.execute_fetchall(f"EXPLAIN {sql}", (None,) * count_parameters(sql))
    assert "OpenEphemeral" not in {step["opcode"] for step in program}


async def test_what_a_change_comes_to_is_told(rig: Rig) -> None:
    sql = "INSERT INTO audit (key, at, actor, action, numbers, detail) VALUES (?, 1, 'a', 'b', '', '{}') ON CONFLICT DO NOTHING"
    async with rig.database.write() as connection:
        assert [await insert(connection, sql, (key,)) for key in "aba"] == [1, 2, None]
        assert await change(connection, "INSERT INTO facts VALUES ('a', ''), ('b', '')") == 2
        assert await change(connection, "UPDATE facts SET value = name WHERE name = 'c'") == 0
        assert await change(connection, "UPDATE facts SET value = name") == 2  # on the thread: it reads a whole table


async def test_what_a_text_takes_back_is_found_without_looking_at_all_of_its_conversation(
    writer: NearConnection,
) -> None:
    plan = await writer.execute_fetchall(f"EXPLAIN QUERY PLAN {schedules._UNLESS_REPLY}", (b"",))
    assert "USING INDEX schedules_unless_reply" in plan[0]["detail"]
    assert not any("messages_of_conversation" in step["detail"] for step in plan)


async def test_what_looks_at_all_texts_does_not_hold_up_the_loop(writer: NearConnection) -> None:
    for sql, count in (
        (messages._SILENT.format(final="?"), 3),
        (messages._OUTBOUND_TO.format(states="?"), 2),
        (conversations._FIND_WITH, 1),
    ):
        assert not writer._is_quick(sql, (None,) * count)


async def test_what_became_of_texts_lately_is_counted_without_looking_at_all_of_them(writer: NearConnection) -> None:
    plan = await writer.execute_fetchall(f"EXPLAIN QUERY PLAN {deliveries._COUNT_OUTCOMES}", (0,))
    assert [step["detail"] for step in plan if step["detail"].startswith("SCAN")] == []
