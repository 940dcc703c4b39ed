"""
`Idempotency-Key`: the same request under the same key is answered from memory instead of being done again.

Rules from Telnyx's "Idempotency" page: a record is the key with method and path; only successes are kept, for 24
hours; the same key with other bytes is 422; while the first is still at work, 409.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from aiohttp import web

from bot.clock import Clock
from bot.sandbox.telnyx_errors import RequestDeniedError
from bot.sandbox.telnyx_http import ApiRequest

_KEPT = timedelta(hours=24)
_KEY = re.compile(r"[A-Za-z0-9_:-]{1,255}")


@dataclass(slots=True, kw_only=True)
class _Entry:
    body: bytes
    query: tuple[tuple[str, str], ...]
    begun_at: datetime
    answer: bytes | None = None  #: None: still at work.


@dataclass(slots=True)
class IdempotencyKeys:
    """The keys of the last day."""

    clock: Clock
    _entries: dict[tuple[str, str, str], _Entry] = field(default_factory=dict)

    async def answer_once(self, call: ApiRequest, work: Callable[[], Awaitable[web.Response]]) -> web.Response:
        """Answer *call* by *work*, or by what *work* answered before."""
        key = call.headers.get("Idempotency-Key")
        if key is None:
            return await work()
        if not _KEY.fullmatch(key):
            raise RequestDeniedError(
                "10015", detail="Idempotency-Key must be 1 to 255 of A-Z a-z 0-9 _ : -", parameter="Idempotency-Key"
            )
        slot = (call.method, call.path, key)
        query = tuple(call.query.items())
        entry = self._entries.get(slot)
        if entry is not None and self.clock.now() - entry.begun_at < _KEPT:
            if (entry.body, entry.query) != (call.body, query):
                raise RequestDeniedError(
                    "10027",
                    detail="The Idempotency-Key was already used with another request.",
                    parameter="Idempotency-Key",
                )
            if entry.answer is None:
                raise RequestDeniedError("10036")
            call.detail = "replayed"
            return web.Response(
                body=entry.answer, content_type="application/json", headers={"Idempotent-Replayed": "true"}
            )
        entry = _Entry(body=call.body, query=query, begun_at=self.clock.now())
        self._entries[slot] = entry
        try:
            answer = await work()
        except BaseException:
            self._entries.pop(slot, None)  # only a success is remembered
            raise
        entry.answer = bytes(answer.body) if isinstance(answer.body, bytes) else None
        return answer
