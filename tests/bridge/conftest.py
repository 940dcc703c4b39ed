"""The bench with the settings that most tests want."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.bridge.harness import Bench, open_bench


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    """Return the whole program between two simulated platforms."""
    async with open_bench() as opened:
        yield opened
