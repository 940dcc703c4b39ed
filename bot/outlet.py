"""
Where log lines go: out of the process, as long as somebody takes them, and never so that the program waits for it.

A pipe takes 64 KiB that nobody has read, and whoever writes more to it stands still: a stuck collector of logs would have
webhooks go unanswered, and SIGTERM unheard. So what cannot be written at once waits here, up to a limit, and what is
beyond it is left out and counted. It is written on with the next line, or at the end.
"""

from __future__ import annotations

import os
import select
import stat
from collections import deque
from collections.abc import Callable

#: What a pipe that has room takes at once and whole: PIPE_BUF of Linux. macOS' is less, and has it written in part.
_AT_ONCE = 4096
#: How much may wait, in bytes.
_MOST_WAITING = 1_000_000


class Outlet:
    """A stream for a log handler: takes lines, and writes them to *descriptor* as that takes them."""

    def __init__(
        self,
        descriptor: int,
        tell_left_out: Callable[[int], str],
        *,
        encoding: str = "utf-8",
        most_waiting: int = _MOST_WAITING,
    ) -> None:
        """*tell_left_out* returns the line that tells how many were left out."""
        self._descriptor = descriptor
        self._encoding = encoding
        self._tell_left_out = tell_left_out
        self._most_waiting = most_waiting
        self._waiting: deque[bytes] = deque()
        self._bytes_waiting = 0
        self._left_out = 0
        self._room = _watch_room(descriptor)

    def write(self, line: str) -> None:
        """Take *line*, and write what can be written now. Never waits, and never raises for want of a reader."""
        data = line.encode(self._encoding, "backslashreplace")
        if self._bytes_waiting + len(data) > self._most_waiting:
            self.flush()
        if self._bytes_waiting + len(data) > self._most_waiting:
            self._left_out += 1
            return
        self._keep(data)
        self.flush()

    def flush(self) -> None:
        """Write what can be written now."""
        try:
            self._write_waiting()
            if self._left_out and not self._waiting:
                told, self._left_out = self._tell_left_out(self._left_out), 0
                self._keep(told.encode(self._encoding, "backslashreplace"))
                self._write_waiting()
        except BlockingIOError:  # somebody else made it so: what waits goes on waiting
            pass
        except OSError:  # nobody reads it any more, or its disk is full
            self._waiting.clear()
            self._bytes_waiting = 0

    def _keep(self, data: bytes) -> None:
        self._waiting.append(data)
        self._bytes_waiting += len(data)

    def _write_waiting(self) -> None:
        while self._waiting and self._has_room():
            first = self._waiting[0]
            written = os.write(self._descriptor, first[:_AT_ONCE])
            self._bytes_waiting -= written
            if written == len(first):
                self._waiting.popleft()
            else:
                self._waiting[0] = first[written:]

    def _has_room(self) -> bool:
        return self._room is None or bool(self._room.poll(0))


def _watch_room(descriptor: int) -> select.poll | None:
    """Return what tells whether *descriptor* takes something at once; None for a file, which always does."""
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return None
    room = select.poll()
    room.register(descriptor, select.POLLOUT)
    return room
