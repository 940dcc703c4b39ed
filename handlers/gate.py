"""
The gate before every request: how many connections, how long for headers and body, how much of each.

A reverse proxy in front does the like; this holds where there is none, and where it passes slow clients on. Whoever has
no connection to lose is never favoured: when all places are taken, the connection that has been idle for longest goes.
Times are the event loop's, for they are about sockets.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from aiohttp import web
from aiohttp.typedefs import Handler

from bot.observe import Log

_log = Log("gate")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one client may ask of us."""

    body_bytes: int = 1024 * 1024  #: The most bytes of a request's body.
    headers_within: timedelta = timedelta(seconds=15)  #: From the first byte of a request, or the connection's begin.
    body_within: timedelta = timedelta(seconds=20)
    look_every: timedelta = timedelta(seconds=1)  #: How often it is looked whose time is up.
    connections: int = 512  #: Open at once; a process may usually have 1024 files.
    line_bytes: int = 8190  #: Of the request line, and of one header.
    headers: int = 64  #: How many headers a request may have.


class Gate:
    """Counts the connections of one web application, and cuts off those that take too long."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._open: dict[asyncio.BaseTransport, _Connection] = {}
        self._watch: asyncio.TimerHandle | None = None

    def guard(self, serve: Callable[[], asyncio.Protocol]) -> Callable[[], asyncio.Protocol]:
        """Return a maker of protocols for a server; *serve* makes those behind the gate."""
        return lambda: _Connection(self, serve())

    def let_in(self, transport: asyncio.BaseTransport, connection: _Connection) -> bool:
        """Count a new connection; False where there is no place, not even an idle one's."""
        if len(self._open) >= self.limits.connections:
            idle = next((each for each in self._open.values() if not each.is_serving), None)
            if idle is None:
                _log.warning("A connection was refused: too many are open.", open=len(self._open))
                return False
            idle.cut()
        self._open[transport] = connection
        if self._watch is None:
            self._look_later()
        return True

    def let_out(self, transport: asyncio.BaseTransport) -> None:
        """Count a connection no more."""
        self._open.pop(transport, None)
        if not self._open and self._watch is not None:
            self._watch.cancel()
            self._watch = None

    def _look_later(self) -> None:
        self._watch = asyncio.get_running_loop().call_later(self.limits.look_every.total_seconds(), self._look)

    def _look(self) -> None:
        now = asyncio.get_running_loop().time()
        late = [each for each in self._open.values() if each.deadline is not None and each.deadline < now]
        self._look_later()
        for connection in late:
            connection.cut()
        if late:
            _log.info("Connections were cut off: their requests took too long to come.", connections=len(late))

    @web.middleware
    async def pass_through(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuse by its announced length what is too large, and have the body read in time."""
        with self._serving(request.transport) as connection:
            if request.content_length is not None and request.content_length > self.limits.body_bytes:
                return web.Response(status=413)
            if request.can_read_body and request.match_info.http_exception is None:
                if connection is not None:
                    connection.expect(self.limits.body_within)
                await request.read()  # kept by the request for its handler
                if connection is not None:
                    connection.deadline = None
            return await handler(request)

    @contextmanager
    def _serving(self, transport: asyncio.BaseTransport | None) -> Iterator[_Connection | None]:
        connection = None if transport is None else self._open.get(transport)
        if transport is None or connection is None:  # gone already, or served without a gate
            yield None
            return
        connection.is_serving = True
        connection.deadline = None
        try:
            yield connection
        finally:
            connection.is_serving = False
            connection.deadline = None
            if transport in self._open:  # the longest idle is the first
                self._open[transport] = self._open.pop(transport)


#: Under which an application knows its gate.
GATE = web.AppKey("gate", Gate)


class _Connection(asyncio.Protocol):
    """One client's connection: hands everything on to the protocol behind, and knows what it waits for."""

    def __init__(self, gate: Gate, behind: asyncio.Protocol) -> None:
        self._gate = gate
        self._behind = behind
        self._transport: asyncio.Transport | None = None
        self._is_in = False
        self.is_serving = False
        self.deadline: float | None = None  #: When what is awaited must be there, by the loop's time.

    def expect(self, span: timedelta) -> None:
        """Have what comes next be there within *span*."""
        self.deadline = asyncio.get_running_loop().time() + span.total_seconds()

    def cut(self) -> None:
        """End the connection at once."""
        if self._transport is not None:
            self._gate.let_out(self._transport)
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - a server of TCP makes no other
        if not self._gate.let_in(transport, self):
            transport.abort()
            return
        self._transport = transport
        self._is_in = True
        self.expect(self._gate.limits.headers_within)
        self._behind.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        if self._is_in:
            if not self.is_serving and self.deadline is None:
                self.expect(self._gate.limits.headers_within)
            self._behind.data_received(data)

    def eof_received(self) -> bool | None:
        return self._behind.eof_received() if self._is_in else None

    def pause_writing(self) -> None:
        self._behind.pause_writing()

    def resume_writing(self) -> None:
        self._behind.resume_writing()

    def connection_lost(self, error: Exception | None) -> None:
        if self._is_in and self._transport is not None:
            self._is_in = False
            self._gate.let_out(self._transport)
            self._behind.connection_lost(error)
