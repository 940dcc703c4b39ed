"""In which lane a Slack event waits. Apart from what events mean, for which no answer to Slack waits."""

from __future__ import annotations

from bot.domain.carrier_lanes import as_mapping, clean


def choose_slack_lane(event: object) -> str | None:
    """Return the lane of an event: all that happens in one thread stays in order."""
    inner = as_mapping(event)
    channel = inner.get("channel")
    message = as_mapping(inner.get("message")) or as_mapping(inner.get("previous_message")) or inner
    thread = message.get("thread_ts") or message.get("ts") or as_mapping(inner.get("item")).get("ts")
    return f"thread:{clean(channel)}:{clean(thread)}" if isinstance(channel, str) and isinstance(thread, str) else None
