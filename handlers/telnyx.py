"""`POST /webhooks/telnyx`: verified, stored, answered. Reading it comes later, from the inbox."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from aiohttp import web

from bot.clock import Clock
from bot.domain.carrier_lanes import choose_lane, identify_event, read_reference
from bot.domain.job import Kind, NewJob, Pool
from bot.domain.stored_event import write_stored
from bot.errors import RetryLater
from bot.json_text import read_json
from bot.observe import Log, Metrics
from handlers.verify import CarrierVerifier

if TYPE_CHECKING:  # the ports bring half of what we know with them, for which no answer waits
    from bot.ports import Inbox

_log = Log("telnyx.webhook")


class CarrierWebhook:
    """The handler of the carrier's webhooks."""

    def __init__(self, *, verifier: CarrierVerifier, inbox: Inbox, region: str, clock: Clock, metrics: Metrics) -> None:
        self._verifier = verifier
        self._inbox = inbox
        self._region = region
        self._clock = clock
        self._received = {status: metrics.received.labels("telnyx", str(status)) for status in (200, 400, 401, 503)}

    async def handle(self, request: web.Request) -> web.Response:
        """Answer 200 once the event is on disk; 401, 400 or 503 otherwise (413 comes from the body's limit)."""
        raw = await request.read()
        status = await self._take(request, raw)
        self._received[status].inc()
        return web.Response(status=status)

    async def _take(self, request: web.Request, raw: bytes) -> int:
        if not self._verifier.is_genuine(request.headers, raw, self._clock.now().timestamp()):
            _log.warning("A webhook without a valid signature was refused.")
            return 401
        event: object = None
        try:
            text = raw.decode("utf-8")
        except ValueError:
            return 400
        try:
            event = read_json(text)
        except json.JSONDecodeError:
            return 400
        except (RecursionError, ValueError):
            pass  # JSON, but too deep to read, or a number too long: kept, and parked when its turn comes
        job = NewJob(
            kind=Kind.CARRIER_EVENT,
            pool=Pool.CARRIER_IN,
            key=f"telnyx:{identify_event(event, raw)}",
            lane=choose_lane(event, self._region),
            body=write_stored(text, event, reference=read_reference(request.query.get("ref", ""))),
        )
        try:
            await self._inbox.put(job)
        except RetryLater as error:
            _log.error("A webhook could not be stored; the carrier will send it again.", trouble=error.log)
            return 503
        return 200
