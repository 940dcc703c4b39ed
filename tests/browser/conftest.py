"""The demo as a person starts it, and a headless browser before its page."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import ConsoleMessage, Page, async_playwright, expect

ROOT = Path(__file__).resolve().parents[2]
_COMMAND = [sys.executable, "-m", "bot", "demo", "--port", "0", "--no-open"]
_START_SECONDS = 30
_STOP_SECONDS = 12
#: No window, no telemetry, no downloads: the tests have no internet.
_CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]

expect.set_options(timeout=10_000)


async def _read_address(output: asyncio.StreamReader) -> str:
    said = []
    while line := (await output.readline()).decode("utf-8", "replace"):
        if found := re.search(r"http://\S+", line):
            return found[0]
        said.append(line)
    pytest.fail(f"the demo ended without telling its page's address:\n{''.join(said)}")


async def _drain(output: asyncio.StreamReader) -> None:
    while await output.read(65536):
        pass


@pytest.fixture
async def demo(tmp_path: Path) -> AsyncIterator[str]:
    """Run the demo in an empty folder and return its page's address."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    process = await asyncio.create_subprocess_exec(
        *_COMMAND, cwd=tmp_path, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    assert process.stdout is not None
    try:
        address = await asyncio.wait_for(_read_address(process.stdout), _START_SECONDS)
        drain = asyncio.get_running_loop().create_task(_drain(process.stdout))
        yield address
        process.terminate()
        assert await asyncio.wait_for(process.wait(), _STOP_SECONDS) == 0, "the demo does not end cleanly"
        await drain
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.fixture
async def page(demo: str, chromium_path: str) -> AsyncIterator[Page]:
    """Return the demo's page, open and live; whatever it complains of fails the test."""
    complaints: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            complaints.append(f"{message.type}: {message.text}")

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium_path, args=_CHROMIUM_ARGUMENTS)
        try:
            view = await browser.new_page(viewport={"width": 1440, "height": 900}, locale="en-US")
            view.on("console", hear)
            view.on("pageerror", lambda error: complaints.append(f"exception: {error}"))
            view.on("request", lambda request: _refuse_foreign(request.url, demo, complaints))
            view.set_default_timeout(10_000)
            await view.goto(demo)
            await view.wait_for_selector("#ready", state="attached")
            yield view
        finally:
            await browser.close()
    assert complaints == []


def _refuse_foreign(address: str, demo: str, complaints: list[str]) -> None:
    if not address.startswith((demo, "data:", "blob:")):
        complaints.append(f"the page asked for {address}")
