"""Who a message may come from: a number of ours, a short code, a name, or whichever number the pool gives."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import phonenumbers

from bot.sandbox.telnyx_errors import RequestDeniedError
from bot.sandbox.telnyx_fields import Fields, SendForm
from bot.sandbox.telnyx_state import Account, NumberKind, Profile

_ALPHANUMERIC = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11}")
#: Of a North American number, so much is country and area code.
_AREA = len("+1312")
_NO_ALPHANUMERIC_REGIONS = ("US", "CA", "PR")


def is_number(address: str) -> bool:
    """Tell whether *address* is written as an E.164 number or a short code is."""
    return re.fullmatch(r"\+[1-9][0-9]{6,14}|[0-9]{3,8}", address) is not None


@dataclass(slots=True)
class Senders:
    """Chooses the sender of each message."""

    account: Account
    _pool_turns: dict[str, int] = field(default_factory=dict)
    _pool_partners: dict[tuple[str, str], str] = field(default_factory=dict)

    def choose_sender(self, form: SendForm, fields: Fields, people: Sequence[str]) -> tuple[Profile, str]:
        """Return the profile and the sender that a request means; raises RequestDeniedError."""
        profile_id = fields.text("messaging_profile_id")
        profile = self.account.profiles.get(profile_id) if profile_id else None
        if profile_id and profile is None:
            raise RequestDeniedError("10017", pointer="/messaging_profile_id")
        sender = fields.text("from")
        if form is SendForm.NUMBER_POOL or (
            sender is None and profile is not None and form in (SendForm.ANY, SendForm.SCHEDULE)
        ):
            if profile is None:
                raise RequestDeniedError(
                    "10004",
                    pointer="/messaging_profile_id",
                    detail="A required parameter was missing: messaging_profile_id",
                )
            return profile, self._pick_from_pool(profile, people[0])
        if not sender:
            raise RequestDeniedError("10004", pointer="/from", detail="A required parameter was missing: from")
        if form is SendForm.ALPHANUMERIC or not is_number(sender):
            return self._check_name(form, sender, profile, people[0])
        own = self.account.numbers.get(sender)
        home = self.account.find_profile_of(sender)
        if own is None or home is None or (profile is not None and home is not profile):
            raise RequestDeniedError("40305", pointer="/from")
        if form is SendForm.SHORT_CODE and own.kind is not NumberKind.SHORT_CODE:
            raise RequestDeniedError("40305", pointer="/from")
        if form is SendForm.LONG_CODE and own.kind is NumberKind.SHORT_CODE:
            raise RequestDeniedError("40305", pointer="/from")
        if form is SendForm.GROUP and own.kind is not NumberKind.LONG_CODE:
            raise RequestDeniedError(
                "40308", pointer="/from", detail="Group MMS can only be sent from US and Canadian long codes."
            )
        return home, sender

    def _check_name(self, form: SendForm, sender: str, profile: Profile | None, person: str) -> tuple[Profile, str]:
        if form not in (SendForm.ANY, SendForm.SCHEDULE, SendForm.ALPHANUMERIC):
            raise RequestDeniedError("40305", pointer="/from")
        if not _ALPHANUMERIC.fullmatch(sender):
            raise RequestDeniedError("40305" if form is not SendForm.ALPHANUMERIC else "40325", pointer="/from")
        if profile is None:
            raise RequestDeniedError("40305", pointer="/from")
        names = [each.name for each in self.account.sender_names.values() if each.profile_id == profile.id]
        if profile.alpha_sender:
            names.append(profile.alpha_sender)
        if not names:
            raise RequestDeniedError("40306", pointer="/from")
        if sender not in names:
            detail = f"The specified alphanumeric sender ID {sender} does not match the one configured on the profile"
            raise RequestDeniedError("40307", pointer="/from", detail=detail)
        if find_region(person) in _NO_ALPHANUMERIC_REGIONS:
            fallback = self._find_fallback(sender, profile)
            if fallback is not None and find_region(person) == "US":
                return profile, fallback
            raise RequestDeniedError(
                "40301", pointer="/to", detail=f"Sending messages from {sender} to {person} is currently unsupported."
            )
        return profile, sender

    def _find_fallback(self, name: str, profile: Profile) -> str | None:
        owned = [
            each for each in self.account.sender_names.values() if (each.name, each.profile_id) == (name, profile.id)
        ]
        return owned[0].us_long_code_fallback if owned else None

    def _pick_from_pool(self, profile: Profile, person: str) -> str:
        settings = profile.number_pool_settings
        pool = [
            own.number
            for own in self.account.numbers.values()
            if own.profile_id == profile.id
            and own.kind is not NumberKind.SHORT_CODE
            and settings is not None
            and settings.get("toll_free_weight" if own.kind is NumberKind.TOLL_FREE else "long_code_weight", 0) > 0
        ]
        if settings is None or not pool:
            raise RequestDeniedError("40321")
        partner = self._pool_partners.get((profile.id, person))
        if settings.get("sticky_sender") and partner in pool:
            return partner
        if settings.get("geomatch"):
            # its description: numbers of North America only, and another where none fits
            pool = [number for number in pool if number[:_AREA] == person[:_AREA] and person.startswith("+1")] or pool
        turn = self._pool_turns.get(profile.id, 0)
        self._pool_turns[profile.id] = turn + 1
        chosen = pool[turn % len(pool)]
        self._pool_partners[profile.id, person] = chosen
        return chosen


def find_region(number: str) -> str | None:
    """Return the ISO country of an E.164 number; None for a short code and for what no country has."""
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return None
    region = phonenumbers.region_code_for_number(parsed)
    return region or phonenumbers.region_code_for_country_code(parsed.country_code or 0)
