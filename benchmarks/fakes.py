"""
A Slack and a carrier that answer at once: `python -m benchmarks.fakes`.

The simulators that come with the program play the platforms truly, which costs them some milliseconds a call; under load
they, and not the bridge, would be what is measured. These two know no rules at all: they say yes, as late as they are
told to. Slack has a port of its own, which can be closed: then it cannot be reached. `POST /_set` on the carrier's port
changes how they answer (`Orders`), and `GET /_report` tells what came in.
"""

from __future__ import annotations

import asyncio
import json
import re
import signal
import time
from dataclasses import dataclass, field
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
#: How `benchmarks.bodies` ends each text.
_MARK = re.compile(rb"\((\w+) (\d+)\)")
_MOST_SEEN = 200_000


@dataclass(slots=True, kw_only=True)
class Orders:
    """How to answer."""

    mode: str = "ok"  #: How Slack takes posts: `ok`, `hang`, `busy` (429), or `down`: it does not even listen.
    delay: float = 0.0  #: Seconds until Slack answers a post.
    carrier_delay: float = 0.0  #: Seconds until the carrier answers a send.
    busy_channel: str = ""  #: A channel in which every post is answered 429.
    watches: bool = False  #: Whether to keep what came, and when.


@dataclass(slots=True)
class Counts:
    """What came in."""

    posts: int = 0
    sends: int = 0
    posting: int = 0  #: Under way now, and the most since the last orders.
    most_posting: int = 0
    sending: int = 0
    most_sending: int = 0
    slack_connections: int = 0
    carrier_connections: int = 0
    #: While watching: (p or s, run, number, when, where it stands, its thread) of each post and send.
    seen: list[tuple[str, str, int, float, str, str]] = field(default_factory=list)


class Platforms:
    """What both have seen, and how they answer."""

    def __init__(self) -> None:
        self.orders = Orders()
        self.counts = Counts()
        self.slack_port = 0
        self._slack: asyncio.Server | None = None
        self._slack_peers: set[asyncio.Transport] = set()

    async def open_slack(self) -> None:
        """Have Slack listen."""
        if self._slack is None:
            self._slack = await asyncio.get_running_loop().create_server(
                lambda: _Connection(self, is_slack=True), "127.0.0.1", self.slack_port, backlog=1024
            )
            self.slack_port = self._slack.sockets[0].getsockname()[1]

    async def obey(self, told: dict[str, Any]) -> None:
        """Change how both answer."""
        self.orders = Orders(**told)
        self.counts.most_posting, self.counts.most_sending = self.counts.posting, self.counts.sending
        if self.orders.mode != "down":
            await self.open_slack()
        elif self._slack is not None:
            self._slack.close()
            self._slack = None
            for peer in list(self._slack_peers):
                peer.abort()

    def count_connection(self, transport: asyncio.Transport, *, is_slack: bool, opened: bool) -> None:
        """Note a connection."""
        if is_slack:
            self.counts.slack_connections += opened
            (self._slack_peers.add if opened else self._slack_peers.discard)(transport)

    def answer(self, path: str, body: bytes) -> tuple[int, dict[str, Any], bytes]:
        """Return status, JSON and more header lines."""
        if path.endswith("chat.postMessage"):
            return self._post(body)
        if path.startswith("/v2/messages") and body:
            return 200, self._send(body), b""
        if path.endswith("auth.test"):
            return 200, _OURSELVES, b""
        if path.endswith("users.info"):
            return 200, _PERSON, b""
        if path == "/_report":
            return 200, self._report(), b""
        return 200, {"ok": True, "data": []}, b""

    def _post(self, body: bytes) -> tuple[int, dict[str, Any], bytes]:
        asked = json.loads(body)
        if self.orders.mode == "busy" or asked.get("channel") == self.orders.busy_channel:
            return 429, {"ok": False, "error": "ratelimited"}, b"Retry-After: 1\r\n"
        self.counts.posts += 1
        posts = self.counts.posts
        ts = f"{1_700_000_000 + posts // 1_000_000}.{posts % 1_000_000:06}"
        thread_ts = asked.get("thread_ts") or ""
        self._see("p", body, ts, thread_ts)
        message = {"type": "message", "text": asked.get("text"), "ts": ts}
        if thread_ts:
            message["thread_ts"] = thread_ts
        return 200, {"ok": True, "channel": asked.get("channel"), "ts": ts, "message": message}, b""

    def _send(self, body: bytes) -> dict[str, Any]:
        asked = json.loads(body)
        self.counts.sends += 1
        self._see("s", body, "", "")
        to = asked.get("to")
        numbers = to if isinstance(to, list) else [to]
        return {
            "data": {
                "id": f"90000000-0000-4000-8000-{self.counts.sends:012}",
                "from": {"phone_number": asked.get("from")},
                "to": [{"phone_number": number, "status": "queued"} for number in numbers],
                "parts": 1,
            }
        }

    def _see(self, what: str, body: bytes, ts: str, thread_ts: str) -> None:
        if self.orders.watches and len(self.counts.seen) < _MOST_SEEN and (found := _MARK.search(body)):
            self.counts.seen.append((what, found[1].decode(), int(found[2]), time.perf_counter(), ts, thread_ts))

    def _report(self) -> dict[str, Any]:
        counts = self.counts
        found = {
            "posts": counts.posts,
            "sends": counts.sends,
            "most_posting": counts.most_posting,
            "most_sending": counts.most_sending,
            "slack_connections": counts.slack_connections,
            "carrier_connections": counts.carrier_connections,
            "slack_port": self.slack_port,
            "seen": counts.seen,
        }
        counts.seen = []
        return found


class _Connection(asyncio.Protocol):
    """Just enough of HTTP/1.1: one request after the other, each with its length."""

    def __init__(self, platforms: Platforms, *, is_slack: bool) -> None:
        self._platforms = platforms
        self._is_slack = is_slack
        self._pending = b""
        self._is_counted = False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._platforms.count_connection(transport, is_slack=self._is_slack, opened=True)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        if self._transport is not None:
            self._platforms.count_connection(self._transport, is_slack=self._is_slack, opened=False)
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
        platforms, orders, counts = self._platforms, self._platforms.orders, self._platforms.counts
        if path == "/_set":
            task = asyncio.ensure_future(platforms.obey(json.loads(body)))
            task.add_done_callback(lambda _: self._say(_render(200, {"ok": True}, b"")))
            return
        if path.startswith("/v2/") and not self._is_counted:  # who only gives orders, or asks, comes here as well
            self._is_counted = True
            counts.carrier_connections += 1
        posts, sends = path.endswith("chat.postMessage"), path.startswith("/v2/messages") and bool(body)
        if posts and orders.mode == "hang":
            return
        raw = _render(*platforms.answer(path, body))
        delay = orders.delay if posts else orders.carrier_delay if sends else 0.0
        if not delay:
            self._say(raw)
            return
        if posts:
            counts.posting += 1
            counts.most_posting = max(counts.most_posting, counts.posting)
        else:
            counts.sending += 1
            counts.most_sending = max(counts.most_sending, counts.sending)
        asyncio.get_running_loop().call_later(delay, self._say_late, raw, posts)

    def _say_late(self, raw: bytes, posts: bool) -> None:  # noqa: FBT001 - a callback's argument
        if posts:
            self._platforms.counts.posting -= 1
        else:
            self._platforms.counts.sending -= 1
        self._say(raw)

    def _say(self, raw: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(raw)


def _render(status: int, answer: dict[str, Any], more: bytes) -> bytes:
    content = json.dumps(answer).encode()
    head = b"HTTP/1.1 %d %s\r\nContent-Type: application/json\r\n%sContent-Length: %d\r\n\r\n"
    return head % (status, _REASONS[status], more, len(content)) + content


async def _serve() -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stopping.set)
    platforms = Platforms()
    await platforms.open_slack()
    server = await loop.create_server(lambda: _Connection(platforms, is_slack=False), "127.0.0.1", 0, backlog=1024)
    print(f"listening {server.sockets[0].getsockname()[1]}", flush=True)
    await stopping.wait()
    server.close()


if __name__ == "__main__":
    asyncio.run(_serve())
