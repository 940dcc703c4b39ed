"""What the simulated Slack's tests share: a workspace, Slack's own client to call it, and an app that receives."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl

import aiohttp
import pytest
from aiohttp import web
from slack_sdk.errors import SlackApiError
from slack_sdk.signature import Clock as SignatureClock
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient

from bot.clock import ManualClock
from bot.sandbox.faults import FaultBoard
from bot.sandbox.journal import Journal
from bot.sandbox.server import Server
from bot.sandbox.slack_sim import SlackSim

TOKEN = "xoxb-sandbox-token"
SECRET = "sandbox-signing-secret"

Answerer = Callable[[dict[str, Any]], Awaitable[web.Response]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One request that came to the app."""

    headers: dict[str, str]
    body: dict[str, Any]  #: The event body, the command's fields, or the payload of an interaction.
    genuine: bool  #: Whether Slack's own verifier takes the signature.

    @property
    def event(self) -> dict[str, Any]:
        event: dict[str, Any] = self.body["event"]
        return event


class _Now(SignatureClock):
    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock

    def now(self) -> float:
        return self._clock.now().timestamp()


@dataclass(slots=True)
class Receiver:
    """An app that keeps what it is sent and answers what the test put up, 200 otherwise."""

    clock: ManualClock
    requests: list[Received] = field(default_factory=list)
    answers: deque[web.Response | Answerer] = field(default_factory=deque)
    _server: Server = field(default_factory=lambda: Server(patience=timedelta(seconds=1)))
    url: str = ""
    _end: asyncio.Event = field(default_factory=asyncio.Event)

    async def start(self) -> None:
        app = web.Application()
        app.router.add_post("/slack/events", self._take)
        self.url = f"{await self._server.start(app)}/slack/events"

    async def hold(self, _body: dict[str, Any]) -> web.Response:
        """Answer nothing for as long as the app runs."""
        await self._end.wait()
        return web.Response()

    async def stop(self) -> None:
        self._end.set()
        await self._server.stop()

    async def _take(self, request: web.Request) -> web.Response:
        raw = await request.read()
        verifier = SignatureVerifier(SECRET, clock=_Now(self.clock))
        genuine = verifier.is_valid_request(raw, dict(request.headers))
        if request.content_type == "application/json":
            body = json.loads(raw)
        else:
            fields = dict(parse_qsl(raw.decode(), keep_blank_values=True, strict_parsing=True))
            body = json.loads(fields["payload"]) if "payload" in fields else fields
        self.requests.append(Received(headers=dict(request.headers), body=body, genuine=genuine))
        if not self.answers:
            return web.Response()
        answer = self.answers.popleft()
        return answer if isinstance(answer, web.Response) else await answer(body)

    def events(self, kind: str = "message") -> list[dict[str, Any]]:
        """Return the events of one type, in the order in which they came."""
        return [each.event for each in self.requests if each.body.get("event", {}).get("type") == kind]


@dataclass(slots=True, kw_only=True)
class Bench:
    """Everything a test of the simulator needs."""

    sim: SlackSim
    client: AsyncWebClient
    app: Receiver
    clock: ManualClock
    session: aiohttp.ClientSession
    channel: str
    ana: str
    ben: str

    async def get_error(self, call: Awaitable[Any]) -> str:
        """Return the error code with which *call* was refused."""
        with pytest.raises(SlackApiError) as refused:
            await call
        assert refused.value.response.status_code == 200
        return str(refused.value.response["error"])

    async def say(self, text: str = "hello", **more: Any) -> str:
        """Post as the bot and return the ts."""
        answer = await self.client.chat_postMessage(channel=self.channel, text=text, **more)
        return str(answer["ts"])


@asynccontextmanager
async def open_bench(**options: Any) -> AsyncIterator[Bench]:
    """Start a workspace with one channel, two people, the client and the app, on a clock that stands still."""
    clock = ManualClock()
    sim = SlackSim(
        bot_token=TOKEN, signing_secret=SECRET, clock=clock, journal=Journal(), faults=FaultBoard(), **options
    )
    app = Receiver(clock=clock)
    channel = sim.add_channel("texts")
    ana = sim.add_user("ana", "Ana Alvarez")
    ben = sim.add_user("ben", "Ben Berg", tz="Europe/Berlin", is_admin=True)
    await sim.start()
    await app.start()
    sim.request_url = app.url
    async with aiohttp.ClientSession() as session:
        client = AsyncWebClient(token=TOKEN, base_url=sim.api_url, session=session, retry_handlers=[])
        try:
            yield Bench(
                sim=sim, client=client, app=app, clock=clock, session=session, channel=channel, ana=ana, ben=ben
            )
        finally:
            await sim.stop()
            await app.stop()
