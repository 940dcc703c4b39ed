"""The carrier's front door: keys, faults, the record of every request, and pages of lists."""

from __future__ import annotations

import functools
import json
import math
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from aiohttp import web
from multidict import CIMultiDict, MultiMapping

from bot.clock import Clock
from bot.sandbox.faults import Fault, FaultBoard, FaultKind, play
from bot.sandbox.journal import Journal
from bot.sandbox.telnyx_errors import CODE_FOR_STATUS, RequestDeniedError
from bot.sandbox.telnyx_state import Account, Json

PREFIX = "/v2"
_LARGEST_PAGE = 250


@dataclass(slots=True, kw_only=True)
class ApiRequest:
    """One request as it came, and how it was answered."""

    operation: str
    method: str
    path: str
    query: MultiMapping[str]
    match: Mapping[str, str]
    headers: CIMultiDict[str]
    body: bytes
    at: datetime
    status: int | None = None  #: None: not answered (yet), or the connection was broken off.
    detail: str = ""  #: What the journal says of it.

    def read_object(self) -> Json:
        """Return the body, a JSON object, or deny the request."""
        if self.headers.get("Content-Type", "").partition(";")[0].strip().lower() != "application/json":
            raise RequestDeniedError("10029")
        try:
            parsed = json.loads(self.body)
        except ValueError:
            raise RequestDeniedError("10023") from None
        if not isinstance(parsed, dict):
            raise RequestDeniedError("10015", detail="The body must be a JSON object.")
        return parsed


#: What answers one operation.
Handler = Callable[[ApiRequest], Awaitable[web.Response]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One operation of the API, or (with another prefix) of the platform around it."""

    method: str
    path: str  #: Behind the prefix, with `{names}`; the operation is named by it.
    handler: Handler
    prefix: str = PREFIX
    bare_errors: bool = False  #: Errors are one bare object, not a list.
    open: bool = False  #: Needs no API key.

    @property
    def operation(self) -> str:
        """The name by which faults and the journal call it."""
        return f"{self.method} {self.path.partition(':')[0]}{'}' if ':' in self.path else ''}"


@dataclass(slots=True, kw_only=True)
class FrontDoor:
    """Lets requests in, one way for all operations."""

    account: Account
    clock: Clock
    journal: Journal
    faults: FaultBoard
    requests: list[ApiRequest] = field(default_factory=list)

    def build_app(self, routes: Iterable[Route]) -> web.Application:
        """Return an application that serves *routes*."""
        app = web.Application(client_max_size=4 * 2**20, middlewares=[self._word_errors])
        for route in routes:
            app.router.add_route(route.method, f"{route.prefix}{route.path}", functools.partial(self._serve, route))
        return app

    @web.middleware
    async def _word_errors(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPException as error:
            code = CODE_FOR_STATUS.get(error.status, "10007")
            return RequestDeniedError(code, status=error.status).answer()
        except ConnectionResetError:  # who asked is gone before the whole question was here: killed, most likely
            return web.Response(status=400)

    async def _serve(self, route: Route, request: web.Request) -> web.StreamResponse:
        began = self.clock.monotonic()
        call = ApiRequest(
            operation=route.operation,
            method=request.method,
            path=request.path,
            query=request.query,
            match=dict(request.match_info),
            headers=CIMultiDict(request.headers),
            body=await request.read(),
            at=self.clock.now(),
        )
        self.requests.append(call)

        async def work() -> web.Response:
            return await self._answer(route, call)

        response = await play(
            self.faults, route.operation, request, work, functools.partial(_refuse, bare=route.bare_errors)
        )
        broken = request.transport is None or request.transport.is_closing()
        call.status = None if broken else response.status
        self.journal.record(
            at=call.at,
            source="bot",
            target="telnyx",
            operation=route.operation,
            status=call.status,
            milliseconds=(self.clock.monotonic() - began) * 1000,
            detail=call.detail,
        )
        return response

    async def _answer(self, route: Route, call: ApiRequest) -> web.Response:
        try:
            if not route.open:
                self._check_key(call)
            return await route.handler(call)
        except RequestDeniedError as denied:
            call.detail = call.detail or f"{denied.error['code']} {denied.error['title']}"
            return denied.answer(bare=route.bare_errors)

    def _check_key(self, call: ApiRequest) -> None:
        scheme, _, key = call.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or key.strip() != self.account.api_key:
            raise RequestDeniedError("10009")


def _refuse(fault: Fault, *, bare: bool) -> web.StreamResponse:
    if fault.kind is FaultKind.RATE_LIMIT:
        wait = str(fault.retry_after)
        headers = {
            "Retry-After": wait,
            "x-ratelimit-limit": "50",
            "x-ratelimit-remaining": "0",
            "x-ratelimit-reset": wait,
        }
        return RequestDeniedError(fault.code or "10011", status=HTTPStatus.TOO_MANY_REQUESTS, headers=headers).answer(
            bare=bare
        )
    code = fault.code or CODE_FOR_STATUS.get(fault.status, "10007")
    return RequestDeniedError(code, status=fault.status).answer(bare=bare)


def answer_data(data: Any, *, status: int = 200) -> web.Response:
    """Answer with one thing under `data`."""
    return web.json_response({"data": data}, status=status)


def answer_page(
    call: ApiRequest, items: Sequence[Any], *, largest: int = _LARGEST_PAGE, usual: int = 20
) -> web.Response:
    """Answer with the page of *items* that `page[number]` and `page[size]` ask for; *usual*: its size unless told."""
    number = _read_whole(call, "page[number]", 1, least=1, most=10**9)
    size = _read_whole(call, "page[size]", usual, least=1, most=largest)
    first = (number - 1) * size
    meta = {
        "page_number": number,
        "page_size": size,
        "total_pages": max(1, math.ceil(len(items) / size)),
        "total_results": len(items),
    }
    return web.json_response({"data": list(items[first : first + size]), "meta": meta})


def _read_whole(call: ApiRequest, name: str, usual: int, *, least: int, most: int) -> int:
    value = call.query.get(name)
    if value is None:
        return usual
    if not re.fullmatch(r"[0-9]{1,10}", value) or not least <= int(value) <= most:
        raise RequestDeniedError("10033", parameter=name, detail=f"{name} must be from {least} to {most}.")
    return int(value)


def read_moment(value: Any) -> datetime | None:
    """Return the moment that an ISO 8601 text names; None for anything else. Without an offset it is UTC."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
