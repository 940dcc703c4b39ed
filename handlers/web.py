"""The four addresses, those for whoever runs it apart from those for the platforms where that is wanted."""

from __future__ import annotations

from aiohttp import web
from aiohttp.typedefs import Handler

from handlers.gate import GATE, Gate, Limits
from handlers.ops import Operations
from handlers.slack import SlackRequests
from handlers.telnyx import CarrierWebhook


def build_web(
    *,
    carrier: CarrierWebhook,
    slack: SlackRequests,
    media: Handler,
    operations: Operations,
    limits: Limits,
    tells_operators: bool,
) -> web.Application:
    """Return the public application; *tells_operators*: with `/readyz` and `/metrics`, for want of a port of their own."""
    app = _build(limits)
    for address, handler in (("/webhooks/telnyx", carrier.handle), ("/slack/events", slack.handle)):
        for path in (address, f"{address}/"):  # whoever typed a slash too many at the platform would lose every text
            app.router.add_post(path, app[GATE].frequent(path, handler))
    app.router.add_get("/media/{token}/{filename}", media)  # and HEAD
    app.router.add_get("/healthz", operations.handle_health)
    if tells_operators:
        _add_operations(app, operations)
    return app


def build_operators_web(operations: Operations, limits: Limits) -> web.Application:
    """Return the application for whoever runs it, which listens on a port of its own."""
    app = _build(limits)
    app.router.add_get("/healthz", operations.handle_health)
    _add_operations(app, operations)
    return app


def _add_operations(app: web.Application, operations: Operations) -> None:
    app.router.add_get("/readyz", operations.handle_readiness)
    app.router.add_get("/metrics", operations.handle_metrics)


def _build(limits: Limits) -> web.Application:
    app = web.Application(client_max_size=limits.body_bytes)
    app[GATE] = Gate(limits)
    return app
