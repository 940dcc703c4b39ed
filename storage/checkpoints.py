"""
Moving what was committed from the log to the database file, by a thread of its own.

SQLite would do it at the end of every thousandth page's commit, and whoever waits for that commit would wait for the
checkpoint too: the longer the file, the farther apart the pages. Here the thread moves them while others go on writing
(PASSIVE), some megabytes at a time: the fewer times, the more often a page that was written ten times is moved once. Only
what was written meanwhile is left then. That is moved too, with writers kept out for a moment, so that the log begins anew:
by the thread when nothing more comes (TRUNCATE), and in a burst, when the log has grown too long, by the writer itself
between two commits (RESTART), for the thread would hardly ever get a word in. A log that begins anew at the head of its
long file costs a commit a third less than one that grows, for which the file system has to find room.
"""

from __future__ import annotations

import os
import sqlite3
import sys
import threading
from contextlib import suppress
from pathlib import Path

#: From so many bytes on, the log is moved.
BEGIN = 4 * 1024 * 1024
#: From so many on, it begins anew between two commits. A burst may go on beyond, for as long as moving takes.
MOST = 32 * 1024 * 1024
#: Each time the file may be a little longer when the log begins anew; so many times MOST, and it is cut.
_TIMES = 2
#: The pages, of 4096 bytes, at which SQLite moves them itself at the end of a commit, should the thread not keep up.
LAST_RESORT_PAGES = 20_000
_MOVE = "PRAGMA wal_checkpoint(PASSIVE)"
_BEGIN_ANEW = "PRAGMA wal_checkpoint(RESTART)"
_CUT = "PRAGMA wal_checkpoint(TRUNCATE)"

#: How long nothing more must come before the log is emptied, in seconds.
_QUIET = 1.0
#: How long the thread waits for others who have the file, in milliseconds; it comes back.
_PATIENCE_MILLISECONDS = 200
#: How often a long log is moved before what is left is thought to be little enough.
_MOST_ROUNDS = 5
#: How much less of the processor than the threads that answer the thread claims, where both want it. Not all it could give
#: up: at 19 a busy processor would leave it a seventieth, and the log would grow.
_NICER = 10
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
        self._due_from = begin  #: How long the file must be for the log to be moved.
        self._commits = 0
        self._is_moved = False  #: Too long, and all that stood in it some milliseconds ago is moved.
        self._wanted = threading.Event()
        self._closing = False
        self._thread: threading.Thread | None = None

    def measure(self) -> int:
        """Return the length of the log's file in bytes; the log itself may have begun anew, and end before."""
        try:
            return self._log.stat().st_size
        except OSError:  # not there yet, or no longer
            return 0

    def notice_commit(self) -> str | None:
        """
        Have the log moved if it has grown long; call it after each commit, it takes a few microseconds.

        Returns the statement with which the log begins anew where that takes a moment: it is too long, and most is moved.
        """
        if self._closing:
            return None
        self._commits += 1
        length = self.measure()
        if self._is_moved:
            self._is_moved = False
            is_cut = length > _TIMES * self._most
            self._due_from = self._begin if is_cut else length + self._begin
            return _CUT if is_cut else _BEGIN_ANEW
        if length < self._due_from:
            return None
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="checkpoints", daemon=True)
            self._thread.start()
        self._wanted.set()
        return None

    def close(self) -> None:
        """End the thread, after the checkpoint that it may be at."""
        self._closing = True
        self._wanted.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        _give_way()
        connection = sqlite3.connect(self._path, isolation_level=None)
        try:
            connection.execute(f"PRAGMA busy_timeout = {_PATIENCE_MILLISECONDS}")
            while not self._closing:
                seen = self._commits
                came = self._wanted.wait(self._quiet if self.measure() >= self._begin else None)
                if not self._closing:
                    self._move(connection, is_quiet=not came and self._commits == seen)
                self._wanted.clear()  # not before: each commit beside the move asked for it again
        finally:
            connection.close()

    def _move(self, connection: sqlite3.Connection, *, is_quiet: bool) -> None:
        try:
            length = self._move_beside(connection)
            if is_quiet:
                connection.execute(_CUT).fetchall()
                length = 0
        except sqlite3.OperationalError:
            return  # locked, full or failing: that is told by whoever writes, and the next commit brings us back here
        self._due_from = self.measure() + self._begin
        self._is_moved = length >= self._most

    def _move_beside(self, connection: sqlite3.Connection) -> int:
        """Move the log while others write, again if much came meanwhile, and return how long it was, in bytes."""
        length = moved_before = 0
        for _ in range(_MOST_ROUNDS):
            ((_, frames, moved),) = connection.execute(_MOVE).fetchall()
            length = frames * _FRAME
            if length < self._most or (frames - moved_before) * _FRAME <= self._begin:
                break
            moved_before = moved
        return length


def _give_way() -> None:
    """
    Have whoever answers go before this thread, where a thread has a priority of its own.

    Moving takes some milliseconds of the processor at a time. Where there is but one, an answer would wait for them.
    """
    if sys.platform == "linux":
        with suppress(OSError):  # some containers forbid it; then it is as quick as all others
            own = os.getpriority(os.PRIO_PROCESS, 0)
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), own + _NICER)
