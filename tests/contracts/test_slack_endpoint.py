"""
What a post meets with on its way to Slack, down to the byte.

Above all: whether one that failed may stand there, and that nothing is taken for its answer but its own.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.clock import SystemClock
from bot.domain.ids import ChannelId, SlackTs
from bot.errors import Busy, OutcomeUnknown, RetryLater
from bot.gateways.connections import CarefulConnector
from bot.gateways.slack import SlackGateway
from bot.gateways.tls import get_tls
from bot.observe import Metrics
from bot.ports import Post
from bot.workers.pacing import Pacer
from tests.contracts.mishaps import FAILURES, SILENCES, hear_out, send_away, speak_plainly
from tests.contracts.wire import Line, Manner, Wire, answer_each, open_wire, render_answer

TS = "1700000000.000100"
YES = json.dumps({"ok": True, "ts": TS, "message": {"ts": TS}}).encode()
POST = Post(channel_id=ChannelId("C0"), text="Grüße 👋 \n", blocks=({"type": "divider"},), key="k")
PATIENCE = 30.0


@asynccontextmanager
async def open_gateway(
    origin: str, *, total: float = PATIENCE, connect: float = 5.0, proxy: str | None = None
) -> AsyncIterator[SlackGateway]:
    timeout = aiohttp.ClientTimeout(total=total, sock_connect=connect)
    connector = CarefulConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        client = AsyncWebClient(
            token="xoxb-t", base_url=f"{origin}/api/", session=session, ssl=get_tls(), retry_handlers=[], proxy=proxy
        )
        yield SlackGateway(client=client, pace=Pacer(SystemClock(), learned=True), metrics=Metrics())


def find_origin(wire: Wire, scheme: str = "http") -> str:
    return f"{scheme}://127.0.0.1:{wire.port}"


async def answer_yes(line: Line, wire: Wire) -> None:
    await answer_each(line, wire, render_answer(YES))


# --- What cannot have left


async def test_where_nobody_listens_a_post_is_only_tried_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        origin = f"http://127.0.0.1:{taken.getsockname()[1]}"
    async with open_gateway(origin) as slack:
        with pytest.raises(RetryLater):
            await slack.post(POST)


async def test_where_no_secure_connection_comes_about_a_post_is_only_tried_again() -> None:
    async with open_wire(hear_out) as wire, open_gateway(find_origin(wire, "https"), connect=0.05) as slack:
        with pytest.raises(RetryLater):
            await slack.post(POST)


async def test_where_what_answers_does_not_speak_tls_a_post_is_only_tried_again() -> None:
    async with open_wire(speak_plainly) as wire, open_gateway(find_origin(wire, "https")) as slack:
        with pytest.raises(RetryLater):
            await slack.post(POST)


# --- What may have


@pytest.mark.parametrize("manner", FAILURES)
async def test_a_post_whose_answer_was_lost_may_stand_there_and_is_not_repeated(manner: Manner) -> None:
    total = 0.1 if manner in SILENCES else PATIENCE
    async with open_wire(manner) as wire, open_gateway(find_origin(wire), total=total) as slack:
        with pytest.raises(OutcomeUnknown):
            await slack.post(POST)
        assert len(wire.lines) == 1
        assert len(wire.requests) <= 1


@pytest.mark.parametrize(
    "content", [b"", b"<html>", b"[]", b"[" * 100_000, b'{"ok": 1}', b"\xff"], ids=lambda content: repr(content[:9])
)
async def test_a_post_whose_answer_is_no_word_of_slacks_may_stand_there(content: bytes) -> None:
    async def answer(line: Line, wire: Wire) -> None:
        await answer_each(line, wire, render_answer(content))

    async with open_wire(answer) as wire, open_gateway(find_origin(wire)) as gateway:
        with pytest.raises(OutcomeUnknown):
            await gateway.post(POST)


async def test_a_post_on_a_connection_that_worked_before_may_stand_there_too() -> None:
    async def answer_one(line: Line, wire: Wire) -> None:
        wire.requests.append(await line.read_request())
        await line.say(render_answer(YES))
        wire.requests.append(await line.read_request())
        line.hang_up()

    async with open_wire(answer_one) as wire, open_gateway(find_origin(wire)) as slack:
        await slack.post(POST)
        with pytest.raises(OutcomeUnknown):
            await slack.post(POST)
        assert (len(wire.lines), len(wire.requests)) == (1, 2)


async def test_no_redirect_is_followed() -> None:
    async with open_wire(send_away) as wire, open_gateway(find_origin(wire)) as slack:
        with pytest.raises(OutcomeUnknown):
            await slack.post(POST)
        assert len(wire.requests) == 1


async def test_slack_says_how_long_to_wait() -> None:
    async def be_busy(line: Line, wire: Wire) -> None:
        told = render_answer(b'{"ok": false}', b"retry-after: 7", status=b"429 Too Many Requests")
        await answer_each(line, wire, told)

    async with open_wire(be_busy) as wire, open_gateway(find_origin(wire)) as slack:
        with pytest.raises(Busy) as failed:
            await slack.post(POST)
        assert failed.value.after == timedelta(seconds=7)


# --- Whose answer it is


@pytest.mark.parametrize("begun", [b"", render_answer(YES)[:-5]])
@pytest.mark.parametrize("cancelled", [False, True])
async def test_an_answer_that_nobody_waits_for_any_more_is_not_the_next_ones(begun: bytes, *, cancelled: bool) -> None:
    asked = asyncio.Event()

    async def fall_silent_once(line: Line, wire: Wire) -> None:
        if len(wire.lines) > 1:
            return await answer_yes(line, wire)
        await line.read_request()
        await line.say(begun)
        asked.set()
        await line.read_request()
        return None

    async with open_wire(fall_silent_once) as wire, open_gateway(find_origin(wire), total=0.3) as slack:
        async with asyncio.TaskGroup() as tasks:
            waiting = tasks.create_task(fail(slack))
            await asked.wait()
            if cancelled:
                waiting.cancel()
        assert (await slack.post(POST)).ts == SlackTs(TS)
        assert len(wire.lines) == 2


async def fail(slack: SlackGateway) -> None:
    with pytest.raises(OutcomeUnknown):
        await slack.post(POST)


async def test_what_was_said_unasked_is_no_answer_to_the_next_post() -> None:
    async with open_wire(answer_yes) as wire, open_gateway(find_origin(wire)) as slack:
        for looked in (False, True):
            await slack.post(POST)
            wire.lines[-1].socket.send(render_answer(b'{"ok": true, "ts": "1.000000"}'))
            for _ in range(3 if looked else 0):
                await asyncio.sleep(0)
            assert (await slack.post(POST)).ts == SlackTs(TS)
        assert len(wire.lines) == 3


@pytest.mark.parametrize("rudely", [False, True])
async def test_a_connection_that_slack_closed_a_moment_ago_is_not_used(*, rudely: bool) -> None:
    async with open_wire(answer_yes) as wire, open_gateway(find_origin(wire)) as slack:
        for _ in range(10):
            await slack.post(POST)
            for line in wire.lines:
                line.hang_up(rudely=rudely)  # and before the event loop looks, the next post is made
        assert len(wire.requests) == 10


async def test_one_connection_does_for_all_that_come_one_after_the_other() -> None:
    async with open_wire(answer_yes) as wire, open_gateway(find_origin(wire)) as slack:
        for _ in range(20):
            assert (await slack.post(POST)).ts == SlackTs(TS)
        assert len(wire.lines) == 1


async def test_many_at_once_have_each_their_own_answer() -> None:
    async def answer_with_the_key(line: Line, wire: Wire) -> None:
        while request := await line.read_request():
            asked = json.loads(request.partition(b"\r\n\r\n")[2])
            ts = f"1.{int(asked['metadata']['event_payload']['key']):06}"
            await line.say(render_answer(json.dumps({"ok": True, "ts": ts}).encode()))
            wire.requests.append(request)

    async with open_wire(answer_with_the_key) as wire, open_gateway(find_origin(wire)) as slack:
        posts = [Post(channel_id=ChannelId("C0"), text="", blocks=(), key=str(number)) for number in range(200)]
        posted = await asyncio.gather(*(slack.post(post) for post in posts))
    assert [each.ts for each in posted] == [f"1.{number:06}" for number in range(200)]
    assert len(wire.requests) == 200


# --- Through a proxy


async def test_a_proxy_is_asked_for_slack() -> None:
    async with open_wire(answer_yes) as wire:
        async with open_gateway("http://slack.invalid", proxy=find_origin(wire)) as slack:
            assert (await slack.post(POST)).ts == SlackTs(TS)
        assert wire.requests[0].startswith(b"POST http://slack.invalid/api/chat.postMessage HTTP/1.1\r\n")


@pytest.mark.parametrize("manner", FAILURES)
async def test_a_post_whose_answer_a_proxy_lost_may_stand_there_and_is_not_repeated(manner: Manner) -> None:
    total = 0.1 if manner in SILENCES else PATIENCE
    async with open_wire(manner) as wire:
        async with open_gateway("http://slack.invalid", total=total, proxy=find_origin(wire)) as slack:
            await fail(slack)
        assert len(wire.lines) == 1
        assert len(wire.requests) <= 1


async def test_where_the_proxy_cannot_be_reached_a_post_is_only_tried_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        proxy = f"http://127.0.0.1:{taken.getsockname()[1]}"
    async with open_gateway("http://slack.invalid", proxy=proxy) as slack:
        with pytest.raises(RetryLater):
            await slack.post(POST)


# --- What is asked, and what is understood


async def test_the_request_says_all_that_slack_has_to_know() -> None:
    async with open_wire(answer_yes) as wire, open_gateway(find_origin(wire)) as slack:
        await slack.post(POST)
        head, _, sent = wire.requests[0].partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        headers = {line.split(": ")[0].lower(): line.split(": ")[1] for line in lines}
        assert first == "POST /api/chat.postMessage HTTP/1.1"
        assert len(headers) == len(lines)
        assert headers["host"] == f"127.0.0.1:{wire.port}"
        assert headers["authorization"] == "Bearer xoxb-t"
        assert headers["content-type"] == "application/json;charset=utf-8"
        assert headers["content-length"] == str(len(sent))
        assert headers["user-agent"]
        assert json.loads(sent)["text"] == POST.text


@pytest.mark.parametrize(
    "raw",
    [
        render_answer(YES, b"X-Policy: " + b"a" * 40_000),
        render_answer(gzip.compress(YES), b"Content-Encoding: gzip"),
        b"HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n" + render_answer(YES),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(YES), YES),
        b"HTTP/1.1 200\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(YES), YES),
        render_answer(YES + b" " * 300_000),
    ],
    ids=["a long line in its head", "packed", "hints before it", "in chunks", "the last on its connection", "long"],
)
async def test_however_an_answer_comes_it_is_understood(raw: bytes) -> None:
    async def answer(line: Line, wire: Wire) -> None:
        await answer_each(line, wire, raw)

    async with open_wire(answer) as wire, open_gateway(find_origin(wire)) as slack:
        for _ in range(3):
            assert (await slack.post(POST)).ts == SlackTs(TS)


async def test_an_answer_may_end_with_its_connection() -> None:
    async def answer_and_close(line: Line, _: Wire) -> None:
        await line.read_request()
        await line.say(b"HTTP/1.1 200 OK\r\n\r\n" + YES)
        line.hang_up()

    async with open_wire(answer_and_close) as wire, open_gateway(find_origin(wire)) as slack:
        for _ in range(3):
            assert (await slack.post(POST)).ts == SlackTs(TS)
