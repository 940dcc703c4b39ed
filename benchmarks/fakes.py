"""
A Slack and a carrier that answer at once: `python -m benchmarks.fakes`.

The simulators that come with the program play the platforms truly, which costs them some milliseconds a call; under load
they, and not the bridge, would be what is measured. These two know no rules at all: they say yes, as late as they are
told to. One port serves both. `POST /_set` with `{"mode": "ok" | "hang" | "busy", "delay": seconds}` changes how
`chat.postMessage` is answered, and `GET /_report` tells what came in.
"""

from __future__ import annotations

import asyncio
import json
import signal
import time
from typing import Any

_OURSELVES = {
    "ok": True,
    "url": "https://workspace.slack.com/",
    "team": "Team",
    "team_id": "T0TEAM",
    "user": "textbridge",
    "user_id": "U0BOT",
    "bot_id": "B0BOT",
}
_PERSON = {
    "ok": True,
    "user": {"id": "U0ALICE", "team_id": "T0TEAM", "name": "alice", "real_name": "Alice Lee", "tz": "America/Chicago"},
}
_REASONS = {200: b"OK", 429: b"Too Many Requests"}


class Platforms:
    """What both have seen, and how they answer."""

    def __init__(self) -> None:
        self.mode = "ok"
        self.delay = 0.0
        self.posts = 0
        self.sends = 0
        self.connections = 0
        self.seen: dict[str, float] = {}  #: The newest texts and when each arrived, on the machine's monotonic clock.

    def answer(self, path: str, body: bytes) -> tuple[int, dict[str, Any], bytes]:
        """Return status, JSON and more header lines."""
        if path.endswith("chat.postMessage"):
            if self.mode == "busy":
                return 429, {"ok": False, "error": "ratelimited"}, b"Retry-After: 1\r\n"
            return 200, self._post(json.loads(body)), b""
        if path.startswith("/v2/messages") and body:
            self.sends += 1
            return 200, self._send(json.loads(body)), b""
        if path.endswith("auth.test"):
            return 200, _OURSELVES, b""
        if path.endswith("users.info"):
            return 200, _PERSON, b""
        if path == "/_set":
            told = json.loads(body)
            self.mode, self.delay = told["mode"], told["delay"]
        if path == "/_report":
            return 200, self._report(), b""
        return 200, {"ok": True, "data": []}, b""

    def _post(self, asked: dict[str, Any]) -> dict[str, Any]:
        self.posts += 1
        self._note(json.dumps(asked.get("blocks") or asked.get("text")))
        ts = f"{1_700_000_000 + self.posts // 1_000_000}.{self.posts % 1_000_000:06}"
        message = {"type": "message", "text": asked.get("text"), "ts": ts}
        if asked.get("thread_ts"):
            message["thread_ts"] = asked["thread_ts"]
        return {"ok": True, "channel": asked.get("channel"), "ts": ts, "message": message}

    def _send(self, asked: dict[str, Any]) -> dict[str, Any]:
        self._note(str(asked.get("text")))
        to = asked.get("to")
        numbers = to if isinstance(to, list) else [to]
        return {
            "data": {
                "id": f"90000000-0000-4000-8000-{self.sends:012}",
                "from": {"phone_number": asked.get("from")},
                "to": [{"phone_number": number, "status": "queued"} for number in numbers],
                "parts": 1,
            }
        }

    def _note(self, text: str) -> None:
        if len(self.seen) < 2_000:  # only the unhurried measures ask for it
            self.seen[text] = time.perf_counter()

    def _report(self) -> dict[str, Any]:
        found = {
            "posts": self.posts,
            "sends": self.sends,
            "connections": self.connections,
            "seen": list(self.seen.items()),
        }
        self.seen = {}
        return found


class _Connection(asyncio.Protocol):
    """Just enough of HTTP/1.1: one request after the other, each with its length."""

    def __init__(self, platforms: Platforms) -> None:
        self._platforms = platforms
        self._pending = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._platforms.connections += 1

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self._transport = None

    def data_received(self, data: bytes) -> None:
        self._pending += data
        while True:
            head, found, rest = self._pending.partition(b"\r\n\r\n")
            if not found:
                return
            length = 0
            for line in head.split(b"\r\n")[1:]:
                if line[:15].lower() == b"content-length:":
                    length = int(line[15:])
            if len(rest) < length:
                return
            self._pending = rest[length:]
            self._take(head.split(b" ", 2)[1].decode().partition("?")[0], rest[:length])

    def _take(self, path: str, body: bytes) -> None:
        posts = path.endswith("chat.postMessage")
        if posts and self._platforms.mode == "hang":
            return
        status, answer, more = self._platforms.answer(path, body)
        content = json.dumps(answer).encode()
        head = b"HTTP/1.1 %d %s\r\nContent-Type: application/json\r\n%sContent-Length: %d\r\n\r\n"
        raw = head % (status, _REASONS[status], more, len(content)) + content
        if posts and self._platforms.delay:
            asyncio.get_running_loop().call_later(self._platforms.delay, self._say, raw)
        else:
            self._say(raw)

    def _say(self, raw: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(raw)


async def _serve() -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stopping.set)
    platforms = Platforms()
    server = await loop.create_server(lambda: _Connection(platforms), "127.0.0.1", 0, backlog=1024)
    print(f"listening {server.sockets[0].getsockname()[1]}", flush=True)
    await stopping.wait()
    server.close()


if __name__ == "__main__":
    asyncio.run(_serve())
