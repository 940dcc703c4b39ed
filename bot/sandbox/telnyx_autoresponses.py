"""The operations on a profile's automatic answers: which keywords do what, and what is texted back."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any

from aiohttp import web

from bot.clock import Clock
from bot.sandbox.telnyx_errors import RequestDeniedError
from bot.sandbox.telnyx_http import ApiRequest, Route, answer_data, answer_page, read_moment
from bot.sandbox.telnyx_payloads import render_autoresponse
from bot.sandbox.telnyx_state import Account, AutoResponse

_OPS = ("start", "stop", "info")
_MOST_KEYWORDS = 20
_SHORTEST_ANSWER = 20
_RESERVED = {"START": "start", "STOP": "stop", "HELP": "info"}
_UNPROCESSABLE = HTTPStatus.UNPROCESSABLE_ENTITY


@dataclass(slots=True, kw_only=True)
class AutoResponseOperations:
    """Answers for automatic answers."""

    account: Account
    clock: Clock

    def list_routes(self) -> Iterable[Route]:
        """Return the operations."""
        every = "/messaging_profiles/{profile_id}/autoresp_configs"
        one = f"{every}/{{autoresp_cfg_id}}"
        yield Route(method="GET", path=every, handler=self._list)
        yield Route(method="POST", path=every, handler=self._create)
        yield Route(method="GET", path=one, handler=self._read)
        yield Route(method="PUT", path=one, handler=self._write)
        yield Route(method="DELETE", path=one, handler=self._delete)

    async def _list(self, call: ApiRequest) -> web.Response:
        profile = self.account.get_profile(call.match["profile_id"])
        country = call.query.get("country_code")
        spans = {
            name: (_read_edge(call, f"{name}[gte]"), _read_edge(call, f"{name}[lte]"))
            for name in ("created_at", "updated_at")
        }
        found = [
            answer
            for answer in self.account.autoresponses.values()
            if answer.profile_id == profile.id
            and (country is None or answer.country_code == country)
            and _is_within(answer.created_at, *spans["created_at"])
            and _is_within(answer.updated_at, *spans["updated_at"])
        ]
        return answer_page(call, [render_autoresponse(answer) for answer in found], largest=250, usual=250)

    async def _create(self, call: ApiRequest) -> web.Response:
        profile = self.account.get_profile(call.match["profile_id"])
        now = self.clock.now()
        answer = AutoResponse(id=str(uuid.uuid4()), profile_id=profile.id, created_at=now, updated_at=now)
        self._fill(answer, call.read_object())
        self.account.autoresponses[answer.id] = answer
        return answer_data(render_autoresponse(answer))

    async def _read(self, call: ApiRequest) -> web.Response:
        return answer_data(render_autoresponse(self._get(call)))

    async def _write(self, call: ApiRequest) -> web.Response:
        answer = self._get(call)
        self._fill(answer, call.read_object())
        answer.updated_at = self.clock.now()
        return answer_data(render_autoresponse(answer))

    async def _delete(self, call: ApiRequest) -> web.Response:
        del self.account.autoresponses[self._get(call).id]
        return web.json_response("OK")  # the description's own example: a word, no object

    def _get(self, call: ApiRequest) -> AutoResponse:
        profile = self.account.get_profile(call.match["profile_id"])
        answer = self.account.autoresponses.get(call.match["autoresp_cfg_id"])
        if answer is None or answer.profile_id != profile.id:
            raise RequestDeniedError("10005")
        return answer

    def _fill(self, answer: AutoResponse, given: dict[str, Any]) -> None:
        """Set all that *given* says, or nothing at all; what it leaves out is empty afterwards."""
        op, keywords, country = (given.get(name) for name in ("op", "keywords", "country_code"))
        for name in ("op", "keywords", "country_code"):
            if name not in given:
                raise RequestDeniedError("10004", pointer=f"/{name}", status=_UNPROCESSABLE)
        if op not in _OPS:
            raise RequestDeniedError("10032", pointer="/op", status=_UNPROCESSABLE)
        if not isinstance(country, str) or not re.fullmatch(r"[A-Z]{2}|\*", country):
            raise RequestDeniedError("10015", pointer="/country_code", status=_UNPROCESSABLE)
        if not isinstance(keywords, list) or not all(isinstance(word, str) and word.strip() for word in keywords):
            raise RequestDeniedError("10026", pointer="/keywords", status=_UNPROCESSABLE)
        if not 1 <= len(keywords) <= _MOST_KEYWORDS:
            raise RequestDeniedError("10033", pointer="/keywords", status=_UNPROCESSABLE)
        if any(_RESERVED.get(word.strip().upper(), op) != op for word in keywords):
            raise RequestDeniedError("10015", pointer="/keywords", status=_UNPROCESSABLE)
        text = given.get("resp_text")
        if text is not None and (not isinstance(text, str) or len(text) < _SHORTEST_ANSWER):
            raise RequestDeniedError("10025", pointer="/resp_text", status=_UNPROCESSABLE)
        answer.op, answer.keywords, answer.country_code, answer.resp_text = op, list(keywords), country, text


def _read_edge(call: ApiRequest, name: str) -> datetime | None:
    written = call.query.get(name)
    moment = read_moment(written)
    if written is not None and moment is None:
        raise RequestDeniedError("10015", parameter=name)
    return moment


def _is_within(moment: datetime, first: datetime | None, last: datetime | None) -> bool:
    return (first is None or moment >= first) and (last is None or moment <= last)
