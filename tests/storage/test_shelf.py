"""A copy that is given up leaves nothing behind."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot.chance import SeededChance
from bot.domain.ids import MediaId
from storage.shelf import FileShelf


@pytest.mark.parametrize("turns", range(4))
async def test_a_copy_given_up_at_its_beginning_leaves_neither_a_file_nor_an_open_one(
    tmp_path: Path, turns: int
) -> None:
    shelf = FileShelf(tmp_path / "media", SeededChance(1))
    putting = asyncio.create_task(shelf.put(MediaId("a"), b"x" * 100_000))
    for _ in range(turns):
        await asyncio.sleep(0)
    putting.cancel()
    given_up = (await asyncio.gather(putting, return_exceptions=True))[0] is not None
    await asyncio.get_running_loop().shutdown_default_executor()  # what threads were still at is done

    left = [path.name for path in (tmp_path / "media").glob("*")]
    assert left == ([] if given_up else ["a"])
