"""
`GET /media/{token}/{filename}`: where the carrier fetches the files of a text.

The token is 128 random bits, made for one file of one text, and stands in the request to the carrier and nowhere else.
Nothing but what a live token names can be had here, and a wrong one is answered as an expired one is. Whoever has the
address can read the file without signing in, as the carrier's fetchers need: hence the expiry.
"""

from __future__ import annotations

import re

from aiohttp import web

from bot.clock import Clock
from bot.domain.media import Media
from bot.errors import RetryLater
from bot.observe import Log, Metrics
from bot.ports import Store
from bot.ports.media import Shelf

_log = Log("media")

_TOKEN = re.compile(r"^[0-9a-f]{32}$")
#: What a browser may do with what it got here: show it, and no more. The files are of strangers' making.
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
    "Cache-Control": "private, max-age=3600",
}


class MediaFiles:
    """The handler of outbound files."""

    def __init__(self, *, store: Store, shelf: Shelf, clock: Clock, metrics: Metrics) -> None:
        self._store = store
        self._shelf = shelf
        self._clock = clock
        self._metrics = metrics

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer with the file, whole or the part asked for; 404 for whatever is not there, or no longer."""
        try:
            media = await self._find(request.match_info["token"], request.match_info["filename"])
        except RetryLater as error:
            _log.error("A file could not be looked up.", trouble=error.log)
            return self._count(web.Response(status=503, headers={"Retry-After": "5"}))
        if media is None or not await self._shelf.has(media.id):
            return self._count(
                web.Response(status=404, text="Not found", headers={"X-Content-Type-Options": "nosniff"})
            )
        response = web.FileResponse(self._shelf.path_of(media.id), headers=_HEADERS)
        response.headers["Content-Type"] = media.content_type or "application/octet-stream"
        response.headers["Content-Disposition"] = f'inline; filename="{media.filename}"'
        return self._count(response)

    async def _find(self, token: str, filename: str) -> Media | None:
        if not _TOKEN.match(token):
            return None
        async with self._store.reading() as view:
            media = await view.media.find_by_token(token)
        if media is None or media.filename != filename or media.expires_at is None:
            return None
        return media if self._clock.now() < media.expires_at else None

    def _count(self, response: web.StreamResponse) -> web.StreamResponse:
        self._metrics.received.labels("media", str(response.status)).inc()
        return response
