"""Stopping is safe: SIGTERM ends the real process within ten seconds with status 0, and nothing is lost."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import pytest

from bot.clock import SystemClock
from bot.listening import listen
from bot.sandbox.faults import FaultKind
from tests.bridge.harness import API_KEY, BOT_TOKEN, CHANNEL, OURS, SIGNING_SECRET, Bench, open_bench

ROOT = Path(__file__).resolve().parents[2]


async def run_program(bench: Bench) -> asyncio.subprocess.Process:
    """Start `python -m bot` on the bench's database, and return it once it is ready."""
    bound = listen("127.0.0.1", 0)
    bench.port = bound.getsockname()[1]
    bound.close()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot",
        cwd=ROOT,
        env={
            "SLACK_BOT_TOKEN": BOT_TOKEN,
            "SLACK_SIGNING_SECRET": SIGNING_SECRET,
            "SLACK_CHANNEL": CHANNEL,
            "TELNYX_API_KEY": API_KEY,
            "TELNYX_PUBLIC_KEY": bench.telnyx.public_key,
            "TELNYX_PHONE_NUMBER": OURS,
            "DATABASE_URL": bench.settings.database_url,
            "SLACK_API_URL": bench.slack.api_url,
            "TELNYX_API_URL": bench.telnyx.url,
            "PORT": str(bench.port),
        },
        stderr=asyncio.subprocess.PIPE,
    )
    bench.slack.request_url = f"{bench.url}/slack/events"
    bench.telnyx.profile_webhook_url = f"{bench.url}/webhooks/telnyx"
    assert process.stderr is not None
    said = b""
    async with asyncio.timeout(20):
        while b"listens" not in said:
            line = await process.stderr.readline()
            assert line, said.decode()
            said += line
    return process


async def end(process: asyncio.subprocess.Process, how: signal.Signals) -> int:
    if process.returncode is None:
        process.send_signal(how)
    async with asyncio.timeout(10):
        await process.communicate()
    assert process.returncode is not None
    return process.returncode


async def start_with_a_thread(bench: Bench) -> tuple[asyncio.subprocess.Process, str]:
    bench.clock.leap(SystemClock().now() - bench.clock.now())
    process = await run_program(bench)
    try:
        await bench.text_in("First")
        await bench.wait_until(lambda: bench.shown("First"))
    except BaseException:
        await end(process, signal.SIGKILL)
        raise
    return process, bench.slack.messages(CHANNEL)[0]["ts"]


@pytest.mark.crash
async def test_sigint_ends_the_program_with_status_0() -> None:
    async with open_bench(started=False) as bench:
        process, _ = await start_with_a_thread(bench)

        assert await end(process, signal.SIGINT) == 0


@pytest.mark.crash
async def test_sigterm_ends_the_program_with_status_0_within_ten_seconds_and_keeps_what_it_had_in_hand() -> None:
    """A text whose carrier does not answer, and another that Slack does not take."""
    async with open_bench(started=False) as bench:
        process, root = await start_with_a_thread(bench)
        try:
            bench.telnyx.switches.processing.clear()
            bench.fail(bench.slack, FaultKind.RATE_LIMIT, "chat.postMessage", retry_after=30)
            await bench.reply("In hand", root)
            await bench.text_in("Waiting")
            await bench.wait_until(lambda: bench.send_requests)
            await bench.wait_until(lambda: len([each for each in bench.telnyx.webhooks if each.status == 200]) == 2)

            assert await end(process, signal.SIGTERM) == 0
        finally:
            await end(process, signal.SIGKILL)

        bench.telnyx.switches.processing.set()
        bench.slack.faults.clear()
        await bench.start()
        bench.clock.set_rate(20)
        await bench.wait_until(lambda: bench.shown("Waiting") and bench.phone() == ["In hand"])
        assert len(bench.shown("Waiting")) == 1
        assert len(bench.telnyx.sends) == 1
