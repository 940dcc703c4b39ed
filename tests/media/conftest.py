"""The bench on which pictures go both ways: the carrier's simulator stands on this machine, so private hosts are allowed."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.bridge.harness import Bench, open_bench


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    """Return the whole program between two simulated platforms."""
    async with open_bench(media_allow_private_hosts=True) as opened:
        yield opened
