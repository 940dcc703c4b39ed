"""What the log tells of requests that cannot be read, break off, or fail: that they did, and nothing of what was in them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from bot.listening import listen
from bot.serve import open_door
from handlers.gate import GATE, Gate, Limits
from tests.overheard import Ear

_WORDS = b"the key is under the mat"
_HEAD = b"POST /take HTTP/1.1\r\nHost: x\r\n"
_CHUNKED = _HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.fixture
async def port() -> AsyncIterator[int]:
    """Return the port of a server that takes what is posted to it, and has a defect."""
    app = web.Application()
    app[GATE] = gate = Gate(Limits())

    async def take(request: web.Request) -> web.Response:
        if await request.read() == b"fail":
            raise KeyError("door")
        return web.Response()

    app.router.add_post("/take", gate.frequent("/take", take))
    bound = listen("127.0.0.1", 0)
    try:
        async with open_door(app, bound):
            yield bound.getsockname()[1]
    finally:
        bound.close()


async def ask(port: int, raw: bytes) -> bytes:
    """Return all that is answered to *raw*, which follows on a good request, until the server closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    async with asyncio.timeout(5):
        writer.write(_HEAD + b"Content-Length: 2\r\n\r\nhi")
        assert b" 200 " in await reader.readuntil(b"\r\n\r\n")
        writer.write(raw)
        said = await reader.read()
    writer.close()
    await writer.wait_closed()
    return said


@pytest.mark.parametrize(
    "raw",
    [
        _HEAD + b"Content-Length: 2\r\n\r\nhi" + _WORDS + b"\r\n\r\n",
        _HEAD + _WORDS + b"\r\n\r\n",
        _CHUNKED + b"2\r\nhi\r\n" + _WORDS + b"\r\n",
        b"POST /take?" + _WORDS + b"\xff HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST http://[" + _WORDS.replace(b" ", b"") + b"/ HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
    ids=["a body longer than it says", "a line that is no header", "a chunk without its length", "no path", "no host"],
)
async def test_of_what_is_no_request_nothing_is_repeated(
    port: int, raw: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    assert b" 400 Bad Request\r\n" in await ask(port, raw)

    (line,) = caplog.records
    assert (line.levelname, line.getMessage()) == ("INFO", "Something that is no request was refused.")
    assert line.exc_info is None
    assert b"mat" not in Ear().format(line).encode()


async def test_a_client_that_goes_away_is_no_error(port: int, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(_HEAD + b"Content-Length: 99\r\nExpect: 100-continue\r\n\r\n")
    await reader.readuntil(b"\r\n\r\n")  # from now on it waits for the rest
    writer.write(_WORDS)
    writer.close()
    await writer.wait_closed()
    async with asyncio.timeout(5):
        while not caplog.records:  # noqa: ASYNC110 - a log rings no bell
            await asyncio.sleep(0)

    assert [(line.levelname, line.getMessage(), line.exc_info) for line in caplog.records] == [
        ("INFO", "A client went away in the middle of its request.", None)
    ]


async def test_a_defect_is_told_with_its_place_and_answered_500_without_a_word_of_it(
    port: int, caplog: pytest.LogCaptureFixture
) -> None:
    said = await ask(port, _HEAD + b"Content-Length: 4\r\n\r\nfail")

    assert said.startswith(b"HTTP/1.1 500 ")
    assert b"door" not in said
    assert b"Traceback" not in said
    (line,) = caplog.records
    assert (line.levelname, line.getMessage()) == ("ERROR", "A request could not be answered.")
    told = Ear().format(line)
    assert told.endswith("\nKeyError")
    assert "Traceback" in told
