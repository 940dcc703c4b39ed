"""Fixtures for everything that stands on a real database file."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.storage.rig import Rig, open_rig


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the database will be; no file is there yet."""
    return tmp_path / "textbridge.db"


@pytest.fixture
async def rig(path: Path) -> AsyncIterator[Rig]:
    """Return the storage floor on a fresh file."""
    async with open_rig(path) as opened:
        yield opened
