"""
What is fuzzed: each target takes any bytes, does with them what the program does, and fails where it must not.

The whole way is taken, from a request's raw body to what a worker makes of it; only signatures are taken for genuine.
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable, Coroutine
from ipaddress import ip_address
from typing import Any, cast
from urllib.parse import parse_qs
from zoneinfo import ZoneInfo

from aiohttp import web

from bot.clock import ManualClock
from bot.domain.carrier_events import read_event
from bot.domain.command_grammar import parse_optouts, parse_schedule, parse_sms
from bot.domain.job import NewJob
from bot.domain.media import NotHad
from bot.domain.slack_events import read_slack_event
from bot.domain.stored_event import read_stored
from bot.errors import NotUnderstood
from bot.gateways.http import CarrierMediaGateway, is_public
from bot.observe import Metrics
from bot.text.typed import render_typed
from handlers.slack import SlackRequests
from handlers.telnyx import CarrierWebhook
from handlers.verify import CarrierVerifier, SlackVerifier

_CLOCK, _METRICS = ManualClock(), Metrics()
_ZONE = ZoneInfo("America/Chicago")


#: Runs a handler that needs an event loop; the fuzzer puts one in here that lasts.
run: Callable[[Coroutine[Any, Any, web.Response]], web.Response] = asyncio.run


class _Trusting:
    def is_genuine(self, *_: object) -> bool:
        return True


class _Request:
    """As much of `aiohttp.web.Request` as the handlers look at."""

    def __init__(self, raw: bytes, content_type: str) -> None:
        self.headers = {"X-Slack-Signature": "v0=0"}
        self.query: dict[str, str] = {}
        self.content_type = content_type
        self._raw = raw

    async def read(self) -> bytes:
        return self._raw


class _Inbox:
    """Keeps what would be stored."""

    def __init__(self) -> None:
        self.jobs: list[NewJob] = []

    async def put(self, job: NewJob) -> bool:
        job.key.encode()
        job.body.encode()
        (job.lane or "").encode()
        self.jobs.append(job)
        return True

    async def note_once(self, _key: str) -> bool:
        return True

    async def is_noted(self, _key: str) -> bool:
        return False


def _run(handling: Any) -> web.Response:
    """Run a handler that waits for nothing."""
    try:
        handling.send(None)
    except StopIteration as done:
        return cast("web.Response", done.value)
    raise AssertionError("a handler waited for something")


def try_carrier_webhook(data: bytes) -> None:
    """A webhook is answered 200 or 400; what is stored is read, or understood to be unreadable."""
    inbox = _Inbox()
    webhook = CarrierWebhook(
        verifier=cast("CarrierVerifier", _Trusting()), inbox=cast("Any", inbox), region="US", clock=_CLOCK,
        metrics=_METRICS,
    )  # fmt: skip
    answer = _run(webhook.handle(cast("web.Request", _Request(data, "application/json"))))
    assert answer.status in (200, 400)
    assert len(inbox.jobs) == (answer.status == 200)
    for job in inbox.jobs:
        try:
            stored = read_stored(job.body)
        except (RecursionError, ValueError):
            continue  # parked by the worker
        try:
            read_event(stored.event, "US")
        except NotUnderstood:
            continue


def try_slack_request(data: bytes) -> None:
    """An event is stored and read, a command is understood or told what is wrong, and nothing else happens."""
    form, body = data[:1] == b"f", data[1:]
    inbox, dispatched = _Inbox(), []

    async def dispatch(_request: web.Request, text: str) -> web.Response:
        dispatched.append(text)
        return web.Response(status=404 if len(text) % 2 else 200)

    requests = SlackRequests(
        verifier=cast("SlackVerifier", _Trusting()), inbox=cast("Any", inbox), dispatch=dispatch, clock=_CLOCK,
        metrics=_METRICS,
    )  # fmt: skip
    kind = "application/x-www-form-urlencoded" if form else "application/json"
    answer = run(requests.handle(cast("web.Request", _Request(body, kind))))
    assert answer.status in (200, 400)
    assert answer.status == 400 or inbox.jobs or dispatched
    for text in dispatched:
        if form:
            for typed in parse_qs(text, keep_blank_values=True).get("text", []):
                _try_commands(render_typed(typed))
    for job in inbox.jobs:
        try:
            callback = json.loads(job.body)
        except (RecursionError, ValueError):
            continue
        try:
            read_slack_event(callback.get("event") if isinstance(callback, dict) else None)
        except NotUnderstood:
            continue


def _try_commands(typed: str) -> None:
    parse_sms(typed, "US")
    parse_schedule(typed, "US", _CLOCK.now(), _ZONE)
    parse_optouts(typed, "US")


def try_media_address(data: bytes) -> None:
    """An address that is let through is of the web, without a password, and no number of a private host in disguise."""
    gateway = object.__new__(CarrierMediaGateway)
    gateway._allow_private = False
    try:
        url = gateway._read_address(data.decode("utf-8", "surrogateescape"))
    except NotHad:
        return
    host = url.raw_host
    assert url.scheme in ("http", "https")
    assert host
    assert url.raw_user is None
    if ":" in host or host.replace(".", "").isdigit():  # what aiohttp takes for an IP address, and resolves no further
        assert is_public(host)
        assert ip_address(host).is_global
        if ":" not in host:
            assert socket.inet_ntoa(socket.inet_aton(host)) == str(ip_address(host))


TARGETS: dict[str, Callable[[bytes], None]] = {
    "carrier_webhook": try_carrier_webhook,
    "slack_request": try_slack_request,
    "media_address": try_media_address,
}
