"""What goes past the application's router is answered to the letter as the router would have it answered."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from aiohttp.typedefs import Handler

from bot.listening import listen
from bot.serve import open_door
from handlers.gate import GATE, Gate, Limits

_MOST = 1000
#: Comes after each case: it is answered only where the connection goes on, and ends it.
_LAST = b"GET /end HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
_CHUNKED = (b"Transfer-Encoding: chunked",)


class _LongWay(Gate):
    """A gate that leaves everything to the router."""

    def frequent(self, path: str, handler: Handler) -> Handler:
        return self._with_body(handler)


@dataclass(slots=True, kw_only=True)
class Server:
    """A server, and what its handler was given."""

    port: int
    taken: list[Any] = field(default_factory=list)


@asynccontextmanager
async def serve(gate: Gate) -> AsyncIterator[Server]:
    app = web.Application(client_max_size=gate.limits.body_bytes)
    app[GATE] = gate
    bound = listen("127.0.0.1", 0)
    server = Server(port=bound.getsockname()[1])

    async def take(request: web.Request) -> web.Response:
        raw = await request.read()
        server.taken.append((raw, dict(request.query), request.headers.getall("X-Sig", []), request.content_type))
        if raw == b"409":
            raise web.HTTPConflict
        return web.Response(status=int(raw) if raw.isdigit() else 200)

    async def end(_: web.Request) -> web.Response:
        return web.Response(text="the end")

    app.router.add_post("/take", gate.frequent("/take", take))
    app.router.add_get("/end", end)
    try:
        async with open_door(app, bound):
            yield server
    finally:
        bound.close()


async def ask(server: Server, raw: bytes) -> tuple[bytes, list[Any]]:
    """Return all that is answered to *raw*, but for the time of day, and what the handler was given."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    try:
        writer.write(raw + _LAST)
        async with asyncio.timeout(5):
            said = await reader.read()
    finally:
        writer.close()
        await asyncio.gather(writer.wait_closed(), return_exceptions=True)  # it may have been reset
    return re.sub(rb"Date: [^\r]+", b"Date: now", said), server.taken


def post(
    target: bytes = b"/take", *lines: bytes, body: bytes = b"hi", method: bytes = b"POST", version: bytes = b"1.1"
) -> bytes:
    """Return a request; the body's length is told unless *lines* say how it comes."""
    length = (
        () if any(line.startswith(b"Transfer-Encoding") for line in lines) else (b"Content-Length: %d" % len(body),)
    )
    return b"\r\n".join((b"%s %s HTTP/%s" % (method, target, version), b"Host: x", *lines, *length, b"", body))


def in_chunks(*parts: bytes, trailer: bytes = b"") -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (*parts,)) + b"0\r\n" + trailer + b"\r\n"


_TARGETS = (
    b"/take?", b"/take?ref=a%20b&x=%FF&ref=2", b"/take?a?b", b"/take#part", b"/take/", b"/take/?a=1", b"//take", b"/./take",
    b"/x/../take", b"/%74ake", b"/take%ZZ", b"/take%20", b"/TAKE", b"/take;a=b", b"*", b"http://x/take", b"http://x/take?ref=1",
    b"https://y:99/take", b"http://x:/take", b"http://[/take", b"/take\xc3\xa9", b"/take?\xff", b"/take?" + b"a" * 9000,
)  # fmt: skip
_METHODS = (b"GET", b"PUT", b"PATCH", b"DELETE", b"OPTIONS", b"post", b"POSTT")
_LINES = (
    b"X-Sig: a\r\nX-Sig: b", b"X-Sig: \xff\xc3\xa9", b"X-Sig : a", b"X-Sig: a\r\n b", b"X-Sig: a\0b", b"no header",
    b"Content-Encoding: gzip", b"Content-Encoding: nonsense", b"Content-Type: \xff", b"Content-Type: a/b\r\nContent-Type: c/d",
    b"Content-Length: 2", b"Content-Length: 3", b"Expect: 100-continue", b"Expect: 200-ok", b"Expect:", b"Connection: close",
)  # fmt: skip
CASES = [
    post(),
    *(post(target) for target in _TARGETS),
    *(post(method=method) for method in _METHODS),
    *(post(b"/take", line) for line in _LINES),
    *(post(version=version) for version in (b"1.0", b"1.2", b"2.0")),
    post(b"/take", b"Connection: keep-alive", version=b"1.0"),
    *(post(b"/take", *_CHUNKED, body=body) for body in (in_chunks(b"h", b"i"), in_chunks(b"hi", trailer=b"X: 1\r\n"), b"zz\r\n")),
    *(post(body=status) + post() for status in (b"401", b"409", b"503", b"", b"hi")),
    *(post(body=b"x" * size) + post() for size in (_MOST, _MOST + 1, 50 * _MOST)),
    *(post(b"/take", *_CHUNKED, body=in_chunks(b"x" * size)) + post() for size in (_MOST, _MOST + 1)),
    post() + post(b"/end", method=b"GET", body=b"") + post(method=b"PUT") + post(body=b"503") + post(),
    post()[:-2],
]  # fmt: skip


@pytest.mark.parametrize("raw", CASES, ids=lambda raw: repr(raw[:60]))
async def test_the_short_way_answers_as_the_long_one_would(raw: bytes) -> None:
    limits = Limits(body_bytes=_MOST)
    async with serve(Gate(limits)) as short, serve(_LongWay(limits)) as long:
        assert await ask(short, raw) == await ask(long, raw)
