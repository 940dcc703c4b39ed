"""`demo`: the real bridge between a simulated Slack and a simulated carrier, all in this process."""

from __future__ import annotations

import argparse
import asyncio
import errno
import os
import sys
import tempfile
import webbrowser
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bot.clock import SystemClock
from bot.listening import listen
from bot.observe import configure_logging
from bot.sandbox.world import World
from bot.serve import hear_signals, run_bridge
from bot.settings import read_settings

_HOST = "127.0.0.1"
_PORT = 8090
#: What says that the page's port cannot be had; any other failure to listen is told as it is.
_TAKEN = (errno.EADDRINUSE, errno.EACCES)
#: What the platforms' own libraries read from the environment by themselves: the real accounts, and a proxy, behind
#: which nothing on this machine is.
_READ_BY_LIBRARIES = ("SLACK_", "TELNYX_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take where the page is shown."""
    parser.add_argument(
        "--port", type=read_port, default=_PORT, help=f"where to show the page (default {_PORT}; 0: any free port)"
    )
    parser.add_argument("--no-open", action="store_true", help="do not open the page in a browser")
    parser.add_argument("--verbose", action="store_true", help="show the bridge's log lines too")


def read_port(value: str) -> int:
    """Return the port that *value* names."""
    port = int(value)
    if not 0 <= port <= 65535:  # noqa: PLR2004 - all ports there are
        raise argparse.ArgumentTypeError("a port is a number from 0 to 65535")
    return port


def run(options: argparse.Namespace) -> int:
    """Show the demo until told to stop."""
    configure_logging(level="INFO" if options.verbose else "WARNING", as_json=False)
    for name in [*os.environ]:  # noqa: TID251 - no settings of ours are read here
        if name.upper().startswith(_READ_BY_LIBRARIES):
            del os.environ[name]  # noqa: TID251
    asyncio.run(_show(options.port, opens=not options.no_open))
    return 0


async def _show(port: int, *, opens: bool) -> None:
    stopping = asyncio.Event()
    hear_signals(stopping.set)
    with tempfile.TemporaryDirectory(prefix="textbridge-demo-") as folder:
        world = await _start_world(port)
        try:
            async with _run_bot(world, Path(folder)) as bot_url:
                await world.connect(bot_url)
                _announce(world.page_url, port, bot_url)
                if opens:
                    await asyncio.to_thread(_open_page, world.page_url)
                await stopping.wait()
                print("Stopping the demo.", flush=True)
        finally:
            await world.stop()


async def _start_world(port: int) -> World:
    world = World(clock=SystemClock())
    try:
        await world.start(_HOST, page_port=port)
    except OSError as error:
        if error.errno not in _TAKEN or port == 0:
            raise
        world = World(clock=SystemClock())
        await world.start(_HOST, page_port=0)
    return world


@asynccontextmanager
async def _run_bot(world: World, folder: Path) -> AsyncIterator[str]:
    """Run the bridge as `serve` does, on a free port, and lend its address."""
    bound = listen(_HOST, 0)
    port = bound.getsockname()[1]
    bot_url = f"http://{_HOST}:{port}"
    # From nowhere but here: what the environment and `.env` say is for the real thing.
    settings = read_settings(
        {name.lower(): value for name, value in world.bot_environment().items()}
        | {"host": _HOST, "port": port, "public_url": bot_url, "database_url": f"sqlite:///{folder / 'demo.db'}"}
    )
    async with run_bridge(settings, bound):
        yield bot_url


def _announce(page_url: str, wanted: int, bot_url: str) -> None:
    print(f"Textbridge demo: {page_url}")
    if wanted and f":{wanted}/" not in page_url:
        print(f"  Port {wanted} is taken, so the page is at another one.")
    print("  Open it in a browser: phones on one side, Slack on the other, the real bridge in between.")
    print("  Text from a phone, answer in its thread in Slack. STOP, pictures, outages and crashes: try them all.")
    print(f"  Everything is simulated on this machine and gone when it ends. The bridge itself: {bot_url}/healthz")
    print("  Ctrl-C ends it.", flush=True)


def _open_page(url: str) -> None:
    """Open *url* in the person's browser, if there is a person and a browser with a window of its own."""
    if not sys.stdout.isatty():
        return
    try:
        browser = webbrowser.get()
    except webbrowser.Error:
        return
    # A browser for the terminal would take over the one in which the demo runs, until it is left.
    if isinstance(browser, webbrowser.GenericBrowser) and not isinstance(browser, webbrowser.BackgroundBrowser):
        return
    browser.open(url)
