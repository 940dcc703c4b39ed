"""
The fields of the carrier's operations: what each may hold, and whether a value is that.

A field bears the carrier's own name (`filter[phone_number][contains]`), so that nothing has to be translated between
its documentation, our code and what goes over the wire. Kinds and limits are from Telnyx's OpenAPI description
(messaging), limits that it leaves out from its guides.
"""

from __future__ import annotations

import math
import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from urllib.parse import urlsplit

from bot.domain.phone import is_phone, is_short_code

#: Telnyx error 10003: an address has at most so many characters.
_LONGEST_URL = 2000
_SENDER_NAME = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11}")
#: Business-scoped user id: the SDK's words on `from_user_id` of an inbound message.
_WHATSAPP_ID = re.compile(r"[A-Z]{2}\.[0-9A-Za-z]{1,40}")
_MONEY = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_COUNTRY = re.compile(r"[A-Z]{2}|\*")
_KEY = re.compile(r"[A-Za-z0-9_-]{1,64}")
_QUOTED_AT_MOST = 40


class Kind(StrEnum):
    """What one value of a field is."""

    TEXT = "text"  #: Any words; `choices` where only some are taken.
    PHONE = "phone"  #: A number in E.164.
    RECIPIENT = "recipient"  #: A number in E.164, or a short code.
    WHATSAPP_PERSON = "whatsapp_person"  #: A number in E.164, or Meta's id of somebody who hides theirs.
    SENDER = "sender"  #: A number in E.164, a short code, or a sender's name.
    SENDER_NAME = "sender_name"  #: 1 to 11 letters, digits and blanks, one letter at least.
    UUID = "uuid"  #: The carrier's id of most things.
    KEY = "key"  #: An id of another form.
    KEY_OR_PHONE = "key_or_phone"  #: Likewise, or the number itself in E.164.
    URL = "url"  #: An address that begins with http.
    FLAG = "flag"  #: Yes or no.
    WHOLE = "whole"  #: A whole number.
    WEIGHT = "weight"  #: A number, not negative.
    MOMENT = "moment"  #: A date and a time, with its zone.
    MONEY = "money"  #: US dollars, as digits: `12.50`.
    COUNTRY = "country"  #: An ISO 3166-1 code of two letters; `*` alone is every country.
    OBJECT = "object"  #: Named parts, each a field of its own.
    FREE = "free"  #: JSON that the carrier alone judges.


class Place(StrEnum):
    """Where in the request a field goes."""

    PATH = "path"  #: In the address, in braces there.
    QUERY = "query"  #: After the question mark.
    BODY = "body"  #: In the JSON object that is sent.


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of an operation."""

    name: str  #: As the carrier calls it.
    says: str  #: What it is, for help; no full stop.
    kind: Kind = Kind.TEXT
    place: Place = Place.BODY
    required: bool = False
    nullable: bool = False  #: Whether it may be emptied with null.
    many: bool = False  #: A list of such values.
    least: float | None = None  #: Characters of a text, items of a list, or the number itself.
    most: float | None = None
    choices: tuple[str, ...] = ()
    parts: tuple[Field, ...] = ()  #: Of an OBJECT.
    private: bool = False  #: A secret, or what somebody writes: in no log and no audit.


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldProblem:
    """What is wrong with one field, in words for whoever filled it in."""

    name: str  #: The field, a part of an object after a dot.
    says: str  #: Goes on after the name: `must be …`.


def check_fields(
    fields: Sequence[Field], given: Mapping[str, object], *, inside: str = ""
) -> tuple[dict[str, object], list[FieldProblem]]:
    """
    Return the values of *given* as they go out, in the order of *fields*, and all that is wrong with them.

    A moment may be an aware datetime or its ISO 8601 form; it goes out in UTC. *inside*: the object they are parts of.
    """
    ready: dict[str, object] = {}
    known = {field.name for field in fields}
    problems = [
        FieldProblem(name=f"{inside}{name}", says="is not a field of this operation")
        for name in given
        if name not in known
    ]
    for field in fields:
        if field.name not in given:
            if field.required:
                problems.append(FieldProblem(name=f"{inside}{field.name}", says="is needed"))
            continue
        try:
            ready[field.name] = _check(field, given[field.name], f"{inside}{field.name}")
        except _WrongError as wrong:
            problems += wrong.problems
    return ready, problems


class _WrongError(Exception):
    def __init__(self, *problems: FieldProblem) -> None:
        super().__init__()
        self.problems = problems


def _check(field: Field, value: object, name: str) -> object:
    if value is None:
        if field.nullable:
            return None
        raise _WrongError(FieldProblem(name=name, says="cannot be null"))
    if not field.many:
        return _check_one(field, value, name)
    if not isinstance(value, list | tuple):
        raise _WrongError(FieldProblem(name=name, says="must be a list"))
    if not (field.least or 0) <= len(value) <= (field.most or math.inf):
        raise _WrongError(FieldProblem(name=name, says=f"must have {_tell_span(field)} items, not {len(value)}"))
    if field.kind is Kind.COUNTRY and "*" in value and len(value) > 1:
        raise _WrongError(FieldProblem(name=name, says="must be * alone, or countries without it"))
    return [_check_one(field, item, f"{name}[{index}]") for index, item in enumerate(value)]


def _check_one(field: Field, value: object, name: str) -> object:
    match field.kind:
        case Kind.OBJECT:
            return _check_object(field, value, name)
        case Kind.FREE:
            return value
        case Kind.FLAG:
            if not isinstance(value, bool):
                raise _WrongError(FieldProblem(name=name, says="must be true or false"))
            return value
        case Kind.WHOLE | Kind.WEIGHT:
            return _check_number(field, value, name)
        case Kind.MOMENT:
            return _check_moment(value, name)
        case _:
            return _check_text(field, value, name)


def _check_object(field: Field, value: object, name: str) -> object:
    if not isinstance(value, Mapping):
        raise _WrongError(FieldProblem(name=name, says="must be an object with named parts"))
    ready, problems = check_fields(field.parts, value, inside=f"{name}.")
    if problems:
        raise _WrongError(*problems)
    return ready


def _check_text(field: Field, value: object, name: str) -> str:
    if not isinstance(value, str):
        raise _WrongError(FieldProblem(name=name, says="must be a text"))
    if field.kind is Kind.TEXT:
        says = _find_text_fault(field, value)
    else:
        is_right, form = _FORMS[field.kind]
        says = None if is_right(value) else f"must be {form}, not {_quote(value)}"
    if says:
        raise _WrongError(FieldProblem(name=name, says=says))
    return value


def _check_number(field: Field, value: object, name: str) -> object:
    allowed = int if field.kind is Kind.WHOLE else (int, float)
    if (
        isinstance(value, bool)
        or not isinstance(value, allowed)
        or (isinstance(value, float) and not math.isfinite(value))
    ):
        says = "must be a whole number" if field.kind is Kind.WHOLE else "must be a number"
        raise _WrongError(FieldProblem(name=name, says=says))
    least = field.least if field.least is not None else 0
    if not least <= value <= (field.most if field.most is not None else math.inf):
        raise _WrongError(FieldProblem(name=name, says=f"must be {_tell_span(field)}, not {value}"))
    return value


def _check_moment(value: object, name: str) -> str:
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        moment = None
    if moment is None:
        raise _WrongError(FieldProblem(name=name, says="must be a date and time such as 2026-12-01T09:00:00Z"))
    if moment.tzinfo is None:
        raise _WrongError(FieldProblem(name=name, says="must say its zone: a Z, or an offset such as -06:00"))
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _find_text_fault(field: Field, value: str) -> str | None:
    if field.choices and value not in field.choices:
        return f"must be one of {', '.join(field.choices)}, not {_quote(value)}"
    # of a list, the limits count the items
    least = 1 if field.many or field.least is None else int(field.least)
    most = math.inf if field.many or field.most is None else field.most
    if not value.strip() and least > 0:
        return "must not be empty"
    if not least <= len(value) <= most:
        return f"must have {_tell_span(field)} characters, not {len(value)}"
    return None


def _is_uuid(value: str) -> bool:
    try:
        return str(uuid.UUID(value)) == value.lower()
    except ValueError:
        return False


def _is_url(value: str) -> bool:
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    has_place = parts.scheme in ("http", "https") and bool(parts.hostname)
    return has_place and len(value) <= _LONGEST_URL and not re.search(r"\s", value)


def _tell_span(field: Field) -> str:
    least, most = (None if edge is None else f"{edge:g}" for edge in (field.least, field.most))
    if least is not None and most is not None:
        return f"{least} to {most}"
    return f"at most {most}" if most is not None else f"at least {least or 0}"


def _quote(value: str) -> str:
    return f"“{value if len(value) <= _QUOTED_AT_MOST else value[:_QUOTED_AT_MOST] + '…'}”"


def _matches(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda value: pattern.fullmatch(value) is not None


def _is_recipient(value: str) -> bool:
    return is_phone(value) or is_short_code(value)


#: Kinds of text with a form of their own: whether a value has it, and how it is told.
_FORMS: Mapping[Kind, tuple[Callable[[str], bool], str]] = {
    Kind.PHONE: (is_phone, "a number in E.164, such as +14155550101"),
    Kind.RECIPIENT: (_is_recipient, "a number in E.164, such as +14155550101, or a short code"),
    Kind.WHATSAPP_PERSON: (
        lambda value: is_phone(value) or _WHATSAPP_ID.fullmatch(value) is not None,
        "a number in E.164, such as +14155550101, or an id such as US.13491208655302741918",
    ),
    Kind.SENDER: (
        lambda value: _is_recipient(value) or _SENDER_NAME.fullmatch(value) is not None,
        "a number in E.164, a short code, or a name of at most 11 letters, digits and blanks",
    ),
    Kind.SENDER_NAME: (_matches(_SENDER_NAME), "at most 11 letters, digits and blanks, one of them a letter"),
    Kind.UUID: (_is_uuid, "an id such as 3fa85f64-5717-4562-b3fc-2c963f66afa6"),
    Kind.KEY: (_matches(_KEY), "an id as its list shows it"),
    Kind.KEY_OR_PHONE: (
        lambda value: is_phone(value) or _KEY.fullmatch(value) is not None,
        "an id as its list shows it, or a number in E.164",
    ),
    Kind.URL: (_is_url, f"an address that begins with https:// and has at most {_LONGEST_URL} characters"),
    Kind.MONEY: (_matches(_MONEY), "an amount in dollars, such as 12.50"),
    Kind.COUNTRY: (_matches(_COUNTRY), "a country's code of two capitals, such as US, or *"),
}
