"""
The least that listens, `python -m benchmarks.bare`: aiohttp answers 200.

It imports nothing else, for what it takes to start, and holds in memory, is what every server on aiohttp does.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.Response]]


async def serve_application(build: Callable[[], Awaitable[Handler]]) -> None:
    """Serve what *build* returns on a free port, and say on which, until told to stop."""
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    application = web.Application()
    handler = await build()
    for path in ("/webhooks/telnyx", "/slack/events"):
        application.router.add_post(path, handler)
    application.router.add_get("/healthz", lambda _: _answer())
    runner = web.AppRunner(application, access_log=None, handle_signals=False)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, backlog=1024)
    await site.start()
    print(f"listening {runner.addresses[0][1]}", flush=True)
    await stopping.wait()
    await runner.cleanup()


async def _answer() -> web.Response:
    return web.Response()


async def _build() -> Handler:
    async def handle(request: web.Request) -> web.Response:
        await request.read()
        return web.Response()

    return handle


if __name__ == "__main__":
    asyncio.run(serve_application(_build))
