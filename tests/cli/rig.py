"""The program as a shell starts it, against the simulated platforms of this process."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp

from bot.clock import SystemClock
from bot.sandbox.world import World
from tests import overheard

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = (sys.executable, "-m", "bot")
SAM = "+14155550101"
ALEX = "+12125550123"
LONGEST = 40.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """How a command ended."""

    status: int
    out: str
    err: str


def build_environment(**more: str) -> dict[str, str]:
    """Return an environment with nothing of ours in it but *more*."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "LANG") if name in os.environ}
    return kept | {"PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error"} | more


async def run_bot(
    *arguments: str, folder: Path, environment: Mapping[str, str] | None = None, typed: str | None = None
) -> Done:
    """Run `python -m bot` in *folder* to its end, with *typed* on its standard input."""
    return await _run_to_end(*PROGRAM, *arguments, folder=folder, environment=environment, typed=typed)


async def run_python(code: str, *, folder: Path, environment: Mapping[str, str] | None = None) -> Done:
    """Run *code* in an interpreter of its own, which has imported nothing yet."""
    return await _run_to_end(sys.executable, "-c", code, folder=folder, environment=environment)


async def _run_to_end(
    *command: str, folder: Path, environment: Mapping[str, str] | None, typed: str | None = None
) -> Done:
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=folder,
        env=build_environment(**(environment or {})),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(LONGEST):
            out, err = await process.communicate((typed or "").encode())
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        raise
    assert process.returncode is not None
    return Done(status=process.returncode, out=out.decode(), err=err.decode())


@dataclass(slots=True)
class Running:
    """A command that goes on until it is told to stop."""

    process: asyncio.subprocess.Process
    out: list[str] = field(default_factory=list)
    err: list[str] = field(default_factory=list)
    url: str = ""

    async def follow(self, stream: asyncio.StreamReader | None, lines: list[str]) -> None:
        assert stream is not None
        while line := await stream.readline():
            lines.append(line.decode().rstrip("\n"))

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send the signal and return the exit status, which has to come within the 10 seconds promised."""
        self.process.send_signal(number)
        async with asyncio.timeout(10):
            return await self.process.wait()


@asynccontextmanager
async def start_bot(
    *arguments: str, folder: Path, environment: Mapping[str, str], under: Sequence[str] = ()
) -> AsyncIterator[Running]:
    """Start `python -m bot` in *folder*, by the command *under*; kill it in the end if it still runs."""
    process = await asyncio.create_subprocess_exec(
        *under,
        *PROGRAM,
        *arguments,
        cwd=folder,
        env=build_environment(**environment),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    running = Running(process)
    readers = [
        asyncio.create_task(running.follow(process.stdout, running.out)),
        asyncio.create_task(running.follow(process.stderr, running.err)),
    ]
    try:
        yield running
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        await process.wait()
        await asyncio.gather(*readers)
        leak = overheard.find_leak_in_lines(running.err)
        assert leak is None, f"the program's log tells what is nobody's to know: {leak}"


async def eventually(condition: Callable[[], Any], *, what: str) -> Any:
    """Return what *condition* returns once it is true; other processes ring no bell here."""
    try:
        async with asyncio.timeout(LONGEST):
            while not (found := condition()):  # noqa: ASYNC110 - another process rings no bell here
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"it never came to pass: {what}") from None
    return found


@asynccontextmanager
async def open_world() -> AsyncIterator[World]:
    """Start both platforms with the demo's people in them."""
    world = World(clock=SystemClock(), pace=timedelta(0))
    await world.start()
    try:
        yield world
    finally:
        await world.stop()


def build_settings(world: World, folder: Path, **more: str) -> dict[str, str]:
    """Return the settings with which the bridge meets *world*, its database in *folder*."""
    place = {"DATABASE_URL": f"sqlite:///{folder / 'bridge.db'}", "PORT": "0", "LOG_FORMAT": "json"}
    return world.bot_environment() | place | more


@asynccontextmanager
async def run_bridge(world: World, folder: Path, **more: str) -> AsyncIterator[Running]:
    """Run the bridge on *world* and lend it once it is ready."""
    async with start_bot(folder=folder, environment=build_settings(world, folder, **more)) as running:
        await connect(world, running)
        yield running


async def connect(world: World, running: Running) -> None:
    """Have *world* talk to a bridge that was just started, and wait until that is ready."""
    await eventually(lambda: _find_port(running), what="the bridge listens")
    running.url = f"http://127.0.0.1:{_find_port(running)}"
    await world.connect(running.url)
    await _wait_until_ready(running.url)


async def _wait_until_ready(url: str) -> None:
    async with aiohttp.ClientSession() as session, asyncio.timeout(LONGEST):
        while await _read_status(session, f"{url}/readyz") != 200:  # noqa: ASYNC110 - likewise
            await asyncio.sleep(0.05)


async def _read_status(session: aiohttp.ClientSession, url: str) -> int:
    async with session.get(url) as response:
        return response.status


def _find_port(running: Running) -> int | None:
    if running.process.returncode is not None:
        raise AssertionError(f"the bridge ended: {running.err}")
    for line in running.err:
        if line.startswith("{") and (entry := json.loads(line))["message"] == "Textbridge listens.":
            return int(entry["port"])
    return None


def list_posts(world: World) -> list[dict[str, Any]]:
    """Return every message in the main channel, replies included."""
    channel = world.seats.channels[world.cast.lines[0].number]
    roots = world.slack.messages(channel)
    return [message for root in roots for message in world.slack.thread(channel, root["ts"])]


def main_channel(world: World) -> str:
    return world.seats.channels[world.cast.lines[0].number]
