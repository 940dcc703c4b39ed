"""Whatever a platform answers, or something on the way in its stead: what is no word of its leaves open what was done."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from bot.errors import CarrierRefused, OutcomeUnknown
from bot.gateways.telnyx import TelnyxGateway
from bot.observe import Metrics
from tests.contracts.test_carrier_transport import build_text
from tests.contracts.test_slack_endpoint import POST, TS, find_origin, open_gateway
from tests.contracts.wire import Line, Wire, open_wire, render_answer

#: Both platforms' yes at once.
YES = json.dumps({"ok": True, "ts": TS, "message": {"ts": TS}, "data": {"id": "40385f64"}}).encode()
_PACKED = gzip.compress(YES)
_OK = b"HTTP/1.1 200 OK\r\n"
_LENGTH = b"Content-Length: %d\r\n" % len(YES)
_IN_CHUNKS = b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n"

READABLE = {
    "HTTP/1.0, to its end": b"HTTP/1.0 200 OK\r\n\r\n" + YES,
    "HTTP/1.0, kept": b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n" + _LENGTH + b"\r\n" + YES,
    "many hints before it": b"HTTP/1.1 100 Continue\r\n\r\n" * 50 + render_answer(YES),
    "packed": render_answer(_PACKED, b"Content-Encoding: gzip"),
    "packed, in chunks": _OK + b"Content-Encoding: gzip\r\n" + _IN_CHUNKS % (len(_PACKED), _PACKED),
    "deflated": render_answer(zlib.compress(YES), b"Content-Encoding: deflate"),
    "bytes in its head": _OK + b"X-Odd: \xff\xfe\r\n" + _LENGTH + b"\r\n" + YES,
    "with a mark of its bytes' order": render_answer(b"\xef\xbb\xbf" + YES),
}
UNREADABLE = {
    "no content": b"HTTP/1.1 204 No Content\r\n\r\n",
    "two lengths": _OK + _LENGTH + b"Content-Length: 3\r\n\r\n" + YES,
    "a length and chunks": _OK + _LENGTH + _IN_CHUNKS % (len(YES), YES),
    "a length below nought": _OK + b"Content-Length: -3\r\n\r\n" + YES,
    "a length in letters": _OK + b"Content-Length: ten\r\n\r\n" + YES,
    "a chunk without its length": _OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n" + YES,
    "packed and cut": render_answer(_PACKED[:-12], b"Content-Encoding: gzip"),
    "packed with nothing in it": render_answer(b"", b"Content-Encoding: gzip"),
    "more than its length": render_answer(YES) + b"and more",
    "a line that is no header": _OK + b"nonsense\r\n" + _LENGTH + b"\r\n" + YES,
    "a status of two digits": b"HTTP/1.1 99 Odd\r\n" + _LENGTH + b"\r\n" + YES,
    "a status of four digits": b"HTTP/1.1 1000 Odd\r\n" + _LENGTH + b"\r\n" + YES,
    "a status that there is not": b"HTTP/1.1 600 Odd\r\n" + _LENGTH + b"\r\n" + YES,
    "another protocol": b"ICY 200 OK\r\n" + _LENGTH + b"\r\n" + YES,
    "another version": b"HTTP/2 200\r\n" + _LENGTH + b"\r\n" + YES,
    "a thousand headers": _OK + b"".join(b"X-%d: 1\r\n" % each for each in range(1000)) + _LENGTH + b"\r\n" + YES,
    "a line of a hundred thousand": _OK + b"X-Long: " + b"x" * 100_000 + b"\r\n" + _LENGTH + b"\r\n" + YES,
    "a page": render_answer(b"<html>Welcome</html>", b"Content-Type: text/html"),
    "a list": render_answer(b"[]"),
    "a hundred thousand lists": render_answer(b"[" * 100_000),
    "an id that is a number": render_answer(b'{"ok": true, "ts": 1, "data": {"id": 1}}'),
}

#: Asks for what must not be done twice.
Ask = Callable[[], Awaitable[object]]


@asynccontextmanager
async def open_platform(name: str, raw: bytes) -> AsyncIterator[Ask]:
    """Lend what asks a platform that answers *raw* to whatever it is asked, and then hangs up."""

    async def answer(line: Line, wire: Wire) -> None:
        if request := await line.read_request():
            wire.requests.append(request)
            await line.say(raw)
        line.hang_up()

    async with open_wire(answer) as wire:
        if name == "Slack":
            async with open_gateway(find_origin(wire)) as slack:
                yield lambda: slack.post(POST)
            return
        carrier = TelnyxGateway(url=wire.url, api_key="KEY", profile_id=None, metrics=Metrics())
        try:
            yield lambda: carrier.send(build_text())
        finally:
            await carrier.close()


@pytest.mark.parametrize("name", ["Slack", "Telnyx"])
@pytest.mark.parametrize("raw", READABLE.values(), ids=READABLE)
async def test_a_yes_is_understood_however_it_comes(name: str, raw: bytes) -> None:
    async with open_platform(name, raw) as ask:
        await ask()


@pytest.mark.parametrize("name", ["Slack", "Telnyx"])
@pytest.mark.parametrize("raw", UNREADABLE.values(), ids=UNREADABLE)
async def test_of_what_is_no_word_of_the_platforms_nobody_knows_what_it_means(name: str, raw: bytes) -> None:
    async with open_platform(name, raw) as ask:
        for _ in range(2):
            with pytest.raises(OutcomeUnknown):
                await ask()


_CONFLICTS = {
    "no word": b"",
    "a page": b"<html>Conflict</html>",
    "no error": b'{"errors": []}',
    "its own status": b'{"errors": [{"code": "409", "title": "Conflict"}]}',
    "that it is at it": b'{"errors": [{"code": "10036", "title": "Resource is being processed"}]}',
}


@pytest.mark.parametrize("content", _CONFLICTS.values(), ids=_CONFLICTS)
async def test_a_conflict_without_another_reason_is_the_earlier_request_still_being_carried_out(content: bytes) -> None:
    async with open_platform("Telnyx", render_answer(content, status=b"409 Conflict")) as ask:
        with pytest.raises(OutcomeUnknown):
            await ask()


async def test_a_conflict_with_a_reason_of_the_carriers_is_a_refusal() -> None:
    content = b'{"errors": [{"code": "40300", "title": "Blocked due to STOP message"}]}'
    async with open_platform("Telnyx", render_answer(content, status=b"409 Conflict")) as ask:
        with pytest.raises(CarrierRefused, match="40300"):
            await ask()


@pytest.mark.parametrize("status", [b"400 Bad Request", b"429 Too Many Requests", b"503 Service Unavailable"])
async def test_whoever_said_stop_is_not_asked_for_again_whatever_the_status_and_whatever_else_is_wrong(
    status: bytes,
) -> None:
    errors = [{"code": "10011", "title": "Too many"}, {"code": 40300, "title": "Blocked due to STOP message"}]
    async with open_platform("Telnyx", render_answer(json.dumps({"errors": errors}).encode(), status=status)) as ask:
        with pytest.raises(CarrierRefused) as refused:
            await ask()
    assert (refused.value.code, refused.value.further) == ("40300", ("10011: Too many",))
