"""In which lane a Slack event waits. Apart from what events mean, for which no answer to Slack waits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.domain.carrier_lanes import clean


def choose_slack_lane(event: object) -> str | None:
    """Return the lane of an event: all that happens in one thread stays in order."""
    inner = _mapping(event)
    channel = inner.get("channel")
    message = _mapping(inner.get("message")) or _mapping(inner.get("previous_message")) or inner
    thread = message.get("thread_ts") or message.get("ts") or _mapping(inner.get("item")).get("ts")
    return f"thread:{clean(channel)}:{clean(thread)}" if isinstance(channel, str) and isinstance(thread, str) else None


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
