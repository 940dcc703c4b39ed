"""Connections to a platform, kept from one call to the next."""

from __future__ import annotations

import select
from weakref import WeakSet

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from aiohttp.tracing import Trace

from bot.gateways.tls import get_tls

#: How long one is kept that nobody uses; aiohttp's own measure.
_KEPT_SECONDS = 15.0


class CarefulConnector(aiohttp.TCPConnector):
    """
    Looks at a connection that was used before, right before it is used again.

    The other side may have closed it, or said something, since the event loop last looked. A text that is sent on such a
    one would be a text of which nobody knows whether it was taken, and what was said unasked would pass for its answer.
    """

    def __init__(self, *, limit: int, keepalive_timeout: float | None = _KEPT_SECONDS) -> None:
        super().__init__(limit=limit, keepalive_timeout=keepalive_timeout, ssl=get_tls())
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
