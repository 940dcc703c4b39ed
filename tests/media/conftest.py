"""The bench on which pictures go both ways. Private hosts are allowed, for the simulators stand on this machine."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.bridge.harness import Bench, open_bench


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    """Return the whole program between two simulated platforms."""
    async with open_bench(media_allow_private_hosts=True) as opened:
        yield opened
