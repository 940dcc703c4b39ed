"""How few files a process may have open, and what is made of them."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from bot.files import Shares, share_files
from tests.cli.rig import SAM, build_settings, connect, eventually, main_channel, open_world, start_bot

_USUAL = Shares(calls=366)


@pytest.mark.parametrize("allowed", [1024, 1025, 65_536])
def test_where_there_are_enough_everybody_has_what_is_usual(allowed: int) -> None:
    assert share_files(allowed, calls=366) == _USUAL


@pytest.mark.parametrize("allowed", [1, 24, 44, 64, 100, 256, 512, 1000])
def test_where_there_are_few_nobody_has_more_than_there_are_and_nobody_none(allowed: int) -> None:
    shares = share_files(allowed, calls=366)

    assert shares.total <= max(12, allowed - 32)
    assert min(shares.connections, shares.knocking, shares.calls) >= 1
    assert shares.connections <= _USUAL.connections
    assert shares.calls <= _USUAL.calls


async def test_where_there_are_few_idle_strangers_make_room_for_the_platforms(tmp_path: Path) -> None:
    async with open_world() as world, AsyncExitStack() as idle:
        few = ("sh", "-c", 'ulimit -n 64; exec "$@"', "sh")
        async with start_bot(folder=tmp_path, environment=build_settings(world, tmp_path), under=few) as running:
            await connect(world, running)
            url = urlsplit(running.url)
            for _ in range(100):
                _, writer = await asyncio.open_connection(url.hostname, url.port)
                idle.callback(writer.close)

            await world.telnyx.text_in(from_=SAM, to=world.cast.lines[0].number, text="Are you open?")

            await eventually(lambda: world.slack.messages(main_channel(world)), what="that the text is shown")
            assert await running.stop() == 0
        assert not any("ERROR" in line or "Traceback" in line for line in running.err)
        assert any("Few files may be open at once" in line for line in running.err)
