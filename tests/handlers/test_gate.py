"""The gate: slow, many and large clients, over real sockets, with limits small enough to be reached."""

from __future__ import annotations

import asyncio
import gc
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import pytest
from aiohttp import web

from bot.listening import listen
from bot.serve import open_door
from handlers.gate import GATE, Gate, Limits

_SOON = timedelta(milliseconds=50)
_WHOLE = b"POST /take HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi"


@dataclass(slots=True, kw_only=True)
class Client:
    """A socket to the server, written to by hand."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self) -> int:
        """Return the status of the next answer, whose body is read."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        (length,) = [line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
        await self.reader.readexactly(int(length.partition(b":")[2]))
        return int(head.split()[1])

    async def is_cut(self) -> bool:
        """Wait for the connection's end; an answer instead of it is a failure."""
        async with asyncio.timeout(5):
            try:
                return await self.reader.read(1) == b""
            except ConnectionError:
                return True


@dataclass(slots=True, kw_only=True)
class Server:
    """An application behind a gate, and what it took."""

    port: int
    taken: list[bytes]

    async def connect(self) -> Client:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        return Client(reader=reader, writer=writer)


@asynccontextmanager
async def serve(limits: Limits) -> AsyncIterator[Server]:
    gate, taken = Gate(limits), []
    app = web.Application(client_max_size=limits.body_bytes)
    app[GATE] = gate

    async def take(request: web.Request) -> web.Response:
        taken.append(await request.read())
        return web.Response(text="taken")

    app.router.add_post("/take", gate.frequent("/take", take))
    bound = listen("127.0.0.1", 0)
    try:
        async with open_door(app, bound, patience=timedelta(0)):
            yield Server(port=bound.getsockname()[1], taken=taken)
    finally:
        bound.close()


@asynccontextmanager
async def clients(server: Server, number: int) -> AsyncIterator[list[Client]]:
    opened = [await server.connect() for _ in range(number)]
    try:
        yield opened
    finally:
        for client in opened:
            client.writer.close()
        await asyncio.gather(*(client.writer.wait_closed() for client in opened), return_exceptions=True)


@pytest.mark.parametrize("said", [b"", b"POST", b"POST /take HTTP/1.1\r\nHost: x\r\nX-Slow: "])
async def test_whoever_does_not_finish_its_headers_is_cut_off(said: bytes) -> None:
    async with serve(Limits(headers_within=_SOON, look_every=_SOON)) as server, clients(server, 1) as (client,):
        await client.send(said)

        assert await client.is_cut()


async def test_whoever_drips_its_headers_is_cut_off_however_often_it_says_something() -> None:
    async with serve(Limits(headers_within=_SOON, look_every=_SOON)) as server, clients(server, 1) as (client,):
        await client.send(b"POST /take HTTP/1.1\r\n")
        cut = asyncio.ensure_future(client.is_cut())
        while not cut.done():
            client.writer.write(b"X-Drip: 1\r\n")
            await asyncio.sleep(0.02)

        assert await cut
        assert server.taken == []


async def test_whoever_does_not_finish_its_body_is_cut_off_and_its_request_does_nothing() -> None:
    async with serve(Limits(body_within=_SOON, look_every=_SOON)) as server, clients(server, 1) as (client,):
        await client.send(_WHOLE[:-1])

        assert await client.is_cut()
        assert server.taken == []


async def test_one_that_kept_its_connection_may_be_silent_and_ask_again_but_not_ask_slowly() -> None:
    async with serve(Limits(headers_within=_SOON, look_every=_SOON)) as server, clients(server, 1) as (client,):
        await client.send(_WHOLE)
        assert await client.answer() == 200
        await asyncio.sleep(0.2)  # longer than it takes to look whose time is up
        await client.send(_WHOLE)
        assert await client.answer() == 200
        await client.send(_WHOLE[:20])

        assert await client.is_cut()
        assert server.taken == [b"hi", b"hi"]


async def test_when_all_places_are_taken_the_longest_idle_makes_room() -> None:
    async with serve(Limits(connections=2)) as server, clients(server, 2) as (first, second):
        for client in (first, second):
            await client.send(_WHOLE)
            assert await client.answer() == 200
        await first.send(_WHOLE)
        assert await first.answer() == 200
        async with clients(server, 1) as (third,):
            await third.send(_WHOLE)

            assert await third.answer() == 200
            assert await second.is_cut()
            await first.send(_WHOLE)
            assert await first.answer() == 200


async def test_when_all_places_are_at_work_nobody_else_comes_in_and_those_are_finished() -> None:
    async with serve(Limits(connections=1)) as server, clients(server, 1) as (first,):
        await first.send(_WHOLE[:-1])
        await asyncio.sleep(0.05)
        async with clients(server, 1) as (second,):
            assert await second.is_cut()
        await first.send(_WHOLE[-1:])

        assert await first.answer() == 200
        assert server.taken == [b"hi"]


@pytest.mark.parametrize(
    "headers",
    [
        b"".join(b"X-%d: 1\r\n" % number for number in range(Limits().headers + 1)),
        b"X-Long: " + b"x" * (Limits().line_bytes + 1) + b"\r\n",
    ],
    ids=["too many", "too long"],
)
async def test_headers_beyond_the_limits_are_refused(headers: bytes) -> None:
    async with serve(Limits()) as server, clients(server, 1) as (client,):
        await client.send(_WHOLE.replace(b"\r\n\r\n", b"\r\n" + headers + b"\r\n"))

        assert await client.answer() == 400
        assert server.taken == []


async def test_a_body_is_taken_as_it_came_even_if_it_says_that_it_is_compressed() -> None:
    """Signatures are over those bytes, and what unpacks nothing cannot be made to unpack without end."""
    async with serve(Limits()) as server, clients(server, 1) as (client,):
        await client.send(_WHOLE.replace(b"\r\n\r\n", b"\r\nContent-Encoding: gzip\r\n\r\n"))

        assert await client.answer() == 200
        assert server.taken == [b"hi"]


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (b"POST /take?ref=1 HTTP/1.1", 200),
        (b"POST /t%61ke HTTP/1.1", 200),
        (b"POST http://x/take HTTP/1.1", 200),
        (b"PUT /take HTTP/1.1", 405),
        (b"POST /take/ HTTP/1.1", 404),
    ],
)
async def test_however_an_address_is_written_it_is_the_same_and_no_other(line: bytes, status: int) -> None:
    async with serve(Limits()) as server, clients(server, 1) as (client,):
        await client.send(_WHOLE.replace(b"POST /take HTTP/1.1", line))

        assert await client.answer() == status
        assert server.taken == [b"hi"] * (status == 200)


_ASKING = _WHOLE[:-2].replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n")
_GO_ON = b"HTTP/1.1 100 Continue\r\n\r\n"


async def test_whoever_asks_before_it_sends_a_body_is_told_to_go_on() -> None:
    async with serve(Limits()) as server, clients(server, 1) as (client,):
        await client.send(_ASKING)
        assert await client.reader.readuntil(b"\r\n\r\n") == _GO_ON
        await client.send(b"hi")

        assert await client.answer() == 200
        assert server.taken == [b"hi"]


async def test_whoever_was_told_to_go_on_and_does_not_is_cut_off() -> None:
    async with serve(Limits(body_within=_SOON, look_every=_SOON)) as server, clients(server, 1) as (client,):
        await client.send(_ASKING)
        assert await client.reader.readuntil(b"\r\n\r\n") == _GO_ON

        assert await client.is_cut()
        assert server.taken == []


@pytest.mark.parametrize("turns", range(6))
async def test_whoever_comes_while_the_door_closes_is_told_so_at_once(turns: int) -> None:
    """In whichever turn of the loop it comes; a socket that is forgotten instead is a warning, and so a failure."""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(5):
        async with serve(Limits()) as server:
            client = socket.create_connection(("127.0.0.1", server.port))
            client.setblocking(False)
            for _ in range(turns):
                await asyncio.sleep(0)
        with client:
            try:
                said = await loop.sock_recv(client, 1)
            except ConnectionResetError:
                said = b""
    gc.collect()

    assert said == b""
