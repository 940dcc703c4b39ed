"""
Moving what was committed from the log to the database file, by a thread of its own.

SQLite would do it at the end of every thousandth page's commit, and whoever waits for that commit would wait for the
checkpoint too: the longer the file, the farther apart the pages. Here the thread moves them while others go on writing
(PASSIVE). Only what was written meanwhile is left then. That is moved too, with writers kept out for a moment, so that the
log begins anew (TRUNCATE): by the thread when nothing more comes, and in a burst, when the log has grown too long, by the
writer itself between two commits, for the thread would hardly ever get a word in.
"""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

#: From so many bytes on, the log is moved.
BEGIN = 4 * 1024 * 1024
#: From so many on, it is emptied between two commits. A burst may go on beyond, for as long as moving takes.
MOST = 32 * 1024 * 1024
#: The pages, of 4096 bytes, at which SQLite moves them itself at the end of a commit, should the thread not keep up.
LAST_RESORT_PAGES = 20_000
#: How long nothing more must come before the log is emptied, in seconds.
_QUIET = 1.0
#: How long the thread waits for others who have the file, in milliseconds; it comes back.
_PATIENCE_MILLISECONDS = 200
#: How often a long log is moved before what is left is thought to be little enough.
_MOST_ROUNDS = 5
#: A page and its head, in the log.
_FRAME = 4096 + 24


class Checkpoints:
    """The checkpoints of the database at *path*. The thread begins with the first that is due, and ends with `close`."""

    def __init__(self, path: Path, *, begin: int = BEGIN, most: int = MOST, quiet: float = _QUIET) -> None:
        self._path = path
        self._log = path.with_name(f"{path.name}-wal")
        self._begin = begin
        self._most = most
        self._quiet = quiet
        self._due_from = (
            begin  #: A log that was moved is written over from its beginning, and grows no more until its end.
        )
        self._is_moved = False  #: Too long, and all that stood in it some milliseconds ago is moved.
        self._wanted = threading.Event()
        self._closing = False
        self._thread: threading.Thread | None = None

    def measure(self) -> int:
        """Return the log's length in bytes."""
        try:
            return self._log.stat().st_size
        except OSError:  # not there yet, or no longer
            return 0

    def notice_commit(self) -> bool:
        """
        Have the log moved if it has grown long; call it after each commit, it takes a few microseconds.

        True: it is too long and most of it is moved, so that emptying it now takes a moment.
        """
        if self._closing or self.measure() < self._due_from:
            return False
        if self._is_moved:
            self._is_moved = False
            self._due_from = self._begin
            return True
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="checkpoints", daemon=True)
            self._thread.start()
        self._wanted.set()
        return False

    def close(self) -> None:
        """End the thread, after the checkpoint that it may be at."""
        self._closing = True
        self._wanted.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        connection = sqlite3.connect(self._path, isolation_level=None)
        try:
            connection.execute(f"PRAGMA busy_timeout = {_PATIENCE_MILLISECONDS}")
            while True:
                came = self._wanted.wait(self._quiet if self.measure() >= self._begin else None)
                if self._closing:
                    return
                self._wanted.clear()
                self._move(connection, is_quiet=not came)
        finally:
            connection.close()

    def _move(self, connection: sqlite3.Connection, *, is_quiet: bool) -> None:
        try:
            length = self._move_beside(connection)
            if is_quiet:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
                length = self.measure()
        except sqlite3.OperationalError:
            return  # locked, full or failing: that is told by whoever writes, and the next commit brings us back here
        self._is_moved = length >= self._most
        self._due_from = min(max(self._begin, length + 1), self._most)

    def _move_beside(self, connection: sqlite3.Connection) -> int:
        """Move the log while others write, again if much came meanwhile, and return its length."""
        length = 0
        for _ in range(_MOST_ROUNDS):
            ((_, _, moved),) = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
            length = self.measure()
            if length < self._most or length - moved * _FRAME <= self._begin:
                break
        return length
