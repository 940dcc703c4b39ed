"""Running the bridge until it is told to stop."""

from __future__ import annotations

import asyncio
import gc
import signal
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

from aiohttp import web

from bot.app import CALLS, open_bridge
from bot.errors import Broken
from bot.files import Shares, raise_limit, share_files
from bot.listening import explain_refusal, listen, stop_accepting
from bot.observe import Log
from bot.settings import Settings
from handlers.gate import GATE, Gate, Limits
from handlers.server_log import ServerLog

_log = Log("serve")

#: How long open requests may take to finish when the program stops; with the workers' patience it stays below 10 s.
_REQUEST_PATIENCE = timedelta(seconds=2)
#: How many may wait to be accepted; the system turns away whoever comes after them, to try again in a second or more.
_QUEUE = 128
#: How long the rest of a body is still read that nobody wants, in seconds, so that its sender can see the answer.
_LINGERING = 2.0
#: After how many more objects the collector looks at the youngest; Python's own 700 come with every few requests.
_NEW_OBJECTS = 10_000


@asynccontextmanager
async def open_door(
    app: web.Application, bound: socket.socket, *, patience: timedelta = _REQUEST_PATIENCE
) -> AsyncIterator[None]:
    """Serve *app* through its gate on *bound*; in the end, first no new requests, then *patience* with those open."""
    gate = app[GATE]
    # Bodies are taken as they came, for the signatures are over those bytes.
    runner = web.AppRunner(
        app,
        access_log=None,
        logger=ServerLog(),
        handle_signals=False,
        shutdown_timeout=patience.total_seconds(),
        lingering_time=_LINGERING,
        auto_decompress=False,
        max_line_size=gate.limits.line_bytes,
        max_field_size=gate.limits.line_bytes,
        max_headers=gate.limits.headers,
    )
    await runner.setup()
    try:
        assert runner.server is not None  # noqa: S101 - set up just now
        runner.server.request_handler = gate.pass_on(runner.server.request_handler)
        server = await _listen_on(bound, gate, runner.server)
        bound.listen(_QUEUE)  # asyncio takes its `backlog` for this as well: who is not accepted yet costs us no file
        try:
            yield
        finally:
            await stop_accepting(bound)
            server.close()
    finally:
        await runner.cleanup()


async def _listen_on(bound: socket.socket, gate: Gate, serve: Callable[[], asyncio.Protocol]) -> asyncio.Server:
    loop = asyncio.get_running_loop()
    try:
        return await loop.create_server(gate.guard(serve), sock=bound, backlog=gate.limits.knocking)
    except OSError as error:  # two may be bound to a port while neither listens; the second to listen is told
        host, port = bound.getsockname()[:2]
        raise Broken(explain_refusal(host, port, error, names="the port")) from error


@asynccontextmanager
async def run_bridge(
    settings: Settings, bound: socket.socket, operators: socket.socket | None = None, *, shares: Shares | None = None
) -> AsyncIterator[None]:
    """
    Run the bridge on *bound*, and what is for operators alone on *operators*, where that is wanted.

    Both are closed in the end; work in hand is then finished or kept within 10 seconds. *shares*: who gets how many files.
    """
    shares = shares or Shares(calls=CALLS)
    limits = Limits(connections=shares.connections, knocking=shares.knocking)
    try:
        async with open_bridge(settings, port=bound.getsockname()[1], limits=limits, calls=shares.calls) as bridge:
            await bridge.start()
            try:
                # Left in the reverse order: first no new requests, while the inbox can still store those that are open.
                async with AsyncExitStack() as doors:
                    if bridge.operators_web is not None and operators is not None:
                        await doors.enter_async_context(open_door(bridge.operators_web, operators))
                    await doors.enter_async_context(open_door(bridge.web, bound))
                    yield
            finally:
                await bridge.stop()
    finally:
        bound.close()
        if operators is not None:
            operators.close()


def calm_collector() -> None:
    """Have the collector of cycles look less often, and not at what stays for good: hardly anything here goes in circles."""
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS, 20, 50)


def hear_signals(stop: Callable[[], object]) -> None:
    """Have *stop* called when the process is told to stop, by SIGTERM or SIGINT."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)


async def serve(settings: Settings) -> None:
    """Serve until told to stop; told so while it still waits for the database, or brings it up to date, break that off."""
    stopping = asyncio.Event()
    this = asyncio.current_task()
    assert this is not None  # noqa: S101 - a coroutine that runs
    hear_signals(this.cancel)
    try:
        await _serve(settings, stopping)
    except asyncio.CancelledError:
        _log.info("Textbridge stops before it listens.")


async def _serve(settings: Settings, stopping: asyncio.Event) -> None:
    bound = listen(settings.host, settings.port)
    operators = None
    if settings.ops_port is not None:
        try:
            operators = listen(settings.ops_host, settings.ops_port)
        except OSError:
            bound.close()
            raise
    allowed = raise_limit()
    shares = share_files(allowed, calls=CALLS)
    if shares != Shares(calls=CALLS):
        _log.warning(
            "Few files may be open at once, and so few connections: raise the limit (ulimit -n) to 1024.",
            files=allowed,
            connections=shares.connections,
        )
    async with run_bridge(settings, bound, operators, shares=shares):
        hear_signals(stopping.set)
        calm_collector()
        _log.info("Textbridge listens.", host=settings.host, port=bound.getsockname()[1])
        # What is there now stays: it need not be looked through again whenever garbage is looked for.
        gc.freeze()
        gc.enable()
        if operators is not None:
            _log.info(
                "It tells how it is at a port of its own.", host=settings.ops_host, port=operators.getsockname()[1]
            )
        await stopping.wait()
        _log.info("Textbridge stops.")
