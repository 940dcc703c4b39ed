"""The operations on what texts come from: our numbers, hosted numbers, short codes and names."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from aiohttp import web

from bot.clock import Clock
from bot.sandbox.telnyx_errors import RequestDeniedError
from bot.sandbox.telnyx_http import ApiRequest, Route, answer_data, answer_page
from bot.sandbox.telnyx_payloads import render_number, render_sender_name, render_short_code
from bot.sandbox.telnyx_state import Account, NumberKind, OwnNumber, SenderName

_KIND_FILTERS = {"longcode": NumberKind.LONG_CODE, "tollfree": NumberKind.TOLL_FREE, "shortcode": NumberKind.SHORT_CODE}
_ORDERS = ("asc", "desc")
_NAME = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11}")


@dataclass(slots=True, kw_only=True)
class OwnSenderOperations:
    """Answers for numbers, short codes and names."""

    account: Account
    clock: Clock

    def list_routes(self) -> Iterable[Route]:
        """Return the operations."""
        yield Route(method="GET", path="/phone_numbers/messaging", handler=self._list_numbers)
        yield Route(method="GET", path="/phone_numbers/{id}/messaging", handler=self._read_number)
        yield Route(method="PATCH", path="/phone_numbers/{id}/messaging", handler=self._change_number)
        yield Route(method="GET", path="/messaging_hosted_numbers", handler=self._list_hosted)
        yield Route(method="GET", path="/messaging_hosted_numbers/{id}", handler=self._read_hosted)
        yield Route(method="PATCH", path="/messaging_hosted_numbers/{id}", handler=self._change_hosted)
        yield Route(method="GET", path="/short_codes", handler=self._list_codes)
        yield Route(method="GET", path="/short_codes/{id}", handler=self._read_code)
        yield Route(method="PATCH", path="/short_codes/{id}", handler=self._change_code)
        yield Route(method="GET", path="/alphanumeric_sender_ids", handler=self._list_names)
        yield Route(method="POST", path="/alphanumeric_sender_ids", handler=self._create_name)
        yield Route(method="GET", path="/alphanumeric_sender_ids/{id}", handler=self._read_name)
        yield Route(method="DELETE", path="/alphanumeric_sender_ids/{id}", handler=self._delete_name)

    # --- numbers, hosted or not

    async def _list_numbers(self, call: ApiRequest) -> web.Response:
        kind = call.query.get("filter[type]")
        if kind is not None and kind not in _KIND_FILTERS:
            raise RequestDeniedError(
                "10032", parameter="filter[type]", detail=f"The value must be one of {', '.join(_KIND_FILTERS)}"
            )
        numbers = [
            number
            for number in self.account.numbers.values()
            if not number.hosted and (kind is None or number.kind is _KIND_FILTERS[kind])
        ]
        return self._answer_numbers(call, numbers)

    async def _list_hosted(self, call: ApiRequest) -> web.Response:
        return self._answer_numbers(call, [number for number in self.account.numbers.values() if number.hosted])

    def _answer_numbers(self, call: ApiRequest, numbers: Sequence[OwnNumber]) -> web.Response:
        profile_id = call.query.get("filter[messaging_profile_id]")
        exact = call.query.get("filter[phone_number]")
        part = call.query.get("filter[phone_number][contains]")
        order = call.query.get("sort[phone_number]")
        if order is not None and order not in _ORDERS:
            raise RequestDeniedError("10018", parameter="sort[phone_number]")
        found = [
            number
            for number in numbers
            if (profile_id is None or number.profile_id == profile_id)
            and (exact is None or number.number in exact.split(","))
            and (part is None or part in number.number)
        ]
        if order is not None:
            found.sort(key=lambda number: number.number, reverse=order == "desc")
        return answer_page(call, [render_number(self.account, number) for number in found])

    async def _read_number(self, call: ApiRequest) -> web.Response:
        return answer_data(render_number(self.account, self._get_number(call, hosted=False)))

    async def _read_hosted(self, call: ApiRequest) -> web.Response:
        return answer_data(render_number(self.account, self._get_number(call, hosted=True)))

    async def _change_number(self, call: ApiRequest) -> web.Response:
        return self._change(call, self._get_number(call, hosted=False))

    async def _change_hosted(self, call: ApiRequest) -> web.Response:
        return self._change(call, self._get_number(call, hosted=True))

    def _change(self, call: ApiRequest, number: OwnNumber) -> web.Response:
        given = call.read_object()
        self._apply(number, given)
        if given.get("messaging_product"):
            number.messaging_product = str(given["messaging_product"])
        return answer_data(render_number(self.account, number))

    def _apply(self, number: OwnNumber, given: dict[str, Any]) -> None:
        """Set profile and tags; an empty text takes the number off its profile, null or nothing leaves it there."""
        profile_id = given.get("messaging_profile_id")
        if profile_id and profile_id not in self.account.profiles:
            raise RequestDeniedError("10017", pointer="/messaging_profile_id")
        tags = given.get("tags")
        if tags is not None and (not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags)):
            raise RequestDeniedError("10026", pointer="/tags")
        if profile_id is not None:
            number.profile_id = str(profile_id) or None
        if tags is not None:
            number.tags = list(tags)
        number.updated_at = self.clock.now()

    def _get_number(self, call: ApiRequest, *, hosted: bool) -> OwnNumber:
        """Return the number that the address names: by its id, a hosted one also by itself."""
        wanted = call.match["id"]
        for number in self.account.numbers.values():
            if number.hosted is hosted and wanted in (number.id, number.number if hosted else number.id):
                return number
        raise RequestDeniedError("10005")

    # --- short codes

    async def _list_codes(self, call: ApiRequest) -> web.Response:
        profile_id = call.query.get("filter[messaging_profile_id]")
        wanted = None if profile_id == "null" else profile_id
        codes = [code for code in self.account.list_short_codes() if profile_id is None or code.profile_id == wanted]
        return answer_page(call, [render_short_code(code) for code in codes])

    async def _read_code(self, call: ApiRequest) -> web.Response:
        return answer_data(render_short_code(self._get_code(call)))

    async def _change_code(self, call: ApiRequest) -> web.Response:
        code = self._get_code(call)
        given = call.read_object()
        if "messaging_profile_id" not in given:
            raise RequestDeniedError("10004", pointer="/messaging_profile_id")
        # unlike a number, a short code is taken off its profile by null as well
        self._apply(code, given | {"messaging_profile_id": given["messaging_profile_id"] or ""})
        return answer_data(render_short_code(code))

    def _get_code(self, call: ApiRequest) -> OwnNumber:
        for code in self.account.list_short_codes():
            if code.id == call.match["id"]:
                return code
        raise RequestDeniedError("10005")

    # --- names

    async def _list_names(self, call: ApiRequest) -> web.Response:
        profile_id = call.query.get("filter[messaging_profile_id]")
        names = [
            name
            for name in reversed(self.account.sender_names.values())
            if profile_id is None or name.profile_id == profile_id
        ]
        return answer_page(call, [render_sender_name(self.account, name) for name in names])

    async def _create_name(self, call: ApiRequest) -> web.Response:
        given = call.read_object()
        unprocessable = HTTPStatus.UNPROCESSABLE_ENTITY  # the only refusal that its description has beside 401
        for field in ("alphanumeric_sender_id", "messaging_profile_id"):
            if not isinstance(given.get(field), str) or not given[field]:
                raise RequestDeniedError("10004", pointer=f"/{field}", status=unprocessable)
        if not _NAME.fullmatch(given["alphanumeric_sender_id"]):
            raise RequestDeniedError("40325", pointer="/alphanumeric_sender_id", status=unprocessable)
        if given["messaging_profile_id"] not in self.account.profiles:
            raise RequestDeniedError("10017", pointer="/messaging_profile_id", status=unprocessable)
        fallback = given.get("us_long_code_fallback")
        if fallback is not None and fallback not in self.account.numbers:
            raise RequestDeniedError("10017", pointer="/us_long_code_fallback", status=unprocessable)
        name = SenderName(
            id=str(uuid.uuid4()),
            name=given["alphanumeric_sender_id"],
            profile_id=given["messaging_profile_id"],
            us_long_code_fallback=fallback,
        )
        if any((each.name, each.profile_id) == (name.name, name.profile_id) for each in self._names()):
            raise RequestDeniedError("10012", pointer="/alphanumeric_sender_id", status=unprocessable)
        self.account.sender_names[name.id] = name
        return answer_data(render_sender_name(self.account, name), status=HTTPStatus.CREATED)

    async def _read_name(self, call: ApiRequest) -> web.Response:
        return answer_data(render_sender_name(self.account, self._get_name(call)))

    async def _delete_name(self, call: ApiRequest) -> web.Response:
        name = self._get_name(call)
        del self.account.sender_names[name.id]
        return answer_data(render_sender_name(self.account, name))

    def _names(self) -> Iterable[SenderName]:
        return self.account.sender_names.values()

    def _get_name(self, call: ApiRequest) -> SenderName:
        name = self.account.sender_names.get(call.match["id"])
        if name is None:
            raise RequestDeniedError("10005")
        return name
