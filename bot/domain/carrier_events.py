"""
Reading the carrier's webhooks, tolerantly: what is there in whatever shape, and nothing that is not.

Sources: developers.telnyx.com (receiving webhooks, group messaging), the OpenAPI description, and payloads seen in
public. They disagree: `cc` holds strings or objects or is absent, `to` may be a plain string, media hashes have two
names, link clicks have no envelope. Whatever cannot be read raises NotUnderstood, and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from bot.domain.account_events import (
    HOSTED_ORDERS,
    LINK_CLICKED,
    SPEND_LIMIT,
    AccountEvent,
    HostedOrderChange,
    LinkClick,
    SpendLimitReached,
)
from bot.domain.carrier_codes import says_stop
from bot.domain.carrier_lanes import as_mapping, as_sequence, clean, read_address, read_reference, read_sender
from bot.domain.conversation import Medium
from bot.domain.delivery import Delivery, DeliveryStatus, read_status
from bot.domain.ids import CarrierMessageId, MessageId
from bot.domain.phone import Address
from bot.domain.whatsapp import Reaction, WhatsappContent, read_whatsapp_body
from bot.errors import NotUnderstood

#: What some phones write into every picture message by themselves.
_NO_SUBJECT = frozenset({"nosubject", "no subject", "(no subject)", "<no subject>"})


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaRef:
    """A picture or file that the carrier holds for us."""

    url: str
    content_type: str | None
    sha256: str | None  #: 64 lower-case hexadecimal digits, where the carrier gave a whole one.
    size: int | None  #: In bytes, as claimed.


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundText:
    """`message.received`: somebody texted one of our numbers."""

    carrier_id: CarrierMessageId
    sender: Address
    recipients: tuple[Address, ...]  #: Whom the carrier delivered it to: ours.
    others: tuple[Address, ...]  #: Who else got it (group MMS); may hold our own number and the sender.
    text: str
    media: tuple[MediaRef, ...]
    autoresponse_type: str | None
    channel: str  #: `SMS`, `MMS`, `WHATSAPP`, …
    is_spam: bool
    reaction: Reaction | None = None  #: WhatsApp only: the message is no more than a reaction to another.
    subject: str = ""  #: Of an MMS: a line that some phones let people write above the text.
    said_at: datetime | None = None  #: When the carrier got it, by its clock; None where it does not say.

    @property
    def words(self) -> str:
        """All that they wrote: the subject, if there is one, above the text."""
        if not self.subject.strip() or self.subject.strip().lower() in _NO_SUBJECT or self.subject in self.text:
            return self.text
        return f"{self.subject}\n{self.text}" if self.text else self.subject

    @property
    def medium(self) -> Medium:
        """By what it travelled."""
        return Medium.WHATSAPP if self.channel == "WHATSAPP" else Medium.SMS


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """`message.sent`, `message.finalized`, `message.read`: what became of a text of ours."""

    carrier_id: CarrierMessageId
    sender: Address | None
    copies: Mapping[Address, Delivery]
    reference: MessageId | None = None  #: Of the text, as the address says that was named with the send.


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownEvent:
    """An event of a type that nobody here knows: kept, parked and counted."""


CarrierEvent = InboundText | Receipt | AccountEvent | UnknownEvent

_RECEIPTS = frozenset({"message.sent", "message.finalized", "message.read"})
#: The moment of what names none.
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
_SHA256 = re.compile(r"[0-9A-Fa-f]{64}")


def read_event(event: object, region: str = "US") -> CarrierEvent:
    """Return what the webhook body *event* says. Raises NotUnderstood for what cannot be read, and nothing else."""
    data = as_mapping(as_mapping(event).get("data"))
    kind = data.get("event_type") or data.get("record_type")
    if not isinstance(kind, str) or not data:
        raise NotUnderstood("an event without a type")
    payload = as_mapping(data.get("payload"))
    if kind == "message.received":
        return _read_inbound(
            payload, region, max(_moment(payload.get("received_at")), _moment(data.get("occurred_at")))
        )
    if kind in _RECEIPTS:
        return _read_receipt(payload, _moment(data.get("occurred_at")))
    if kind == LINK_CLICKED:
        return _read_click(data)
    if kind == SPEND_LIMIT:
        return SpendLimitReached(
            profile_id=clean(payload.get("profile_id")),
            limit=clean(payload.get("configured_limit")),
            cost=clean(payload.get("current_cost")),
        )
    if kind.startswith(HOSTED_ORDERS):
        return _read_hosted_order(kind, payload)
    return UnknownEvent()


def _read_click(data: Mapping[str, Any]) -> LinkClick:
    carrier_id, url = data.get("message_id"), data.get("url")
    if not isinstance(carrier_id, str) or not carrier_id or not isinstance(url, str):
        raise NotUnderstood("a link click without its text or its link")
    clicked_at = _moment(data.get("time_clicked"))
    return LinkClick(
        carrier_id=CarrierMessageId(clean(carrier_id)),
        url=clean(url),
        clicker=read_address(data.get("to")),
        clicked_at=None if clicked_at == _NEVER else clicked_at,
    )


def _read_hosted_order(kind: str, payload: Mapping[str, Any]) -> HostedOrderChange:
    numbers = []
    for entry in as_sequence(payload.get("numbers") or payload.get("phone_numbers")):
        address = read_address(as_mapping(entry).get("value")) or read_address(entry)
        if address is not None:
            numbers.append((address, clean(as_mapping(entry).get("status")).replace("_", " ")))
    return HostedOrderChange(
        change=clean(kind.removeprefix(HOSTED_ORDERS)).replace("_", " "),
        order_id=clean(payload.get("order_id") or payload.get("id")),
        status=clean(payload.get("order_status") or payload.get("status")).replace("_", " "),
        numbers=tuple(numbers),
    )


def _read_inbound(payload: Mapping[str, Any], region: str, said_at: datetime) -> InboundText:
    sender = read_sender(payload, region)
    recipients = _addresses(payload.get("to"), region)
    carrier_id = payload.get("id")
    if sender is None or not recipients or not isinstance(carrier_id, str) or not carrier_id:
        raise NotUnderstood("an inbound text without sender, recipient or id")
    text = payload.get("text")
    # WhatsApp and RCS keep everything in `body`.
    content = read_whatsapp_body(payload.get("body")) if text is None else WhatsappContent(text=clean(text))
    autoresponse = payload.get("autoresponse_type")
    return InboundText(
        carrier_id=CarrierMessageId(clean(carrier_id)),
        sender=sender,
        recipients=recipients,
        others=_addresses(payload.get("cc"), region),
        text=clean(content.text),
        media=_media(payload.get("media")) or _media(content.files),
        autoresponse_type=clean(autoresponse).upper() if isinstance(autoresponse, str) and autoresponse else None,
        channel=clean(payload.get("type")).upper() or "SMS",
        is_spam=payload.get("is_spam") is True,
        reaction=content.reaction,
        subject=clean(payload.get("subject")),
        said_at=None if said_at == _NEVER else said_at,
    )


def _read_receipt(payload: Mapping[str, Any], occurred_at: datetime) -> Receipt:
    carrier_id = payload.get("id")
    if not isinstance(carrier_id, str) or not carrier_id:
        raise NotUnderstood("a receipt without the id of its text")
    return Receipt(
        carrier_id=CarrierMessageId(clean(carrier_id)),
        sender=read_address(payload.get("from")),
        copies=read_copies(payload, occurred_at),
        reference=read_reference_in(payload.get("webhook_url")),
    )


def read_reference_in(address: object) -> MessageId | None:
    """
    Return the text of ours that *address* names, to which receipts are to be sent; None where it names none.

    It stands in the carrier's record of a text, and in the receipt itself, which is sent to the profile's address when
    nobody answers at that one.
    """
    try:
        query = urlsplit(address).query if isinstance(address, str) else ""
    except ValueError:
        return None
    return read_reference(parse_qs(query).get("ref", [""])[0])


def read_copies(payload: Mapping[str, Any], occurred_at: datetime) -> dict[Address, Delivery]:
    """Return what the carrier's record *payload* of one of our texts says of each recipient's copy."""
    code, title, detail = _first_error(payload.get("errors"))
    copies: dict[Address, Delivery] = {}
    to = payload.get("to")
    for entry in [to] if isinstance(to, dict) else as_sequence(to):
        recipient = read_address(entry)
        if recipient is None:
            continue
        status = read_status(as_mapping(entry).get("status"))
        if status is DeliveryStatus.OTHER:
            continue
        copies[recipient] = Delivery(status=status, occurred_at=occurred_at, code=code, title=title, detail=detail)
    return copies


def _first_error(errors: object) -> tuple[str | None, str | None, str | None]:
    """Return the first error's code and words; before all others the one that says STOP."""
    read = [
        (clean(found["code"]), clean(found.get("title")) or None, clean(found.get("detail")) or None)
        for found in map(as_mapping, as_sequence(errors))
        if found.get("code") is not None
    ]
    return next((error for error in read if says_stop(*error)), read[0]) if read else (None, None, None)


def _media(value: object) -> tuple[MediaRef, ...]:
    found = []
    for entry in as_sequence(value):
        item = as_mapping(entry)
        url = item.get("url")
        if not isinstance(url, str) or not url:
            continue
        digest = item.get("sha256") or item.get("hash_sha256")
        size = item.get("size")
        found.append(
            MediaRef(
                url=clean(url),
                content_type=clean(item.get("content_type")) or None,
                sha256=digest.lower() if isinstance(digest, str) and _SHA256.fullmatch(digest) else None,
                size=size if isinstance(size, int) and not isinstance(size, bool) and size >= 0 else None,
            )
        )
    return tuple(found)


def _addresses(value: object, region: str = "US") -> tuple[Address, ...]:
    entries: Sequence[object] = [value] if isinstance(value, str | Mapping) else as_sequence(value)
    return tuple(dict.fromkeys(address for entry in entries if (address := read_address(entry, region)) is not None))


def _moment(value: object) -> datetime:
    """Return the moment named, in UTC; the beginning of time for none, so that such a receipt loses every tie."""
    try:
        moment = datetime.fromisoformat(value if isinstance(value, str) else "")
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return _NEVER


def choose_ours(text: InboundText, our_numbers: Collection[Address]) -> tuple[Address, tuple[Address, ...]]:
    """
    Return our side of an inbound text and the customers on the other.

    Ours is the first recipient that is a number of ours, else the first recipient. The customers are all who took part
    less our own: `cc` may or may not hold our number and the sender.
    """
    ours = next((address for address in text.recipients if address in our_numbers), text.recipients[0])
    everybody = (text.sender, *text.recipients, *text.others)
    theirs = tuple(sorted({address for address in everybody if address not in our_numbers and address != ours}))
    return ours, theirs or (text.sender,)
