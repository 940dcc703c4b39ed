"""Running the bridge until it is told to stop."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

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


@asynccontextmanager
async def run_bridge(settings: Settings, bound: socket.socket) -> AsyncIterator[None]:
    """Run the bridge on *bound*, which is closed in the end; work in hand is then finished or kept within 10 seconds."""
    try:
        async with open_bridge(settings, port=bound.getsockname()[1]) as bridge:
            runner = web.AppRunner(
                bridge.web, access_log=None, handle_signals=False, shutdown_timeout=_REQUEST_PATIENCE
            )
            await runner.setup()
            await bridge.start()
            site = web.SockSite(runner, bound)
            await site.start()
            try:
                yield
            finally:
                # First no new requests, while the inbox can still store those that are open; then the tasks.
                await site.stop()
                await runner.cleanup()
                await bridge.stop()
    finally:
        bound.close()


def hear_signals() -> asyncio.Event:
    """Return an event that is set when the process is told to stop, by SIGTERM or SIGINT."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    return stopping


async def serve(settings: Settings) -> None:
    """Serve until told to stop."""
    stopping = hear_signals()
    bound = listen(settings.host, settings.port)
    port = bound.getsockname()[1]
    async with run_bridge(settings, bound):
        _log.info("Textbridge listens.", host=settings.host, port=port)
        await stopping.wait()
        _log.info("Textbridge stops.")
