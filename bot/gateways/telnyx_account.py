"""The account's operations over the carrier's API: requests from their table, lists page by page."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

from bot.domain.carrier_api.operation import Answer, CarrierCall, Operation, plan_call
from bot.errors import Broken, OutcomeUnknown, RetryLater
from bot.ports import Page

#: What makes one request and judges its answer: method, path, whether it may be repeated, and httpx' own options.
Ask = Callable[..., Awaitable[Mapping[str, Any]]]

#: The most that the carrier gives at once.
_PAGE_SIZE = 250


async def call_operation(
    ask: Ask, operation: Operation, given: Mapping[str, object], *, key: str | None
) -> Mapping[str, Any]:
    """Do what `bot.ports.CarrierAccount.call` promises."""
    if operation.answer is not Answer.ONE:
        raise Broken(f"{operation.name} is a list: read its pages")
    if key is not None and not operation.keyed:
        raise Broken(f"{operation.name} takes no Idempotency-Key")
    answer = await _ask(ask, plan_call(operation, given), key=key)
    data = answer.get("data", answer)
    record = data if isinstance(data, Mapping) else {}
    if operation.sends and not record.get("id"):
        raise OutcomeUnknown(f"the carrier's yes to {operation.name} has no message id")
    if not record and not operation.changes:
        raise RetryLater(f"the carrier's answer to {operation.name} holds nothing")
    return record


async def list_pages(
    ask: Ask, operation: Operation, given: Mapping[str, object], *, start: int = 1
) -> AsyncIterator[Page]:
    """
    Do what `bot.ports.CarrierAccount.list_pages` promises.

    Lists without page parameters come whole as far as their description goes. Should one say that it has more pages,
    those are asked for; an answer that is not the page asked for ends it.
    """
    if operation.answer is Answer.ONE:
        raise Broken(f"{operation.name} is no list")
    planned = plan_call(operation, given)
    number = start
    while True:
        paging: tuple[tuple[str, str], ...] = ()
        if operation.answer is Answer.PAGES:
            paging = (("page[number]", str(number)), ("page[size]", str(_PAGE_SIZE)))
        elif number > 1:
            paging = (("page[number]", str(number)),)
        answer = await _ask(ask, planned, paging=paging)
        rows = answer.get("data")
        items = [row for row in rows if isinstance(row, Mapping)] if isinstance(rows, list) else []
        meta = answer.get("meta")
        meta = meta if isinstance(meta, Mapping) else {}
        if not items or _read_count(meta, "page_number", number) != number:
            if number == 1:
                yield Page(items=items, number=1, pages=1, total=len(items))
            return
        pages = _read_count(meta, "total_pages", 1)
        yield Page(items=items, number=number, pages=pages, total=_read_count(meta, "total_results", len(items)))
        if number >= pages:
            return
        number += 1


async def _ask(
    ask: Ask, planned: CarrierCall, *, key: str | None = None, paging: tuple[tuple[str, str], ...] = ()
) -> Mapping[str, Any]:
    options: dict[str, Any] = {}
    headers: dict[str, str] = {}
    if planned.query or paging:
        options["params"] = [*planned.query, *paging]
    if planned.body is not None:
        options["content"] = json.dumps(planned.body, ensure_ascii=False, separators=(",", ":")).encode()
        headers["Content-Type"] = "application/json"
    if key is not None:
        headers["Idempotency-Key"] = key
    operation = planned.operation
    return await ask(operation.method, planned.path, repeatable=not operation.changes, headers=headers, **options)


def _read_count(meta: Mapping[str, Any], name: str, usual: int) -> int:
    value = meta.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else usual
