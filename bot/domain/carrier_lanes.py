"""
By what a webhook of the carrier is known, and in which lane it waits.

Apart from what webhooks mean (`bot.domain.carrier_events`), for which no answer to the carrier waits.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from bot.domain.ids import MessageId
from bot.domain.phone import Address, parse_address

_LONGEST_REFERENCE = 64


def clean(value: object) -> str:
    """
    Return *value* as text that can be stored: lone halves of surrogate pairs become U+FFFD.

    What is neither text nor number is empty: Python's own rendering of a list says nothing to anybody, and of a deep
    one exhausts the stack.
    """
    if isinstance(value, str) and value.isascii():  # as nearly all are
        return value
    if not isinstance(value, str | int | float):
        return ""
    return str(value).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def identify_event(event: object, raw: bytes) -> str:
    """
    Return the key by which a repeated event is recognised.

    That is `data.id`; a link click, which has none, is known by what it says, and anything else by its bytes.
    """
    data = as_mapping(as_mapping(event).get("data"))
    if isinstance(data.get("id"), str) and data["id"]:
        return clean(data["id"])
    if data.get("record_type") == "link_clicked":
        return "click:" + _digest(*(clean(data.get(name)) for name in ("message_id", "url", "to", "time_clicked")))
    return "bytes:" + hashlib.sha256(raw).hexdigest()


def choose_lane(event: object, region: str = "US") -> str | None:
    """Return the lane in which the event waits for its turn: one for each customer, and one for each text of ours."""
    data = as_mapping(as_mapping(event).get("data"))
    payload = as_mapping(data.get("payload"))
    if data.get("event_type") == "message.received":
        sender = read_sender(payload, region)
        return None if sender is None else inbound_lane(sender)
    carrier_id = payload.get("id")
    return f"receipt:{clean(carrier_id)}" if isinstance(carrier_id, str) else None


def read_reference(given: str) -> MessageId | None:
    """Return the text that the address of a webhook refers to; None where what is *given* cannot be one of our ids."""
    return MessageId(given) if given.isalnum() and len(given) <= _LONGEST_REFERENCE else None


def inbound_lane(sender: Address) -> str:
    """Return the lane of all that *sender* says. While it is busy, they may just have said stop."""
    return f"from:{sender}"


def read_sender(payload: Mapping[str, Any], region: str) -> Address | None:
    """Return who wrote the message *payload*; None where it does not say."""
    found = read_address(payload.get("from"), region)
    return found if found is not None else read_address(_find_whatsapp_sender(payload), region)


def _find_whatsapp_sender(payload: Mapping[str, Any]) -> str | None:
    """Return who wrote it: the number, or the id of somebody who hides theirs; either takes an answer."""
    body = as_mapping(payload.get("body"))
    for candidate in (_name(payload.get("from")), body.get("from"), body.get("from_user_id")):
        if isinstance(candidate, str) and candidate.strip():
            return candidate
    return None


def read_address(value: object, region: str = "US") -> Address | None:
    """Return the address that *value* is or holds, fit for the database; None where there is none."""
    name = _name(value)
    if not isinstance(name, str) or not name.strip():
        return None
    # The comma keeps the members of a group apart in the database; reading a full-width one makes it a plain one.
    address = parse_address(clean(name), region).replace(",", " ").strip()
    return Address(address) if address else None


def _name(value: object) -> object:
    return value if isinstance(value, str) else as_mapping(value).get("phone_number")


def as_mapping(value: object) -> Mapping[str, Any]:
    """Return *value* if it is one of JSON's objects, else an empty one. No other Mapping is asked for: that takes longer."""
    return value if isinstance(value, dict) else {}


def as_sequence(value: object) -> Sequence[Any]:
    """Return *value* if it is a list, else an empty one."""
    return value if isinstance(value, list | tuple) else ()


def _digest(*parts: str) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
