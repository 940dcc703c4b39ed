"""
The floors, each the least that does one thing: `python -m benchmarks.floors KIND DATABASE [SLACK_URL]`.

- `floor`: aiohttp, the same Ed25519 check and reader of JSON, group commit with synchronous=FULL, duplicates refused.
- `each`: the same with a transaction for each request.
- `lean`: Slack's HMAC instead of the carrier's signature.
- `through`: `floor`, and each text is then posted by a bare aiohttp client, one after the other within a conversation,
  and where it stands is committed.
"""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from benchmarks import slow_disk
from benchmarks.bare import Handler, serve_application
from benchmarks.bodies import CARRIER_PUBLIC_KEY, CHANNEL, SLACK_SECRET
from benchmarks.group_commit import INBOX, POSTED, Row, Store
from bot.clock import SystemClock
from bot.json_text import read_json, write_json
from handlers.verify import CarrierVerifier, SlackVerifier

#: Posts under way at once, as many as the bridge allows itself.
_IN_FLIGHT = 256


def build_floor(put: Callable[[Row], Awaitable[None]], *, then: Callable[[Any], None] | None = None) -> Handler:
    """Return what verifies, reads, has it stored by *put* and answers, and hands it on to *then*."""
    verifier, clock = CarrierVerifier([CARRIER_PUBLIC_KEY]), SystemClock()

    async def handle(request: web.Request) -> web.Response:
        raw = await request.read()
        if not verifier.is_genuine(request.headers, raw, clock.now().timestamp()):
            return web.Response(status=401)
        event = read_json(raw)
        await put((INBOX, (event["data"]["id"], raw.decode())))
        if then is not None:
            then(event)
        return web.Response()

    return handle


def build_lean(put: Callable[[Row], Awaitable[None]]) -> Handler:
    """Return the same for Slack's events."""
    verifier, clock = SlackVerifier([SLACK_SECRET]), SystemClock()

    async def handle(request: web.Request) -> web.Response:
        raw = await request.read()
        if not verifier.is_genuine(request.headers, raw, clock.now().timestamp()):
            return web.Response(status=401)
        event = read_json(raw)
        await put((INBOX, (event["event_id"], raw.decode())))
        return web.Response()

    return handle


class Poster:
    """Posts texts, in order within a conversation, and has committed where each stands before the next."""

    def __init__(self, store: Store, session: aiohttp.ClientSession, url: str) -> None:
        self._store = store
        self._session = session
        self._url = url + "chat.postMessage"
        self._waiting: dict[str, deque[Any]] = {}
        self._roots: dict[str, str] = {}
        self._turns = asyncio.Semaphore(_IN_FLIGHT)
        self._tasks: set[asyncio.Task[None]] = set()

    def add(self, event: Any) -> None:
        """Have a stored webhook posted."""
        payload = event["data"]["payload"]
        conversation = payload["from"]["phone_number"]
        if conversation in self._waiting:
            self._waiting[conversation].append(payload)
            return
        self._waiting[conversation] = deque([payload])
        task = asyncio.create_task(self._work(conversation))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _work(self, conversation: str) -> None:
        waiting = self._waiting[conversation]
        while waiting:
            payload = waiting.popleft()
            async with self._turns:
                root = self._roots.get(conversation)
                asked = {"channel": CHANNEL, "text": payload["text"], **({"thread_ts": root} if root else {})}
                headers = {"Authorization": "Bearer made-up", "Content-Type": "application/json;charset=utf-8"}
                async with self._session.post(self._url, data=write_json(asked), headers=headers) as response:
                    answer = read_json(await response.read())
            ts = answer["ts"]
            self._roots.setdefault(conversation, ts)
            await self._store.put((POSTED, (payload["id"], self._roots[conversation], ts)))
        del self._waiting[conversation]


async def _serve(kind: str, database: Path, slack_url: str) -> None:
    tasks = []

    async def build() -> Handler:
        store = Store(database)
        tasks.append(asyncio.create_task(store.run()))
        if kind == "through":
            session = aiohttp.ClientSession()
            return build_floor(store.put, then=Poster(store, session, slack_url).add)
        return {
            "floor": lambda: build_floor(store.put),
            "each": lambda: build_floor(store.put_alone),
            "lean": lambda: build_lean(store.put),
        }[kind]()

    await serve_application(build)


if __name__ == "__main__":
    slow_disk.install_if_asked()
    asyncio.run(_serve(sys.argv[1], Path(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else ""))
