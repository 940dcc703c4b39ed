"""The usage report: what the account sent and received, without the words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from aiohttp import web

from bot.clock import Clock
from bot.sandbox.telnyx_errors import RequestDeniedError
from bot.sandbox.telnyx_http import ApiRequest, Route, answer_page, read_moment
from bot.sandbox.telnyx_payloads import price, write_time
from bot.sandbox.telnyx_state import Account, Direction, Json, Message, OutcomeKind, Status

_RECORD_STATUS = {
    Status.DELIVERED: "delivered",
    Status.READ: "delivered",
    Status.DELIVERY_UNCONFIRMED: "dlr_unconfirmed",
    Status.UNKNOWN: "dlr_unconfirmed",
    Status.DELIVERY_FAILED: "failed",
    Status.SENDING_FAILED: "gw_reject",
    Status.EXPIRED: "dlr_timeout",
    Status.SENT: "dlr_timeout",
    Status.WEBHOOK_DELIVERED: "received",
}


_LARGEST_PAGE = 50
_FILTER = re.compile(r"filter\[(\w+)\](?:\[(\w+)\])?")
_FIELDS = (
    "uuid",
    "direction",
    "message_type",
    "cli",
    "cld",
    "status",
    "delivery_status",
    "profile_id",
    "profile_name",
    "created_at",
    "sent_at",
    "completed_at",
    "updated_at",
)
_MOMENTS = ("created_at", "sent_at", "completed_at", "updated_at")
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda have, want: bool(have == want),
    "gt": lambda have, want: bool(have > want),
    "gte": lambda have, want: bool(have >= want),
    "lt": lambda have, want: bool(have < want),
    "lte": lambda have, want: bool(have <= want),
}


@dataclass(slots=True, kw_only=True)
class DetailRecordOperations:
    """Answers `/detail_records`, for messages only."""

    account: Account
    clock: Clock

    def list_routes(self) -> Iterable[Route]:
        """Return the operations."""
        yield Route(method="GET", path="/detail_records", handler=self._list)

    async def _list(self, call: ApiRequest) -> web.Response:
        if call.query.get("filter[record_type]") != "messaging":
            raise RequestDeniedError(
                "10004", parameter="filter[record_type]", detail="filter[record_type] must be given, here as messaging."
            )
        records = [record for message in self._choose(call) for record in render_detail_records(self.account, message)]
        for name, value in call.query.items():
            if name.startswith("filter[") and name != "filter[record_type]":
                records = self._apply_filter(records, name, value)
        order = call.query.get("sort", "-created_at")
        by = order.removeprefix("-")
        if by not in _FIELDS:
            raise RequestDeniedError(
                "10015", parameter="sort", detail=f"Records of this type cannot be sorted by {by}."
            )
        records.sort(key=lambda record: str(record[by]), reverse=order.startswith("-"))
        return answer_page(call, records, largest=_LARGEST_PAGE)

    def _choose(self, call: ApiRequest) -> Iterable[Message]:
        """Return the messages that may be meant: to render all that there ever were takes long once they are many."""
        direction = call.query.get("filter[direction]")
        since = read_moment(call.query.get("filter[created_at][gte]"))
        for message in self.account.messages.values():
            if direction is not None and message.direction.value != direction:
                continue
            # The report tells moments by the second or less.
            if since is not None and message.received_at < since - timedelta(seconds=1):
                continue
            yield message

    def _apply_filter(self, records: list[Json], name: str, value: str) -> list[Json]:
        matched = _FILTER.fullmatch(name)
        if matched is not None and matched.group(1) == "date_range":
            return self._apply_range(records, value)
        comparison = _COMPARISONS.get(matched.group(2) or "eq") if matched else None
        if matched is None or comparison is None or matched.group(1) not in _FIELDS:
            raise RequestDeniedError("10031", parameter=name, detail=f"The request filter {name} is invalid.")
        by = matched.group(1)
        if by not in _MOMENTS:
            return [record for record in records if comparison(record[by], value)]
        wanted = read_moment(value)
        if wanted is None:
            raise RequestDeniedError("10031", parameter=name, detail=f"The request filter {name} is invalid.")
        return [record for record in records if comparison(read_moment(record[by]), wanted)]

    def _apply_range(self, records: list[Json], value: str) -> list[Json]:
        today = self.clock.now().date()
        days = {"today": (0, 0), "yesterday": (1, 1), "last_week": (7, 0)}.get(value)
        if days is None and (matched := re.fullmatch(r"last_(\d{1,3})_days", value)):
            days = (int(matched.group(1)), 0)
        if days is None:
            raise RequestDeniedError(
                "10031", parameter="filter[date_range]", detail=f"The range {value} is not known here."
            )
        first, last = (today - timedelta(days=count) for count in days)
        return [record for record in records if first.isoformat() <= str(record["created_at"])[:10] <= last.isoformat()]


def render_detail_records(account: Account, message: Message) -> list[Json]:
    """Return the message's detail records, one a recipient; none while on its way: the report lists what is settled."""
    profile = account.recall_profile(message.profile_id)
    records = []
    for recipient in message.recipients:
        open_ended = (
            recipient.outcome.kind in (OutcomeKind.NEVER_FINALIZED, OutcomeKind.SILENT)
            and recipient.status is Status.SENT
        )
        settled = recipient.completed_at is not None or open_ended or message.direction is Direction.INBOUND
        if not settled or recipient.status is Status.CANCELLED:
            continue
        records.append(
            {
                "record_type": "message_detail_record",
                "uuid": message.id,
                "user_id": account.organization_id,
                "direction": message.direction.value,
                "message_type": message.type.value,
                "cli": message.from_,
                "cld": recipient.number,
                "status": _RECORD_STATUS[recipient.status],
                "errors": [str(error["code"]) for error in recipient.errors],
                "parts": message.parts,
                "created_at": write_time(message.received_at),
                "sent_at": write_time(message.sent_at or message.received_at),
                "completed_at": write_time(recipient.completed_at or message.received_at),
                "updated_at": write_time(recipient.completed_at or message.received_at),
                "delivery_status": message.webhook_outcome,
                "delivery_status_webhook_url": message.webhook_url or profile.webhook_url or "",
                "delivery_status_failover_url": message.webhook_failover_url or profile.webhook_failover_url or "",
                "profile_id": profile.id,
                "profile_name": profile.name,
                "carrier": "T-Mobile USA",
                "carrier_fee": "0.00000",
                "cost": f"{price(message):.4f}",
                "rate": f"{price(message):.5f}",
                "currency": "USD",
                "country_code": "US",
                "source_country_code": "US",
                "mcc": "",
                "mnc": "",
                "fteu": False,
                "on_net": recipient.number in account.numbers and message.from_ in account.numbers,
                "tags": "",
            }
        )
    return records
