"""slack-bolt as its documentation has it, one listener, and the same group commit: `python -m benchmarks.bolt_peer DATABASE`."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult

from benchmarks.bare import Handler, serve_application
from benchmarks.bodies import SLACK_SECRET
from benchmarks.group_commit import INBOX, Store


async def _authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
    return AuthorizeResult(
        enterprise_id=enterprise_id, team_id=team_id, bot_token="xoxb-made-up", bot_id="B0BOT", bot_user_id="U0BOT"
    )


async def _serve(database: Path) -> None:
    tasks = []

    async def build() -> Handler:
        store = Store(database)
        tasks.append(asyncio.create_task(store.run()))
        # Answering only after the listener, else it would say yes before anything is stored.
        bolt = AsyncApp(signing_secret=SLACK_SECRET, authorize=_authorize, process_before_response=True)

        async def keep(body: dict[str, Any]) -> None:
            await store.put((INBOX, (body["event_id"], json.dumps(body))))

        bolt.event("message")(keep)

        async def handle(request: web.Request) -> web.Response:
            answer: web.Response = await to_aiohttp_response(await bolt.async_dispatch(await to_bolt_request(request)))
            return answer

        return handle

    await serve_application(build)


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1])))
