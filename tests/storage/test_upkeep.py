"""Whether the database can be written to: what readiness asks."""

from __future__ import annotations

import resource
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from bot.errors import NotStored
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
