"""
Count the parts in which carriers carry a text, and say what makes it dear.

GSM 7-bit (3GPP TS 23.038) has 160 units in one part and 153 in each of several; any character outside it puts the whole
text into UCS-2, with 70 and 67. A character that takes two units, of GSM's extension or of UCS-2 beyond its first
plane, is never split over two parts, so a part may end a unit early. Telnyx sends at most ten parts (its error 40302),
and may replace characters itself (`smart_encoding`): the number it bills is `parts` in its answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final, assert_never

#: The most parts that Telnyx sends as one text.
MAX_PARTS: Final = 10

_GSM_BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_EXTENSION: Final = frozenset("\f^{}\\[~]|€")
_SINGLE_GSM: Final = 160
_LAST_OF_FIRST_PLANE: Final = "\uffff"

_LOOKALIKES: Final = MappingProxyType(
    {
        ord(letter): replacement
        for letters, replacement in (
            ("‘’‚‛′‵ʹʻʼˈ`´＇", "'"),
            ("“”„‟″‶«»〝〞＂", '"'),
            ("‹", "<"),
            ("›", ">"),
            ("‐‑‒–—―−⁃﹘﹣－", "-"),
            ("…", "..."),
            ("‥", ".."),
            ("․", "."),
            ("•‣◦∙●▪", "-"),
            ("⁄∕", "/"),
            ("∗＊", "*"),
            ("∼˜", "~"),
            ("ˆ", "^"),
            ("‖", "||"),
            ("￼", " "),
            ("\t\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000", " "),
            ("\u0085\u2028\u2029\v", "\n"),
            # Seen by nobody. The zero-width joiner stays: it holds emoji together.
            ("\u00ad\u200b\u2060\ufeff", ""),
        )
        for letter in letters
    }
)


class Encoding(StrEnum):
    """How a text travels."""

    GSM7 = "GSM-7"  #: Seven bits a unit: Latin letters, a few others, no emoji.
    UCS2 = "UCS-2"  #: Sixteen bits a unit: everything.


@dataclass(frozen=True, slots=True, kw_only=True)
class Culprit:
    """A character that GSM 7-bit does not have. *position* counts the characters of the text from 0."""

    position: int
    character: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Segments:
    """
    What a text weighs.

    *units* are those of its encoding, an extended character counting two; *parts* is 0 for no text; *remaining* units
    fit before another part begins; *culprits* are what forced UCS-2 upon it, in order.
    """

    encoding: Encoding
    units: int
    parts: int
    remaining: int
    culprits: tuple[Culprit, ...] = ()

    @property
    def is_too_long(self) -> bool:
        """Whether it takes more parts than the carrier sends."""
        return self.parts > MAX_PARTS


def count_segments(text: str) -> Segments:
    """Count *text* as it stands: what a carrier replaces on its own is not foreseen."""
    if len(text) <= _SINGLE_GSM and _GSM_BASIC.issuperset(text):  # as most are: nothing is to be weighed
        units = len(text)
        return Segments(encoding=Encoding.GSM7, units=units, parts=min(units, 1), remaining=_SINGLE_GSM - units)
    culprits = tuple(
        Culprit(position=place, character=letter)
        for place, letter in enumerate(text)
        if letter not in _GSM_BASIC and letter not in _GSM_EXTENSION
    )
    encoding = Encoding.UCS2 if culprits else Encoding.GSM7
    if encoding is Encoding.GSM7:
        single, several, weigh = _SINGLE_GSM, 153, _weigh_gsm
    elif encoding is Encoding.UCS2:
        single, several, weigh = 70, 67, _weigh_ucs
    else:
        assert_never(encoding)
    units = sum(map(weigh, text))
    if units <= single:
        parts, remaining = min(len(text), 1), single - units
    else:
        parts, remaining = _fill_parts(text, several, weigh)
    return Segments(encoding=encoding, units=units, parts=parts, remaining=remaining, culprits=culprits)


def replace_lookalikes(text: str) -> str:
    """
    Write punctuation and blanks as GSM 7-bit has them: curly quotes, dashes, dots, bullets, unusual spaces.

    Letters stay as they are, accents included, for without them words are wrong; so a text may still need UCS-2, and
    then its own punctuation costs nothing more: compare the parts of both.
    """
    return text.translate(_LOOKALIKES)


def _weigh_gsm(letter: str) -> int:
    return 2 if letter in _GSM_EXTENSION else 1


def _weigh_ucs(letter: str) -> int:
    return 2 if letter > _LAST_OF_FIRST_PLANE else 1


def _fill_parts(text: str, size: int, weigh: Callable[[str], int]) -> tuple[int, int]:
    """Return how many parts of *size* units the text takes, and the units left in the last."""
    parts, room = 1, size
    for letter in text:
        weight = weigh(letter)
        if weight > room:
            parts, room = parts + 1, size
        room -= weight
    return parts, room
