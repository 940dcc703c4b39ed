"""The operations on the account as a whole: who has said STOP, and the public key of its webhooks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from aiohttp import web

from bot.sandbox.telnyx_errors import RequestDeniedError
from bot.sandbox.telnyx_http import ApiRequest, Route, answer_data, answer_page, read_moment
from bot.sandbox.telnyx_payloads import render_optout
from bot.sandbox.telnyx_state import Account
from bot.sandbox.telnyx_webhooks import Webhooks


@dataclass(slots=True, kw_only=True)
class AccountOperations:
    """Answers for opt-outs and the key."""

    account: Account
    webhooks: Webhooks

    def list_routes(self) -> Iterable[Route]:
        """Return the operations."""
        yield Route(method="GET", path="/messaging_optouts", handler=self._list_optouts, bare_errors=True)
        yield Route(method="GET", path="/public_key", handler=self._read_public_key)

    async def _list_optouts(self, call: ApiRequest) -> web.Response:
        profile_id = call.query.get("filter[messaging_profile_id]")
        sender = call.query.get("filter[from]")
        bounds = {}
        for edge in ("gte", "lte"):
            written = call.query.get(f"created_at[{edge}]")
            bounds[edge] = read_moment(written)
            if written is not None and bounds[edge] is None:
                raise RequestDeniedError("10015", parameter=f"created_at[{edge}]")
        first, last = bounds["gte"], bounds["lte"]
        optouts = sorted(
            (
                optout
                for optout in self.account.optouts.values()
                if (profile_id is None or optout.profile_id == profile_id)
                and (sender is None or optout.sender == sender)
                and (first is None or optout.created_at >= first)
                and (last is None or optout.created_at <= last)
            ),
            key=lambda optout: optout.created_at,
            reverse=True,
        )
        redact = call.query.get("redaction_enabled", "").lower() == "true"
        return answer_page(call, [render_optout(optout, redact=redact) for optout in optouts])

    async def _read_public_key(self, _call: ApiRequest) -> web.Response:
        return answer_data({"public": self.webhooks.public_key})
