"""
One suite for each port, run against every implementation of it.

A new implementation is added to the list below, and nowhere else.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.clock import ManualClock
from bot.ports import Inbox, Store, Workbench
from tests.storage.rig import open_rig, running


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One implementation of the ports that keep things, and the clock that it goes by."""

    store: Store
    workbench: Workbench
    inbox: Inbox
    clock: ManualClock


@asynccontextmanager
async def _open_sqlite(folder: Path) -> AsyncIterator[Kept]:
    async with open_rig(folder / "textbridge.db") as rig, running(rig.inbox):
        yield Kept(store=rig.store, workbench=rig.workbench, inbox=rig.inbox, clock=rig.clock)


IMPLEMENTATIONS: dict[str, Callable[[Path], AbstractAsyncContextManager[Kept]]] = {"sqlite": _open_sqlite}


@pytest.fixture(params=sorted(IMPLEMENTATIONS))
async def kept(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Kept]:
    """Return one implementation, empty."""
    async with IMPLEMENTATIONS[request.param](tmp_path) as opened:
        yield opened


@pytest.fixture
def store(kept: Kept) -> Store:
    """Return what is kept."""
    return kept.store


@pytest.fixture
def workbench(kept: Kept) -> Workbench:
    """Return the queue as workers see it."""
    return kept.workbench


@pytest.fixture
def inbox(kept: Kept) -> Inbox:
    """Return where requests leave what came in."""
    return kept.inbox


@pytest.fixture
def clock(kept: Kept) -> ManualClock:
    """Return the clock that all of it goes by."""
    return kept.clock
