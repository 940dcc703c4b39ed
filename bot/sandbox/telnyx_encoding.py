"""
How the carrier counts an SMS: the encoding it picks and the parts into which it divides the text.

Written from Telnyx's "Message Encoding" and "Smart Encoding" pages and from nothing of the product, which must not be
able to hide its own mistakes behind the same table.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

#: Telnyx's own GSM 7-bit alphabet: narrower than GSM 03.38 (no Greek capitals, no c-cedilla, no grave accent).
_SINGLE = frozenset(
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    "\n\r !\"#$%&'()*+,-./:;<=>?@_£¥èéùìòØøÅå¿ßÉ¡ÄÖÑÜäöñüà"
)
#: Sent behind an escape code, so that each takes two of a part's characters.
_ESCAPED = frozenset("~^|\\{}[]€")

#: What smart encoding writes for typographic characters that would otherwise force UCS-2.
_PLAIN = str.maketrans(
    {
        "\u2018": "'",
        "\u2019": "'",
        "\u201a": "'",
        "\u201c": '"',
        "\u201d": '"',
        "\u201e": '"',
        "\u2013": "-",
        "\u2014": "-",
        "\u2026": "...",
        "\u00a0": " ",
        "\t": " " * 7,
        "\u200b": "",
        "\ufeff": "",
    }
)


class Encoding(StrEnum):
    """How a text travels, by the names that the carrier's payloads use."""

    GSM7 = "GSM-7"  #: 7 bits a character: 160 alone, 153 in each of several parts.
    UCS2 = "UCS-2"  #: 16 bits a code unit: 70 alone, 67 in each of several parts.


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """What the carrier makes of one text."""

    encoding: Encoding
    parts: int
    units: int  #: Septets or UTF-16 code units, escapes counted.


def is_gsm7(text: str) -> bool:
    """Tell whether *text* fits the carrier's 7-bit alphabet."""
    return all(character in _SINGLE or character in _ESCAPED for character in text)


def simplify_text(text: str) -> str:
    """Return *text* as smart encoding would send it."""
    return text.translate(_PLAIN)


def measure_text(text: str, *, force: Encoding | None = None) -> Measure:
    """Count *text*, an empty one as one part; *force* overrides the choice, and the caller knows that it can be."""
    encoding = force or (Encoding.GSM7 if is_gsm7(text) else Encoding.UCS2)
    if encoding is Encoding.GSM7:
        widths = [2 if character in _ESCAPED else 1 for character in text]
        alone, each = 160, 153
    else:
        widths = [len(character.encode("utf-16-le", "surrogatepass")) // 2 for character in text]
        alone, each = 70, 67
    units = sum(widths)
    if units <= alone:
        return Measure(encoding=encoding, parts=1, units=units)
    parts, used = 1, 0
    for width in widths:  # neither an escape nor a surrogate pair is torn across two parts
        if used + width > each:
            parts, used = parts + 1, 0
        used += width
    return Measure(encoding=encoding, parts=parts, units=units)
