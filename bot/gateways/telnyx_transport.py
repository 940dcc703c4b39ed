"""
httpx's requests over aiohttp's connections.

httpx's own way to the wire (httpcore, anyio and h11, all of it Python) takes four times the processor of aiohttp's, which
is loaded in any case, and grows with the connections kept. What a failure means is told in httpx's errors, and one thing
above all: whether the request can have left. Only ConnectError, ConnectTimeout and UnsupportedProtocol say that it has
not.

There is a package for this, httpx-aiohttp. It calls it ConnectTimeout when the other side goes away without an answer.
"""

from __future__ import annotations

from collections.abc import Mapping

import aiohttp
import httpx
from yarl import URL

from bot.gateways.connections import CarefulConnector
from bot.gateways.endpoint import LONGEST_LINE


class AiohttpTransport(httpx.AsyncBaseTransport):
    """
    Carries out one request for one request: nothing is repeated, no redirect followed, no cookie kept.

    To be made inside a running event loop, and closed. It knows nothing of proxies.
    """

    def __init__(self, *, limits: httpx.Limits) -> None:
        self._session = aiohttp.ClientSession(
            connector=CarefulConnector(limit=limits.max_connections or 0, keepalive_timeout=limits.keepalive_expiry),
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
