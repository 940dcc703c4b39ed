"""A carrier by hand: it accepts connections and does on each what a test says, down to the byte."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

YES = b'{"data": {"id": "40385f64-5717-4562-b3fc-2c963f66afa6", "from": {"phone_number": "+13125550001"}}}'
_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


def render_answer(content: bytes = YES, *more: bytes, status: bytes = b"200 OK") -> bytes:
    """Return an answer of HTTP/1.1; *more*: header lines."""
    lines = [b"HTTP/1.1 " + status, b"Content-Type: application/json", b"Content-Length: %d" % len(content), *more]
    return b"\r\n".join(lines) + b"\r\n\r\n" + content


@dataclass(slots=True)
class Line:
    """One connection, as the carrier has it."""

    socket: socket.socket

    async def read_request(self) -> bytes:
        """Return one whole request; nothing when the other side has gone."""
        loop, raw = asyncio.get_running_loop(), b""
        while True:
            head, found, rest = raw.partition(b"\r\n\r\n")
            length = _LENGTH.search(head)
            if found and len(rest) >= (int(length[1]) if length else 0):
                return raw
            some = await loop.sock_recv(self.socket, 65_536)
            if not some:
                return b""
            raw += some

    async def say(self, raw: bytes) -> None:
        """Send *raw*."""
        await asyncio.get_running_loop().sock_sendall(self.socket, raw)

    def hang_up(self, *, rudely: bool = False) -> None:
        """Close it, so that the other side's socket knows at once; *rudely*: with a reset."""
        if self.socket.fileno() < 0:
            return  # it was before
        asyncio.get_running_loop().remove_reader(self.socket)  # whoever waits for a request is told when all ends
        if rudely:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        else:
            with contextlib.suppress(OSError):
                self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


@dataclass(slots=True)
class Wire:
    """The carrier: where it is, and what it has seen."""

    port: int
    lines: list[Line] = field(default_factory=list)  #: Of every connection that was ever made.
    requests: list[bytes] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Return its address, as TELNYX_API_URL has it."""
        return f"http://127.0.0.1:{self.port}/v2"


async def answer_each(line: Line, wire: Wire, raw: bytes | None = None) -> None:
    """Answer every request on *line* with *raw*."""
    while request := await line.read_request():
        wire.requests.append(request)
        await line.say(render_answer() if raw is None else raw)


#: What is done on each connection.
Manner = Callable[[Line, Wire], Awaitable[None]]


@asynccontextmanager
async def open_wire(manner: Manner = answer_each) -> AsyncIterator[Wire]:
    """Lend a carrier that does *manner* on each connection."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        wire = Wire(listening.getsockname()[1])
        async with asyncio.TaskGroup() as tasks:

            async def serve(line: Line) -> None:
                with contextlib.suppress(OSError):  # it was hung up on
                    await manner(line, wire)

            async def accept() -> None:
                while True:
                    peer, _ = await asyncio.get_running_loop().sock_accept(listening)
                    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # what is said is there at once
                    wire.lines.append(Line(peer))
                    serving.append(tasks.create_task(serve(wire.lines[-1])))

            serving = [tasks.create_task(accept())]
            try:
                yield wire
            finally:
                for task in serving:
                    task.cancel()
        for line in wire.lines:
            line.socket.close()
