"""Running the bridge until it is told to stop."""

from __future__ import annotations

import asyncio
import signal
import socket

from aiohttp import web

from bot.app import open_bridge
from bot.observe import Log
from bot.settings import Settings

_log = Log("serve")

#: How long open requests may take to finish when the program stops; with the workers' patience it stays below 10 s.
_REQUEST_PATIENCE = 2.0


def listen(host: str, port: int) -> socket.socket:
    """Return a socket bound to *host* and *port* (0: any free one). Raises OSError if it is taken."""
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    bound = socket.socket(family, kind, protocol)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
    except OSError:
        bound.close()
        raise
    return bound


async def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT, then stop within 10 seconds with all work in hand finished or kept."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    bound = listen(settings.host, settings.port)
    port = bound.getsockname()[1]
    try:
        async with open_bridge(settings, port=port) as bridge:
            runner = web.AppRunner(
                bridge.web, access_log=None, handle_signals=False, shutdown_timeout=_REQUEST_PATIENCE
            )
            await runner.setup()
            await bridge.start()
            site = web.SockSite(runner, bound)
            await site.start()
            _log.info("Textbridge listens.", host=settings.host, port=port)
            try:
                await stopping.wait()
                _log.info("Textbridge stops.")
            finally:
                # First no new requests, while the inbox can still store those that are open; then the tasks.
                await site.stop()
                await runner.cleanup()
                await bridge.stop()
    finally:
        bound.close()
