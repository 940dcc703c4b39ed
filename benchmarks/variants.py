"""
The bridge itself with one thing changed: `python -m benchmarks.variants KIND`, with the bridge's own settings.

- `plain`: nothing, but its flushes counted and slowed down where `benchmarks.slow_disk` is told to.
- `storeless`: what comes is verified, read, given its lane and answered as ever, and kept nowhere.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import aiosqlite

from benchmarks import slow_disk
from bot import app, cli
from bot.domain.job import NewJob
from storage.connection import NearConnection


class _Nowhere:
    """The inbox, switched off."""

    def __init__(self, *_: Any) -> None:
        pass

    async def put(self, _job: NewJob) -> bool:
        return True

    async def note_once(self, _key: str) -> bool:
        return True

    async def is_noted(self, _key: str) -> bool:
        return False

    async def run(self) -> None:
        await asyncio.Event().wait()


async def _commit(connection: NearConnection) -> None:
    slow_disk.count_commit()
    await aiosqlite.Connection.commit(connection)


if __name__ == "__main__":
    slow_disk.install_if_asked()
    setattr(NearConnection, "commit", _commit)  # noqa: B010 - likewise
    if sys.argv[1] == "storeless":
        setattr(app, "GroupedInbox", _Nowhere)  # noqa: B010 - what it is made of is changed, on purpose
    sys.exit(cli.main(["serve"]))
