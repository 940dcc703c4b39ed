"""Signed deliveries from the simulated Slack to the app: events with retries, commands and interactions without."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import secrets
import ssl
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import aiohttp

from bot.sandbox.faults import FaultBoard, FaultKind
from bot.sandbox.journal import Journal
from bot.sandbox.slack_text import Json
from bot.sandbox.slack_workspace import Channel, Workspace

#: When Slack tries an event again: nearly at once, after a minute, after five more (docs.slack.dev, Events API).
RETRY_SCHEDULE = (timedelta(0), timedelta(minutes=1), timedelta(minutes=5))
#: How long Slack waits for an answer.
PATIENCE = timedelta(seconds=3)
#: How long an event told to come in the wrong order waits for another that it may follow.
_HELD_FOR = timedelta(seconds=5)
_SUCCESS = range(200, 300)
_JSON = "application/json"
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the app said to one request of Slack's."""

    status: int | None  #: None: no answer came.
    body: Any = None  #: JSON when it was JSON, else text; None when empty.
    reason: str = ""  #: Slack's word for what went wrong: `http_timeout`, `connection_failed`, `http_error` …
    no_retry: bool = False
    shown: str | None = None  #: The error that the person was shown.
    errors: dict[str, str] = field(default_factory=dict)  #: Of a form: what is wrong with which block.

    @property
    def ok(self) -> bool:
        """Tell whether the app answered 2xx, which is all that Slack asks."""
        return self.status in _SUCCESS


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One try to bring one event."""

    event_id: str
    type: str  #: `message`, `message.message_changed`, `reaction_added` …
    attempt: int  #: 0 for the first, 1 to 3 for the retries.
    status: int | None
    reason: str


class Courier:
    """Brings what happens in the workspace to the app's request address, the way Slack does."""

    def __init__(self, workspace: Workspace, *, signing_secret: str, journal: Journal, faults: FaultBoard) -> None:
        self.workspace = workspace
        self.signing_secret = signing_secret
        self.journal = journal
        self.faults = faults
        self.request_url = ""
        self.retry_schedule: tuple[timedelta, ...] = RETRY_SCHEDULE
        self.patience = PATIENCE
        self.ordered = True
        self.subscriptions: frozenset[str] | None = None
        self.deliveries: deque[Delivery] = deque(maxlen=5000)
        self._session: aiohttp.ClientSession | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._asleep = 0
        self._changed = asyncio.Event()
        self._lanes: dict[str, asyncio.Event] = {}
        self._held: list[tuple[Json, str]] = []
        workspace.publish = self.publish
        workspace.later = self.do_later

    # ------------------------------------------------------------------------------------------------------ events

    def publish(self, event: Json, channel: Channel | None) -> None:
        """Bring *event* to the app, if the bot is where it happened and the app subscribes to it."""
        if channel is not None and self.workspace.bot_user not in channel.members:
            return
        if self.subscriptions is not None and not self._is_subscribed(event, channel):
            return
        self.send_body(self._wrap(event, channel), lane=channel.id if channel else "")

    def send_body(self, body: Json, *, lane: str = "") -> None:
        """Bring a whole event body, with what the fault board says of events; *lane* is what keeps its order."""
        if not self.request_url:
            return
        fault = self.faults.take("event", FaultKind.LOSE, FaultKind.REORDER, FaultKind.REPEAT)
        kind = fault.kind if fault else None
        if kind is FaultKind.LOSE:
            self._record(body, 0, Answer(status=None, reason="lost"), 0.0)
            return
        if kind is FaultKind.REORDER:
            self._held.append((body, lane))
            self.do_later(_HELD_FOR, self._release_held)
            return
        for _ in range(2 if kind is FaultKind.REPEAT else 1):
            self._start_delivery(body, lane if kind is None else "")
        self._release_held()

    def _start_delivery(self, body: Json, lane: str) -> None:
        done = asyncio.Event()
        before = self._lanes.get(lane) if lane and self.ordered else None
        if lane:
            self._lanes[lane] = done
        self.spawn(self._deliver(body, before, done))

    def _release_held(self) -> None:
        held, self._held = self._held, []
        for body, lane in held:
            self._start_delivery(body, lane)

    def _is_subscribed(self, event: Json, channel: Channel | None) -> bool:
        wanted = self.subscriptions or frozenset()
        if event["type"] != "message":
            return event["type"] in wanted
        kind = {"channel": "channels", "group": "groups"}.get(channel.kind, "im") if channel else "im"
        return f"message.{kind}" in wanted

    def _wrap(self, event: Json, channel: Channel | None) -> Json:
        workspace = self.workspace
        return {
            "token": "sandbox-verification-token",
            "team_id": workspace.team_id,
            "context_team_id": workspace.team_id,
            "context_enterprise_id": None,
            "api_app_id": workspace.app_id,
            "event": event,
            "type": "event_callback",
            "event_id": workspace.make_id("Ev"),
            "event_time": workspace.epoch(),
            "authorizations": [
                {
                    "enterprise_id": None,
                    "team_id": workspace.team_id,
                    "user_id": workspace.bot_user,
                    "is_bot": True,
                    "is_enterprise_install": False,
                }
            ],
            "is_ext_shared_channel": bool(channel and channel.ext_shared),
            "event_context": f"4-{secrets.token_hex(12)}",
        }

    async def _deliver(self, body: Json, before: asyncio.Event | None, done: asyncio.Event) -> None:
        try:
            if before is not None:
                await before.wait()
            answer = await self._try_event(body, 0, "")
        finally:
            done.set()
        for number, wait in enumerate(self.retry_schedule, start=1):
            if answer.ok or answer.no_retry:
                return
            await self._sleep(wait)
            answer = await self._try_event(body, number, answer.reason)

    async def _try_event(self, body: Json, attempt: int, reason: str) -> Answer:
        headers = {"x-slack-retry-num": str(attempt), "x-slack-retry-reason": reason} if attempt else {}
        started = self.workspace.clock.monotonic()
        answer = await self._send(json.dumps(body).encode(), _JSON, headers)
        self._record(body, attempt, answer, started)
        return answer

    def _record(self, body: Json, attempt: int, answer: Answer, started: float) -> None:
        event = body.get("event", {})
        name = ".".join(part for part in (event.get("type", body["type"]), event.get("subtype")) if part)
        self.deliveries.append(
            Delivery(
                event_id=body.get("event_id", ""), type=name, attempt=attempt, status=answer.status,
                reason=answer.reason,
            )
        )  # fmt: skip
        tried = f"try {attempt + 1}" if attempt else ""
        detail = " ".join(part for part in (str(event.get("text", ""))[:80], tried, answer.reason) if part)
        self._write_journal("slack", name, answer, started, detail)

    # ------------------------------------------------------------------------------------- commands, interactions

    async def send_form(self, fields: Json, *, operation: str, detail: str = "") -> Answer:
        """Send one command or interaction, once, and return what the app said."""
        started = self.workspace.clock.monotonic()
        if not self.request_url:
            answer = Answer(status=None, reason="connection_failed")
        else:
            answer = await self._send(urlencode(fields).encode(), _FORM, {})
        self._write_journal("person", operation, answer, started, detail or answer.reason)
        return answer

    async def verify_url(self) -> Answer:
        """Do the url_verification handshake that saving the request address causes."""
        challenge = secrets.token_hex(12)
        body = {"token": "sandbox-verification-token", "challenge": challenge, "type": "url_verification"}
        answer = await self._try_event(body, 0, "")
        said = answer.body.get("challenge") if isinstance(answer.body, dict) else answer.body
        return (
            answer if said == challenge else Answer(status=answer.status, body=answer.body, reason="challenge_failed")
        )

    def sign(self, body: bytes, timestamp: str) -> str:
        """Return the `v0=` signature of *body* at *timestamp*."""
        basis = b"v0:" + timestamp.encode() + b":" + body
        return "v0=" + hmac.new(self.signing_secret.encode(), basis, hashlib.sha256).hexdigest()

    async def _send(self, body: bytes, content_type: str, headers: dict[str, str]) -> Answer:
        timestamp = str(self.workspace.epoch())
        signed = {
            "Content-Type": content_type,
            "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": self.sign(body, timestamp),
            **headers,
        }
        if self._session is None:
            self._session = aiohttp.ClientSession()
        timeout = aiohttp.ClientTimeout(total=self.patience.total_seconds())
        try:
            async with self._session.post(
                self.request_url, data=body, headers=signed, timeout=timeout, max_redirects=2
            ) as response:
                return await _read_answer(response)
        except TimeoutError:
            return Answer(status=None, reason="http_timeout")
        except aiohttp.TooManyRedirects:
            return Answer(status=None, reason="too_many_redirects")
        except (aiohttp.ClientSSLError, ssl.SSLError):
            return Answer(status=None, reason="ssl_error")
        except (aiohttp.ClientConnectionError, OSError):
            return Answer(status=None, reason="connection_failed")
        except aiohttp.ClientError:
            return Answer(status=None, reason="unknown_error")

    def _write_journal(self, source: str, operation: str, answer: Answer, started: float, detail: str) -> None:
        clock = self.workspace.clock
        self.journal.record(
            at=clock.now(),
            source=source,
            target="bot",
            operation=operation,
            status=answer.status,
            milliseconds=(clock.monotonic() - started) * 1000 if started else 0.0,
            detail=detail,
        )

    # ------------------------------------------------------------------------------------------------------- tasks

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Start *work*, which `settle` waits for and `close` ends."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._end_task)

    def _end_task(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._changed.set()
        if not task.cancelled() and task.exception() is not None:
            task.get_loop().call_exception_handler(
                {"message": "a task of the simulated Slack failed", "exception": task.exception(), "task": task}
            )

    def do_later(self, span: timedelta, work: Callable[[], None]) -> None:
        """Call *work* after *span* by the workspace's clock."""

        async def wait() -> None:
            await self._sleep(span)
            work()

        self.spawn(wait())

    async def _sleep(self, span: timedelta) -> None:
        if span <= timedelta(0):
            await self.workspace.clock.sleep(span)
            return
        self._asleep += 1
        self._changed.set()
        try:
            await self.workspace.clock.sleep(span)
        finally:
            self._asleep -= 1

    async def settle(self, *, waits: bool = False) -> None:
        """
        Return once no delivery is under way.

        What sleeps until its moment (a later retry, a file to be shared) does not count unless *waits*: under a
        manual clock it would never end. An event held back to come out of order is let go first.
        """
        self._release_held()
        while len(self._tasks) > (0 if waits else self._asleep):
            self._changed.clear()
            await self._changed.wait()

    async def close(self) -> None:
        """End every delivery and close the connections."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()
            self._session = None


async def _read_answer(response: aiohttp.ClientResponse) -> Answer:
    text = await response.text(errors="replace")
    body: Any = text or None
    if text and response.content_type == _JSON:
        try:
            body = json.loads(text)
        except ValueError:
            body = text
    good = response.status in _SUCCESS
    return Answer(
        status=response.status,
        body=body,
        reason="" if good else "http_error",
        no_retry=not good and response.headers.get("x-slack-no-retry") == "1",
    )
