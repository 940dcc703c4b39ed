"""For whoever runs it: alive, able to work, and how much."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

from bot.observe import Metrics

#: Returns each part that must work and what is wrong with it, None where nothing is.
Readiness = Callable[[], Awaitable[Mapping[str, str | None]]]
#: Returns figures of what is still to be done, by name.
Backlog = Callable[[], Mapping[str, int]]
#: Brings the figures up to date that are read from the database.
Refresh = Callable[[], Awaitable[None]]


class Operations:
    """`/healthz`, `/readyz`, `/metrics`."""

    def __init__(self, *, readiness: Readiness, backlog: Backlog, refresh: Refresh, metrics: Metrics) -> None:
        self._readiness = readiness
        self._backlog = backlog
        self._refresh = refresh
        self._metrics = metrics

    async def handle_health(self, _request: web.Request) -> web.Response:
        """Answer 200 as long as the event loop turns."""
        return web.json_response({"status": "alive"})

    async def handle_readiness(self, _request: web.Request) -> web.Response:
        """Answer 200 when every part is able to work, 503 and what is wrong when one is not."""
        parts = await self._readiness()
        ready = all(problem is None for problem in parts.values())
        report = {part: problem or "ok" for part, problem in parts.items()}
        answer = {"ready": ready, "parts": report, "backlog": self._backlog()}
        return web.json_response(answer, status=200 if ready else 503)

    async def handle_metrics(self, _request: web.Request) -> web.Response:
        """Answer all figures in Prometheus' text format."""
        await self._refresh()
        return web.Response(
            body=self._metrics.render(), headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"}
        )
