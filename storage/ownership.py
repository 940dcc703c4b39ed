"""One process for each database: what a dead process left running is then known to be nobody's."""

from __future__ import annotations

import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import IO

from bot.clock import Clock
from bot.errors import Broken
from bot.observe import Log

_log = Log("database")

#: How long to wait for a process that is just stopping: a restart may overlap.
PATIENCE = timedelta(seconds=12)
_LOOK_AGAIN = timedelta(milliseconds=200)


@asynccontextmanager
async def own_database(path: Path, clock: Clock) -> AsyncIterator[None]:
    """
    Hold the database at *path* for this process alone.

    Raises Broken when another process holds it and does not let go within PATIENCE, or when the folder cannot be written.
    The kernel lets go of the lock when the process ends, however it ends.
    """
    with _open_lock(path) as file:
        give_up_at = clock.monotonic() + PATIENCE.total_seconds()
        waited = False
        while not _try_lock(file):
            if clock.monotonic() >= give_up_at:
                file.seek(0)
                message = (
                    f"Another Textbridge (process {file.read().strip() or 'unknown'}) is using this database. "
                    "Stop it first, or set DATABASE_URL to a file of its own."
                )
                raise Broken(message, person=message)
            if not waited:
                _log.info("Another process still uses the database; waiting for it to stop.")
                waited = True
            await clock.sleep(_LOOK_AGAIN)
        with suppress(OSError):  # the disk is full: the lock holds without a word of whose it is
            os.ftruncate(file.fileno(), 0)
            os.write(file.fileno(), str(os.getpid()).encode())
        yield


def _open_lock(path: Path) -> IO[str]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # By whatever links it is named: SQLite follows them, too.
        real = path.resolve()
        return real.with_name(real.name + ".lock").open("a+")
    except OSError as error:
        message = f"The database cannot be kept there: {error}. Set DATABASE_URL to another place."
        raise Broken(message, person=message) from error


def _try_lock(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
