"""What a simulated platform serves its application with."""

from __future__ import annotations

import socket
from datetime import timedelta

from aiohttp import web

from bot.listening import listen, stop_accepting


class Server:
    """One application at a time, on one port."""

    def __init__(self, *, patience: timedelta) -> None:
        """Open requests have *patience* to finish when it stops."""
        self._patience = patience
        self._running: tuple[web.AppRunner, socket.socket] | None = None

    async def start(self, app: web.Application, host: str = "127.0.0.1", port: int = 0) -> str:
        """Serve *app* and return where: an address without a slash at its end. Port 0 takes a free one."""
        bound = listen(host, port)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=self._patience.total_seconds())
        self._running = runner, bound
        try:
            await runner.setup()
            await web.SockSite(runner, bound).start()
        except BaseException:
            await self.stop()
            raise
        name, taken = bound.getsockname()[:2]
        return f"http://{f'[{name}]' if ':' in name else name}:{taken}"

    async def stop(self) -> None:
        """Take nobody more and close; again is no mistake. Raises what went wrong in the application itself."""
        if self._running is None:
            return
        (runner, bound), self._running = self._running, None
        try:
            await stop_accepting(bound)
            await runner.cleanup()
        finally:
            bound.close()
