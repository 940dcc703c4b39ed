"""A carrier in memory: `bot.ports.Carrier` for the program, and the phones and receipts behind it."""

from __future__ import annotations

import itertools
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

from bot.clock import Clock
from bot.domain.account import Pulse, Spending
from bot.domain.carrier_api.operation import Operation
from bot.domain.delivery import DeliveryStatus
from bot.domain.ids import CarrierMessageId
from bot.domain.phone import Address
from bot.errors import CarrierRefused
from bot.ports import Acceptance, CarrierOptout, CarrierRequest, InboundRecord, Page
from tests.doubles.border import Border, prepared_at

Json = dict[str, Any]

#: How long before its time the carrier takes a held text back no more.
POINT_OF_NO_RETURN = timedelta(minutes=1)


@dataclass(slots=True, kw_only=True)
class CarriedText:
    """One text that the carrier accepted."""

    id: CarrierMessageId
    sender: str | None
    to: tuple[Address, ...]
    text: str
    webhook_url: str | None
    media_urls: tuple[str, ...]
    accepted_at: datetime
    send_at: datetime | None = None
    sent_at: datetime | None = None  #: When it left for the phones; None: held, or taken back.
    cancelled: bool = False
    fate: DeliveryStatus = DeliveryStatus.DELIVERED

    @property
    def reference(self) -> str | None:
        """The reference in the address for its receipts."""
        return parse_qs(urlsplit(self.webhook_url or "").query).get("ref", [None])[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One request to send, whatever became of it; *prepared* is its place in the world's order of events."""

    to: tuple[Address, ...]
    text: str
    prepared: int
    key: str
    held: bool  #: To be sent later, by the carrier.
    at: datetime


class MemoryCarrier:
    """One account."""

    def __init__(self, border: Border, clock: Clock) -> None:
        self.texts: list[CarriedText] = []
        self.attempts: list[Attempt] = []
        #: By text: the refusal with which it is answered.
        self.refusals: dict[str, CarrierRefused] = {}
        #: By text: how it ends; delivered unless told.
        self.fates: dict[str, DeliveryStatus] = {}
        self.optouts: list[CarrierOptout] = []
        self.inbound: list[InboundRecord] = []
        self.asked_since: list[datetime] = []  #: From when on the inbound texts were asked for, each time.
        self._received: dict[CarrierMessageId, Json] = {}
        self._refused_once: dict[str, CarrierRefused] = {}
        self._answers: dict[tuple[str, str], tuple[bytes, Acceptance]] = {}
        self._ids = (CarrierMessageId(f"carried-{number}") for number in itertools.count(1))
        self._border = border
        self._clock = clock

    # --- Carrier

    async def send(self, request: CarrierRequest) -> Acceptance:
        """Take the text, once for each key."""
        body = json.loads(request.body)
        to = tuple(Address(each) for each in ([body["to"]] if isinstance(body["to"], str) else body["to"]))
        self.attempts.append(
            Attempt(
                to=to,
                text=body["text"],
                prepared=prepared_at.get(),
                key=request.idempotency_key,
                held="send_at" in body,
                at=self._clock.now(),
            )
        )
        return await self._border.call("carrier send", lambda: self._send(request, to, body), repeatable=False)

    def _send(self, request: CarrierRequest, to: tuple[Address, ...], body: Json) -> Acceptance:
        slot = (request.path, request.idempotency_key)
        if slot in self._answers:
            known, answer = self._answers[slot]
            if known != request.body:
                raise CarrierRefused(code="10027", title="Key used with another request", detail=None, status=422)
            return answer
        if body["text"] in self._refused_once:
            raise self._refused_once.pop(body["text"])
        if body["text"] in self.refusals:
            raise self.refusals[body["text"]]
        send_at = datetime.fromisoformat(body["send_at"]) if "send_at" in body else None
        now = self._clock.now()
        text = CarriedText(
            id=next(self._ids),
            sender=body.get("from"),
            to=to,
            text=body["text"],
            webhook_url=body.get("webhook_url"),
            media_urls=tuple(body.get("media_urls", ())),
            accepted_at=now,
            send_at=send_at,
            sent_at=None if send_at else now,
            fate=self.fates.get(body["text"], DeliveryStatus.DELIVERED),
        )
        self.texts.append(text)
        status = DeliveryStatus.SCHEDULED if send_at else DeliveryStatus.QUEUED
        answer = Acceptance(carrier_id=text.id, sender=text.sender, parts=1, statuses=dict.fromkeys(to, status))
        self._answers[slot] = (request.body, answer)
        return answer

    async def cancel(self, carrier_id: CarrierMessageId) -> None:
        """Take a held text back; refused when it has gone, was taken back before, or is unknown."""
        await self._border.call("carrier cancel", lambda: self._cancel(carrier_id), repeatable=False)

    def _cancel(self, carrier_id: CarrierMessageId) -> None:
        held = next((t for t in self.texts if t.id == carrier_id and t.sent_at is None and not t.cancelled), None)
        if held is None:
            raise CarrierRefused(code="10005", title="Resource not found", detail=None, status=404)
        if held.send_at is not None and held.send_at - self._clock.now() <= POINT_OF_NO_RETURN:
            raise CarrierRefused(code="10010", title="Too late", detail=None, status=403)
        held.cancelled = True

    async def find_message(self, carrier_id: CarrierMessageId) -> Mapping[str, Any] | None:
        """Return the record of a text, as far as the product reads it."""
        return await self._border.ask("carrier find_message", lambda: self._find_message(carrier_id))

    def _find_message(self, carrier_id: CarrierMessageId) -> Mapping[str, Any] | None:
        text = next((each for each in self.texts if each.id == carrier_id), None)
        if text is None:
            return self._received.get(carrier_id)
        if text.cancelled:
            return describe(text, DeliveryStatus.CANCELLED)
        return describe(text, DeliveryStatus.SENT if text.sent_at else DeliveryStatus.SCHEDULED)

    async def list_optouts(self) -> Sequence[CarrierOptout]:
        """Return the list."""
        return await self._border.ask("carrier list_optouts", lambda: list(self.optouts))

    async def list_outbound(self, recipient: Address, *, since: datetime) -> Sequence[CarrierMessageId]:
        """Return none: what is on record is looked at in the bridge's own tests."""
        assert recipient
        assert since.tzinfo is not None
        return await self._border.ask("carrier list_outbound", list)

    async def list_inbound(self, *, since: datetime) -> AsyncIterator[Sequence[InboundRecord]]:
        """Yield the inbound texts on record, one a page."""
        self.asked_since.append(since)
        for number, record in enumerate([each for each in self.inbound if each.created_at >= since], 1):
            yield await self._border.ask(f"carrier list_inbound page {number}", lambda record=record: [record])  # type: ignore[misc]

    async def sum_cost(self, *, since: datetime) -> Spending:
        """Return that nothing was spent: no story asks."""
        return Spending(amount=Decimal(0), currency="USD", is_whole=True)

    async def check_access(self) -> None:
        """Do nothing: the key is good."""
        await self._border.ask("carrier check_access", lambda: None)

    # --- The phones

    def miss(self, carrier_id: CarrierMessageId, sender: Address, ours: Address, text: str) -> None:
        """Let a text be on record whose webhook never came."""
        self.inbound.append(
            InboundRecord(carrier_id=carrier_id, sender=sender, ours=ours, created_at=self._clock.now())
        )
        self._received[carrier_id] = {
            "id": carrier_id,
            "direction": "inbound",
            "type": "SMS",
            "from": {"phone_number": sender},
            "to": [{"phone_number": ours, "status": "webhook_delivered"}],
            "cc": [],
            "text": text,
            "media": [],
        }

    def refuse_next(self, text: str, *, code: str) -> None:
        """Refuse *text* the next time it comes, and no more."""
        self._refused_once[text] = CarrierRefused(code=code, title=None, detail=None, status=400)

    def pass_time(self) -> None:
        """Send what was held until now."""
        for text in self.texts:
            if text.send_at is not None and text.sent_at is None and not text.cancelled:
                text.sent_at = self._clock.now() if text.send_at <= self._clock.now() else None

    def next_held(self) -> datetime | None:
        """Return when the next held text goes."""
        return min(
            (t.send_at for t in self.texts if t.send_at is not None and t.sent_at is None and not t.cancelled),
            default=None,
        )

    def on_phone(self, number: str) -> list[str]:
        """Return what the phone got, oldest first."""
        gone = [(text.sent_at, place, text) for place, text in enumerate(self.texts) if text.sent_at is not None]
        return [text.text for _, _, text in sorted(gone, key=lambda each: each[:2]) if number in text.to]


class EmptyAccount:
    """An account without anything in it, for stories that are not about it."""

    async def call(self, operation: Operation, given: Mapping[str, object], *, key: str | None = None) -> Json:
        """Return nothing."""
        return {}

    async def list_pages(
        self, operation: Operation, given: Mapping[str, object], *, start: int = 1
    ) -> AsyncIterator[Page]:
        """Yield one empty page."""
        yield Page(items=[], number=1, pages=1, total=0)

    async def list_all(self, operation: Operation, given: Mapping[str, object]) -> AsyncIterator[Json]:
        """Yield nothing."""
        async for page in self.list_pages(operation, given):
            for item in page.items:
                yield dict(item)


class StillPulses:
    """A program that fares well and has nothing to do."""

    async def take(self) -> Pulse:
        """Return that."""
        return Pulse(waiting=0, oldest=timedelta(0), parked=0, troubles={})


def describe(text: CarriedText, status: DeliveryStatus) -> Json:
    """Return the carrier's record of *text* with all copies in *status*."""
    failed = status in (DeliveryStatus.DELIVERY_FAILED, DeliveryStatus.SENDING_FAILED)
    return {
        "id": text.id,
        "direction": "outbound",
        "from": {"phone_number": text.sender},
        "to": [{"phone_number": address, "status": status.value} for address in text.to],
        "text": text.text,
        "errors": [{"code": "40001", "title": "Not routable", "detail": "The recipient is not reachable."}]
        if failed
        else [],
    }
