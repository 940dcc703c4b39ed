"""Slack's short names for emoji, both ways: `tada` and 🎉, `wave::skin-tone-3` and 👋🏼."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Final

from bot.text.emoji_table import EMOJI_WORDS

#: Slack's skin tones 2 to 6 are Unicode's modifiers, in order. Its tone 1 means none.
_TONES: Final = MappingProxyType({str(number): chr(0x1F3FB + number - 2) for number in range(2, 7)})
_SKIN_TONE: Final = re.compile(r"::?skin-tone-([1-6])(?:-([1-6]))?:?")
_VARIATION_SELECTOR: Final = "\ufe0f"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """One emoji of the table, with what is needed to give it skin tones."""

    names: tuple[str, ...]
    character: str
    toned: bool  # one tone may follow the first code point
    pair: str | None  # with "x" where each of two people has a tone

    def add_tones(self, tones: tuple[str, ...]) -> str | None:
        """Return the emoji in these tones, one or two, or None where it has no such form."""
        if self.toned and len(set(tones)) == 1:
            rest = self.character[1:].removeprefix(_VARIATION_SELECTOR)
            return self.character[0] + tones[0] + rest
        if self.pair is not None:
            return self.pair.replace("x", tones[0], 1).replace("x", tones[-1], 1)
        return None


def _read_code_points(hexadecimals: str) -> str:
    """Return the characters of `1f44b-1f3fd`; an `x` stays."""
    return "".join(part if part == "x" else chr(int(part, 16)) for part in hexadecimals.split("-"))


def _read_entry(word: str) -> _Entry:
    names, _, form = word.partition("=")
    form, _, pair = form.partition("/")
    return _Entry(
        names=tuple(names.split(",")),
        character=_read_code_points(form.removesuffix("+")),
        toned=form.endswith("+"),
        pair=_read_code_points(pair) if pair else None,
    )


@cache
def _load_entries() -> tuple[_Entry, ...]:
    return tuple(_read_entry(word) for word in EMOJI_WORDS.split())


@cache
def _load_by_name() -> dict[str, _Entry]:
    return {name: entry for entry in _load_entries() for name in entry.names}


@cache
def _load_by_character() -> dict[str, str]:
    """Return the short name of each form of each emoji, written without variation selectors: phones differ in them."""
    found: dict[str, str] = {}
    for entry in _load_entries():
        found.setdefault(entry.character.replace(_VARIATION_SELECTOR, ""), entry.names[0])
        for first in _TONES:
            for second in _TONES:
                toned = entry.add_tones((_TONES[first], _TONES[second]))
                if toned is not None:
                    tone = first if first == second else f"{first}-{second}"
                    name = f"{entry.names[0]}::skin-tone-{tone}"
                    found.setdefault(toned.replace(_VARIATION_SELECTOR, ""), name)
    return found


def list_short_names() -> frozenset[str]:
    """Return all names, other names for the same emoji included, without skin tones."""
    return frozenset(_load_by_name())


def find_character(name: str) -> str | None:
    """
    Return the emoji of a short name, or None when Slack has none by that name: it is a workspace's own, or no emoji.

    *name* comes without the outer colons and may carry a tone: `wave::skin-tone-3`, for two people `…-2-5`. A tone that
    the emoji does not have is left out, as Slack does.
    """
    tones: list[str] = []
    plain = name
    if "skin-tone" in name:
        plain = _SKIN_TONE.sub("", name)
        tones = [tone for match in _SKIN_TONE.finditer(name) for tone in match.groups() if tone in _TONES]
    entry = _load_by_name().get(plain)
    if entry is None:
        return None
    toned = entry.add_tones((_TONES[tones[0]], _TONES[tones[-1]])) if tones else None
    return toned or entry.character


def find_short_name(character: str) -> str | None:
    """
    Return Slack's first name for one emoji, with its tone, as `reactions.add` takes it; None if it has none.

    A tone that Slack does not have on that emoji is left out.
    """
    bare = character.replace(_VARIATION_SELECTOR, "").replace("\ufe0e", "")
    by_character = _load_by_character()
    found = by_character.get(bare)
    if found is None:
        found = by_character.get(bare.translate(dict.fromkeys(range(0x1F3FB, 0x1F400))))
    return found
