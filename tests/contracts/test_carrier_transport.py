"""
What httpx's requests meet with over aiohttp's connections: the same as over httpx's own, which go through all of it too.

Above all: whether a request that failed can have reached the carrier.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import httpx
import pytest

from bot.clock import SystemClock
from bot.domain.ids import MessageId
from bot.errors import OutcomeUnknown, RetryLater
from bot.gateways.telnyx import TelnyxGateway
from bot.gateways.telnyx_transport import AiohttpTransport
from bot.observe import Metrics
from bot.ports import CarrierRequest
from tests.contracts.mishaps import FAILURES, SILENCES, hear_out, send_away, speak_plainly
from tests.contracts.wire import YES, Line, Manner, Wire, answer_each, open_wire, render_answer

LIMITS = httpx.Limits(max_connections=10, max_keepalive_connections=10, keepalive_expiry=20)
TRANSPORTS: dict[str, Callable[[], httpx.AsyncBaseTransport]] = {
    "aiohttp's": lambda: AiohttpTransport(limits=LIMITS),
    "httpx's own": lambda: httpx.AsyncHTTPTransport(limits=LIMITS),
}
NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)


@pytest.fixture(params=sorted(TRANSPORTS))
async def transport(request: pytest.FixtureRequest) -> AsyncIterator[httpx.AsyncBaseTransport]:
    async with TRANSPORTS[request.param]() as opened:
        yield opened


def build_request(
    url: str, method: str = "POST", *, connect: float = 5.0, read: float = 5.0, body: bytes = b"{}"
) -> httpx.Request:
    timeouts = {"connect": connect, "read": read, "write": 5.0, "pool": 5.0}
    content = None if method in ("GET", "DELETE") else body
    return httpx.Request(method, f"{url}/messages", content=content, extensions={"timeout": timeouts})


async def ask(transport: httpx.AsyncBaseTransport, request: httpx.Request) -> httpx.Response:
    response = await transport.handle_async_request(request)
    await response.aread()
    return response


# --- What cannot have left


async def test_where_nobody_listens_nothing_left(transport: httpx.AsyncBaseTransport) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(httpx.ConnectError):
        await ask(transport, build_request(f"http://127.0.0.1:{port}/v2"))


async def test_an_address_of_another_kind_is_not_asked(transport: httpx.AsyncBaseTransport) -> None:
    with pytest.raises(httpx.UnsupportedProtocol):
        await ask(transport, build_request("ftp://127.0.0.1/v2"))


async def test_where_no_secure_connection_comes_about_nothing_left(transport: httpx.AsyncBaseTransport) -> None:
    async with open_wire(hear_out) as wire:
        with pytest.raises(httpx.ConnectTimeout):
            await ask(transport, build_request(wire.url.replace("http:", "https:"), connect=0.05))


async def test_where_what_answers_does_not_speak_tls_nothing_left(transport: httpx.AsyncBaseTransport) -> None:
    async with open_wire(speak_plainly) as wire:
        with pytest.raises(httpx.ConnectError):
            await ask(transport, build_request(wire.url.replace("http:", "https:")))


# --- How it is said


async def test_the_names_of_headers_go_out_as_they_were_written(transport: httpx.AsyncBaseTransport) -> None:
    async with open_wire() as wire:
        request = build_request(wire.url)
        request.headers = httpx.Headers({"Host": "127.0.0.1", "Content-Length": "2", "Idempotency-Key": "tb-1"})
        await ask(transport, request)
    assert b"\r\nIdempotency-Key: tb-1\r\n" in wire.requests[0]


# --- What may have


@pytest.mark.parametrize("method", ["POST", "DELETE", "GET"])
@pytest.mark.parametrize("manner", FAILURES)
async def test_a_failure_after_the_connection_stood_may_have_left_and_nothing_is_repeated(
    transport: httpx.AsyncBaseTransport, manner: Manner, method: str
) -> None:
    async with open_wire(manner) as wire:
        with pytest.raises(httpx.HTTPError) as failed:
            await ask(transport, build_request(wire.url, method, read=0.05))
        assert not isinstance(failed.value, NEVER_LEFT)
        assert len(wire.lines) == 1
        assert len(wire.requests) <= 1


@pytest.mark.parametrize("method", ["POST", "DELETE", "GET"])
async def test_nothing_is_repeated_on_a_connection_that_worked_before_either(
    transport: httpx.AsyncBaseTransport, method: str
) -> None:
    async def answer_one(line: Line, wire: Wire) -> None:
        wire.requests.append(await line.read_request())
        await line.say(render_answer())
        wire.requests.append(await line.read_request())
        line.hang_up()

    async with open_wire(answer_one) as wire:
        await ask(transport, build_request(wire.url))
        with pytest.raises(httpx.HTTPError) as failed:
            await ask(transport, build_request(wire.url, method))
        assert not isinstance(failed.value, NEVER_LEFT)
        assert len(wire.lines) == 1
        assert len(wire.requests) == 2


async def test_an_answer_that_trickles_ends_some_time() -> None:
    async def trickle(line: Line, _: Wire) -> None:
        await line.read_request()
        await line.say(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while True:
            await line.say(b" ")
            await SystemClock().sleep(timedelta(milliseconds=20))

    async with open_wire(trickle) as wire, AiohttpTransport(limits=LIMITS) as transport:
        request = build_request(wire.url)
        request.extensions["timeout"] = {"connect": 0.1, "read": 0.1, "write": 0.1, "pool": 0.1}
        with pytest.raises(httpx.ReadTimeout):
            await ask(transport, request)


# --- Connections that are kept


async def test_one_connection_does_for_all_that_come_one_after_the_other(
    transport: httpx.AsyncBaseTransport,
) -> None:
    async with open_wire() as wire:
        for _ in range(20):
            assert (await ask(transport, build_request(wire.url))).json()["data"]["id"]
        assert len(wire.lines) == 1


async def test_no_more_than_ten_connections_are_made_for_many_at_once(transport: httpx.AsyncBaseTransport) -> None:
    async with open_wire() as wire:
        answers = await asyncio.gather(*(ask(transport, build_request(wire.url)) for _ in range(100)))
        assert {answer.content for answer in answers} == {YES}
        assert len(wire.lines) <= 10


@pytest.mark.parametrize("rudely", [False, True])
async def test_a_connection_that_was_closed_a_moment_ago_is_not_used(
    transport: httpx.AsyncBaseTransport, *, rudely: bool
) -> None:
    async with open_wire() as wire:
        for round_ in range(1, 4):
            await asyncio.gather(*(ask(transport, build_request(wire.url)) for _ in range(3)))
            seen = len(wire.requests)
            for line in wire.lines:
                line.hang_up(rudely=rudely)  # and before the event loop looks, the next request is made
            await ask(transport, build_request(wire.url))
            assert len(wire.requests) == seen + 1, round_


async def test_what_was_said_unasked_is_no_answer_to_the_next_question(transport: httpx.AsyncBaseTransport) -> None:
    async with open_wire() as wire:
        for looked in (False, True):
            await ask(transport, build_request(wire.url))
            wire.lines[-1].socket.send(render_answer(b"{}", status=b"408 Request Timeout"))
            for _ in range(3 if looked else 0):
                await asyncio.sleep(0)
            answer = await ask(transport, build_request(wire.url))
            assert (answer.status_code, answer.content) == (200, YES)
        assert len(wire.lines) == 3


# --- What is asked, and what is understood


async def test_the_request_goes_out_as_it_is(transport: httpx.AsyncBaseTransport) -> None:
    body = json.dumps({"text": "Grüße 👋"}, ensure_ascii=False).encode()
    async with open_wire() as wire:
        request = httpx.Request(
            "POST",
            f"{wire.url}/messages",
            params={"filter[cld]": "+14155550101", "page[number]": 2},
            content=body,
            headers={"Idempotency-Key": "tb-1", "Content-Type": "application/json", "Authorization": "Bearer KEY"},
        )
        await ask(transport, request)
        head, _, sent = wire.requests[0].partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    assert first == "POST /v2/messages?filter%5Bcld%5D=%2B14155550101&page%5Bnumber%5D=2 HTTP/1.1"
    assert sent == body
    headers = {line.split(": ")[0].lower(): line.split(": ")[1] for line in lines}
    assert len(headers) == len(lines)
    assert headers["idempotency-key"] == "tb-1"
    assert headers["content-type"] == "application/json"
    assert headers["authorization"] == "Bearer KEY"
    assert headers["content-length"] == str(len(body))


async def test_a_packed_answer_is_unpacked(transport: httpx.AsyncBaseTransport) -> None:
    async def pack(line: Line, wire: Wire) -> None:
        await answer_each(line, wire, render_answer(gzip.compress(YES), b"Content-Encoding: gzip"))

    async with open_wire(pack) as wire:
        assert (await ask(transport, build_request(wire.url))).content == YES


@pytest.mark.parametrize(
    "raw",
    [
        render_answer(YES, b"X-Policy: " + b"a" * 40_000),
        b"HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n" + render_answer(),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(YES), YES),
        b"HTTP/1.1 200\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(YES), YES),
    ],
    ids=["a long line in its head", "hints before it", "in chunks", "the last on its connection"],
)
async def test_however_an_answer_comes_it_is_understood(transport: httpx.AsyncBaseTransport, raw: bytes) -> None:
    async def answer(line: Line, wire: Wire) -> None:
        await answer_each(line, wire, raw)

    async with open_wire(answer) as wire:
        for _ in range(3):
            response = await ask(transport, build_request(wire.url))
            assert (response.status_code, response.content) == (200, YES)


async def test_an_answer_may_end_with_its_connection(transport: httpx.AsyncBaseTransport) -> None:
    async def answer_and_close(line: Line, _: Wire) -> None:
        await line.read_request()
        await line.say(b"HTTP/1.1 200 OK\r\n\r\n" + YES)
        line.hang_up()

    async with open_wire(answer_and_close) as wire:
        for _ in range(3):
            assert (await ask(transport, build_request(wire.url))).content == YES


async def test_no_redirect_is_followed(transport: httpx.AsyncBaseTransport) -> None:
    async with open_wire(send_away) as wire:
        assert (await ask(transport, build_request(wire.url))).status_code == 307
        assert len(wire.requests) == 1


async def test_no_cookie_is_kept(transport: httpx.AsyncBaseTransport) -> None:
    async def give_cookies(line: Line, wire: Wire) -> None:
        await answer_each(line, wire, render_answer(YES, b"Set-Cookie: who=you; Path=/"))

    async with open_wire(give_cookies) as wire:
        await ask(transport, build_request(wire.url))
        await ask(transport, build_request(wire.url))
        assert b"cookie" not in wire.requests[-1].lower()


# --- The gateway over it


def build_text() -> CarrierRequest:
    return CarrierRequest(
        message_id=MessageId("message"),
        path="/messages",
        idempotency_key="tb-message",
        body=b'{"from":"+13125550001","to":"+14155550101","text":"hello"}',
        created_at=SystemClock().now(),
    )


@pytest.mark.parametrize("manner", [manner for manner in FAILURES if manner not in SILENCES])
async def test_of_a_text_whose_answer_was_lost_nobody_knows_what_became(
    manner: Manner,
) -> None:
    async with open_wire(manner) as wire:
        gateway = TelnyxGateway(url=wire.url, api_key="KEY", profile_id=None, metrics=Metrics())
        try:
            with pytest.raises(OutcomeUnknown):
                await gateway.send(build_text())
        finally:
            await gateway.close()


async def test_a_text_waits_for_nothing_else_that_is_asked_of_the_carrier() -> None:
    """Whether it may go out was asked right before: if it waited here, its recipient might say STOP meanwhile."""
    held = asyncio.Event()

    async def hold_questions(line: Line, wire: Wire) -> None:
        while request := await line.read_request():
            wire.requests.append(request)
            if request.startswith(b"GET"):
                await held.wait()
            await line.say(render_answer())

    async with open_wire(hold_questions) as wire:
        carrier = TelnyxGateway(url=wire.url, api_key="KEY", profile_id=None, metrics=Metrics())
        questions = [asyncio.create_task(carrier.list_optouts()) for _ in range(30)]
        try:
            await asyncio.wait_for(carrier.send(build_text()), timeout=3)
        finally:
            held.set()
            await asyncio.gather(*questions)
            await carrier.close()
        assert len(wire.requests) == 31


async def test_a_text_that_found_nobody_is_tried_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/v2"
    gateway = TelnyxGateway(url=url, api_key="KEY", profile_id=None, metrics=Metrics())
    try:
        with pytest.raises(RetryLater):
            await gateway.send(build_text())
    finally:
        await gateway.close()


async def test_through_a_proxy_where_the_environment_names_one(monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_wire() as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
        gateway = TelnyxGateway(url="http://carrier.invalid/v2", api_key="KEY", profile_id=None, metrics=Metrics())
        try:
            assert (await gateway.send(build_text())).carrier_id
        finally:
            await gateway.close()
        assert proxy.requests[0].startswith(b"POST http://carrier.invalid/v2/messages HTTP/1.1\r\n")


async def test_not_through_a_proxy_that_is_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    async with open_wire() as wire:
        gateway = TelnyxGateway(url=wire.url, api_key="KEY", profile_id=None, metrics=Metrics())
        try:
            assert (await gateway.send(build_text())).carrier_id
        finally:
            await gateway.close()
