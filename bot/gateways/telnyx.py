"""
The carrier's API (Telnyx v2) over httpx.

One call is one request. What an answer means for the next step is decided in one place, `_judge`: whether nothing
happened, something may have, or the carrier said no. Sources: developers.telnyx.com (errors, idempotency, rate limits).
"""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

import httpx

from bot.domain.account import Spending
from bot.domain.carrier_api.operation import Operation
from bot.domain.carrier_codes import QUEUE_FULL, says_stop
from bot.domain.carrier_lanes import clean
from bot.domain.delivery import DeliveryStatus, read_status
from bot.domain.ids import CarrierMessageId
from bot.domain.phone import Address, parse_address
from bot.errors import Busy, CarrierRefused, OutcomeUnknown, RetryLater, TextbridgeError
from bot.gateways import telnyx_account
from bot.gateways.proxies import find_proxy
from bot.gateways.telnyx_transport import AiohttpTransport
from bot.gateways.tls import get_tls, read_roots
from bot.json_text import read_json
from bot.observe import Metrics
from bot.ports import Acceptance, CarrierOptout, CarrierRequest, InboundRecord, Page

#: Measured: httpx' own pool costs 4 ms of CPU a call with 50 connections, 1 ms with 10; and ten are plenty.
#: Nothing waits for a free connection: whether a text may go out was asked right before, and STOP may come meanwhile. How
#: many are in use at once is for those who ask to say.
_LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=10, keepalive_expiry=20)
_TIMEOUT = httpx.Timeout(15.0, connect=5.0)
_PAGE_SIZE = 250
#: The most that the detail records give at once.
_RECORDS_PAGE_SIZE = 50
_MOST_PAGES = 400
#: A day's cost is added up from its records, which come 50 at a time: of a busy day only the first thousand.
_MOST_COST_PAGES = 20

#: Of the errors in one answer, so many are read.
_MOST_ERRORS = 10

_IN_PROGRESS = "10036"
_SPEND_LIMIT = "40333"
_QUEUE_FULL_WAIT = timedelta(seconds=30)
#: Errors of httpx after which the request cannot have reached the carrier.
_NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)


class TelnyxGateway:
    """`bot.ports.Carrier` and `bot.ports.CarrierAccount` for Telnyx."""

    def __init__(self, *, url: str, api_key: str, profile_id: str | None, metrics: Metrics) -> None:
        self._profile_id = profile_id
        self._metrics = metrics
        read_roots()  # of a running bridge they have been, on a thread
        self._url = httpx.URL(url.rstrip("/") + "/")
        proxy = find_proxy(str(self._url))
        #: Behind a proxy httpx goes its own way.
        self._transport = None if proxy else AiohttpTransport(limits=_LIMITS)
        self._client = httpx.AsyncClient(
            base_url=self._url,
            headers={"Authorization": f"Bearer {api_key}", "Accept": "application/json"},
            timeout=_TIMEOUT,
            limits=_LIMITS,
            follow_redirects=False,
            verify=get_tls(),
            transport=self._transport,
            proxy=proxy,
            trust_env=False,
        )
        self._headers = dict(self._client.headers)
        self._send_urls: dict[str, httpx.URL] = {}

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def send(self, request: CarrierRequest) -> Acceptance:
        """Make *request*, byte for byte, under its key."""
        asked = httpx.Request(  # as the client would build it, for half the time
            "POST",
            self._find_send_url(request.path),
            content=request.body,
            headers={
                **self._headers,
                "Content-Type": "application/json",
                "Idempotency-Key": request.idempotency_key,
            },
            extensions={"timeout": _TIMEOUT.as_dict()},
        )
        answer = await self._carry_out(asked, f"POST {_name_operation(request.path)}", repeatable=False)
        data = answer.get("data")
        if not isinstance(data, Mapping) or not isinstance(data.get("id"), str):
            raise OutcomeUnknown("the carrier's yes has no message id")
        sender = data.get("from")
        parts = data.get("parts")
        return Acceptance(
            carrier_id=CarrierMessageId(clean(data["id"])),
            sender=_name_of(sender),
            parts=parts if isinstance(parts, int) else None,
            statuses=_read_statuses(data.get("to")),
        )

    async def cancel(self, carrier_id: CarrierMessageId) -> None:
        """Take a scheduled message back; CarrierRefused if it is too late or unknown."""
        await self._ask("DELETE", f"/messages/{carrier_id}", repeatable=False)

    async def find_message(self, carrier_id: CarrierMessageId) -> Mapping[str, Any] | None:
        """Return the carrier's record of a message of the last ten days; None if it has none."""
        try:
            answer = await self._ask("GET", f"/messages/{carrier_id}", repeatable=True)
        except CarrierRefused as error:
            if error.status == httpx.codes.NOT_FOUND:
                return None
            raise
        data = answer.get("data", answer)
        return data if isinstance(data, Mapping) else None

    async def list_optouts(self) -> Sequence[CarrierOptout]:
        """Return the carrier's whole list, all pages: as many as it says, else until one has less or nothing new."""
        found: dict[CarrierOptout, None] = {}
        most = 0
        for page in range(1, _MOST_PAGES + 1):
            parameters: dict[str, str | int] = {"page[number]": page, "page[size]": _PAGE_SIZE}
            if self._profile_id:
                parameters["filter[messaging_profile_id]"] = self._profile_id
            answer = await self._ask("GET", "/messaging_optouts", repeatable=True, params=parameters)
            rows, known = answer.get("data"), len(found)
            rows = rows if isinstance(rows, list) else []
            found |= {_read_optout(row): None for row in rows if isinstance(row, Mapping) and row.get("to")}
            pages, most = _count_pages(answer.get("meta")), max(most, len(rows))
            if (len(found) == known or len(rows) < most) if pages is None else page >= pages:
                break
        return list(found)

    async def list_inbound(self, *, since: datetime) -> AsyncIterator[Sequence[InboundRecord]]:
        """Yield the inbound texts that the carrier has on record from *since* on, page by page, oldest first."""
        async for rows in self._list_records("inbound", since=since):
            yield [record for row in rows if (record := _read_record(row)) is not None]

    async def list_outbound(self, recipient: Address, *, since: datetime) -> Sequence[CarrierMessageId]:
        """Return the texts to *recipient* that the carrier has on record from *since* on, oldest first."""
        return [
            CarrierMessageId(clean(row["uuid"]))
            async for rows in self._list_records("outbound", since=since, recipient=recipient)
            for row in rows
            if row.get("uuid")
        ]

    async def _list_records(
        self, direction: str, *, since: datetime, recipient: Address | None = None
    ) -> AsyncIterator[Sequence[Mapping[str, Any]]]:
        """Yield the records page by page; each is asked for when it is wanted."""
        for page in itertools.count(1):
            parameters: dict[str, str | int] = {
                "filter[record_type]": "messaging",
                "filter[direction]": direction,
                "filter[created_at][gte]": since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
                "sort": "created_at",
                "page[number]": page,
                "page[size]": _RECORDS_PAGE_SIZE,
            }
            if recipient is not None:
                parameters["filter[cld]"] = recipient
            answer = await self._ask("GET", "/detail_records", repeatable=True, params=parameters)
            rows = answer.get("data")
            yield [row for row in (rows if isinstance(rows, list) else ()) if isinstance(row, Mapping)]
            meta = answer.get("meta")
            if not rows or not isinstance(meta, Mapping) or page >= int(meta.get("total_pages") or 0):
                return

    async def sum_cost(self, *, since: datetime) -> Spending:
        """Return what outbound texts cost from *since* on, by the carrier's records."""
        amount, currency = Decimal(0), "USD"
        for page in range(1, _MOST_COST_PAGES + 1):
            parameters: dict[str, str | int] = {
                "filter[record_type]": "messaging",
                "filter[direction]": "outbound",
                "filter[created_at][gte]": since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
                "page[number]": page,
                "page[size]": _RECORDS_PAGE_SIZE,
            }
            answer = await self._ask("GET", "/detail_records", repeatable=True, params=parameters)
            rows = [row for row in answer.get("data") or () if isinstance(row, Mapping)]
            amount += sum((_read_money(row.get("cost")) for row in rows), Decimal(0))
            currency = next((clean(row["currency"]) for row in rows if row.get("currency")), currency)
            meta = answer.get("meta")
            if not rows or not isinstance(meta, Mapping) or page >= int(meta.get("total_pages") or 0):
                return Spending(amount=amount, currency=currency, is_whole=True)
        return Spending(amount=amount, currency=currency, is_whole=False)

    async def check_access(self) -> None:
        """Raise CarrierRefused if the API key is refused, RetryLater if the carrier cannot be reached."""
        try:
            await self._ask("GET", "/messaging_profiles", repeatable=True, params={"page[size]": 1})
        except CarrierRefused as error:
            if error.status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
                raise

    async def call(
        self, operation: Operation, given: Mapping[str, object], *, key: str | None = None
    ) -> Mapping[str, Any]:
        """Carry *operation* out with the fields *given* and return the object that comes back; empty where none does."""
        return await telnyx_account.call_operation(self._ask, operation, given, key=key)

    def list_pages(self, operation: Operation, given: Mapping[str, object], *, start: int = 1) -> AsyncIterator[Page]:
        """Yield a list page by page, from the page *start* on; each is asked for when it is wanted."""
        return telnyx_account.list_pages(self._ask, operation, given, start=start)

    async def list_all(self, operation: Operation, given: Mapping[str, object]) -> AsyncIterator[Mapping[str, Any]]:
        """Yield a list's objects, over all its pages, as they are read."""
        async for page in self.list_pages(operation, given):
            for item in page.items:
                yield item

    async def _ask(self, method: str, path: str, *, repeatable: bool, **options: Any) -> Mapping[str, Any]:
        try:
            request = self._client.build_request(method, path.lstrip("/"), **options)
        except httpx.InvalidURL as error:
            raise RetryLater("there is no such address at the carrier's") from error
        return await self._carry_out(request, f"{method} {_name_operation(path)}", repeatable=repeatable)

    def _find_send_url(self, path: str) -> httpx.URL:
        url = self._send_urls.get(path)
        if url is None:  # there are three: reading one takes as long as all else before a request
            url = self._send_urls[path] = self._client.build_request("POST", path.lstrip("/")).url
        return url

    async def _carry_out(self, request: httpx.Request, operation: str, *, repeatable: bool) -> Mapping[str, Any]:
        outcome = "error"
        try:
            answer = await self._request(request, repeatable=repeatable)
        except TextbridgeError as error:
            outcome = type(error).__name__
            raise
        else:
            outcome = "ok"
            return answer
        finally:
            self._metrics.calls.labels("telnyx", operation, outcome).inc()

    async def _request(self, request: httpx.Request, *, repeatable: bool) -> Mapping[str, Any]:
        try:
            if self._transport is None:
                response = await self._client.send(request)
            else:  # all that the client itself would add are cookies and redirects, for half as much time again
                response = await self._transport.handle_async_request(request)
        except _NEVER_LEFT as error:
            raise RetryLater(f"the carrier cannot be reached: {type(error).__name__}") from error
        except httpx.HTTPError as error:
            log = f"the carrier's answer to {request.method} never came: {type(error).__name__}"
            raise (RetryLater(log) if repeatable else OutcomeUnknown(log)) from error
        return _judge(response, repeatable=repeatable)


def _name_operation(path: str) -> str:
    return f"/{path.lstrip('/').split('/')[0]}"


def _judge(response: httpx.Response, *, repeatable: bool) -> Mapping[str, Any]:
    """Return the answer's JSON object, or raise what the answer means for the next step."""
    status = response.status_code
    answer = _read_json(response)
    if response.is_success:
        if answer is None and not repeatable and not _is_short_yes(response):
            raise OutcomeUnknown(f"the carrier's yes (HTTP {status}) cannot be read")
        return answer or {}
    first, *others = sorted(_read_errors(answer), key=_says_stop, reverse=True)
    code = first.code
    if _says_stop(first):  # whatever else: asking again would be asking to text somebody who said STOP
        raise _read_refusal(status, first, others)
    if status == httpx.codes.TOO_MANY_REQUESTS and code not in (_SPEND_LIMIT, QUEUE_FULL):
        raise Busy("the carrier asks for patience (429)", after=_read_retry_after(response), code=code)
    if code == QUEUE_FULL:
        raise Busy("the carrier's queue is full (40318)", after=_QUEUE_FULL_WAIT, code=code)
    if (
        status >= httpx.codes.INTERNAL_SERVER_ERROR
        or status == httpx.codes.REQUEST_TIMEOUT
        or _is_in_progress(status, code)
    ):
        log = f"the carrier answered HTTP {status}"
        raise RetryLater(log, after=_read_retry_after(response)) if repeatable else OutcomeUnknown(log)
    raise _read_refusal(status, first, others)


def _read_refusal(status: int, first: _Error, others: Sequence[_Error]) -> CarrierRefused:
    return CarrierRefused(
        code=first.code or str(status),
        title=first.title,
        detail=first.detail,
        status=status,
        field=first.field,
        further=[_tell(error) for error in others],
    )


def _says_stop(error: _Error) -> bool:
    return error.code is not None and says_stop(error.code, error.title, error.detail)


def _is_in_progress(status: int, code: str | None) -> bool:
    """
    Tell whether the carrier still does what was asked before under the same key.

    That is what 409 means there (its idempotency documentation), unless an error of its own list gives another reason.
    """
    return code == _IN_PROGRESS or (status == httpx.codes.CONFLICT and code in (None, str(status)))


def _is_short_yes(response: httpx.Response) -> bool:
    """Tell whether an answer without an object is the carrier's all the same: nothing, a word, or plain text."""
    if not response.content.strip():
        return True
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind == "text/plain":
        return True
    try:
        read_json(response.content)
    except (ValueError, RecursionError):
        return False
    return True


def _read_json(response: httpx.Response) -> Mapping[str, Any] | None:
    try:
        answer = read_json(response.content)
    except (ValueError, RecursionError):
        return None
    return answer if isinstance(answer, Mapping) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Error:
    """One error of the carrier's; all of it may be missing."""

    code: str | None = None
    title: str | None = None
    detail: str | None = None
    field: str | None = None


def _read_errors(answer: Mapping[str, Any] | None) -> tuple[_Error, ...]:
    """Return the errors, one at least; some endpoints answer a bare error instead of a list of them."""
    if answer is None:
        return (_Error(),)
    errors = answer.get("errors")
    listed = errors if isinstance(errors, list) and errors else [answer]
    return tuple(_read_error(each) for each in listed[:_MOST_ERRORS] if isinstance(each, Mapping)) or (_Error(),)


def _read_error(error: Mapping[str, Any]) -> _Error:
    code, source = error.get("code"), error.get("source")
    place = source.get("pointer") or source.get("parameter") if isinstance(source, Mapping) else None
    return _Error(
        code=None if code is None else clean(code),
        title=clean(error.get("title")) or None,
        detail=clean(error.get("detail")) or None,
        field=clean(place) or None,
    )


def _tell(error: _Error) -> str:
    return ": ".join(part for part in (error.code, error.title, error.detail) if part)


def _read_retry_after(response: httpx.Response) -> timedelta | None:
    try:
        seconds = float(response.headers.get("Retry-After", ""))
    except ValueError:
        return None
    return timedelta(seconds=min(max(seconds, 0.0), 3600.0)) if seconds == seconds else None  # noqa: PLR0124 - not NaN


def _name_of(value: object) -> str | None:
    name = value.get("phone_number") if isinstance(value, Mapping) else value
    return clean(name) if isinstance(name, str) and name else None


def _read_statuses(recipients: object) -> dict[Address, DeliveryStatus]:
    statuses: dict[Address, DeliveryStatus] = {}
    for entry in recipients if isinstance(recipients, list) else [recipients]:
        name = _name_of(entry)
        if name:
            status = read_status(entry.get("status")) if isinstance(entry, Mapping) else DeliveryStatus.QUEUED
            statuses[parse_address(name)] = DeliveryStatus.QUEUED if status is DeliveryStatus.OTHER else status
    return statuses


def _read_money(value: object) -> Decimal:
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return Decimal(0)
    return amount if amount.is_finite() else Decimal(0)


def _read_record(row: Mapping[str, Any]) -> InboundRecord | None:
    """Return the record, None where it is not whole: then there is nothing to look for."""
    try:
        created_at = datetime.fromisoformat(str(row["created_at"]))
        return InboundRecord(
            carrier_id=CarrierMessageId(clean(row["uuid"])),
            sender=parse_address(clean(row["cli"])),
            ours=parse_address(clean(row["cld"])),
            created_at=created_at if created_at.tzinfo else created_at.replace(tzinfo=UTC),
        )
    except (KeyError, ValueError):
        return None


def _count_pages(meta: object) -> int | None:
    """Return how many pages a list has, where it says."""
    pages = meta.get("total_pages") if isinstance(meta, Mapping) else None
    return int(pages) if isinstance(pages, int) or (isinstance(pages, str) and pages.isdecimal()) else None


def _read_optout(row: Mapping[str, Any]) -> CarrierOptout:
    try:
        created_at = datetime.fromisoformat(str(row.get("created_at")))
        created_at = created_at if created_at.tzinfo else created_at.replace(tzinfo=UTC)
    except ValueError:
        created_at = None
    ours = row.get("from")
    return CarrierOptout(
        address=parse_address(clean(row["to"])),
        ours=parse_address(clean(ours)) if ours else None,
        keyword=clean(row.get("keyword")) or None,
        created_at=created_at,
    )
