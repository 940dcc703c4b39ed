"""Each operation of the table in the words of the official SDK: which method, and which arguments."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Mapping
from typing import Any, get_type_hints

import telnyx

from bot.domain.carrier_api.fields import Field, Kind, Place
from bot.domain.carrier_api.operation import Answer, Operation

#: Operation -> the SDK's method.
METHODS = {
    "messages send": "messages.send",
    "messages send-long-code": "messages.send_long_code",
    "messages send-short-code": "messages.send_short_code",
    "messages send-pool": "messages.send_number_pool",
    "messages send-name": "messages.send_with_alphanumeric_sender",
    "messages send-group": "messages.send_group_mms",
    "messages schedule": "messages.schedule",
    "messages send-whatsapp": "messages.whatsapp",
    "messages get": "messages.retrieve",
    "messages group": "messages.retrieve_group_messages",
    "messages cancel": "messages.cancel_scheduled",
    "profiles list": "messaging_profiles.list",
    "profiles create": "messaging_profiles.create",
    "profiles get": "messaging_profiles.retrieve",
    "profiles update": "messaging_profiles.update",
    "profiles delete": "messaging_profiles.delete",
    "profiles numbers": "messaging_profiles.list_phone_numbers",
    "profiles short-codes": "messaging_profiles.list_short_codes",
    "profiles senders": "messaging_profiles.list_alphanumeric_sender_ids",
    "profiles metrics": "messaging_profile_metrics.list",
    "profiles detailed-metrics": "messaging_profiles.retrieve_metrics",
    "profiles regenerate-secret": "messaging_profiles.actions.regenerate_secret",
    "autoresponses list": "messaging_profiles.autoresp_configs.list",
    "autoresponses create": "messaging_profiles.autoresp_configs.create",
    "autoresponses get": "messaging_profiles.autoresp_configs.retrieve",
    "autoresponses update": "messaging_profiles.autoresp_configs.update",
    "autoresponses delete": "messaging_profiles.autoresp_configs.delete",
    "numbers list": "phone_numbers.messaging.list",
    "numbers get": "phone_numbers.messaging.retrieve",
    "numbers update": "phone_numbers.messaging.update",
    "numbers unassign": "phone_numbers.messaging.update",
    "hosted list": "messaging_hosted_numbers.list",
    "hosted get": "messaging_hosted_numbers.retrieve",
    "hosted update": "messaging_hosted_numbers.update",
    "hosted unassign": "messaging_hosted_numbers.update",
    "short-codes list": "short_codes.list",
    "short-codes get": "short_codes.retrieve",
    "short-codes update": "short_codes.update",
    "short-codes unbind": "short_codes.update",
    "senders list": "alphanumeric_sender_ids.list",
    "senders create": "alphanumeric_sender_ids.create",
    "senders get": "alphanumeric_sender_ids.retrieve",
    "senders delete": "alphanumeric_sender_ids.delete",
    "optouts list": "messaging_optouts.list",
}
_SAMPLES: dict[Kind, Any] = {
    Kind.TEXT: "some words, long enough for all",
    Kind.PHONE: "+13125550100",
    Kind.RECIPIENT: "+14155550101",
    Kind.WHATSAPP_PERSON: "US.13491208655302741918",
    Kind.SENDER: "+13125550100",
    Kind.SENDER_NAME: "Acme",
    Kind.UUID: "3fa85f64-5717-4562-b3fc-2c963f66afa6",
    Kind.KEY: "1293384261075731499",
    Kind.KEY_OR_PHONE: "+13125550177",
    Kind.URL: "http://127.0.0.1:9/hook",  # where nobody listens
    Kind.FLAG: True,
    Kind.WHOLE: 2,
    Kind.WEIGHT: 1,
    Kind.MOMENT: "2026-12-01T09:00:00Z",
    Kind.MONEY: "12.50",
    Kind.COUNTRY: "US",
}


def find_method(client: telnyx.AsyncTelnyx, operation: Operation) -> Callable[..., Any]:
    found: Any = client
    for name in METHODS[operation.name].split("."):
        found = getattr(found, name)
    assert callable(found)
    return found  # type: ignore[no-any-return]


def find_types(method: Callable[..., Any]) -> Mapping[str, Any]:
    """Return the fields of the TypedDict into which the SDK puts a request of *method*; empty where there is none."""
    source = inspect.getsource(method)
    named = re.search(r"(\w+_params)\.(\w+Params)\b", source)
    if named is None:
        return {}
    module = getattr(sys.modules[method.__module__], named[1])
    return get_type_hints(getattr(module, named[2]), include_extras=True)


def find_params(method: Callable[..., Any]) -> Any:
    """Return that TypedDict."""
    named = re.search(r"(\w+_params)\.(\w+Params)\b", inspect.getsource(method))
    return None if named is None else getattr(getattr(sys.modules[method.__module__], named[1]), named[2])


def name_argument(method: Callable[..., Any], wire: str) -> tuple[str, str | None]:
    """Return the argument of *method* for the field *wire*, and its key where the argument is an object."""
    known = inspect.signature(method).parameters
    flat = re.sub(r"[\[\]]+", "_", wire).strip("_")
    for name in (flat, f"{flat}_"):
        if name in known:
            return name, None
    outer, _, inner = wire.removesuffix("]").partition("[")
    return outer, inner


def build_arguments(method: Callable[..., Any], operation: Operation, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return *given* as arguments of *method*."""
    positional = [name for name in inspect.signature(method).parameters if name.endswith("id")][:1]
    arguments: dict[str, Any] = {}
    for wire, value in (dict(given) | dict(operation.fixed)).items():
        field = operation.find_field(wire)
        if field is not None and field.place is Place.PATH and wire == "id":
            arguments[positional[0]] = value
            continue
        name, key = name_argument(method, wire)
        if key is None:
            arguments[name] = value
        else:
            arguments.setdefault(name, {})[key] = value
    if operation.answer is Answer.PAGES:
        arguments |= {"page_number": 1, "page_size": 250}
    return arguments


def fill(operation: Operation) -> dict[str, Any]:
    """Return all fields of *operation*, filled in."""
    filled = {field.name: _fill(field) for field in operation.fields}
    if "whatsapp_message" in filled:
        filled["whatsapp_message"] = {"type": "image", "image": filled["whatsapp_message"]["image"]}
    return filled


def _fill(field: Field) -> Any:
    if field.kind is Kind.OBJECT:
        one: Any = {part.name: _fill(part) for part in field.parts}
    elif field.kind is Kind.FREE:
        one = {}
    else:
        one = field.choices[-1] if field.choices else _SAMPLES[field.kind]
    return [one] if field.many else one
