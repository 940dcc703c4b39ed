"""How often each Web API method may be called, when the simulator is told to mind."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field

from bot.clock import Clock

#: Calls a minute by method: tiers 1 to 4 allow 1, 20, 50 and 100 (docs.slack.dev, rate limits); each method's tier is
#: on its reference page, and in the metadata of slackapi/java-slack-sdk (MIT).
CALLS_A_MINUTE = {
    "api.test": 100,
    "auth.test": 600,
    "bots.info": 50,
    "chat.delete": 50,
    "chat.getPermalink": 600,
    "chat.postEphemeral": 100,
    "chat.postMessage": 300,
    "chat.update": 50,
    "conversations.history": 50,
    "conversations.info": 50,
    "conversations.join": 50,
    "conversations.list": 20,
    "conversations.members": 100,
    "conversations.open": 50,
    "conversations.replies": 50,
    "emoji.list": 20,
    "files.completeUploadExternal": 100,
    "files.delete": 50,
    "files.getUploadURLExternal": 100,
    "files.info": 100,
    "reactions.add": 50,
    "reactions.get": 50,
    "reactions.remove": 20,
    "team.info": 50,
    "usergroups.list": 20,
    "usergroups.users.list": 20,
    "users.conversations": 20,
    "users.info": 100,
    "users.list": 20,
    "views.open": 100,
    "views.publish": 100,
    "views.push": 100,
    "views.update": 100,
}
_MINUTE = 60.0


@dataclass(slots=True, kw_only=True)
class RateLimits:
    """Counts calls by method over the last minute, and posts by channel at one a second with a burst."""

    clock: Clock
    burst: int = 5  #: Posts that a quiet channel takes at once; Slack does not tell its own number.
    enforced: bool = False
    _calls: dict[str, deque[float]] = field(default_factory=dict)
    _channels: dict[str, tuple[float, float]] = field(default_factory=dict)

    def count_call(self, method: str, channel: str | None) -> int | None:
        """Count one call; returns the seconds to wait instead when it comes too soon."""
        if not self.enforced:
            return None
        now = self.clock.monotonic()
        calls = self._calls.setdefault(method, deque())
        while calls and calls[0] <= now - _MINUTE:
            calls.popleft()
        if len(calls) >= CALLS_A_MINUTE.get(method, 20):
            return max(1, math.ceil(calls[0] + _MINUTE - now))
        if method == "chat.postMessage" and channel is not None and not self._take_turn(channel, now):
            return 1
        calls.append(now)
        return None

    def _take_turn(self, channel: str, now: float) -> bool:
        turns, since = self._channels.get(channel, (float(self.burst), now))
        turns = min(float(self.burst), turns + now - since)
        if turns < 1:
            self._channels[channel] = (turns, now)
            return False
        self._channels[channel] = (turns - 1, now)
        return True
