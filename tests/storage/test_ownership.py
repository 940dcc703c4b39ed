"""One process for each database: whoever comes second waits a while, and is told who has it."""

from __future__ import annotations

import asyncio
import os
import resource
from pathlib import Path

import pytest

from bot.clock import ManualClock
from bot.errors import Broken
from storage.ownership import PATIENCE, own_database


async def _is_refused(path: Path) -> str:
    """Return what is said to a second owner of the file at *path*, who waits in vain."""
    clock = ManualClock()

    async def own() -> None:
        async with own_database(path, clock):
            pass

    waiting = asyncio.ensure_future(own())
    for _ in range(int(PATIENCE.total_seconds())):
        await asyncio.sleep(0)
        assert not waiting.done()
        await clock.advance(PATIENCE / 11)
    with pytest.raises(Broken) as told:
        await waiting
    return told.value.person


async def test_a_second_owner_is_refused_and_told_who_has_it(tmp_path: Path) -> None:
    async with own_database(tmp_path / "bridge.db", ManualClock()):
        assert f"(process {os.getpid()})" in await _is_refused(tmp_path / "bridge.db")


async def test_by_whatever_name_it_is_the_same_database(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "link.db").symlink_to("data/bridge.db")
    (tmp_path / "folder").symlink_to("data")
    async with own_database(tmp_path / "link.db", ManualClock()):
        for name in ("data/bridge.db", "folder/bridge.db", "data/../link.db"):
            await _is_refused(tmp_path / name)


async def test_a_full_disk_keeps_nobody_from_owning_it(tmp_path: Path) -> None:
    usual, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, most))  # no file takes a byte more
    try:
        async with own_database(tmp_path / "bridge.db", ManualClock()):
            pass
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (usual, most))
    assert (tmp_path / "bridge.db.lock").read_bytes() == b""


async def test_a_place_that_looks_writable_and_is_not_is_told_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "bridge.db.lock").mkdir()
    with pytest.raises(Broken, match=r"cannot be kept there.* Set DATABASE_URL"):
        async with own_database(tmp_path / "bridge.db", ManualClock()):
            pass


async def test_who_lets_go_lets_the_next_one_in(tmp_path: Path) -> None:
    path = tmp_path / "bridge.db"
    for _ in range(2):
        async with own_database(path, ManualClock()):
            pass
