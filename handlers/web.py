"""The four addresses, and the limits that hold for all of them."""

from __future__ import annotations

from aiohttp import web
from aiohttp.typedefs import Handler

from handlers.media import MediaFiles
from handlers.ops import Operations
from handlers.slack import SlackRequests
from handlers.telnyx import CarrierWebhook

#: The most bytes of a request's body.
LARGEST_BODY = 1024 * 1024


def build_web(
    *, carrier: CarrierWebhook, slack: SlackRequests, media: MediaFiles, operations: Operations
) -> web.Application:
    """Return the web application with every route."""
    app = web.Application(client_max_size=LARGEST_BODY, middlewares=[_refuse_large])
    app.router.add_post("/webhooks/telnyx", carrier.handle)
    app.router.add_post("/slack/events", slack.handle)
    app.router.add_get("/media/{token}/{filename}", media.handle)  # and HEAD
    app.router.add_get("/healthz", operations.handle_health)
    app.router.add_get("/readyz", operations.handle_readiness)
    app.router.add_get("/metrics", operations.handle_metrics)
    return app


@web.middleware
async def _refuse_large(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse by its announced length what would only be refused after it had been read."""
    if request.content_length is not None and request.content_length > LARGEST_BODY:
        return web.Response(status=413)
    return await handler(request)
