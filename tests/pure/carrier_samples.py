"""
Webhooks as the carrier sends them, each in the least form that still has its peculiarities.

Their shapes follow developers.telnyx.com (receiving webhooks, group messaging, opt-in and opt-out, link shortening) and
what people have published of payloads that they received. Names, numbers and identifiers are made up.
"""

from __future__ import annotations

from typing import Any

OURS, OURS_TOO = "+13125550142", "+13125550143"
ANA, BOB, CEM = "+17735550118", "+14155550163", "+13125550171"


def wrap(event_type: str, payload: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Return *payload* in the envelope of every event but one."""
    data = {
        "event_type": event_type,
        "id": "event-1",
        "occurred_at": "2026-11-20T15:04:07.588+00:00",
        "payload": payload,
        "record_type": "event",
    }
    return {"data": data | changes, "meta": {"attempt": 1, "delivered_to": "https://bot.example.com/telnyx"}}


def inbound(**changes: Any) -> dict[str, Any]:
    """Return somebody's text to us; a field set to `...` is left out."""
    payload = {
        "autoresponse_type": None,
        "cc": [],
        "direction": "inbound",
        "errors": [],
        "from": {"carrier": "Some Wireless", "line_type": "Wireless", "phone_number": ANA},
        "id": "carrier-1",
        "is_spam": False,
        "media": [],
        "parts": 1,
        "text": "Hi, is my order ready?",
        "to": [{"carrier": "Telnyx", "line_type": "Wireless", "phone_number": OURS, "status": "webhook_delivered"}],
        "type": "SMS",
    } | changes
    return wrap("message.received", {name: value for name, value in payload.items() if value is not ...})


def receipt(event_type: str, *copies: tuple[str, str], **changes: Any) -> dict[str, Any]:
    """Return what became of a text of ours: (recipient, status) for each copy."""
    payload = {
        "direction": "outbound",
        "errors": [],
        "from": {"carrier": "Telnyx", "line_type": "Wireless", "phone_number": OURS},
        "id": "carrier-2",
        "to": [{"carrier": "Some Wireless", "phone_number": number, "status": status} for number, status in copies],
        "type": "SMS",
    }
    return wrap(event_type, payload | changes)


def link_click(**changes: Any) -> dict[str, Any]:
    """Return a click on a shortened link: no envelope, and a number without its plus."""
    click = {
        "record_type": "link_clicked",
        "url": "https://www.example.com/offer",
        "to": ANA[1:],
        "message_id": "carrier-2",
        "time_clicked": "2026-11-20T15:45:45.450Z",
    }
    return {"data": click | changes}


EVERY_VARIANT: dict[str, dict[str, Any]] = {
    "text": inbound(),
    "text without cc": inbound(cc=...),
    "text with cc of nothing": inbound(cc=None),
    "text in parts": inbound(text="Ça marche 👍 " * 20, parts=4),
    "pictures": inbound(
        type="MMS",
        media=[
            {"url": "https://media.example.com/a.jpg", "content_type": "image/jpeg", "sha256": "Ab" * 32, "size": 9}
        ],
    ),
    "a picture alone": inbound(
        type="MMS", text=None, media=[{"url": "https://media.example.com/a", "hash_sha256": "0" * 64}]
    ),
    "group of strings": inbound(type="MMS", cc=[BOB, CEM, OURS]),
    "group of objects": inbound(type="MMS", cc=[{"phone_number": BOB, "status": "delivered"}, {"phone_number": CEM}]),
    "recipient as a plain string": inbound(to=OURS),
    "recipient as one object": inbound(to={"phone_number": OURS}),
    "short code": inbound(**{"from": {"phone_number": "22395"}}),
    "named sender": inbound(**{"from": {"phone_number": "Some Bank"}}),
    "stop": inbound(autoresponse_type="STOP", text="Stop"),
    "spam": inbound(is_spam=True),
    "whatsapp": inbound(type="whatsapp", text=..., body={"type": "text", "text": {"body": "Hola"}}),
    "sent": receipt("message.sent", (ANA, "sent")),
    "delivered": receipt("message.finalized", (ANA, "delivered")),
    "delivered, its recipient not in a list": receipt(
        "message.finalized", to={"phone_number": ANA, "status": "delivered"}
    ),
    "failed": receipt(
        "message.finalized",
        (ANA, "delivery_failed"),
        errors=[{"code": "40008", "title": "Undeliverable", "detail": "Not accepted.", "meta": {"url": "x"}}],
    ),
    "never sent": receipt(
        "message.finalized", (ANA, "sending_failed"), errors=[{"code": 40014, "title": "Expired in queue"}], cost=None
    ),
    "group copy": receipt("message.finalized", (BOB, "unknown"), group_message_id="g"),
    "read": receipt("message.read", (ANA, "read")),
    "link click": link_click(),
    "spend limit": wrap(
        "messaging-profile.spend-limit-reached",
        {"configured_limit": "10.00", "current_cost": "10.02", "profile_id": "profile-1"},
    ),
    "hosted number": wrap(
        "messaging_hosted_numbers_orders.internal_transfer_detected",
        {
            "order_id": "order-1",
            "order_status": "loa_file_invalid",
            "numbers": [{"value": ANA, "status": "failed_timeout"}],
        },
    ),
    "of the future": wrap("message.reacted", {"id": "carrier-9", "emoji": "👍"}),
}
