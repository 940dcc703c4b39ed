"""What the simulated carrier's tests share: a carrier, a receiver of its webhooks, and what both are called."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import aiohttp
from aiohttp import web

from bot.clock import Clock, ManualClock
from bot.sandbox.faults import FaultBoard
from bot.sandbox.journal import Journal
from bot.sandbox.server import Server
from bot.sandbox.telnyx_sim import TelnyxSim

KEY = "KEY0123456789"
PROFILE = "4001a9d2-0000-4b7e-9f55-0d2b7a6e1c44"
OURS = "+13125550142"
OURS_TOO = "+13125550143"
TOLL_FREE = "+18885550100"
ANA = "+17735550118"
BOB = "+14155550163"
CEM = "+12065550171"
ABROAD = "+4915112345678"


@dataclass(slots=True)
class Receiver:
    """A web server that takes webhooks and serves pictures, and answers as told."""

    statuses: list[int] = field(default_factory=list)  #: For the next webhooks; then 200.
    taken: list[tuple[dict[str, Any], dict[str, str], bytes]] = field(default_factory=list)
    media: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    media_requests: list[dict[str, str]] = field(default_factory=list)
    before_answer: Callable[[dict[str, Any]], Awaitable[None]] | None = None
    origin: str = ""

    @property
    def url(self) -> str:
        return f"{self.origin}/hook"

    def list_types(self) -> list[str]:
        return [str(event["data"]["event_type"]) for event, _, _ in self.taken]

    def get_only(self, event_type: str) -> dict[str, Any]:
        (event,) = [event for event, _, _ in self.taken if event["data"]["event_type"] == event_type]
        return event

    def get_payload(self, event_type: str) -> dict[str, Any]:
        payload: dict[str, Any] = self.get_only(event_type)["data"]["payload"]
        return payload

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        event = json.loads(body)
        if self.before_answer is not None:
            await self.before_answer(event)
        self.taken.append((event, dict(request.headers), body))
        status = self.statuses.pop(0) if self.statuses else 200
        return web.Response(status=status, headers={"Location": self.url} if 300 <= status < 400 else {})

    async def serve(self, request: web.Request) -> web.Response:
        self.media_requests.append(dict(request.headers))
        content_type, content = self.media[request.path]
        return web.Response(body=content, content_type=content_type)


@asynccontextmanager
async def open_receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/{tail:.*}", receiver.take)
    app.router.add_get("/{tail:.*}", receiver.serve)
    server = Server(patience=timedelta(seconds=0.2))
    receiver.origin = await server.start(app)
    try:
        yield receiver
    finally:
        await server.stop()


@dataclass(slots=True)
class Bench:
    """A started carrier, its webhooks going to a receiver, and a plain HTTP client for its API."""

    sim: TelnyxSim
    receiver: Receiver
    clock: Clock
    journal: Journal
    faults: FaultBoard
    http: aiohttp.ClientSession

    async def call(
        self,
        method: str,
        path: str,
        given: dict[str, Any] | None = None,
        *,
        key: str | None = None,
        params: Sequence[tuple[str, str]] = (),
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, dict[str, Any], dict[str, str]]:
        """Call the API; returns status, parsed body and headers."""
        sent = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json", **(headers or {})}
        if key is not None:
            sent["Idempotency-Key"] = key
        data = json.dumps(given).encode() if body is None and given is not None else body
        async with self.http.request(
            method, f"{self.sim.url}{path}", data=data, headers=sent, params=list(params)
        ) as response:
            return response.status, await response.json(), dict(response.headers)

    async def send(self, **fields: Any) -> dict[str, Any]:
        """Send one message that has to be accepted; `from_` stands for `from`."""
        given = {"from": OURS, "to": ANA, **fields}
        status, answer, _ = await self.call("POST", "/messages", given)
        assert status == 200, answer
        data: dict[str, Any] = answer["data"]
        return data

    async def refuse(self, path: str, given: dict[str, Any], **more: Any) -> tuple[int, str]:
        """Send what has to be refused; returns status and the error's code."""
        status, answer, _ = await self.call("POST", path, given, **more)
        assert status >= 400, answer
        return status, str(answer["errors"][0]["code"])


@asynccontextmanager
async def open_bench(
    clock: Clock | None = None,
    *,
    pace: timedelta = timedelta(0),
    numbers: Sequence[str] = (OURS, OURS_TOO, TOLL_FREE),
) -> AsyncIterator[Bench]:
    clock = clock or ManualClock()
    journal, faults = Journal(), FaultBoard()
    sim = TelnyxSim(
        api_key=KEY, profile_id=PROFILE, numbers=numbers, clock=clock, journal=journal, faults=faults, pace=pace
    )
    async with open_receiver() as receiver, aiohttp.ClientSession() as http:
        await sim.start()
        sim.profile_webhook_url = receiver.url
        try:
            yield Bench(sim=sim, receiver=receiver, clock=clock, journal=journal, faults=faults, http=http)
        finally:
            await sim.stop()


async def turn() -> None:
    """Give every other task a few turns."""
    for _ in range(10):
        await asyncio.sleep(0)
