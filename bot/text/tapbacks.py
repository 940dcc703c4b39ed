"""
Recognise the texts with which phones tell of a reaction, such as `Loved “See you at 5”`.

Which message was meant stands in them only as a quotation, so whoever asks has to find exactly one message that
`matches_quotation`; a reaction to a picture quotes nothing and is no tapback here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Final

from bot.text.emoji import find_short_name
from bot.text.segments import replace_lookalikes
from bot.text.tapback_phrases import PHRASES, Phrase

_OPENING_MARKS: Final = "“\"„‟«‹「『‘'"
_CLOSING_MARKS: Final = "”\"“‟»›」』’'"
#: The longest emoji, a flag spelt with tags or a family, has fewer code points.
_EMOJI: Final = r"(?P<emoji>\S{1,20})"
_QUOTATION: Final = rf"[{_OPENING_MARKS}](?P<quotation>.+)"
_ELLIPSES: Final = ("…", "...")
#: Without one of these, a text quotes nothing.
_QUOTES: Final = frozenset(_OPENING_MARKS)
_ANY: Final = ""

# What differs between phones and their versions, letter for letter, so that places in the text stay the same.
_ALIKE: Final = MappingProxyType({ord("’"): "'", ord("\u00a0"): " ", ord("\u202f"): " "})

# Google Messages sets the emoji between two zero-width spaces, or two zero-width non-joiners for one taken back, and
# the quotation between hair spaces, whatever words of whatever language stand around them.
_GOOGLE: Final = re.compile(
    "\u200a?[^\u200a-\u200c]{0,60}(?P<sign>[\u200b\u200c])(?P<emoji>[^\u200a-\u200c]{1,20})(?P=sign)"
    "[^\u200a-\u200c]{0,60}\u200a(?P<quotation>.+?)\u200a[^\u200a-\u200c]{0,60}\u200a?",
    re.DOTALL,
)
_GOOGLE_SIGNS: Final = frozenset("\u200b\u200c")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tapback:
    """
    A reaction that came as text.

    *reaction* is Slack's short name for it, as `reactions.add` takes it; *quotation* what it quotes, without quotation
    marks; *truncated* says that the quotation may be only the beginning; *removed* that it was taken back.
    """

    reaction: str
    quotation: str
    truncated: bool
    removed: bool


def parse_tapback(text: str) -> Tapback | None:
    """Return the reaction that *text* tells of, or None when it is not such a text through and through."""
    google = None if _GOOGLE_SIGNS.isdisjoint(text) else _GOOGLE.fullmatch(text.strip(" \t\r\n"))
    if google is not None:
        return _build(find_short_name(google["emoji"].strip()), google["quotation"], removed=google["sign"] == "\u200c")
    body = text.strip()
    alike = body.translate(_ALIKE)
    if _QUOTES.isdisjoint(alike):
        return None
    phrases = _group_phrases()
    for phrase in phrases.get(alike[:1], phrases[_ANY]):
        found = _compile_pattern(phrase.words).fullmatch(alike)
        if found is None:
            continue
        start, end = found.span("quotation")
        reaction = phrase.reaction or find_short_name(found["emoji"])
        tapback = _build(reaction, _take_off_closing_mark(body[start:end]), removed=phrase.removed)
        if tapback is not None:
            return tapback
    return None


def matches_quotation(quotation: str, candidate: str) -> bool:
    """
    Say whether *candidate* is what a phone would quote so.

    Quotation marks, dashes, dots and blanks may differ, since phones and carriers replace them. A quotation that ends
    in an ellipsis may also be the beginning only.
    """
    quoted, whole = _fold(quotation), _fold(candidate)
    if not quoted or not whole:
        return False
    if quoted == whole:
        return True
    beginning = quoted.removesuffix("...").rstrip()
    return beginning != quoted and bool(beginning) and whole.startswith(beginning)


def _build(reaction: str | None, quotation: str | None, *, removed: bool) -> Tapback | None:
    stripped = (quotation or "").strip()
    if reaction is None or not stripped.strip(".…"):
        return None
    return Tapback(reaction=reaction, quotation=stripped, truncated=stripped.endswith(_ELLIPSES), removed=removed)


def _take_off_closing_mark(quotation: str) -> str | None:
    """Return the quotation alone; None where it does not end, unless an ellipsis says that it was cut off."""
    stripped = quotation.rstrip()
    if stripped.endswith(tuple(_CLOSING_MARKS)):
        return stripped[:-1]
    return stripped if stripped.endswith(_ELLIPSES) else None


@cache
def _group_phrases() -> Mapping[str, tuple[Phrase, ...]]:
    """Return, by the character that a text begins with, the phrases that it may be; those that fit any under _ANY."""
    beginnings = {phrase: _find_beginnings(phrase.words) for phrase in PHRASES}
    return {
        character: tuple(phrase for phrase, found in beginnings.items() if _ANY in found or character in found)
        for character in set().union(*beginnings.values())
    }


def _find_beginnings(words: str) -> set[str]:
    return {_ANY} if words[0] == "{" else {*words[0].upper(), *words[0].lower()}


@cache
def _compile_pattern(words: str) -> re.Pattern[str]:
    """Return a pattern without two repetitions side by side, so that it takes time in proportion to the text."""
    pattern = re.escape(words.replace("{q}", "\0").replace("{e}", "\1")).replace("\0", _QUOTATION).replace("\1", _EMOJI)
    first = words[0]
    if first.isalpha():
        pattern = f"[{first.upper()}{first.lower()}]" + pattern.removeprefix(first)
    return re.compile(pattern, re.DOTALL)


def _fold(text: str) -> str:
    """Make equal what a phone or a carrier may have made of the same words."""
    folded = unicodedata.normalize("NFKC", replace_lookalikes(text))
    seen = "".join(letter for letter in folded if unicodedata.category(letter) != "Cf" and letter != "\ufe0f")
    return " ".join(seen.replace('"', "'").split())
