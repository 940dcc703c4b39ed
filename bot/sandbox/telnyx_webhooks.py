"""The carrier's webhooks: signed, tried three times at each address, and where told so lost, doubled or held back."""

from __future__ import annotations

import asyncio
import base64
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import aiohttp
from nacl.signing import SigningKey
from yarl import URL

from bot.clock import Clock
from bot.sandbox.faults import FaultBoard, FaultKind
from bot.sandbox.journal import Journal
from bot.sandbox.telnyx_chores import Chores
from bot.sandbox.telnyx_payloads import write_time
from bot.sandbox.telnyx_state import Account, Json, Message, Profile

#: How long an event told to come in the wrong order waits for another to overtake it.
_HOLD_AT_MOST = timedelta(seconds=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookAttempt:
    """One POST of one event to one address."""

    event_id: str
    event_type: str
    message_id: str
    url: str
    attempt: int
    at: datetime
    status: int | None  #: None: no answer in time, or none at all.
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True, kw_only=True)
class Notice:
    """What has an event but is no message: it goes to its profile's addresses."""

    profile_id: str
    id: str = ""
    webhook_url: str | None = None
    webhook_failover_url: str | None = None
    use_profile_webhooks: bool = True
    webhook_outcome: str = ""


#: Whose event it is: that decides where it goes.
Subject = Message | Notice


@dataclass(slots=True, kw_only=True)
class Delivery:
    """One event on its way."""

    data: Json
    attempted: asyncio.Event = field(
        default_factory=asyncio.Event
    )  #: Set once it was tried for the first time, or lost.

    @property
    def event_type(self) -> str:
        """What it is called; a click on a link has a record type only."""
        return str(self.data.get("event_type") or self.data["record_type"])


class Webhooks:
    """Sends events."""

    def __init__(self, *, account: Account, clock: Clock, journal: Journal, faults: FaultBoard, chores: Chores) -> None:
        self._account = account
        self._clock = clock
        self._journal = journal
        self._faults = faults
        self._chores = chores
        self._key = SigningKey.generate()
        self._held: list[asyncio.Event] = []
        self.session: aiohttp.ClientSession | None = None
        self.attempts: list[WebhookAttempt] = []

    @property
    def public_key(self) -> str:
        """The base64 Ed25519 public key that verifies the signatures."""
        return base64.b64encode(bytes(self._key.verify_key)).decode("ascii")

    def emit(
        self,
        event_type: str,
        message: Message,
        payload: Json,
        *,
        after: Delivery | None = None,
        at: datetime | None = None,
    ) -> Delivery:
        """Send an event in the background; *after* is the event whose first attempt it does not overtake."""
        data = {
            "event_type": event_type,
            "id": str(uuid.uuid4()),
            "occurred_at": write_time(at or self._clock.now()),
            "payload": payload,
            "record_type": "event",
        }
        return self.send_data(data, message, after=after)

    def emit_notice(self, event_type: str, profile: Profile, payload: Json) -> Delivery:
        """Send an event of the account in the background, to the profile's addresses."""
        data = {
            "event_type": event_type,
            "id": str(uuid.uuid4()),
            "occurred_at": write_time(self._clock.now()),
            "payload": payload,
            "record_type": "event",
        }
        return self.send_data(data, Notice(profile_id=profile.id))

    def emit_click(self, message: Message, *, person: str, url: str) -> Delivery:
        """Send in the background that *person* opened a link of *message*: without an envelope, id and plus sign."""
        data = {
            "record_type": "link_clicked",
            "url": url,
            "to": person.removeprefix("+"),
            "message_id": message.id,
            "time_clicked": write_time(self._clock.now()),
        }
        return self.send_data(data, Notice(profile_id=message.profile_id))

    def send_data(self, data: Json, message: Subject, *, after: Delivery | None = None) -> Delivery:
        """Send a finished event (again) in the background."""
        delivery = Delivery(data=data)
        self._chores.start(self._deliver(delivery, message, after))
        return delivery

    def tell_again(self, attempt: WebhookAttempt, message: Subject) -> Delivery:
        """Send what was said in *attempt* once more in the background, as news: under an id of its own."""
        data = json.loads(attempt.body)["data"]
        return self.send_data({**data, "id": str(uuid.uuid4())}, message)

    def sign(self, body: bytes, *, at: datetime | None = None) -> dict[str, str]:
        """Return the two headers that sign *body* at a moment, by default now."""
        timestamp = str(int((at or self._clock.now()).timestamp()))
        signature = self._key.sign(timestamp.encode("ascii") + b"|" + body).signature
        return {"telnyx-signature-ed25519": base64.b64encode(signature).decode("ascii"), "telnyx-timestamp": timestamp}

    async def _deliver(self, delivery: Delivery, message: Subject, after: Delivery | None) -> None:
        event_type = delivery.event_type
        if after is not None:
            await after.attempted.wait()
        try:
            if self._faults.take(event_type, FaultKind.LOSE):
                self._record(delivery, status=None, milliseconds=0.0, detail="lost on the way")
                message.webhook_outcome = "failed: webhook failed"
                return
            if slow := self._faults.take(event_type, FaultKind.SLOW):
                await self._chores.sleep(timedelta(seconds=slow.seconds))
            if event_type == "message.received":
                await self._order(event_type)
            if self._faults.take(event_type, FaultKind.REPEAT):
                self._chores.start(self._try_everywhere(delivery, message))  # at the same time as the other copy
            await self._try_everywhere(delivery, message)
        finally:
            delivery.attempted.set()

    async def _order(self, event_type: str) -> None:
        """Hold this event back, if told so, until another was tried before it."""
        if self._faults.take(event_type, FaultKind.REORDER):
            gate = asyncio.Event()
            self._held.append(gate)
            await self._chores.wait_at_most(gate, _HOLD_AT_MOST)

    async def _try_everywhere(self, delivery: Delivery, message: Subject) -> None:
        for url in self._list_addresses(message):
            waits: Sequence[timedelta | None] = (*self._account.switches.webhook_backoff, None)
            for attempt, wait in enumerate(waits, start=1):
                status = await self._try_once(delivery, message, url, attempt)
                delivery.attempted.set()
                self._release_held(delivery)
                acknowledged = status is not None and status // 100 == 2  # noqa: PLR2004 - any 2xx; a redirect is none
                if acknowledged and not self._faults.take(delivery.event_type, FaultKind.DROP_ANSWER):
                    message.webhook_outcome = "success: webhook succeeded"
                    return
                if wait is not None:
                    await self._chores.sleep(wait)
        if message.webhook_outcome == "":
            message.webhook_outcome = "failed: webhook failed"

    def _release_held(self, delivery: Delivery) -> None:
        if delivery.event_type == "message.received":
            while self._held:
                self._chores.open(self._held.pop(0))

    def _list_addresses(self, message: Subject) -> list[str]:
        """Return where the message's events go: its own addresses first, then the profile's, unless it forbids them."""
        profile = self._account.recall_profile(message.profile_id)
        own = [message.webhook_url, message.webhook_failover_url]
        shared = [profile.webhook_url, profile.webhook_failover_url] if message.use_profile_webhooks else []
        return list(dict.fromkeys(url for url in (*own, *shared) if url))

    async def _try_once(self, delivery: Delivery, message: Subject, url: str, attempt: int) -> int | None:
        if self.session is None:
            message_ = "the simulated carrier is not started"
            raise RuntimeError(message_)
        envelope: Json = {"data": delivery.data}
        if "event_type" in delivery.data:
            envelope["meta"] = {"attempt": attempt, "delivered_to": url}
        body = json.dumps(envelope, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
        headers = {"Content-Type": "application/json", "User-Agent": "telnyx-webhooks", **self.sign(body)}
        began = self._clock.monotonic()
        patience = self._account.switches.webhook_timeout.total_seconds()
        timeout = aiohttp.ClientTimeout(sock_connect=patience, sock_read=patience)  # not the wait for a free connection
        status: int | None = None
        detail = ""
        try:
            async with self.session.post(
                URL(url, encoded=True), data=body, headers=headers, timeout=timeout, allow_redirects=False
            ) as response:
                await response.read()
                status = response.status
        except TimeoutError:
            detail = "no answer in time"
        except (aiohttp.ClientError, OSError, ValueError) as error:
            detail = type(error).__name__
        self.attempts.append(
            WebhookAttempt(
                event_id=str(delivery.data.get("id", "")),
                event_type=delivery.event_type,
                message_id=message.id,
                url=url,
                attempt=attempt,
                at=self._clock.now(),
                status=status,
                headers=headers,
                body=body,
            )
        )
        again = f"attempt {attempt}" if attempt > 1 else ""
        spent = (self._clock.monotonic() - began) * 1000
        self._record(
            delivery, status=status, milliseconds=spent, detail=", ".join(part for part in (detail, again) if part)
        )
        return status

    def _record(self, delivery: Delivery, *, status: int | None, milliseconds: float, detail: str) -> None:
        self._journal.record(
            at=self._clock.now(),
            source="telnyx",
            target="bot",
            operation=delivery.event_type,
            status=status,
            milliseconds=milliseconds,
            detail=detail,
        )
