"""
httpx's requests over aiohttp's connections.

httpx's own way to the wire (httpcore, anyio and h11, all of it Python) takes four times the processor of aiohttp's, which
is loaded in any case, and grows with the connections kept. What a failure means is told in httpx's errors, and one thing
above all: whether the request can have left. Only ConnectError, ConnectTimeout and UnsupportedProtocol say that it has
not.

There is a package for this, httpx-aiohttp. It calls it ConnectTimeout when the other side goes away without an answer.
"""

from __future__ import annotations

import select
from collections.abc import Mapping
from weakref import WeakSet

import aiohttp
import httpx
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from aiohttp.tracing import Trace
from yarl import URL

from bot.gateways.endpoint import LONGEST_LINE
from bot.gateways.tls import get_tls


class AiohttpTransport(httpx.AsyncBaseTransport):
    """
    Carries out one request for one request: nothing is repeated, no redirect followed, no cookie kept.

    To be made inside a running event loop, and closed. It knows nothing of proxies.
    """

    def __init__(self, *, limits: httpx.Limits) -> None:
        self._session = aiohttp.ClientSession(
            connector=_CarefulConnector(limits),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,  # httpx does
            middlewares=(_try_once,),
            max_line_size=LONGEST_LINE,
            max_field_size=LONGEST_LINE,
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Return the answer to *request*, read to its end. Raises httpx.TransportError."""
        try:
            async with self._session.request(
                request.method,
                URL(str(request.url), encoded=True),
                # As they were written: httpx tells them in small letters, and not everybody who reads them knows that
                # it makes no difference.
                headers=[(name.decode("ascii"), value.decode("latin-1")) for name, value in request.headers.raw],
                data=await request.aread() or None,
                timeout=_read_timeouts(request.extensions.get("timeout") or {}),
                allow_redirects=False,
            ) as answer:
                content = await answer.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise _translate(error, request) from error
        return httpx.Response(answer.status, headers=answer.raw_headers, content=content, request=request)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._session.close()


class _CarefulConnector(aiohttp.TCPConnector):
    """
    Looks at a connection that was used before, right before it is used again.

    The other side may have closed it, or said something, since the event loop last looked: a text that is sent on such a
    one would be a text of which nobody knows whether it was taken.
    """

    def __init__(self, limits: httpx.Limits) -> None:
        super().__init__(limit=limits.max_connections or 0, keepalive_timeout=limits.keepalive_expiry, ssl=get_tls())
        self._used: WeakSet[ResponseHandler] = WeakSet()

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - aiohttp's
    ) -> Connection:
        """Return a connection, one that was kept if it is as it was left."""
        while True:
            connection = await super().connect(req, traces, timeout)
            protocol = connection.protocol
            if protocol is None or not self._is_stale(protocol):
                return connection
            connection.close()

    def _is_stale(self, protocol: ResponseHandler) -> bool:
        if protocol not in self._used:
            self._used.add(protocol)
            return False
        return protocol.should_close or _has_news(protocol)


def _has_news(protocol: ResponseHandler) -> bool:
    """Tell whether anything waits to be read: on a connection where nothing was asked that is its end."""
    socket = None if protocol.transport is None else protocol.transport.get_extra_info("socket")
    if socket is None or socket.fileno() < 0:
        return True
    poll = select.poll()
    poll.register(socket.fileno(), select.POLLIN)
    return bool(poll.poll(0))


async def _try_once(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Keep aiohttp from repeating what it takes for repeatable, DELETE among it: it does not know httpx's errors."""
    try:
        return await handler(request)
    except (aiohttp.ClientConnectionError, OSError) as error:
        raise _translate(error, None) from error


def _read_timeouts(told: Mapping[str, float | None]) -> aiohttp.ClientTimeout:
    pool, connect, read, write = (told.get(name) for name in ("pool", "connect", "read", "write"))
    connected = None if pool is None or connect is None else pool + connect
    total = None if connected is None or read is None or write is None else connected + read + write
    return aiohttp.ClientTimeout(total=total, connect=connected, sock_connect=connect, sock_read=read)


def _translate(error: Exception, request: httpx.Request | None) -> httpx.TransportError:
    """Return httpx's word for *error*: one of those that say that nothing left only where that is certain."""
    match error:
        case aiohttp.ConnectionTimeoutError():
            kind: type[httpx.TransportError] = httpx.ConnectTimeout  # or no connection was free for so long
        case aiohttp.ClientConnectorError():
            kind = httpx.ConnectError
        case aiohttp.InvalidURL() | aiohttp.NonHttpUrlClientError():
            kind = httpx.UnsupportedProtocol
        case TimeoutError():
            kind = httpx.ReadTimeout
        case aiohttp.ServerDisconnectedError() | aiohttp.ClientPayloadError() | aiohttp.ClientResponseError():
            kind = httpx.RemoteProtocolError
        case _:
            kind = httpx.ReadError
    return kind(str(error), request=request)
