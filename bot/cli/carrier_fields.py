"""The fields of the carrier's operations as arguments of the shell, both ways."""

from __future__ import annotations

import argparse
import json
import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from bot.cli.numbers import read_address
from bot.domain.carrier_api.fields import Field, Kind, Place
from bot.domain.carrier_api.operation import Operation
from bot.domain.phone import NotANumber

_YES, _NO = ("yes", "true", "on", "1"), ("no", "false", "off", "0")
#: How a value is told in the usage, by its kind.
_METAVARS = {
    Kind.PHONE: "NUMBER",
    Kind.RECIPIENT: "NUMBER",
    Kind.WHATSAPP_PERSON: "NUMBER",
    Kind.SENDER: "SENDER",
    Kind.SENDER_NAME: "NAME",
    Kind.UUID: "ID",
    Kind.KEY: "ID",
    Kind.KEY_OR_PHONE: "ID",
    Kind.URL: "URL",
    Kind.FLAG: "yes|no",
    Kind.WHOLE: "N",
    Kind.WEIGHT: "N",
    Kind.MOMENT: "MOMENT",
    Kind.MONEY: "DOLLARS",
    Kind.COUNTRY: "COUNTRY",
    Kind.OBJECT: "JSON|@FILE",
    Kind.FREE: "JSON|@FILE",
}
#: Kinds of which several are given with commas; in the others a comma may be part of a value.
_SPLIT_AT_COMMAS = frozenset(
    {Kind.TEXT, Kind.PHONE, Kind.RECIPIENT, Kind.SENDER, Kind.SENDER_NAME, Kind.UUID, Kind.KEY, Kind.COUNTRY}
)


class WrongUseError(Exception):
    """What was typed cannot be meant; its text says what to type."""


def name_option(field: Field) -> str:
    """Return the option of *field*: `filter[phone_number][contains]` is `--phone-number-contains`."""
    bare = re.sub(r"^filter\[([^\]]+)\]", r"\1", field.name)
    return f"--{re.sub(r'[^a-z0-9]+', '-', bare.lower()).strip('-')}"


def add_fields(parser: argparse.ArgumentParser, operation: Operation) -> None:
    """Give *parser* an argument for each field: those of the address by their place, the others by name."""
    for field in operation.list_fields(Place.PATH):
        parser.add_argument(field.name, metavar=field.name.upper(), help=_escape(field.says))
    needed = parser.add_argument_group("needed")
    optional = parser.add_argument_group("optional" if operation.changes else "filters")
    for field in (*operation.list_fields(Place.QUERY), *operation.list_fields(Place.BODY)):
        (needed if field.required else optional).add_argument(
            name_option(field),
            dest=field.name,
            action="append" if field.many else "store",
            metavar="|".join(field.choices) if field.choices else _METAVARS.get(field.kind, "TEXT"),
            help=_escape(_describe(field)),
        )


def _describe(field: Field) -> str:
    words = [field.says]
    if field.many:
        words.append("several with commas" if field.kind in _SPLIT_AT_COMMAS else "may be given several times")
    if field.kind is Kind.OBJECT:
        words.append(f"parts: {', '.join(part.name for part in field.parts)}")
    if field.nullable and "null" not in field.says:
        words.append("null empties it")
    return "; ".join(words)


def _escape(text: str) -> str:
    return text.replace("%", "%%")


def read_fields(operation: Operation, typed: Mapping[str, object], region: str) -> dict[str, object]:
    """Return the fields that were typed, as the operation takes them. Raises WrongUseError."""
    given: dict[str, object] = {}
    for field in operation.fields:
        value = typed.get(field.name)
        if value is None:
            continue
        try:
            given[field.name] = _read(field, value, region)
        except NotANumber as error:
            raise WrongUseError(f"{_name(field)}: {error}") from error
    return given


def _read(field: Field, value: object, region: str) -> object:
    if not field.many:
        return _read_one(field, str(value), region)
    pieces = [str(each) for each in (value if isinstance(value, list) else [value])]
    if field.kind in _SPLIT_AT_COMMAS:
        pieces = [piece.strip() for each in pieces for piece in each.split(",") if piece.strip()]
    return [_read_one(field, piece, region) for piece in pieces]


def _read_one(field: Field, typed: str, region: str) -> object:
    if field.nullable and typed.lower() == "null":
        return None
    match field.kind:
        case Kind.PHONE | Kind.RECIPIENT:
            return read_address(typed, region)
        case Kind.SENDER | Kind.WHATSAPP_PERSON:
            return typed if any(character.isalpha() for character in typed) else read_address(typed, region)
        case Kind.FLAG:
            return _read_flag(field, typed)
        case Kind.WHOLE | Kind.WEIGHT:
            return _read_number(field, typed)
        case Kind.OBJECT | Kind.FREE:
            return _read_json(field, typed)
        case _:
            return typed


def _read_flag(field: Field, typed: str) -> bool:
    if typed.lower() in _YES:
        return True
    if typed.lower() in _NO:
        return False
    raise WrongUseError(f"{_name(field)} takes yes or no, not {typed!r}.")


def _read_number(field: Field, typed: str) -> int | float:
    try:
        return int(typed)
    except ValueError:
        pass
    try:
        return float(typed)
    except ValueError:
        raise WrongUseError(f"{_name(field)} takes a number, not {typed!r}.") from None


def _read_json(field: Field, typed: str) -> object:
    try:
        text = Path(typed[1:]).read_text(encoding="utf-8") if typed.startswith("@") else typed
        return json.loads(text)
    except OSError as error:
        raise WrongUseError(f"{_name(field)}: {typed[1:]} cannot be read: {error.strerror}.") from None
    except (ValueError, RecursionError):
        parts = ", ".join(f'"{part.name}": …' for part in field.parts[:3])
        raise WrongUseError(f"{_name(field)} takes JSON, such as {{{parts}}}, or @FILE with it.") from None


def tell_problems(operation: Operation, problems: Sequence[tuple[str, str]]) -> str:
    """Return what is wrong with the fields, a line each, by the names that the shell has for them."""
    lines = []
    for name, says in problems:
        whole = re.match(r"[^.[]*(?:\[[a-z_]+\])*", name)
        field = operation.find_field(whole[0]) if whole else None
        shown = _name(field) + name[len(field.name) :] if field else name
        lines.append(f"{shown} {says}.")
    return "\n".join([*lines, f"python -m bot carrier {operation.name} --help says more."])


def _name(field: Field) -> str:
    return field.name.upper() if field.place is Place.PATH else name_option(field)


def name_place(operation: Operation, pointer: str) -> str:
    """Return the name here of what the carrier points at: `/to` and `/number_pool_settings/domain`, or a parameter."""
    name, _, inside = pointer.removeprefix("/").partition("/")
    field = operation.find_field(name)
    return (_name(field) if field else name) + (f".{inside.replace('/', '.')}" if inside else "")


def write_example(operation: Operation) -> str:
    """Return the operation's example as it is typed."""
    words = ["python", "-m", "bot", "carrier", operation.resource.value, operation.verb]
    for field in operation.fields:
        if field.name not in operation.example:
            continue
        value = operation.example[field.name]
        if field.place is not Place.PATH:
            words.append(name_option(field))
        words.append(_write(value))
    return shlex.join(words).replace("'", '"') if "{" not in str(words) else shlex.join(words)


def _write(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ",".join(str(each) for each in value)
    return json.dumps(value) if isinstance(value, Mapping) else str(value)
