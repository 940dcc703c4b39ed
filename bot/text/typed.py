"""Read what was typed after a slash command or into a form: plain words, but for entities and emoji."""

from __future__ import annotations

import re
from typing import Final

from bot.text.emoji import find_character

_EMOJI: Final = re.compile(r":([a-z0-9_+'-]{1,100})(?:::(skin-tone-[2-6]))?:")
_ENTITIES: Final = (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))


def render_typed(text: str) -> str:
    """Return *text* as it is to reach a phone. No markup is taken off: what was typed here was never formatted."""
    shown = _EMOJI.sub(_replace_emoji, text)
    for entity, letter in _ENTITIES:
        shown = shown.replace(entity, letter)
    return shown


def _replace_emoji(found: re.Match[str]) -> str:
    name = found[1] if found[2] is None else f"{found[1]}::{found[2]}"
    return find_character(name) or found[0]
