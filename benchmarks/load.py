"""
The load: keep-alive connections on one epoll, requests rendered beforehand, every answer's status looked at.

Written here because the usual tools need installing and send one body over and over; a duplicate is not what is to be
measured. It costs some ten microseconds a request, a few per cent of the quickest server measured with it.
"""

from __future__ import annotations

import gc
import re
import select
import socket
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

#: How long nothing may come back, in seconds, before what is still open counts as failed.
PATIENCE = 30.0

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CLOSES = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)
_OK = b"HTTP/1.1 200"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What a load met."""

    seconds: float  #: From the first request to the last answer.
    latencies: Sequence[float]  #: Of the answered ones, in seconds, in no order.
    began: float  #: On the machine's monotonic clock.
    errors: int  #: Requests that got anything but a whole answer with status 200.

    @property
    def rate(self) -> float:
        """Return answered requests a second."""
        return len(self.latencies) / self.seconds

    def percentile(self, percent: float) -> float:
        """Return the latency, in seconds, that *percent* of the requests did not exceed."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))] if ordered else float("inf")


@dataclass(slots=True)
class _Plug:
    """One connection."""

    socket: socket.socket
    since: float = 0.0  #: When the request under way was sent, or was due.
    answer: bytes = b""


class Load:
    """A set of open connections to the server on *port*. Use it in a `with` block."""

    def __init__(self, port: int, connections: int) -> None:
        self._port = port
        self._poll = select.epoll()
        self._plugs: dict[int, _Plug] = {}
        self._idle: deque[_Plug | None] = deque()  #: None: closed, to be opened anew when there is something to send.
        for _ in range(connections):
            self._idle.append(self._open())

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close every connection."""
        for plug in self._plugs.values():
            plug.socket.close()
        self._poll.close()

    def _open(self) -> _Plug:
        plug = _Plug(socket.create_connection(("127.0.0.1", self._port), timeout=PATIENCE))
        plug.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._plugs[plug.socket.fileno()] = plug
        self._poll.register(plug.socket.fileno(), select.EPOLLIN)
        return plug

    def run(self, requests: Sequence[bytes], *, rate: float | None = None) -> Run:
        """
        Send all *requests*, and return when the last is answered.

        Without *rate* each connection sends its next as soon as it has its answer: the server is saturated. With it,
        that many are due a second whatever comes back, and a latency counts from the moment a request was due.
        """
        waiting = deque(requests)
        latencies: list[float] = []
        errors = 0
        collects = gc.isenabled()
        gc.disable()
        began = moved = time.perf_counter()
        due = began
        try:
            while len(latencies) + errors < len(requests):
                now = time.perf_counter()
                while waiting and self._idle and (rate is None or due <= now):
                    self._send(waiting.popleft(), now if rate is None else due)
                    if rate is not None:
                        due += 1 / rate
                is_next_known = rate is not None and bool(waiting) and bool(self._idle)
                ready = self._await_answers(max(0.0, due - now) if is_next_known else PATIENCE)
                now = time.perf_counter()
                for descriptor, _ in ready:
                    outcome = self._receive(self._plugs[descriptor], now)
                    if outcome is None:
                        continue
                    moved = now
                    if outcome < 0:
                        errors += 1
                    else:
                        latencies.append(outcome)
                if now - moved > PATIENCE and not (rate and due > now):
                    errors = len(requests) - len(latencies)
        finally:
            if collects:
                gc.enable()
        return Run(seconds=time.perf_counter() - began, began=began, latencies=latencies, errors=errors)

    def _await_answers(self, seconds: float) -> list[tuple[int, int]]:
        """
        Return what can be read, waiting for it no longer than *seconds*.

        Asleep, and not asking again and again: what the disk has to say may come to this core, and the kernel's own work
        for a commit then waits here until the load's share of the processor is used up, for four milliseconds or more.
        """
        if seconds < PATIENCE:
            select.select([self._poll], [], [], seconds)  # epoll itself counts in milliseconds
            seconds = 0
        return self._poll.poll(seconds)

    def _send(self, request: bytes, since: float) -> None:
        plug = self._idle.popleft() or self._open()
        plug.since = since
        plug.socket.sendall(request)

    def _receive(self, plug: _Plug, now: float) -> float | None:
        """Return the latency of an answer that is whole, -1 for a failure, None while more of it must come."""
        descriptor = plug.socket.fileno()
        try:
            data = plug.socket.recv(65_536)
        except OSError:
            data = b""
        plug.answer += data
        head, found, rest = plug.answer.partition(b"\r\n\r\n")
        length = _LENGTH.search(head) if found else None
        whole = bool(found) and (length is None or len(rest) >= int(length[1]))
        if data and not whole:
            return None
        succeeded = whole and head.startswith(_OK)
        if not data or _CLOSES.search(head):
            self._poll.unregister(descriptor)
            del self._plugs[descriptor]
            plug.socket.close()
            self._idle.append(None)
        else:
            plug.answer = b""
            self._idle.append(plug)
        return now - plug.since if succeeded else -1.0
