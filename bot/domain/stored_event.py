"""
A webhook of the carrier as it lies in the inbox: the bytes that came, and what came beside them, if anything did.

Nearly all come with nothing beside them and are kept just as they are: to put each into another JSON object, and take it
out again, would be read and written for nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from bot.domain.carrier_lanes import as_mapping
from bot.json_text import read_json, write_json

#: By this a wrapped event is known; one that has it itself is always wrapped.
_EVENT = "body"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEvent:
    """An event, read, and what came beside it."""

    event: object
    reference: str | None = None  #: Of the text that it is about, from the address to which it was sent.
    recovered: bool = False  #: It never came: it was asked for.


def write_stored(text: str, event: object, *, reference: str | None = None, recovered: bool = False) -> str:
    """Return what is kept of the *event* that came as *text*."""
    if reference is None and not recovered and _EVENT not in as_mapping(event):
        return text
    return write_json({_EVENT: text, "reference": reference, "recovered": recovered}).decode()


def read_stored(kept: str) -> StoredEvent:
    """Return what `write_stored` kept. Raises ValueError or RecursionError for what cannot be read."""
    found = read_json(kept)
    if isinstance(found, dict) and isinstance(found.get(_EVENT), str):
        return StoredEvent(
            event=read_json(found[_EVENT]),
            reference=found.get("reference") or None,
            recovered=bool(found.get("recovered")),
        )
    return StoredEvent(event=found)
