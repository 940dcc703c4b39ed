"""What the two platforms send, for tests that send it themselves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.bridge.harness import ANA, CHANNEL, OURS


def make_text(text: str = "Hi", *, event_id: str = "event-1", message_id: str = "message-1") -> dict[str, Any]:
    """Return what the carrier sends when a customer texts."""
    return {
        "data": {
            "event_type": "message.received",
            "id": event_id,
            "occurred_at": "2026-11-20T15:00:00.000+00:00",
            "record_type": "event",
            "payload": {
                "id": message_id,
                "type": "SMS",
                "direction": "inbound",
                "from": {"phone_number": ANA},
                "to": [{"phone_number": OURS}],
                "text": text,
                "media": [],
            },
        },
        "meta": {"attempt": 1},
    }


def make_event(event: Any, *, event_id: str = "Ev1") -> dict[str, Any]:
    """Return what Slack sends when something happened."""
    return {"type": "event_callback", "team_id": "T0SANDBOX1", "event_id": event_id, "event": event}


def make_reply(user: str, text: str, root: str) -> dict[str, Any]:
    """Return the event of a reply, as it stands within Slack's callback."""
    return {"type": "message", "channel": CHANNEL, "user": user, "text": text, "thread_ts": root, "ts": "5.0001"}


def make_receipt(
    event_type: str, status: str, *, carrier_id: str, to: str = ANA, at: int = 0, **payload: Any
) -> dict[str, Any]:
    """Return a receipt as the carrier sends it; *at* in seconds after the first."""
    moment = datetime(2026, 11, 20, 15, 0, tzinfo=UTC) + timedelta(seconds=at)
    return {
        "data": {
            "event_type": event_type,
            "id": f"{carrier_id}-{event_type}-{status}-{at}",
            "occurred_at": moment.isoformat(),
            "record_type": "event",
            "payload": {
                "id": carrier_id,
                "direction": "outbound",
                "from": {"phone_number": OURS},
                "to": [{"phone_number": to, "status": status}],
                "errors": [],
                **payload,
            },
        }
    }
