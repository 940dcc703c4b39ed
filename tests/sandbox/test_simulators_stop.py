"""How the simulated platforms, and the demo's page, stop: nobody who just came is left waiting."""

from __future__ import annotations

import asyncio
import gc
import socket
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

import pytest

from bot.clock import SystemClock
from bot.sandbox.world import World

#: The server of each, and how it is stopped.
SERVERS: dict[str, Callable[[World], tuple[str, Callable[[], Awaitable[None]]]]] = {
    "Slack": lambda world: (world.slack.base_url, world.slack.stop),
    "the carrier": lambda world: (world.telnyx.url, world.telnyx.stop),
    "the page": lambda world: (world.page_url, world._page.stop),
}


@pytest.mark.parametrize("turns", range(8))
@pytest.mark.parametrize("name", SERVERS)
async def test_whoever_comes_while_a_server_stops_is_told_so_at_once(name: str, turns: int) -> None:
    """In whichever turn of the loop it comes; a socket that is forgotten instead is a warning, and so a failure."""
    world = World(clock=SystemClock())
    await world.start()
    try:
        url, stop = SERVERS[name](world)
        address = urlsplit(url)
        async with asyncio.timeout(5):
            with socket.create_connection((address.hostname, address.port)) as client:
                client.setblocking(False)
                for _ in range(turns):
                    await asyncio.sleep(0)
                await stop()
                try:
                    said = await asyncio.get_running_loop().sock_recv(client, 1)
                except ConnectionResetError:
                    said = b""
        gc.collect()
        assert said == b""
    finally:
        await world.stop()
