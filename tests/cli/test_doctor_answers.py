"""`doctor` before platforms that answer less than they might, or not at all to the question: what it may conclude."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bot.cli.doctor import examine
from bot.cli.findings import Finding, Grade
from bot.clock import SystemClock
from bot.settings import read_settings

OURS = "+13125550001"
PROFILE = "400170b7-1111-4444-8888-000000000001"
BASE = "http://127.0.0.1:1"

#: By method and path, the least that each says.
ANSWERS: Mapping[str, Any] = {
    "POST /api/auth.test": {"ok": True, "user": "textbridge", "team": "Acme", "bot_id": "B1"},
    "GET /api/conversations.info": {"ok": True, "channel": {"id": "C1", "is_member": True}},
    "GET /v2/messaging_profiles": {"data": []},
    "GET /v2/phone_numbers/messaging": {"data": [{"phone_number": OURS, "messaging_profile_id": PROFILE}]},
    f"GET /v2/messaging_profiles/{PROFILE}": {"data": {"id": PROFILE, "webhook_url": f"{BASE}/webhooks/telnyx"}},
}


@asynccontextmanager
async def open_platforms(answers: Mapping[str, Any]) -> AsyncIterator[str]:
    """Lend the address of both platforms, which know what is in *answers* and nothing else."""

    async def handle(request: web.Request) -> web.Response:
        answer = answers.get(f"{request.method} {request.path}")
        if isinstance(answer, str):
            return web.Response(text=answer, content_type="text/html")
        if answer is None:
            return web.Response(status=404, text="404 page not found")
        return web.Response(body=json.dumps(answer), content_type="application/json")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def find_wrong(url: str, folder: Path) -> list[Finding]:
    settings = read_settings(
        {
            "slack_bot_token": "xoxb-made-up",
            "slack_signing_secret": "0" * 32,
            "slack_channel": "C1",
            "slack_api_url": f"{url}/api/",
            "telnyx_api_key": "KEYmade-up",
            "telnyx_public_key": f"{'A' * 43}=",
            "telnyx_phone_number": OURS,
            "telnyx_api_url": f"{url}/v2",
            "database_url": f"sqlite:///{folder / 'bridge.db'}",
            "public_url": BASE,
        }
    )
    found = [finding async for finding in examine(settings, SystemClock())]
    return [each for each in found if each.grade is Grade.WRONG]


async def test_what_a_platform_does_not_tell_is_not_held_against_it(tmp_path: Path) -> None:
    async with open_platforms(ANSWERS) as url:
        assert await find_wrong(url, tmp_path) == []


@pytest.mark.parametrize("answer", ["<html>Please sign in</html>", "", [], {}, {"data": None}])
async def test_a_page_in_the_place_of_an_answer_is_no_sign_that_the_key_works(answer: object, tmp_path: Path) -> None:
    async with open_platforms({**ANSWERS, "GET /v2/messaging_profiles": answer}) as url:
        (wrong,) = await find_wrong(url, tmp_path)

    assert wrong.about == "TELNYX_API_KEY"
    assert wrong.says == "Telnyx did not answer the question (HTTP 200)."
