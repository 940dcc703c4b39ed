"""The log is moved beside the commits, not in them, stays short, and nothing is left behind."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from storage.checkpoints import BEGIN, LAST_RESORT_PAGES, MOST, Checkpoints
from storage.database import BUSY_MILLISECONDS
from tests.storage.rig import Rig, open_rig

_ADD = "INSERT INTO facts VALUES (?, ?)"
_COUNT = "SELECT COUNT(*) FROM facts WHERE name LIKE 'n%'"
_KILOBYTE = 1024
_MEGABYTE = 1024 * _KILOBYTE
_LARGE = "x" * 30 * _KILOBYTE


@asynccontextmanager
async def _open(path: Path, checkpoints: Checkpoints, *, last_resort: int = 0) -> AsyncIterator[Rig]:
    """Open a database with *checkpoints*, and SQLite's own only from *last_resort* pages on (0: never)."""
    async with open_rig(path) as rig:
        rig.database._checkpoints = checkpoints
        await rig.tell_writer(f"PRAGMA wal_autocheckpoint = {last_resort}")
        await rig.tell_writer(f"PRAGMA busy_timeout = {BUSY_MILLISECONDS}")  # writers are kept out for a moment
        yield rig


async def _write(rig: Rig, first: int, count: int) -> int:
    """Commit *count* large rows one by one, and return how long the log was at its longest."""
    longest = 0
    for number in range(first, first + count):
        async with rig.database.write() as connection:
            await connection.execute_fetchall(_ADD, (f"n{number}", _LARGE))
        longest = max(longest, rig.database._checkpoints.measure())
    return longest


def _list_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "checkpoints"]


class _Held(Checkpoints):
    """Checkpoints, each of which stays under way until it is let go on."""

    def __init__(self, path: Path, *, most: int = MOST) -> None:
        super().__init__(path, begin=_KILOBYTE, most=most, quiet=60)
        self.under_way = threading.Event()
        self.go_on = threading.Event()

    def _move(self, connection: sqlite3.Connection, *, is_quiet: bool) -> None:
        self.under_way.set()
        self.go_on.wait(10)
        super()._move(connection, is_quiet=is_quiet)


def test_the_promised_bound_has_room_for_what_is_written_while_the_log_is_moved() -> None:
    assert BEGIN < MOST < LAST_RESORT_PAGES * 4096 < 128 * _MEGABYTE


async def test_in_a_burst_the_log_stays_short(path: Path) -> None:
    checkpoints = Checkpoints(path, begin=64 * _KILOBYTE, most=256 * _KILOBYTE)
    async with _open(path, checkpoints, last_resort=1_000) as rig:
        assert 64 * _KILOBYTE < await _write(rig, 0, 1_500) < 20 * _MEGABYTE  # of more than forty that were written
        assert rig.look(_COUNT) == [(1_500,)]
    assert path.stat().st_size > 40 * _MEGABYTE  # noqa: ASYNC240 - nobody else runs here


async def test_a_log_that_is_too_long_is_emptied_between_two_commits_once_it_is_moved(path: Path) -> None:
    held = _Held(path, most=256 * _KILOBYTE)
    async with _open(path, held) as rig:
        assert await _write(rig, 0, 20) > 256 * _KILOBYTE
        held.go_on.set()
        while not held._is_moved:  # noqa: ASYNC110 - a thread sees to it
            await asyncio.sleep(0)
        await _write(rig, 20, 2)  # the second comes after what the first brought about

        assert held.measure() < 256 * _KILOBYTE
        assert rig.look(_COUNT) == [(22,)]


async def test_a_log_that_begins_anew_is_written_over_from_its_head_and_its_file_stays_as_it_is(path: Path) -> None:
    held = _Held(path, most=512 * _KILOBYTE)
    async with _open(path, held) as rig:
        await _write(rig, 0, 20)
        held.go_on.set()
        while not held._is_moved:  # noqa: ASYNC110 - a thread sees to it
            await asyncio.sleep(0)
        await _write(rig, 20, 1)
        length = held.measure()

        assert length > 512 * _KILOBYTE
        assert await _write(rig, 21, 10) == length
        assert rig.look(_COUNT) == [(31,)]


async def test_should_the_thread_not_keep_up_the_log_is_moved_with_a_commit(path: Path) -> None:
    checkpoints = Checkpoints(path)
    checkpoints.close()
    async with _open(path, checkpoints, last_resort=250) as rig:
        assert await _write(rig, 0, 200) < 2 * _MEGABYTE
        assert rig.look(_COUNT) == [(200,)]


@pytest.mark.skipif(sys.platform != "linux", reason="threads have no priority of their own")
async def test_whoever_answers_goes_before_the_thread(path: Path) -> None:
    checkpoints = _Held(path)
    async with _open(path, checkpoints) as rig:
        await _write(rig, 0, 1)
        await asyncio.to_thread(checkpoints.under_way.wait, 10)
        (thread,) = _list_threads()
        assert thread.native_id is not None
        assert os.getpriority(os.PRIO_PROCESS, thread.native_id) > os.getpriority(os.PRIO_PROCESS, 0)
        checkpoints.go_on.set()


async def test_no_commit_waits_for_a_checkpoint_under_way(path: Path) -> None:
    held = _Held(path)
    async with _open(path, held) as rig:
        await _write(rig, 0, 1)
        while not held.under_way.is_set():  # noqa: ASYNC110 - it is set by a thread
            await asyncio.sleep(0)
        await _write(rig, 1, 20)

        assert not held.go_on.is_set()
        assert rig.look(_COUNT) == [(21,)]
        held.go_on.set()


async def test_when_nothing_more_comes_the_log_is_emptied(path: Path) -> None:
    async with _open(path, Checkpoints(path, begin=64 * _KILOBYTE, quiet=0.02)) as rig:
        await _write(rig, 0, 10)
        while rig.database._checkpoints.measure() > 0:  # noqa: ASYNC110 - a thread sees to it
            await asyncio.sleep(0)

        assert rig.look(_COUNT) == [(10,)]
        await _write(rig, 10, 1)
        assert rig.look(_COUNT) == [(11,)]


async def test_a_little_brings_no_thread_up(path: Path) -> None:
    async with _open(path, Checkpoints(path)) as rig:
        await _write(rig, 0, 3)
        assert _list_threads() == []


async def test_closing_ends_the_thread_after_the_checkpoint_that_it_is_at(path: Path) -> None:
    held = _Held(path)
    async with _open(path, held) as rig:
        await _write(rig, 0, 1)
        while not held.under_way.is_set():  # noqa: ASYNC110 - it is set by a thread
            await asyncio.sleep(0)
        closing = asyncio.create_task(rig.database.close())
        await asyncio.sleep(0)
        assert not closing.done()
        held.go_on.set()
        await closing
        assert _list_threads() == []


async def test_a_file_held_by_others_is_left_for_later(path: Path) -> None:
    async with _open(path, Checkpoints(path, begin=64 * _KILOBYTE, quiet=0.02)) as rig:
        reader = sqlite3.connect(path, isolation_level=None)
        try:
            reader.execute("BEGIN")
            reader.execute(_COUNT).fetchall()
            await _write(rig, 0, 10)
            assert rig.look(_COUNT) == [(10,)]
            reader.execute("COMMIT")
        finally:
            reader.close()
        while rig.database._checkpoints.measure() > 0:  # noqa: ASYNC110 - a thread sees to it
            await asyncio.sleep(0)
        assert rig.look(_COUNT) == [(10,)]
