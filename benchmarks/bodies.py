"""Signed requests, every one distinct: what the carrier's and Slack's servers would send, rendered as bytes beforehand."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from nacl.signing import SigningKey

#: Made up, and used between this machine's own processes only.
CARRIER_KEY = SigningKey(hashlib.sha256(b"textbridge benchmarks").digest())
CARRIER_PUBLIC_KEY = base64.b64encode(bytes(CARRIER_KEY.verify_key)).decode()
SLACK_SECRET = "made-up-signing-secret"
OURS = "+13125550100"
CHANNEL = "C0TEXTS"
#: Another number of ours, whose channel is in back-off where a measure wants that.
OURS_TOO = "+13125550111"
BUSY_CHANNEL = "C0BUSY"

#: About what a person texts; it brings a whole event to some 1.4 KB, like those seen in public.
_WORDS = "Hello, is my order ready to be picked up today? I could come by after work, at about half past five. "


@dataclass(frozen=True, slots=True, kw_only=True)
class Customers:
    """Who texts: *count* customers in turn, from number *first* on."""

    count: int
    first: int = 0
    ours: str = OURS

    def name(self, number: int) -> str:
        """Return the phone number behind text *number*."""
        return f"+1415{5_000_000 + self.first + number % self.count:07}"


def write_text_event(run: str, number: int, sender: str, ours: str = OURS) -> bytes:
    """Return the body of a `message.received` webhook, distinct for each *run* and *number*."""
    digest = hashlib.md5(f"{run} {number}".encode(), usedforsecurity=False).hexdigest()
    moment = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    payload = {
        "cc": [],
        "completed_at": None,
        "cost": None,
        "direction": "inbound",
        "encoding": "GSM-7",
        "errors": [],
        "from": {
            "carrier": "T-Mobile USA",
            "line_type": "Wireless",
            "phone_number": sender,
            "status": "webhook_received",
        },
        "id": f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-8{digest[17:20]}-{digest[20:]}",
        "is_spam": False,
        "media": [],
        "messaging_profile_id": "40000000-0000-4000-8000-000000000001",
        "organization_id": "50000000-0000-4000-8000-000000000001",
        "parts": 1,
        "received_at": moment,
        "record_type": "message",
        "sent_at": None,
        "subject": "",
        "tags": [],
        "tcr_campaign_billable": False,
        "tcr_campaign_id": None,
        "tcr_campaign_registered": None,
        "text": f"{_WORDS}({run} {number})",
        "to": [{"carrier": "Telnyx", "line_type": "Wireless", "phone_number": ours, "status": "webhook_delivered"}],
        "type": "SMS",
        "valid_until": None,
        "webhook_failover_url": "",
        "webhook_url": "https://textbridge.example/webhooks/telnyx",
    }
    event = {
        "data": {
            "event_type": "message.received",
            "id": f"{digest[20:28]}-{digest[:4]}-4{digest[4:7]}-9{digest[8:11]}-{digest[12:24]}",
            "occurred_at": moment,
            "payload": payload,
            "record_type": "event",
        },
        "meta": {"attempt": 1, "delivered_to": "https://textbridge.example/webhooks/telnyx"},
    }
    return json.dumps(event).encode()


def write_reply_event(run: str, number: int, *, thread_ts: str = "") -> bytes:
    """Return the body of a Slack event, distinct for each *run* and *number*: a person writes into a thread."""
    digest = hashlib.md5(f"{run} {number}".encode(), usedforsecurity=False).hexdigest()
    moment = time.time()
    text = f"{_WORDS}({run} {number})"
    event = {
        "type": "message",
        "channel": CHANNEL,
        "user": "U0ALICE",
        "text": text,
        "ts": f"{int(moment)}.{number:06}",
        "thread_ts": thread_ts or f"{int(moment) - 1_000 - number % 50}.{number:06}",
        "team": "T0TEAM",
        "client_msg_id": digest,
        "channel_type": "channel",
        "event_ts": f"{int(moment)}.{number:06}",
        "blocks": [
            {
                "type": "rich_text",
                "block_id": digest[:5],
                "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": text}]}],
            }
        ],
    }
    body = {
        "token": "made-up",
        "team_id": "T0TEAM",
        "api_app_id": "A0APP",
        "event": event,
        "type": "event_callback",
        "event_id": f"Ev{digest[:16].upper()}",
        "event_time": int(moment),
        "authorizations": [{"enterprise_id": None, "team_id": "T0TEAM", "user_id": "U0BOT", "is_bot": True}],
        "is_ext_shared_channel": False,
        "event_context": digest,
    }
    return json.dumps(body).encode()


def sign_carrier(body: bytes) -> dict[str, str]:
    """Return the headers with which the carrier sends *body* now."""
    timestamp = str(int(time.time()))
    signature = CARRIER_KEY.sign(timestamp.encode() + b"|" + body).signature
    return {"telnyx-timestamp": timestamp, "telnyx-signature-ed25519": base64.b64encode(signature).decode()}


def sign_slack(body: bytes) -> dict[str, str]:
    """Return the headers with which Slack sends *body* now."""
    timestamp = str(int(time.time()))
    signed = b"v0:" + timestamp.encode() + b":" + body
    digest = hmac.new(SLACK_SECRET.encode(), signed, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": f"v0={digest}"}


def render_request(path: str, body: bytes, headers: dict[str, str]) -> bytes:
    """Return the whole HTTP request."""
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: 127.0.0.1",
        "User-Agent: textbridge-benchmarks",
        "Content-Type: application/json",
        *(f"{name}: {value}" for name, value in headers.items()),
        f"Content-Length: {len(body)}",
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def render_texts(run: str, count: int, customers: Customers, *, first: int = 0) -> list[bytes]:
    """Return *count* signed webhooks, numbered from *first*; valid for five minutes from now."""
    numbers = range(first, first + count)
    bodies = (write_text_event(run, number, customers.name(number), customers.ours) for number in numbers)
    return [render_request("/webhooks/telnyx", body, sign_carrier(body)) for body in bodies]


def render_replies(run: str, count: int) -> list[bytes]:
    """Return *count* signed Slack events; valid for five minutes from now."""
    bodies = (write_reply_event(run, number) for number in range(count))
    return [render_request("/slack/events", body, sign_slack(body)) for body in bodies]
