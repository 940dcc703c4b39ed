"""
JSON, read and written: by orjson, and by Python's own where that refuses.

Each text is read three or four times on its way and written twice, and this takes a third of the time. What orjson refuses
and Python's takes (half of a surrogate pair, NaN, a number beyond all bounds) comes from platforms now and then, and must
not be lost for it. The two agree on all else, but for a whole number of more than 64 bits, which is read as the nearest
float: no platform sends one.
"""

from __future__ import annotations

import json
from typing import Any

import orjson


def read_json(text: str | bytes) -> Any:
    """Return what *text* says. Raises json.JSONDecodeError for no JSON, RecursionError or ValueError for what cannot be read."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return json.loads(text)


def write_json(value: object) -> bytes:
    """Return *value* as JSON in UTF-8, without spaces. Raises TypeError for what JSON does not know."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return json.dumps(value, separators=(",", ":")).encode()
