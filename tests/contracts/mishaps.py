"""What may happen to a request on its way. In each of the FAILURES it may have been taken."""

from __future__ import annotations

import asyncio

from tests.contracts.wire import Line, Wire, answer_each, render_answer


async def close_at_once(line: Line, _: Wire) -> None:
    line.hang_up()


async def reset_at_once(line: Line, _: Wire) -> None:
    line.hang_up(rudely=True)


async def close_after_reading(line: Line, wire: Wire) -> None:
    wire.requests.append(await line.read_request())
    line.hang_up()


async def reset_after_reading(line: Line, wire: Wire) -> None:
    wire.requests.append(await line.read_request())
    line.hang_up(rudely=True)


async def close_within_head(line: Line, wire: Wire) -> None:
    wire.requests.append(await line.read_request())
    await line.say(b"HTTP/1.1 200 OK\r\nContent-Ty")
    line.hang_up()


async def close_within_body(line: Line, wire: Wire) -> None:
    wire.requests.append(await line.read_request())
    await line.say(render_answer()[:-5])
    line.hang_up()


async def talk_nonsense(line: Line, wire: Wire) -> None:
    wire.requests.append(await line.read_request())
    await line.say(b"what do you want?\r\n\r\n")


async def pack_badly(line: Line, wire: Wire) -> None:
    wire.requests.append(await line.read_request())
    await line.say(render_answer(b"not packed", b"Content-Encoding: gzip"))


async def never_answer(line: Line, wire: Wire) -> None:
    wire.requests.append(await line.read_request())
    await line.read_request()


async def stop_within_body(line: Line, wire: Wire) -> None:
    wire.requests.append(await line.read_request())
    await line.say(render_answer()[:-5])
    await line.read_request()


#: Only patience tells these.
SILENCES = (never_answer, stop_within_body)
FAILURES = (
    close_at_once,
    reset_at_once,
    close_after_reading,
    reset_after_reading,
    close_within_head,
    close_within_body,
    talk_nonsense,
    pack_badly,
    *SILENCES,
)


# --- What else is done, to both platforms' clients


async def hear_out(line: Line, _: Wire) -> None:
    """Read all that is said, and say nothing."""
    while await asyncio.get_running_loop().sock_recv(line.socket, 65_536):
        pass


async def speak_plainly(line: Line, _: Wire) -> None:
    """Answer whatever is said in HTTP, as what knows no TLS does."""
    await asyncio.get_running_loop().sock_recv(line.socket, 65_536)
    await line.say(render_answer(status=b"400 Bad Request"))


async def send_away(line: Line, wire: Wire) -> None:
    """Answer each request with a redirect."""
    place = f"Location: {wire.url}/elsewhere".encode()
    await answer_each(line, wire, render_answer(b"", place, status=b"307 Temporary Redirect"))
