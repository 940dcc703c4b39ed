"""Whether the platforms take our credentials: told in time, whatever they do."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import aiohttp
import pytest

from bot.errors import RetryLater
from bot.gateways.access import Access
from bot.observe import Metrics
from tests.contracts.wire import Line, Wire, open_wire


async def test_a_platform_that_says_nothing_is_given_up_on_and_can_be_asked_again() -> None:
    async def say_nothing(line: Line, wire: Wire) -> None:
        wire.requests.append(await line.read_request())
        await asyncio.get_running_loop().create_future()

    async with open_wire(say_nothing) as wire, aiohttp.ClientSession() as session:
        access = Access(session, Metrics(), patience=timedelta(milliseconds=50))
        for _ in range(2):
            with pytest.raises(RetryLater, match="cannot be reached: TimeoutError"):
                await access.check_carrier(wire.url, "KEYmade-up")
    assert len(wire.requests) == 2
