"""
Whether the files that are open are still those that bear the database's name.

SQLite goes on writing into a file that was moved, removed or replaced by another, and into a log of its like. All of that is
gone when the program ends, and nothing fails until then. So it is looked before each commit, and none is made: whoever
waits for it is told that it is not stored, and sends it again.
"""

from __future__ import annotations

import os
from pathlib import Path

#: The database, and what SQLite keeps beside it while it is open: what is committed may be in the second alone.
_FILES = {
    "": "the database file",
    "-wal": "the file beside the database (-wal)",
    "-shm": "the file beside the database (-shm)",
}
_LOST = "what was stored now would be lost at the next start"


class Whereabouts:
    """Which files bore the names when they were opened."""

    def __init__(self, path: Path) -> None:
        real = path.resolve()  # by whatever links it is named: SQLite follows them, too
        self._files = {f"{real}{suffix}": what for suffix, what in _FILES.items()}
        self._known = {file: _identify(file) for file in self._files}

    def find_trouble(self) -> str | None:
        """Return what has become of them, in words for an operator; None: nothing."""
        for file, what in self._files.items():
            found = _identify(file)
            if self._known[file] is None:
                self._known[file] = found
            elif found is None:
                return f"{what} is no longer where it was: {_LOST}"
            elif found != self._known[file]:
                return f"another file is in the place of {what}: {_LOST}"
        return None


def _identify(file: str) -> tuple[int, int] | None:
    try:
        status = os.stat(file)  # noqa: PTH116 - before each commit, and a Path takes three times as long
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino
