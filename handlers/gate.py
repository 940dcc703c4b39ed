"""
The gate before every request: how many connections, how long for headers and body, how much of each.

A reverse proxy in front does the like; this holds where there is none, and where it passes slow clients on. Whoever has
no connection to lose is never favoured: when all places are taken, the connection that has been idle for longest goes.
Times are the event loop's, for they are about sockets.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from aiohttp import hdrs, web
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
    connections: int = 512  #: Open at once; see `bot.files`.
    knocking: int = 100  #: Accepted in one go, before any of them is counted.
    line_bytes: int = 8190  #: Of the request line, and of one header.
    headers: int = 64  #: How many headers a request may have.


#: Answers a request, as aiohttp's server wants it.
_Answer = Callable[[Any], Awaitable[web.StreamResponse]]


class Gate:
    """Counts the connections of one web application, cuts off those that take too long, and passes their requests on."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._open: dict[asyncio.BaseTransport, _Connection] = {}
        self._watch: asyncio.TimerHandle | None = None
        self._frequented: dict[str, Handler] = {}
        self._body_within = limits.body_within.total_seconds()

    def frequent(self, path: str, handler: Handler) -> Handler:
        """
        Have what is posted to *path* passed on to *handler* past the application, whose router takes a tenth of an answer.

        Returns what the application's own route needs, for the few requests that it sees all the same.
        """
        self._frequented[path] = self._with_body(handler)
        return self._frequented[path]

    def guard(self, serve: Callable[[], asyncio.Protocol]) -> Callable[[], asyncio.Protocol]:
        """Return a maker of protocols for a server; *serve* makes those behind the gate."""
        return lambda: _Connection(self, serve())

    def let_in(self, transport: asyncio.BaseTransport, connection: _Connection) -> bool:
        """Count a new connection; False where there is no place, not even an idle one's."""
        if len(self._open) >= self.limits.connections:
            waiting = [each for each in self._open.values() if not each.is_serving]
            idle = min(waiting, key=lambda each: each.idle_since, default=None)
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

    def pass_on(self, rest: _Answer) -> _Answer:
        """Return the handler of all requests: *rest* answers those that are not to a frequented address."""

        async def handle(request: web.Request) -> web.StreamResponse:
            connection = self._find(request)
            if connection is not None:
                connection.begin_serving()
            try:
                announced = request.content_length
                if announced is not None and announced > self.limits.body_bytes:
                    return web.Response(status=413)
                handler = rest
                if request.method == hdrs.METH_POST and hdrs.EXPECT not in request.headers:
                    handler = self._frequented.get(request.raw_path.partition("?")[0], rest)
                return await handler(request)
            finally:
                if connection is not None:
                    connection.end_serving()

        return handle

    def _find(self, request: web.Request) -> _Connection | None:
        """Return the request's connection; None where it is gone already, or served without a gate."""
        transport = request.transport
        return None if transport is None else self._open.get(transport)

    def _with_body(self, handler: Handler) -> Handler:
        """Return *handler*, called with a request whose body was read in time."""

        async def handle(request: web.Request) -> web.StreamResponse:
            connection = self._find(request)
            if connection is not None:
                connection.expect(self._body_within)
            await request.read()  # kept by the request for its handler
            if connection is not None:
                connection.deadline = None
            return await handler(request)

        return handle


#: Under which an application knows its gate.
GATE = web.AppKey("gate", Gate)


class _Connection(asyncio.Protocol):
    """One client's connection: hands everything on to the protocol behind, and knows what it waits for."""

    def __init__(self, gate: Gate, behind: asyncio.Protocol) -> None:
        self._gate = gate
        self._behind = behind
        self._now = asyncio.get_running_loop().time
        self._headers_within = gate.limits.headers_within.total_seconds()
        self._transport: asyncio.Transport | None = None
        self._is_in = False
        self.is_serving = False
        self.idle_since = self._now()
        self.deadline: float | None = None  #: When what is awaited must be there, by the loop's time.

    def expect(self, within: float) -> None:
        """Have what comes next be there in so many seconds."""
        self.deadline = self._now() + within

    def begin_serving(self) -> None:
        """Note that a request is there."""
        self.is_serving = True
        self.deadline = None

    def end_serving(self) -> None:
        """Note that it is answered; a next need not come."""
        self.is_serving = False
        self.deadline = None
        self.idle_since = self._now()

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
        self.expect(self._headers_within)
        self._behind.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        if self._is_in:
            if not self.is_serving and self.deadline is None:
                self.expect(self._headers_within)
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
