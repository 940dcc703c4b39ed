"""The operations on messaging profiles, and the lists of what is on one."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from bot.clock import Clock
from bot.sandbox.telnyx_errors import RequestDeniedError
from bot.sandbox.telnyx_http import ApiRequest, Route, answer_data, answer_page
from bot.sandbox.telnyx_payloads import render_number, render_profile, render_sender_name, render_short_code
from bot.sandbox.telnyx_state import Account, NumberKind, Profile

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
    "features": (dict, type(None)),
    "v1_secret": (str,),
}
_API_VERSIONS = ("1", "2", "2010-04-01")
#: Parts that an object has to have, where it is given at all.
_NEEDED_PARTS = {
    "number_pool_settings": ("toll_free_weight", "long_code_weight", "skip_unhealthy"),
    "url_shortener_settings": ("domain",),
}
_ALPHA_SENDER = re.compile(r"[A-Za-z0-9 ]{1,11}")
_AMOUNT = re.compile(r"[0-9]+(?:\.[0-9]+)?")


@dataclass(slots=True, kw_only=True)
class ProfileOperations:
    """Answers for profiles."""

    account: Account
    clock: Clock

    def list_routes(self) -> Iterable[Route]:
        """Return the operations."""
        one = "/messaging_profiles/{id}"
        yield Route(method="GET", path="/messaging_profiles", handler=self._list)
        yield Route(method="POST", path="/messaging_profiles", handler=self._create)
        yield Route(method="GET", path=one, handler=self._read)
        yield Route(method="PATCH", path=one, handler=self._change)
        yield Route(method="DELETE", path=one, handler=self._delete)
        yield Route(method="GET", path=f"{one}/phone_numbers", handler=self._list_numbers)
        yield Route(method="GET", path=f"{one}/short_codes", handler=self._list_short_codes)
        yield Route(method="GET", path=f"{one}/alphanumeric_sender_ids", handler=self._list_names)
        yield Route(method="POST", path=f"{one}/actions/regenerate_secret", handler=self._regenerate_secret)

    async def _list(self, call: ApiRequest) -> web.Response:
        exact = call.query.get("filter[name][eq]", call.query.get("filter[name]"))
        part = call.query.get("filter[name][contains]")
        profiles = [
            profile
            for profile in reversed(self.account.profiles.values())
            if (exact is None or profile.name == exact) and (part is None or part.lower() in profile.name.lower())
        ]
        return answer_page(call, [render_profile(self.account, profile) for profile in profiles])

    async def _create(self, call: ApiRequest) -> web.Response:
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

    async def _read(self, call: ApiRequest) -> web.Response:
        return answer_data(render_profile(self.account, self.account.get_profile(call.match["id"])))

    async def _change(self, call: ApiRequest) -> web.Response:
        profile = self.account.get_profile(call.match["id"])
        self._apply(profile, call.read_object())
        return answer_data(render_profile(self.account, profile))

    async def _delete(self, call: ApiRequest) -> web.Response:
        profile = self.account.get_profile(call.match["id"])
        rendered = render_profile(self.account, profile)
        self.account.forget_profile(profile)
        return answer_data(rendered)

    async def _regenerate_secret(self, call: ApiRequest) -> web.Response:
        profile = self.account.get_profile(call.match["id"])
        profile.v1_secret = uuid.uuid4().hex
        profile.updated_at = self.clock.now()
        return answer_data(render_profile(self.account, profile))

    def _apply(self, profile: Profile, given: dict[str, Any]) -> None:
        """Set what *given* names, or nothing at all; fields that are not a profile's are ignored."""
        for name, value in given.items():
            if name in _SETTABLE and not isinstance(value, _SETTABLE[name]):
                raise RequestDeniedError("10026", pointer=f"/{name}")
            if name in _CHECKS and value is not None:
                _CHECKS[name](name, value)
        for name, value in given.items():
            if name == "features":
                profile.features.update(value or {})
            elif name in _SETTABLE:
                setattr(profile, name, value)
        profile.updated_at = self.clock.now()

    async def _list_numbers(self, call: ApiRequest) -> web.Response:
        profile = self.account.get_profile(call.match["id"])
        numbers = [
            number
            for number in self.account.numbers.values()
            if number.profile_id == profile.id and number.kind is not NumberKind.SHORT_CODE
        ]
        return answer_page(call, [render_number(self.account, number) for number in numbers])

    async def _list_short_codes(self, call: ApiRequest) -> web.Response:
        profile = self.account.get_profile(call.match["id"])
        codes = [code for code in self.account.list_short_codes() if code.profile_id == profile.id]
        return answer_page(call, [render_short_code(code) for code in codes])

    async def _list_names(self, call: ApiRequest) -> web.Response:
        profile = self.account.get_profile(call.match["id"])
        names = [name for name in self.account.sender_names.values() if name.profile_id == profile.id]
        return answer_page(call, [render_sender_name(self.account, name) for name in names])


def _check_version(name: str, value: str) -> None:
    if value not in _API_VERSIONS:
        raise RequestDeniedError(
            "10032", pointer=f"/{name}", detail=f"The value must be one of {', '.join(_API_VERSIONS)}"
        )


def _check_url(name: str, value: str) -> None:
    if value and not value.startswith(("https://", "http://")):
        raise RequestDeniedError("10003", pointer=f"/{name}")


def _check_parts(name: str, value: dict[str, Any]) -> None:
    for part in _NEEDED_PARTS[name]:
        if part not in value:
            raise RequestDeniedError("10004", pointer=f"/{name}/{part}")


def _check_destinations(name: str, value: list[Any]) -> None:
    for country in value:
        if not isinstance(country, str) or not re.fullmatch(r"[A-Z]{2}|\*", country):
            raise RequestDeniedError("10015", pointer=f"/{name}", detail=f"{country} is not an ISO 3166-1 code.")


def _check_alpha_sender(name: str, value: str) -> None:
    if not _ALPHA_SENDER.fullmatch(value):
        raise RequestDeniedError("40325", pointer=f"/{name}")


def _check_amount(name: str, value: str) -> None:
    if not _AMOUNT.fullmatch(value):
        raise RequestDeniedError("10015", pointer=f"/{name}", detail=f"{name} must be an amount.")


_CHECKS: dict[str, Callable[[str, Any], None]] = {
    "webhook_api_version": _check_version,
    "webhook_url": _check_url,
    "webhook_failover_url": _check_url,
    "number_pool_settings": _check_parts,
    "url_shortener_settings": _check_parts,
    "whitelisted_destinations": _check_destinations,
    "alpha_sender": _check_alpha_sender,
    "daily_spend_limit": _check_amount,
}
