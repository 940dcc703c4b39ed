"""What was said between the parties, request by request: the strip at the foot of the demo page."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request and how it was answered."""

    number: int
    at: datetime
    source: str  #: `phone`, `person`, `telnyx`, `slack` or `bot`
    target: str
    operation: str  #: `POST /messages`, `chat.postMessage`, `message.received`, `/sms`
    status: int | None  #: HTTP status; None: the connection broke.
    milliseconds: float
    detail: str = ""  #: One line for a person.


@dataclass(slots=True)
class Journal:
    """The last exchanges, and who wants to hear of the next."""

    kept: int = 500
    exchanges: deque[Exchange] = field(default_factory=deque)
    listeners: list[Callable[[Exchange], None]] = field(default_factory=list)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def record(
        self,
        *,
        at: datetime,
        source: str,
        target: str,
        operation: str,
        status: int | None,
        milliseconds: float,
        detail: str = "",
    ) -> Exchange:
        """Keep one exchange and tell the listeners."""
        exchange = Exchange(
            number=next(self._numbers),
            at=at,
            source=source,
            target=target,
            operation=operation,
            status=status,
            milliseconds=milliseconds,
            detail=detail,
        )
        self.exchanges.append(exchange)
        while len(self.exchanges) > self.kept:
            self.exchanges.popleft()
        for listener in list(self.listeners):
            listener(exchange)
        return exchange
