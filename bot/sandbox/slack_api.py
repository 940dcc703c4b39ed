"""The door of the simulated Web API: reads a call as any SDK encodes it, lets faults strike, and finds its method."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from aiohttp import web

from bot.sandbox.faults import Fault, FaultBoard, FaultKind, play
from bot.sandbox.journal import Journal
from bot.sandbox.slack_rates import RateLimits
from bot.sandbox.slack_text import Json
from bot.sandbox.slack_workspace import ApiError, Workspace

_JSON = "application/json"
#: What a request may be refused for before its method is looked at, by the fault board's status.
_DEFAULT_STATUS = 500


@dataclass(slots=True, kw_only=True)
class ApiCall:
    """One call that the app made, for whoever looks afterwards."""

    method: str
    params: Json
    at: datetime
    error: str | None = None  #: Slack's error code; None when it went well.
    done: bool = False  #: Whether the work was done, whatever the app was then told.


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """The parameters of one call, whichever way they were encoded."""

    params: Mapping[str, Any]

    def find_text(self, name: str) -> str | None:
        """Return a parameter as text, or None when it is missing or null."""
        value = self.params.get(name)
        return None if value is None else str(value)

    def get_text(self, name: str) -> str:
        """Return a parameter that must be there; raises ApiError invalid_arguments."""
        value = self.find_text(name)
        if not value:
            raise ApiError(
                "invalid_arguments",
                response_metadata={"messages": [f"[ERROR] missing required field: {name}"]},
            )
        return value

    def is_set(self, name: str) -> bool:
        """Tell whether a flag is up, in any of the encodings of true."""
        return str(self.params.get(name, "")).lower() in {"1", "true"}

    def find_number(self, name: str, default: int) -> int:
        """Return a whole number; raises ApiError invalid_arguments."""
        value = self.find_text(name)
        try:
            return default if value in {None, ""} else int(str(value))
        except ValueError:
            raise ApiError("invalid_arguments") from None

    def find_json(self, name: str, error: str) -> Any:
        """Return a structured parameter, sent as such or as JSON in a string; raises ApiError *error*."""
        value = self.params.get(name)
        if not isinstance(value, str):
            return value
        if not value:
            return None
        try:
            return json.loads(value)
        except ValueError:
            raise ApiError(error) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """One method of the Web API."""

    run: Callable[[Workspace, Call], Json]
    scopes: tuple[str, ...] = ()  #: Any one of these is enough; none: open to every token.


#: The methods that some file of the simulator defines, by name.
Methods = dict[str, Method]


@dataclass(slots=True, kw_only=True)
class WebApi:
    """Answers `/api/{method}`."""

    workspace: Workspace
    methods: Methods
    faults: FaultBoard
    journal: Journal
    limits: RateLimits
    calls: deque[ApiCall] = field(default_factory=lambda: deque(maxlen=20_000))
    auth_error: str | None = None  #: `token_revoked`, `account_inactive` …: what every call is refused with.

    async def handle_call(self, request: web.Request) -> web.StreamResponse:
        """Answer one call."""
        clock = self.workspace.clock
        started = clock.monotonic()
        method = request.match_info["method"]
        try:
            params = await read_params(request)
        except ApiError as error:
            return build_response({"ok": False, "error": error.code})
        token = _take_token(request, params)
        call = ApiCall(method=method, params=params, at=clock.now())
        self.calls.append(call)

        async def work() -> web.StreamResponse:
            response = self._answer(call, token)
            call.done = True
            return response

        def refuse(fault: Fault) -> web.StreamResponse:
            call.error = fault.code or fault.kind.value
            return build_refusal(fault)

        response = await play(self.faults, method, request, work, refuse)
        gone = request.transport is None or request.transport.is_closing()
        self.journal.record(
            at=clock.now(),
            source="bot",
            target="slack",
            operation=method,
            status=None if gone else response.status,
            milliseconds=(clock.monotonic() - started) * 1000,
            detail=" ".join(part for part in (call.error or "", str(params.get("text") or "")[:80]) if part),
        )
        return response

    def _answer(self, call: ApiCall, token: str | None) -> web.Response:
        headers = {"X-OAuth-Scopes": ",".join(sorted(self.workspace.scopes))}
        try:
            method = self._admit(call, token)
            wait = self.limits.count_call(call.method, call.params.get("channel"))
            if wait is not None:
                call.error = "ratelimited"
                return build_rate_limit(wait)
            body = method.run(self.workspace, Call(params=call.params))
        except ApiError as error:
            call.error = error.code
            return build_response({"ok": False, "error": error.code, **error.more}, headers=headers)
        return build_response({"ok": True, **body}, headers=headers)

    def _admit(self, call: ApiCall, token: str | None) -> Method:
        method = self.methods.get(call.method)
        if method is None:
            raise ApiError("unknown_method", req_method=call.method)
        if call.method == "api.test":
            return method
        if not token:
            raise ApiError("not_authed")
        if token != self.workspace.bot_token:
            raise ApiError("invalid_auth")
        if self.auth_error is not None:
            raise ApiError(self.auth_error)
        if method.scopes and not self.workspace.scopes.intersection(method.scopes):
            provided = ",".join(sorted(self.workspace.scopes))
            raise ApiError("missing_scope", needed=method.scopes[0], provided=provided)
        return method


async def read_params(request: web.Request) -> Json:
    """Return the parameters of a call: from the query, from a form, from JSON; raises ApiError."""
    params: Json = dict(request.query)
    if request.method != "POST" or not request.can_read_body:
        return params
    if request.content_type == _JSON:
        try:
            body = await request.json()
        except ValueError:
            raise ApiError("invalid_json") from None
        if not isinstance(body, dict):
            raise ApiError("json_not_object")
        return params | body
    form = await request.post()
    return params | {key: value for key, value in form.items() if isinstance(value, str)}


def _take_token(request: web.Request, params: Json) -> str | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    in_params = params.pop("token", None)
    return token if scheme.lower() == "bearer" and token else in_params


def build_response(body: Json, *, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """Return a JSON answer."""
    return web.json_response(body, status=status, headers=headers)


def build_rate_limit(seconds: int) -> web.Response:
    """Return Slack's 429."""
    return build_response({"ok": False, "error": "ratelimited"}, status=429, headers={"Retry-After": str(seconds)})


def build_refusal(fault: Fault) -> web.StreamResponse:
    """
    Return Slack's words for *fault*.

    A fault with a code and the board's usual status is Slack's own kind of refusal: ok:false with HTTP 200. Without a
    code it is what stands before Slack that fails, in plain text.
    """
    if fault.kind is FaultKind.RATE_LIMIT:
        return build_rate_limit(fault.retry_after)
    if fault.code is not None:
        status = 200 if fault.status == _DEFAULT_STATUS else fault.status
        return build_response({"ok": False, "error": fault.code}, status=status)
    return web.Response(status=fault.status, text="upstream connect error or disconnect", content_type="text/plain")


def cut_page(items: list[Json], call: Call, *, default: int, most: int) -> tuple[list[Json], Json]:
    """Return one page of *items* and its response_metadata; the cursor is the place of the next page's first."""
    limit = min(max(call.find_number("limit", default), 1), most)
    cursor = call.find_text("cursor") or "next:0"
    if not cursor.startswith("next:") or not cursor.removeprefix("next:").isdigit():
        raise ApiError("invalid_cursor")
    start = int(cursor.removeprefix("next:"))
    end = start + limit
    return items[start:end], {"next_cursor": f"next:{end}" if end < len(items) else ""}
