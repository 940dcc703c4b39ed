"""The operations on the account's settings: messaging profiles, numbers, opt-outs, the public key."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from bot.clock import Clock
from bot.sandbox.telnyx_errors import RequestDeniedError
from bot.sandbox.telnyx_http import ApiRequest, Route, answer_data, answer_page, read_moment
from bot.sandbox.telnyx_payloads import render_number, render_optout, render_profile
from bot.sandbox.telnyx_state import Account, NumberKind, OwnNumber, Profile
from bot.sandbox.telnyx_webhooks import Webhooks

#: Field of a profile -> the types that a request may give it.
_SETTABLE: dict[str, tuple[type, ...]] = {
    "name": (str,),
    "enabled": (bool,),
    "webhook_url": (str, type(None)),
    "webhook_failover_url": (str, type(None)),
    "webhook_api_version": (str,),
    "whitelisted_destinations": (list,),
    "number_pool_settings": (dict, type(None)),
    "url_shortener_settings": (dict, type(None)),
    "alpha_sender": (str, type(None)),
    "daily_spend_limit": (str, type(None)),
    "daily_spend_limit_enabled": (bool,),
    "mms_fall_back_to_sms": (bool,),
    "mms_transcoding": (bool,),
    "mobile_only": (bool,),
    "smart_encoding": (bool,),
    "resource_group_id": (str, type(None)),
    "ai_assistant_id": (str, type(None)),
    "health_webhook_url": (str, type(None)),
    "redaction_enabled": (bool,),
    "redaction_level": (int,),
    "features": (dict,),
    "v1_secret": (str,),
}
_API_VERSIONS = ("1", "2", "2010-04-01")
_KIND_FILTERS = {"longcode": NumberKind.LONG_CODE, "tollfree": NumberKind.TOLL_FREE, "shortcode": NumberKind.SHORT_CODE}


@dataclass(slots=True, kw_only=True)
class AccountOperations:
    """Answers for profiles, numbers, opt-outs and the key."""

    account: Account
    clock: Clock
    webhooks: Webhooks

    def list_routes(self) -> Iterable[Route]:
        """Return the operations."""
        yield Route(method="GET", path="/messaging_profiles", handler=self._list_profiles)
        yield Route(method="POST", path="/messaging_profiles", handler=self._create_profile)
        yield Route(method="GET", path="/messaging_profiles/{id}", handler=self._read_profile)
        yield Route(method="PATCH", path="/messaging_profiles/{id}", handler=self._change_profile)
        yield Route(method="GET", path="/messaging_profiles/{id}/phone_numbers", handler=self._list_profile_numbers)
        yield Route(method="GET", path="/phone_numbers/messaging", handler=self._list_numbers)
        yield Route(method="GET", path="/phone_numbers/{id}/messaging", handler=self._read_number)
        yield Route(method="PATCH", path="/phone_numbers/{id}/messaging", handler=self._change_number)
        yield Route(method="GET", path="/messaging_optouts", handler=self._list_optouts, bare_errors=True)
        yield Route(method="GET", path="/public_key", handler=self._read_public_key)

    async def _list_profiles(self, call: ApiRequest) -> web.Response:
        exact = call.query.get("filter[name][eq]", call.query.get("filter[name]"))
        part = call.query.get("filter[name][contains]")
        profiles = [
            profile
            for profile in reversed(self.account.profiles.values())
            if (exact is None or profile.name == exact) and (part is None or part.lower() in profile.name.lower())
        ]
        return answer_page(call, [render_profile(self.account, profile) for profile in profiles])

    async def _create_profile(self, call: ApiRequest) -> web.Response:
        given = call.read_object()
        for name in ("name", "whitelisted_destinations"):
            if name not in given:
                raise RequestDeniedError(
                    "10004", pointer=f"/{name}", detail=f"A required parameter was missing: {name}"
                )
        now = self.clock.now()
        profile = Profile(id=str(uuid.uuid4()), name="", created_at=now, updated_at=now, v1_secret=uuid.uuid4().hex)
        self._apply(profile, given)
        self.account.profiles[profile.id] = profile
        return answer_data(render_profile(self.account, profile))

    async def _read_profile(self, call: ApiRequest) -> web.Response:
        return answer_data(render_profile(self.account, self._get_profile(call)))

    async def _change_profile(self, call: ApiRequest) -> web.Response:
        profile = self._get_profile(call)
        self._apply(profile, call.read_object())
        return answer_data(render_profile(self.account, profile))

    def _apply(self, profile: Profile, given: dict[str, Any]) -> None:
        """Set what *given* names, or nothing at all; fields that are not a profile's are ignored."""
        for name, value in given.items():
            if name in _SETTABLE and not isinstance(value, _SETTABLE[name]):
                raise RequestDeniedError("10026", pointer=f"/{name}")
        if given.get("webhook_api_version", "2") not in _API_VERSIONS:
            raise RequestDeniedError(
                "10032", pointer="/webhook_api_version", detail=f"The value must be one of {', '.join(_API_VERSIONS)}"
            )
        for name in ("webhook_url", "webhook_failover_url"):
            if given.get(name) and not str(given[name]).startswith(("https://", "http://")):
                raise RequestDeniedError("10003", pointer=f"/{name}")
        for name, value in given.items():
            if name == "features":
                profile.features.update(value)
            elif name in _SETTABLE:
                setattr(profile, name, value)
        profile.updated_at = self.clock.now()

    async def _list_profile_numbers(self, call: ApiRequest) -> web.Response:
        profile = self._get_profile(call)
        numbers = [number for number in self.account.numbers.values() if number.profile_id == profile.id]
        return answer_page(call, [render_number(self.account, number) for number in numbers])

    async def _list_numbers(self, call: ApiRequest) -> web.Response:
        profile_id = call.query.get("filter[messaging_profile_id]")
        exact = call.query.get("filter[phone_number]")
        part = call.query.get("filter[phone_number][contains]")
        kind = call.query.get("filter[type]")
        if kind is not None and kind not in _KIND_FILTERS:
            raise RequestDeniedError(
                "10032", parameter="filter[type]", detail=f"The value must be one of {', '.join(_KIND_FILTERS)}"
            )
        numbers = [
            number
            for number in self.account.numbers.values()
            if (profile_id is None or number.profile_id == profile_id)
            and (exact is None or number.number in exact.split(","))
            and (part is None or part in number.number)
            and (kind is None or number.kind is _KIND_FILTERS[kind])
        ]
        if (order := call.query.get("sort[phone_number]")) is not None:
            numbers.sort(key=lambda number: number.number, reverse=order == "desc")
        return answer_page(call, [render_number(self.account, number) for number in numbers])

    async def _read_number(self, call: ApiRequest) -> web.Response:
        return answer_data(render_number(self.account, self._get_number(call)))

    async def _change_number(self, call: ApiRequest) -> web.Response:
        number = self._get_number(call)
        given = call.read_object()
        profile_id = given.get("messaging_profile_id")
        if profile_id and profile_id not in self.account.profiles:
            raise RequestDeniedError("10017", pointer="/messaging_profile_id")
        if profile_id is not None:
            number.profile_id = profile_id or None  # an empty text takes the number off its profile
        if given.get("messaging_product"):
            number.messaging_product = str(given["messaging_product"])
        if isinstance(given.get("tags"), list):
            number.tags = [str(tag) for tag in given["tags"]]
        number.updated_at = self.clock.now()
        return answer_data(render_number(self.account, number))

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

    def _get_profile(self, call: ApiRequest) -> Profile:
        profile = self.account.profiles.get(call.match["id"])
        if profile is None:
            raise RequestDeniedError("10005")
        return profile

    def _get_number(self, call: ApiRequest) -> OwnNumber:
        wanted = call.match["id"]
        for number in self.account.numbers.values():
            if number.id == wanted:
                return number
        raise RequestDeniedError("10005")
