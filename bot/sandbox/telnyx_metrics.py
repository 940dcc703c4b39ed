"""
The operations that count what profiles sent and received.

Telnyx' description of today says only that objects come back; their parts here are those of its older descriptions.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from aiohttp import web

from bot.clock import Clock
from bot.sandbox.telnyx_errors import RequestDeniedError
from bot.sandbox.telnyx_http import ApiRequest, Route, answer_data, answer_page
from bot.sandbox.telnyx_payloads import write_time
from bot.sandbox.telnyx_state import Account, Direction, Json, Message, Profile, Status

#: Time frame -> how long it is, and how long one of its intervals.
_FRAMES = {
    "1h": (timedelta(hours=1), timedelta(minutes=5)),
    "3h": (timedelta(hours=3), timedelta(minutes=15)),
    "24h": (timedelta(hours=24), timedelta(hours=1)),
    "3d": (timedelta(days=3), timedelta(hours=6)),
    "7d": (timedelta(days=7), timedelta(days=1)),
    "30d": (timedelta(days=30), timedelta(days=1)),
}
_FAILED = (Status.DELIVERY_FAILED, Status.SENDING_FAILED, Status.EXPIRED)
_NOT_SENT = (Status.SCHEDULED, Status.CANCELLED)


@dataclass(slots=True, kw_only=True)
class MetricOperations:
    """Answers for metrics."""

    account: Account
    clock: Clock

    def list_routes(self) -> Iterable[Route]:
        """Return the operations."""
        yield Route(method="GET", path="/messaging_profile_metrics", handler=self._list)
        yield Route(method="GET", path="/messaging_profiles/{id}/metrics", handler=self._read)

    async def _list(self, call: ApiRequest) -> web.Response:
        _, span, _ = _read_frame(call)
        rows = [self._sum_up(profile, self.clock.now() - span) for profile in self.account.profiles.values()]
        return answer_page(call, rows, usual=250)

    async def _read(self, call: ApiRequest) -> web.Response:
        profile = self.account.get_profile(call.match["id"])
        frame, span, step = _read_frame(call)
        now = self.clock.now()
        starts = [now - span + step * index for index in range(math.ceil(span / step))]
        messages = self._list_messages(profile, now - span)
        intervals = [
            {
                "timestamp": write_time(start),
                **_count([each for each in messages if start < each.received_at <= start + step]),
            }
            for start in starts
        ]
        return answer_data({**self._sum_up(profile, now - span), "time_frame": frame, "detailed": intervals})

    def _sum_up(self, profile: Profile, since: datetime) -> Json:
        numbers = [number for number in self.account.numbers.values() if number.profile_id == profile.id]
        return {
            "record_type": "messaging_profile_metrics",
            "messaging_profile_id": profile.id,
            "phone_numbers": len(numbers),
            **_count(self._list_messages(profile, since)),
        }

    def _list_messages(self, profile: Profile, since: datetime) -> list[Message]:
        return [
            message
            for message in self.account.messages.values()
            if message.profile_id == profile.id and message.received_at > since
        ]


def _count(messages: Sequence[Message]) -> Json:
    ends = [
        recipient.status
        for message in messages
        if message.direction is Direction.OUTBOUND
        for recipient in message.recipients
        if recipient.status not in _NOT_SENT
    ]
    failed = sum(end in _FAILED for end in ends)
    return {
        "outbound": {
            "sent": len(ends),
            "delivered": sum(end in (Status.DELIVERED, Status.READ) for end in ends),
            "failed": failed,
            "error_ratio": round(failed / len(ends), 4) if ends else 0.0,
        },
        "inbound": {"received": sum(message.direction is Direction.INBOUND for message in messages)},
    }


def _read_frame(call: ApiRequest) -> tuple[str, timedelta, timedelta]:
    frame = call.query.get("time_frame", "24h")
    if frame not in _FRAMES:
        raise RequestDeniedError(
            "10032", parameter="time_frame", detail=f"The value must be one of {', '.join(_FRAMES)}"
        )
    return (frame, *_FRAMES[frame])
