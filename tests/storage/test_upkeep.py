"""Whether the database can be written to: what readiness asks."""

from __future__ import annotations

import resource
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from bot.errors import NotStored
from storage.backup import back_up
from storage.facts import FactRows
from storage.upkeep import Upkeep
from tests.storage.rig import Rig, locked_by_another, open_rig

#: More than a line takes of the log, which goes there by pages, and less than most webhooks do.
_ROOM = 3 * 4_120


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with open_rig(tmp_path / "bridge.db") as rig:
        yield rig


@contextmanager
def _files_up_to(size: int) -> Iterator[None]:
    usual, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (usual, most))


async def test_a_disk_with_room_for_no_more_than_a_line_cannot_be_written_to(rig: Rig) -> None:
    upkeep = Upkeep(rig.database, rig.clock)
    await upkeep.check_writing()
    await rig.tell_writer("PRAGMA wal_checkpoint(TRUNCATE)")  # what is left of it from before would be written over
    log = rig.database.path.with_name(rig.database.path.name + "-wal")

    with _files_up_to(log.stat().st_size + _ROOM):
        async with rig.database.write() as connection:
            await FactRows(connection).set_fact("line", "fits")
        await rig.clock.advance(timedelta(seconds=2))
        with pytest.raises(NotStored):
            await upkeep.check_writing()

    await upkeep.check_writing()


async def test_a_file_that_another_holds_cannot_be_written_to(rig: Rig) -> None:
    upkeep = Upkeep(rig.database, rig.clock)
    async with locked_by_another(rig.database.path):
        with pytest.raises(NotStored, match="locked"):
            await upkeep.check_writing()
    await upkeep.check_writing()


async def test_a_file_that_was_moved_away_cannot_be_written_to(rig: Rig) -> None:
    upkeep = Upkeep(rig.database, rig.clock)
    await upkeep.check_writing()
    moved = rig.database.path.rename(rig.database.path.with_name("moved.db"))
    with pytest.raises(NotStored, match="no longer where it was"):
        await upkeep.check_writing()

    moved.rename(rig.database.path)
    await upkeep.check_writing()


@pytest.mark.parametrize("beside", ["-wal", "-shm"])
async def test_a_file_that_lost_what_lies_beside_it_cannot_be_written_to(rig: Rig, beside: str) -> None:
    upkeep = Upkeep(rig.database, rig.clock)
    await upkeep.check_writing()
    rig.database.path.with_name(rig.database.path.name + beside).unlink()

    with pytest.raises(NotStored, match=f"{beside}. is no longer where it was"):
        await upkeep.check_writing()


async def test_a_file_in_whose_place_another_was_put_cannot_be_written_to(rig: Rig) -> None:
    upkeep = Upkeep(rig.database, rig.clock)
    await upkeep.check_writing()
    path = rig.database.path
    moved, copy = path.with_name("moved.db"), path.with_name("copy.db")
    copy.write_bytes(path.read_bytes())
    path.rename(moved)
    copy.rename(path)
    with pytest.raises(NotStored, match="another file is in the place of the database file"):
        await upkeep.check_writing()

    moved.rename(path)
    await upkeep.check_writing()


async def test_a_file_that_is_used_by_all_who_may_is_still_the_same(rig: Rig, tmp_path: Path) -> None:
    upkeep = Upkeep(rig.database, rig.clock)
    back_up(rig.database.path, tmp_path / "backup.db")
    assert rig.look("SELECT COUNT(*) FROM jobs") == [(0,)]
    await rig.tell_writer("PRAGMA wal_checkpoint(TRUNCATE)")

    await upkeep.check_writing()


async def test_a_damaged_file_is_told_and_no_job_is_to_blame(rig: Rig) -> None:
    upkeep = Upkeep(rig.database, rig.clock)
    await upkeep.check_writing()
    await rig.tell_writer("PRAGMA wal_checkpoint(TRUNCATE)")
    await rig.tell_writer("PRAGMA shrink_memory")
    with rig.database.path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\x5a" * (rig.database.path.stat().st_size - 4096))

    with pytest.raises(NotStored, match="the database is damaged"):
        await rig.database.read("SELECT * FROM messages")

    with pytest.raises(NotStored, match="the database is damaged"):
        await upkeep.check_writing()


async def test_nothing_more_is_committed_to_a_file_that_was_found_damaged(rig: Rig) -> None:
    rig.database.explain(_find_damage())

    with pytest.raises(NotStored, match="put a backup in its place"):
        await Upkeep(rig.database, rig.clock).check_writing()
    assert rig.writer_is_idle


def _find_damage() -> sqlite3.DatabaseError:
    """Return what SQLite says of a file that is none of its own."""
    with closing(sqlite3.connect(":memory:")) as connection:
        try:
            connection.deserialize(b"x" * 4096)
            connection.execute("SELECT * FROM sqlite_master")
        except sqlite3.DatabaseError as error:
            return error
    raise AssertionError
