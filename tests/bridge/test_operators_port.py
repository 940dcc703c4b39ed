"""What is for operators alone, at the public port or at one of its own."""

from __future__ import annotations

import pytest

from bot.listening import listen
from bot.serve import run_bridge
from tests.bridge.harness import Bench, open_bench

_PATHS = ("/healthz", "/readyz", "/metrics", "/webhooks/telnyx", "/slack/events")


async def read_statuses(bench: Bench, port: int) -> dict[str, int]:
    found = {}
    for path in _PATHS:
        async with bench.http.get(f"http://127.0.0.1:{port}{path}") as response:
            found[path] = response.status
    return found


@pytest.mark.parametrize("apart", [False, True])
async def test_readiness_and_figures_are_where_the_settings_say_and_nowhere_else(apart: bool) -> None:
    async with open_bench(started=False, ops_port=0 if apart else None) as bench:
        public = listen("127.0.0.1", 0)
        own = listen("127.0.0.1", 0)
        public_port, own_port = public.getsockname()[1], own.getsockname()[1]
        async with run_bridge(bench.settings, public, own if apart else None):
            here = await read_statuses(bench, public_port)
            there = await read_statuses(bench, own_port) if apart else {}
        own.close()

    assert (here["/healthz"], here["/webhooks/telnyx"], here["/slack/events"]) == (200, 405, 405)
    if apart:
        assert (here["/readyz"], here["/metrics"]) == (404, 404)
        assert there["/readyz"] in (200, 503)
        assert (there["/healthz"], there["/metrics"], there["/webhooks/telnyx"], there["/slack/events"]) == (
            200, 200, 404, 404
        )  # fmt: skip
    else:
        assert here["/readyz"] in (200, 503)
        assert here["/metrics"] == 200
