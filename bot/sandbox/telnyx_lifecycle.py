"""The life of an outbound message: queued, sent, finalized; or scheduled first; or failed on the way."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import aiohttp
from yarl import URL

from bot.clock import Clock
from bot.sandbox.faults import FaultBoard, FaultKind
from bot.sandbox.journal import Journal
from bot.sandbox.telnyx_chores import Chores
from bot.sandbox.telnyx_inbound import InboundTexts, describe
from bot.sandbox.telnyx_payloads import render_delivery_error, render_outbound
from bot.sandbox.telnyx_phones import Phones, PhoneText
from bot.sandbox.telnyx_state import Account, Media, Message, MessageType, Outcome, OutcomeKind, Recipient, Status
from bot.sandbox.telnyx_webhooks import Delivery, Webhooks

_VALID_FOR = timedelta(hours=1)
_CACHED_FOR = timedelta(hours=1)  # Telnyx: a fetched URL is kept for an hour
_FETCH_TIMEOUT = aiohttp.ClientTimeout(total=10)

#: Kind -> (final status, usual error code).
_ENDS: dict[OutcomeKind, tuple[Status, str | None]] = {
    OutcomeKind.DELIVERED: (Status.DELIVERED, None),
    OutcomeKind.DELIVERY_FAILED: (Status.DELIVERY_FAILED, "40008"),
    OutcomeKind.DELIVERY_UNCONFIRMED: (Status.DELIVERY_UNCONFIRMED, None),
    OutcomeKind.EXPIRED: (Status.EXPIRED, "40005"),
    OutcomeKind.SENDING_FAILED: (Status.SENDING_FAILED, "40014"),
    OutcomeKind.NEVER_FINALIZED: (Status.SENT, None),
    OutcomeKind.SILENT: (Status.SENT, None),
    OutcomeKind.UNKNOWN: (Status.UNKNOWN, None),
    OutcomeKind.REFUSED: (Status.DELIVERED, None),  # refused ones never get here
}
_UNHEARD = (OutcomeKind.NEVER_FINALIZED, OutcomeKind.SILENT)
_UNRECEIVED = (OutcomeKind.DELIVERY_FAILED, OutcomeKind.EXPIRED, OutcomeKind.SENDING_FAILED)


@dataclass(slots=True, kw_only=True)
class LifeCycle:
    """Moves accepted messages on."""

    account: Account
    clock: Clock
    journal: Journal
    faults: FaultBoard
    chores: Chores
    webhooks: Webhooks
    phones: Phones
    inbound: InboundTexts
    pace: timedelta
    _fetched: dict[str, tuple[datetime, Media]] = field(default_factory=dict)

    def begin(self, message: Message) -> None:
        """Let *message* live in the background, from its due time on if it has one."""
        if message.send_at is not None:
            self.chores.start(self._wait_until_due(message))
        else:
            self.chores.start(self._run_quietly(message))

    def resume(self) -> None:
        """Start the waits of scheduled messages again: the simulator was stopped in between."""
        for message in self.account.messages.values():
            if message.send_at is not None and message.recipients[0].status is Status.SCHEDULED:
                self.chores.start(self._wait_until_due(message))

    async def run_now(self, message: Message) -> None:
        """Live the whole life at once; returns when each receipt was tried."""
        deliveries = await self._run(message, timedelta(0))
        for delivery in deliveries:
            await delivery.attempted.wait()

    async def _run_quietly(self, message: Message) -> None:
        await self._run(message, self.pace)

    async def _wait_until_due(self, message: Message) -> None:
        if message.send_at is None:
            return
        await self.chores.sleep(message.send_at - self.clock.now(), long=True)
        if any(recipient.status is not Status.SCHEDULED for recipient in message.recipients):
            return
        message.valid_until = self.clock.now() + _VALID_FOR
        for recipient in message.recipients:
            recipient.status = Status.QUEUED
            if self.account.switches.check_optouts_when_due and self.account.is_blocked(
                message.profile_id, recipient.number
            ):
                recipient.outcome = Outcome(kind=OutcomeKind.SENDING_FAILED, code="40300")
        await self._run(message, self.pace)

    async def _run(self, message: Message, pace: timedelta) -> list[Delivery]:
        """Send and finalize; returns the events on their way."""
        await self.chores.sleep(pace)
        if message.media_urls and not await self._fetch_all(message):
            for recipient in message.recipients:
                recipient.outcome = Outcome(kind=OutcomeKind.SENDING_FAILED, code="40317")
        leaving = [
            recipient for recipient in message.recipients if recipient.outcome.kind is not OutcomeKind.SENDING_FAILED
        ]
        for recipient in leaving:
            recipient.status = Status.SENT
        deliveries: list[Delivery] = []
        late: tuple[datetime, dict[str, object]] | None = None
        if leaving:
            message.sent_at = self.clock.now()
            message.valid_until = None
            if any(recipient.outcome.kind is not OutcomeKind.SILENT for recipient in leaving):
                payload = render_outbound(self.account, message)
                if self._is_reordered() and any(recipient.outcome.kind not in _UNHEARD for recipient in leaving):
                    late = (self.clock.now(), payload)
                else:
                    deliveries.append(self.webhooks.emit("message.sent", message, payload))
            await self.chores.sleep(pace)
        for recipient in message.recipients:
            deliveries += self._finalize(message, recipient, after=deliveries[-1] if deliveries else None)
        if late is not None:
            sent_at, payload = late
            deliveries.append(self.webhooks.emit("message.sent", message, payload, after=deliveries[-1], at=sent_at))
        return deliveries

    def _is_reordered(self) -> bool:
        return any(self.faults.take(event, FaultKind.REORDER) for event in ("message.finalized", "message.sent"))

    def _finalize(self, message: Message, recipient: Recipient, *, after: Delivery | None) -> list[Delivery]:
        kind = recipient.outcome.kind
        recipient.status, usual_code = _ENDS[kind]
        if kind not in _UNRECEIVED:
            self._hand_over(message, recipient)
        if kind in _UNHEARD:
            return []
        recipient.completed_at = self.clock.now()
        code = recipient.outcome.code or usual_code
        if code is not None and kind in _UNRECEIVED:
            recipient.errors = [render_delivery_error(code, recipient.outcome.detail)]
        payload = render_outbound(self.account, message, only=recipient)
        finalized = self.webhooks.emit("message.finalized", message, payload, after=after)
        if message.type is not MessageType.WHATSAPP or kind is not OutcomeKind.DELIVERED:
            return [finalized]
        recipient.status = Status.READ
        read = render_outbound(self.account, message, only=recipient)
        return [finalized, self.webhooks.emit("message.read", message, read, after=finalized)]

    def _hand_over(self, message: Message, recipient: Recipient) -> None:
        now = self.clock.now()
        others = tuple(other.number for other in message.recipients if other.number != recipient.number)
        self.phones.show(
            recipient.number,
            PhoneText(
                message_id=message.id,
                at=now,
                mine=False,
                from_=message.from_,
                to=recipient.number,
                text=message.text,
                subject=message.subject,
                media=tuple(message.media),
                others=others,
            ),
        )
        self.journal.record(
            at=now,
            source="telnyx",
            target="phone",
            operation="text",
            status=200,
            milliseconds=0.0,
            detail=f"{recipient.number}: {describe(message)}",
        )
        if recipient.number in self.account.numbers:  # both ends are ours: it comes back in as a text received
            self.inbound.receive(
                from_=message.from_,
                to=recipient.number,
                text=message.text,
                media=message.media,
                cc=(),
                subject=message.subject,
                message_id=None,
            )

    async def _fetch_all(self, message: Message) -> bool:
        """Fetch the message's media as the carrier does; False when one cannot be had or all together are too large."""
        room = self.account.switches.maximum_media_bytes
        for url in message.media_urls:
            media = await self._fetch(url, room)
            if media is None:
                return False
            room -= len(media.content)
            if room <= 0:
                return False
            message.media.append(media)
        return True

    async def _fetch(self, url: str, most: int) -> Media | None:
        known = self._fetched.get(url)
        if known is not None and self.clock.now() - known[0] < _CACHED_FOR:
            return known[1]
        if self.webhooks.session is None:
            message = "the simulated carrier is not started"
            raise RuntimeError(message)
        began = self.clock.monotonic()
        status: int | None = None
        media: Media | None = None
        try:
            async with self.webhooks.session.get(URL(url, encoded=True), timeout=_FETCH_TIMEOUT) as response:
                status = response.status
                content = bytearray()
                async for chunk in response.content.iter_chunked(2**16):
                    content += chunk
                    if len(content) > most:
                        break
                if status == 200 and len(content) <= most:  # noqa: PLR2004 - HTTP OK
                    media = Media(
                        filename=URL(url).name or "media",
                        content_type=response.content_type,
                        content=bytes(content),
                        url=url,
                    )
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
            media = None
        if media is not None:
            self._fetched[url] = (self.clock.now(), media)
        self.journal.record(
            at=self.clock.now(),
            source="telnyx",
            target="bot",
            operation="GET media",
            status=status,
            milliseconds=(self.clock.monotonic() - began) * 1000,
            detail=f"{len(media.content)} bytes" if media else "could not be used",
        )
        return media
