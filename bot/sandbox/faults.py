"""The faults that a simulated platform can be told to have, and how each is played on an HTTP request."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum

from aiohttp import web


class FaultKind(StrEnum):
    """What goes wrong."""

    SLOW = "slow"  #: Answers after `seconds`.
    REFUSE = "refuse"  #: Answers `status` with the platform's own error body, doing nothing.
    RATE_LIMIT = "rate_limit"  #: Answers 429 with `Retry-After: retry_after`, doing nothing.
    DROP_REQUEST = "drop_request"  #: Closes the connection before doing anything.
    DROP_ANSWER = "drop_answer"  #: Does the work, then closes the connection without a word.
    FAIL_AFTER = "fail_after"  #: Does the work, then answers `status`.
    REPEAT = "repeat"  #: What it sends to us (webhook, event), it sends twice.
    REORDER = "reorder"  #: What it sends to us comes in the wrong order.
    LOSE = "lose"  #: What it should send to us never comes.


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault, for one operation (`chat.postMessage`, `POST /messages`) or, with `*`, for all."""

    kind: FaultKind
    operation: str = "*"
    times: int | None = None  #: How often it still strikes; None: until cleared.
    seconds: float = 0.0
    status: int = 500
    code: str | None = None  #: The platform's own error code, where it has one.
    retry_after: int = 1


#: How a platform words a refusal: (fault) -> response.
Refusal = Callable[[Fault], web.StreamResponse]


@dataclass(slots=True)
class FaultBoard:
    """The faults now in force on one platform."""

    _faults: dict[int, Fault] = field(default_factory=dict)
    _ids: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def add(self, fault: Fault) -> int:
        """Put *fault* in force; returns the number under which it can be lifted."""
        number = next(self._ids)
        self._faults[number] = fault
        return number

    def lift(self, number: int) -> None:
        """Lift one fault; unknown numbers are no mistake, since a counted fault lifts itself."""
        self._faults.pop(number, None)

    def clear(self) -> None:
        """Lift them all."""
        self._faults.clear()

    def active(self) -> dict[int, Fault]:
        """Return what is in force, by number."""
        return dict(self._faults)

    def take(self, operation: str, *kinds: FaultKind) -> Fault | None:
        """Return the oldest fault of one of *kinds* that strikes *operation* now, counting it down."""
        for number, fault in list(self._faults.items()):
            if fault.kind not in kinds or fault.operation not in ("*", operation):
                continue
            if fault.times is not None:
                if fault.times <= 1:
                    del self._faults[number]
                else:
                    self._faults[number] = replace(fault, times=fault.times - 1)
            return fault
        return None


async def play(
    board: FaultBoard,
    operation: str,
    request: web.Request,
    work: Callable[[], Awaitable[web.StreamResponse]],
    refusal: Refusal,
) -> web.StreamResponse:
    """Answer *request* by *work*, with whatever faults of *board* strike *operation*."""
    if slow := board.take(operation, FaultKind.SLOW):
        await asyncio.sleep(slow.seconds)  # a simulated platform is slow in real time
    before = board.take(operation, FaultKind.DROP_REQUEST, FaultKind.REFUSE, FaultKind.RATE_LIMIT)
    if before is not None:
        if before.kind is FaultKind.DROP_REQUEST:
            return _hang_up(request)
        return refusal(before)
    response = await work()
    after = board.take(operation, FaultKind.DROP_ANSWER, FaultKind.FAIL_AFTER)
    if after is None:
        return response
    if after.kind is FaultKind.DROP_ANSWER:
        return _hang_up(request)
    return refusal(after)


def _hang_up(request: web.Request) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=502)  # never seen: the connection is gone
