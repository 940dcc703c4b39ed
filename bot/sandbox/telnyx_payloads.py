"""
The shapes in which the carrier writes a message, a profile, a number and their kin.

Field names follow Telnyx's OpenAPI description; values that only its network knows (carriers, prices) are plausible
constants.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

from bot.sandbox.telnyx_errors import describe_error
from bot.sandbox.telnyx_state import (
    Account,
    AutoResponse,
    Direction,
    Json,
    Message,
    MessageType,
    NumberKind,
    OptOut,
    OwnNumber,
    Profile,
    Recipient,
    SenderName,
    Status,
)
from bot.sandbox.telnyx_switches import CcStyle


def write_time(moment: datetime) -> str:
    """Return a moment as the carrier writes it: UTC, milliseconds, a numeric offset."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")


def _write_time(moment: datetime | None) -> str | None:
    return None if moment is None else write_time(moment)


def render_outbound(account: Account, message: Message, *, only: Recipient | None = None) -> Json:
    """Return an outbound message as `data` of an answer or `payload` of an event; *only*: one recipient of a group."""
    profile = account.recall_profile(message.profile_id)
    recipients = message.recipients if only is None else [only]
    completed_at = message.completed_at if only is None else only.completed_at
    charged = not any(
        recipient.status in (Status.SCHEDULED, Status.CANCELLED, Status.SENDING_FAILED) for recipient in recipients
    )
    payload: Json = {
        "record_type": "message",
        "direction": message.direction.value,
        "id": message.id,
        "type": message.type.value,
        "organization_id": account.organization_id,
        "messaging_profile_id": message.profile_id,
        "from": {"phone_number": message.from_, "carrier": "Telnyx", "line_type": "Wireless"},
        "to": [
            {
                "phone_number": recipient.number,
                "status": recipient.status.value,
                "carrier": "T-Mobile USA",
                "line_type": "Wireless",
            }
            for recipient in recipients
        ],
        "cc": [],
        "subject": message.subject,
        "text": message.text or "",
        "media": _render_outbound_media(message),
        "webhook_url": message.webhook_url or profile.webhook_url or "",
        "webhook_failover_url": message.webhook_failover_url or profile.webhook_failover_url or "",
        "encoding": message.encoding.value,
        "parts": message.parts,
        "num_chars": len(message.text or ""),
        "tags": list(account.numbers[message.from_].tags) if message.from_ in account.numbers else [],
        "cost": _render_cost(message) if charged else None,
        "cost_breakdown": _render_cost_breakdown(message) if charged else None,
        "tcr_campaign_id": None,
        "tcr_campaign_billable": False,
        "tcr_campaign_registered": None,
        "received_at": write_time(message.received_at),
        "sent_at": _write_time(message.sent_at),
        "completed_at": _write_time(completed_at),
        "valid_until": _write_time(message.valid_until),
        "errors": [error for recipient in recipients for error in recipient.errors],
        "smart_encoding_applied": message.smart_encoding_applied,
        "wait_seconds": 0.0,
    }
    if message.type is MessageType.WHATSAPP:
        for name in ("text", "subject", "media", "parts", "num_chars", "smart_encoding_applied"):
            del payload[name]
        payload["body"] = message.body
    if message.group:
        payload["group_message_id"] = message.id
    if message.send_at is not None:
        payload["send_at"] = write_time(message.send_at)
    return payload


#: What the answer to a WhatsApp message holds; its events hold more.
_WHATSAPP_ANSWER = (
    "record_type",
    "direction",
    "id",
    "type",
    "organization_id",
    "messaging_profile_id",
    "from",
    "to",
    "body",
    "encoding",
    "received_at",
    "wait_seconds",
)


def render_acceptance(account: Account, message: Message) -> Json:
    """Return an outbound message as the answer to its request."""
    payload = render_outbound(account, message)
    return {name: payload[name] for name in _WHATSAPP_ANSWER} if message.type is MessageType.WHATSAPP else payload


def _render_outbound_media(message: Message) -> list[Json]:
    fetched = {media.url: media for media in message.media}
    rendered: list[Json] = []
    for url in message.media_urls:
        media = fetched.get(url)
        rendered.append(
            {
                "url": url,
                "content_type": media.content_type if media else None,
                "sha256": hashlib.sha256(media.content).hexdigest() if media else None,
                "size": len(media.content) if media else None,
            }
        )
    return rendered


def render_inbound(account: Account, message: Message) -> Json:
    """Return an inbound message as `payload` of its event or `data` of an answer."""
    if message.type is MessageType.WHATSAPP:
        return _render_whatsapp_inbound(account, message)
    profile = account.recall_profile(message.profile_id)
    payload: Json = {
        "record_type": "message",
        "direction": message.direction.value,
        "id": message.id,
        "type": message.type.value,
        "organization_id": account.organization_id,
        "messaging_profile_id": message.profile_id,
        "from": {"phone_number": message.from_, "carrier": "T-Mobile USA", "line_type": "Wireless"},
        "to": [
            {
                "phone_number": recipient.number,
                "status": recipient.status.value,
                "carrier": "Telnyx",
                "line_type": "Wireless",
            }
            for recipient in message.recipients
        ],
        "cc": _render_cc(account, message),
        "subject": message.subject or "",
        "text": message.text,
        "media": [
            {
                "url": media.url,
                "content_type": media.content_type,
                "sha256": hashlib.sha256(media.content).hexdigest(),
                "size": len(media.content),
            }
            for media in message.media
        ],
        "autoresponse_type": message.autoresponse_type,
        "is_spam": False,
        "webhook_url": profile.webhook_url or "",
        "webhook_failover_url": profile.webhook_failover_url or "",
        "encoding": message.encoding.value,
        "parts": message.parts,
        "tags": [],
        "cost": _render_cost(message),
        "cost_breakdown": _render_cost_breakdown(message),
        "received_at": write_time(message.received_at),
        "sent_at": None,
        "completed_at": None,
        "valid_until": None,
        "errors": [],
    }
    if account.switches.omit_cc:
        del payload["cc"]
    return payload


def _render_whatsapp_inbound(account: Account, message: Message) -> Json:
    """Return a WhatsApp message: `to` is a plain string, and all that was said is in `body`."""
    body: Json = {"id": message.id, "from": message.from_, "timestamp": str(int(message.received_at.timestamp()))}
    if message.media:
        media = message.media[0]
        family = media.content_type.partition("/")[0]
        kind = family if family in ("image", "video", "audio") else "document"
        body |= {
            "type": kind,
            kind: {"link": media.url, "mime_type": media.content_type, "caption": message.text or ""},
        }
    else:
        body |= {"type": "text", "text": {"body": message.text or ""}}
    return {
        "record_type": "message",
        "direction": message.direction.value,
        "id": message.id,
        "type": message.type.value,
        "organization_id": account.organization_id,
        "messaging_profile_id": message.profile_id,
        "from": {"phone_number": message.from_},
        "to": message.recipients[0].number,
        "body": body,
        "received_at": write_time(message.received_at),
    }


def _render_cc(account: Account, message: Message) -> list[Any]:
    if not message.cc:
        return []
    if account.switches.cc_style is CcStyle.STRINGS:
        return [*message.cc, *(recipient.number for recipient in message.recipients)]
    return [
        {"phone_number": number, "status": "delivered", "carrier": "T-Mobile USA", "line_type": "Wireless"}
        for number in message.cc
    ]


def render_message(account: Account, message: Message) -> Json:
    """Return a message of either direction."""
    return (
        render_outbound(account, message)
        if message.direction is Direction.OUTBOUND
        else render_inbound(account, message)
    )


def price(message: Message) -> float:
    """Return what one message costs, in dollars."""
    return 0.015 if message.type is MessageType.MMS else 0.004 * message.parts


def _render_cost(message: Message) -> Json:
    return {"amount": f"{price(message):.4f}", "currency": "USD"}


def _render_cost_breakdown(message: Message) -> Json:
    return {
        "carrier_fee": {"amount": "0.00000", "currency": "USD"},
        "rate": {"amount": f"{price(message):.5f}", "currency": "USD"},
    }


def render_profile(account: Account, profile: Profile) -> Json:
    """Return a messaging profile."""
    payload: Json = {"record_type": "messaging_profile", "organization_id": account.organization_id}
    for name in profile.__slots__:
        value = getattr(profile, name)
        payload[name] = write_time(value) if isinstance(value, datetime) else value
    if profile.redaction_enabled is None:
        del payload["redaction_enabled"], payload["redaction_level"]
    return payload


def render_number(account: Account, number: OwnNumber) -> Json:
    """Return one of our numbers with its messaging settings."""
    domestic = {"domestic_two_way": True, "international_inbound": False, "international_outbound": False}
    return {
        "record_type": "messaging_settings",
        "id": number.id,
        "phone_number": number.number,
        "type": number.kind.value,
        "country_code": number.country_code,
        "messaging_profile_id": number.profile_id,
        "organization_id": account.organization_id,
        "messaging_product": number.messaging_product,
        "eligible_messaging_products": ["A2P"] if number.kind is not NumberKind.LONG_CODE else ["A2P", "P2P"],
        "traffic_type": number.messaging_product,
        "features": {
            "sms": {"domestic_two_way": True, "international_inbound": True, "international_outbound": True},
            "mms": domestic if number.mms else None,
        },
        "health": {"message_count": 0, "inbound_outbound_ratio": 0.0, "success_ratio": 0.0, "spam_ratio": 0.0},
        "tags": list(number.tags),
        "created_at": write_time(number.created_at),
        "updated_at": write_time(number.updated_at),
    }


def render_short_code(code: OwnNumber) -> Json:
    """Return one of our short codes."""
    return {
        "record_type": "short_code",
        "id": code.id,
        "short_code": code.number,
        "country_code": code.country_code,
        "messaging_profile_id": code.profile_id,
        "tags": list(code.tags),
        "created_at": write_time(code.created_at),
        "updated_at": write_time(code.updated_at),
    }


def render_sender_name(account: Account, name: SenderName) -> Json:
    """Return a name that texts may come from; without a fallback, its field is left out."""
    payload: Json = {
        "record_type": "alphanumeric_sender_id",
        "id": name.id,
        "alphanumeric_sender_id": name.name,
        "messaging_profile_id": name.profile_id,
        "organization_id": account.organization_id,
    }
    if name.us_long_code_fallback is not None:
        payload["us_long_code_fallback"] = name.us_long_code_fallback
    return payload


def render_autoresponse(answer: AutoResponse) -> Json:
    """Return an automatic answer."""
    return {
        "id": answer.id,
        "op": answer.op,
        "keywords": list(answer.keywords),
        "country_code": answer.country_code,
        "resp_text": answer.resp_text or "",
        "created_at": write_time(answer.created_at),
        "updated_at": write_time(answer.updated_at),
    }


def render_optout(optout: OptOut, *, redact: bool) -> Json:
    """Return one block rule; its time is written with a blank and microseconds, unlike every other."""
    return {
        "messaging_profile_id": optout.profile_id,
        "from": optout.sender,
        "to": f"{optout.person[:-4]}****" if redact else optout.person,
        "keyword": optout.keyword,
        "created_at": optout.created_at.astimezone(UTC).isoformat(sep=" ", timespec="microseconds"),
    }


def render_delivery_error(code: str, detail: str | None = None) -> Json:
    """Return an error as a finalized event holds it."""
    return describe_error(code, detail=detail)
