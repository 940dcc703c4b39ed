"""The demo's page: its files, the live stream of what the world is like, and the commands of the person before it."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from importlib import resources
from typing import Any, Protocol
from urllib.parse import urlsplit

from aiohttp import web

from bot.clock import Clock
from bot.sandbox.journal import Exchange, Journal
from bot.sandbox.server import Server

Json = dict[str, Any]

#: Changes that come within this span are told together.
_GATHER = timedelta(milliseconds=40)
#: A stream on which nothing happens says so this often, so that a page that has gone is noticed.
_HEARTBEAT = timedelta(seconds=15)
#: A form with ten pictures, in base64.
_MAX_COMMAND_BYTES = 40 * 1024 * 1024
#: What a browser may show by itself; anything else is only offered for download, since it may hold scripts.
_SHOWABLE = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "image/heic"})
_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'none'; base-uri 'none'; "
    "frame-ancestors 'none'; img-src 'self' data: blob: http://127.0.0.1:* http://localhost:*"
)


class CommandError(Exception):
    """A command of the page that cannot be done; its text is for the person who gave it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """The bytes of a file or picture, for the page to show."""

    name: str
    content_type: str
    content: bytes


class Stage(Protocol):
    """What the page shows and what can be done there."""

    def render_sections(self) -> Mapping[str, Json | list[Any]]:
        """Return everything that the page shows, by section."""
        ...

    async def do(self, command: Json) -> Json:
        """Do what the page asks and return what it should know; raises CommandError."""
        ...

    def find_attachment(self, kind: str, key: str) -> Attachment | None:
        """Return a file of Slack (`slack`) or a phone's picture (`phone`) by its key."""
        ...


class Page:
    """Serves the page for one stage."""

    def __init__(self, stage: Stage, *, journal: Journal, clock: Clock) -> None:
        self._stage = stage
        self._journal = journal
        self._clock = clock
        self._listeners: set[asyncio.Queue[str | None]] = set()  # one for each open page; None ends it
        self._told: dict[str, str] = {}
        self._exchanges: list[Exchange] = []
        self._changed = asyncio.Event()
        self._teller: asyncio.Task[None] | None = None
        self._server = Server(patience=timedelta(seconds=1))
        self._files = load_files()

    async def start(self, host: str, port: int) -> str:
        """Listen, and return the page's address; port 0 takes a free one."""
        app = web.Application(client_max_size=_MAX_COMMAND_BYTES, middlewares=[refuse_strangers])
        app.add_routes([
            web.get("/live", self.handle_live),
            web.post("/do", self.handle_command),
            web.get("/attachment/{kind}/{key:.+}", self.handle_attachment),
            web.get("/{name:[a-z_]*\\.?[a-z]*}", self.handle_file),
        ])  # fmt: skip
        origin = await self._server.start(app, host, port)
        self._journal.listeners.append(self._hear)
        self._teller = asyncio.get_running_loop().create_task(self._tell_changes(), name="page-teller")
        return f"{origin}/"

    async def stop(self) -> None:
        """Send the open pages away and stop listening."""
        if self._hear in self._journal.listeners:
            self._journal.listeners.remove(self._hear)
        if self._teller is not None:
            self._teller.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._teller
            self._teller = None
        for listener in self._listeners:
            listener.put_nowait(None)
        await self._server.stop()

    def touch(self) -> None:
        """Say that something may have changed; the pages are told soon."""
        self._changed.set()

    def _hear(self, exchange: Exchange) -> None:
        self._exchanges.append(exchange)
        self.touch()

    async def _tell_changes(self) -> None:
        while True:
            await self._changed.wait()
            await self._clock.sleep(_GATHER)
            self._changed.clear()
            changed = self._take_changes()
            exchanges, self._exchanges = self._exchanges, []
            for listener in self._listeners:
                if changed:
                    listener.put_nowait(word_event("state", join_sections(changed)))
                if exchanges:
                    listener.put_nowait(word_event("exchanges", word_exchanges(exchanges)))

    def _take_changes(self) -> dict[str, str]:
        now = {name: json.dumps(section) for name, section in self._stage.render_sections().items()}
        changed = {name: text for name, text in now.items() if self._told.get(name) != text}
        self._told = now
        return changed

    # ------------------------------------------------------------------------------------------------- handlers

    async def handle_file(self, request: web.Request) -> web.Response:
        """Serve one of the page's own files."""
        name = request.match_info["name"] or "index.html"
        if name not in self._files:
            raise web.HTTPNotFound(text="There is no such file here.\n")
        suffix = name[name.rfind(".") :]
        return web.Response(
            body=self._files[name],
            content_type=_TYPES[suffix],
            charset="utf-8",
            headers={
                "Content-Security-Policy": _POLICY,
                "Cache-Control": "no-cache",
                "X-Content-Type-Options": "nosniff",
            },
        )

    async def handle_live(self, request: web.Request) -> web.StreamResponse:
        """Stream everything as it is now, then whatever changes (server-sent events)."""
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        await response.prepare(request)
        async with contextlib.aclosing(self._listen()) as events:
            async for event in events:
                try:
                    await response.write(event.encode("utf-8"))
                except ConnectionResetError:
                    break
        return response

    async def _listen(self) -> AsyncGenerator[str, None]:
        listener: asyncio.Queue[str | None] = asyncio.Queue()
        whole = {name: json.dumps(section) for name, section in self._stage.render_sections().items()}
        self._listeners.add(listener)
        try:
            yield word_event("state", join_sections(whole))
            yield word_event("exchanges", word_exchanges(self._journal.exchanges))
            while True:
                try:
                    event = await asyncio.wait_for(listener.get(), _HEARTBEAT.total_seconds())
                except TimeoutError:
                    event = ": still here\n\n"
                if event is None:
                    return
                yield event
        finally:
            self._listeners.discard(listener)

    async def handle_command(self, request: web.Request) -> web.Response:
        """Do one command; 200 with `ok` false and a sentence where it cannot be done."""
        if request.content_type != "application/json":  # a foreign page cannot send this type without asking first
            return web.json_response({"ok": False, "error": "Commands are JSON."}, status=415)
        try:
            command = await request.json()
        except ValueError:
            return web.json_response({"ok": False, "error": "This is not JSON."}, status=400)
        if not isinstance(command, dict):
            return web.json_response({"ok": False, "error": "A command is a JSON object."}, status=400)
        try:
            answer = await self._stage.do(command)
        except CommandError as error:
            answer = {"ok": False, "error": str(error)}
        self.touch()
        return web.json_response({"ok": True, **answer})

    async def handle_attachment(self, request: web.Request) -> web.Response:
        """Serve a file that somebody sent."""
        found = self._stage.find_attachment(request.match_info["kind"], request.match_info["key"])
        if found is None:
            raise web.HTTPNotFound(text="There is no such file here.\n")
        shown = found.content_type in _SHOWABLE
        return web.Response(
            body=found.content,
            content_type=found.content_type if shown else "application/octet-stream",
            headers={
                "Content-Security-Policy": "default-src 'none'; sandbox",
                "Content-Disposition": "inline" if shown else "attachment",
                "X-Content-Type-Options": "nosniff",
                "Cache-Control": "private, max-age=3600",
            },
        )


@web.middleware
async def refuse_strangers(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """
    Let in only this page: other sites open in the same browser can reach the port too.

    A foreign page names itself in `Origin`; one that has pointed a name of its own at this address has it in `Host`.
    """
    if not is_own_name(request.host):
        raise web.HTTPForbidden(text="Open the demo by its address, not by a name.\n")
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc != request.host:
        raise web.HTTPForbidden(text="The demo takes commands from its own page only.\n")
    return await handler(request)


def is_own_name(host: str) -> bool:
    """Tell whether *host* (with or without a port) is `localhost` or a bare address."""
    name = urlsplit(f"//{host}").hostname or ""
    if name == "localhost":
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def load_files() -> dict[str, bytes]:
    """Return the page's files by name."""
    folder = resources.files("bot.sandbox") / "static"
    return {item.name: item.read_bytes() for item in folder.iterdir() if item.name[item.name.rfind(".") :] in _TYPES}


def join_sections(sections: Mapping[str, str]) -> str:
    """Return one JSON object of sections that are JSON already."""
    return "{" + ",".join(f"{json.dumps(name)}:{text}" for name, text in sections.items()) + "}"


def word_event(name: str, data: str) -> str:
    """Return one server-sent event; *data* is JSON, so it has no line breaks."""
    return f"event: {name}\ndata: {data}\n\n"


def word_exchanges(exchanges: Any) -> str:
    """Return exchanges as the page reads them."""
    return json.dumps(
        [
            {
                "number": exchange.number,
                "at": exchange.at.isoformat(),
                "source": exchange.source,
                "target": exchange.target,
                "operation": exchange.operation,
                "status": exchange.status,
                "milliseconds": round(exchange.milliseconds, 2),
                "detail": exchange.detail,
            }
            for exchange in exchanges
        ]
    )
