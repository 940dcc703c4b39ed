"""
One request and its answer, over a connection of aiohttp's.

aiohttp's client is made for whatever may come: redirects, cookies, proxies, bodies that stream, middlewares. A call of an
API has none of them and pays for all: they are half of what it costs, and the body has a task of its own. Here all but the
body is rendered once, and the request goes out in one piece. What is difficult stays aiohttp's: names, TLS, connections
that are kept, and the reading of an answer. What goes through a proxy goes by aiohttp's client: it knows how to ask one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from aiohttp.http import SERVER_SOFTWARE, HttpProcessingError
from yarl import URL

#: Of an answer's head. aiohttp's own eight kilobytes would lose a yes for what some proxy says beside it.
LONGEST_LINE = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back, read to its end."""

    status: int
    headers: Mapping[str, str]
    content: bytes


class Endpoint:
    """
    What is posted to one address, again and again: nothing is repeated, no redirect followed, no cookie kept.

    To be made inside a running event loop. Connections, and how long they and a call may take, are those of *session*, whose
    connector is to be a `CarefulConnector`. What *headers* say stands in the request as it is.
    """

    def __init__(
        self, session: aiohttp.ClientSession, url: str, headers: Mapping[str, str], *, proxy: str | None = None
    ) -> None:
        target = URL(url)
        self._session = session
        self._headers = headers
        self._proxy = proxy
        # Never sent: it tells aiohttp's connector where to.
        self._target = aiohttp.ClientRequest("POST", target, loop=asyncio.get_running_loop(), session=session)
        lines = {"Host": target.host_port_subcomponent, "User-Agent": SERVER_SOFTWARE, **headers, "Content-Length": ""}
        head = "\r\n".join(f"{name}: {value}" for name, value in lines.items())
        self._head = f"POST {target.raw_path_qs} HTTP/1.1\r\n{head}".encode()

    async def post(self, body: bytes) -> Answer:
        """
        Post *body* and return the answer, whatever it says.

        Raises ClientConnectorError and ConnectionTimeoutError where nothing left, and TimeoutError or any other of aiohttp's
        errors where it may have.
        """
        if self._proxy is not None:
            return await self._post_through(self._proxy, body)
        async with asyncio.timeout(self._session.timeout.total):
            connection = await self._connect()
            try:
                answer = await self._exchange(connection.protocol, body)
            except BaseException:
                connection.close()  # an answer that comes late is not the next one's
                raise
            connection.release()
            return answer

    async def _post_through(self, proxy: str, body: bytes) -> Answer:
        async with self._session.post(
            self._target.url, data=body, headers=self._headers, proxy=proxy, allow_redirects=False
        ) as response:
            return Answer(status=response.status, headers=response.headers, content=await response.read())

    async def _connect(self) -> Connection:
        if self._session.connector is None:
            raise aiohttp.ClientConnectionError("the session is closed")
        try:
            return await self._session.connector.connect(self._target, traces=[], timeout=self._session.timeout)
        except TimeoutError as error:
            raise aiohttp.ConnectionTimeoutError(f"no connection to {self._target.url.host}") from error

    async def _exchange(self, protocol: ResponseHandler | None, body: bytes) -> Answer:
        if protocol is None or protocol.transport is None:
            raise aiohttp.ServerDisconnectedError
        protocol.set_response_params(read_until_eof=True, max_line_size=LONGEST_LINE, max_field_size=LONGEST_LINE)
        protocol.transport.write(b"%s%d\r\n\r\n%s" % (self._head, len(body), body))
        try:
            message, content = await protocol.read()
            while message.code < HTTPStatus.OK:  # hints, before it
                message, content = await protocol.read()
        except HttpProcessingError as error:
            raise aiohttp.ClientPayloadError(f"what came back is no HTTP: {error.message}") from error
        return Answer(status=message.code, headers=message.headers, content=await content.read())
