"""What a send request says, field by field, with the types checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from bot.sandbox.telnyx_errors import RequestDeniedError
from bot.sandbox.telnyx_state import Json

_LONGEST_URL = 2000


class SendForm(StrEnum):
    """The send operations: what each demands beyond the first."""

    ANY = "/messages"  #: From a number, a short code, an alphanumeric sender or the number pool; now or later.
    LONG_CODE = "/messages/long_code"  #: From a long code.
    SHORT_CODE = "/messages/short_code"  #: From a short code.
    NUMBER_POOL = "/messages/number_pool"  #: From whichever number of the profile.
    ALPHANUMERIC = "/messages/alphanumeric_sender_id"  #: From a name; SMS only.
    GROUP = "/messages/group_mms"  #: To several people, as one conversation.
    SCHEDULE = "/messages/schedule"  #: Later.


@dataclass(frozen=True, slots=True)
class Fields:
    """A request's fields, read with their types checked."""

    given: Json

    def text(self, name: str) -> str | None:
        """Return a string field; None where it is absent."""
        value = self.given.get(name)
        if value is not None and not isinstance(value, str):
            raise RequestDeniedError("10026", pointer=f"/{name}", detail=f"{name} must be a string.")
        return value

    def flag(self, name: str, *, usual: bool) -> bool:
        """Return a boolean field."""
        value = self.given.get(name, usual)
        if not isinstance(value, bool):
            raise RequestDeniedError("10026", pointer=f"/{name}", detail=f"{name} must be a boolean.")
        return value

    def choice(self, name: str, allowed: Sequence[str]) -> str | None:
        """Return a string field that must be one of *allowed*."""
        value = self.text(name)
        if value is not None and value not in allowed:
            raise RequestDeniedError(
                "10032", pointer=f"/{name}", detail=f"The value must be one of {', '.join(allowed)}"
            )
        return value

    def url(self, name: str) -> str | None:
        """Return an address; None where it is absent or empty."""
        value = self.text(name)
        return None if not value else _check_url(value, f"/{name}")

    def urls(self, name: str) -> tuple[str, ...] | None:
        """Return a list of addresses; None where the field is absent."""
        value = self.given.get(name)
        if value is None:
            return None
        if not isinstance(value, list):
            raise RequestDeniedError("10026", pointer=f"/{name}", detail=f"{name} must be an array.")
        return tuple(_check_url(item, f"/{name}/{index}") for index, item in enumerate(value))


def _check_url(value: Any, pointer: str) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST_URL:
        raise RequestDeniedError("10003", pointer=pointer)
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise RequestDeniedError("10003", pointer=pointer)
    return value
