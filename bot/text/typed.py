"""Read what was typed after a slash command or into a form: plain words, but for entities, emoji and Slack's tokens."""

from __future__ import annotations

import re
from typing import Final

from bot.text.emoji import find_character
from bot.text.mrkdwn_line import find_token
from bot.text.plain import Names, render_inline

_EMOJI: Final = re.compile(r":([a-z0-9_+'-]{1,100})(?:::(skin-tone-[2-6]))?:")
_ENTITIES: Final = (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))
#: What Slack makes of a link, a mention or a number where the app's settings ask for it; typed, `<` comes as `&lt;`.
_TOKEN: Final = re.compile(r"<([@#!][^<>\n]+|(?:https?://|mailto:)[^<>\n]+)>", re.IGNORECASE)
_NUMBER_TOKEN: Final = re.compile(r"<tel:(?P<number>[^<>|\n]+)(?:\|(?P<label>[^<>\n]+))?>", re.IGNORECASE)


def render_typed(text: str) -> str:
    """
    Return *text* as it is to reach a phone. No markup is taken off: what was typed here was never formatted.

    A number's token stays, for it says where the number ends; `show_numbers` makes words of it.
    """
    pieces: list[str] = []
    end = 0
    for found in _TOKEN.finditer(text):
        token = find_token(found[1])
        if token is not None:
            pieces += _read_letters(text[end : found.start()]), render_inline(token, Names())
            end = found.end()
    return "".join((*pieces, _read_letters(text[end:])))


def show_numbers(text: str) -> str:
    """Return *text* with the numbers that Slack made links of as they were typed."""
    return _NUMBER_TOKEN.sub(lambda found: found["label"] or found["number"], text)


def _read_letters(text: str) -> str:
    shown = _EMOJI.sub(_replace_emoji, text)
    for entity, letter in _ENTITIES:
        shown = shown.replace(entity, letter)
    return shown


def _replace_emoji(found: re.Match[str]) -> str:
    name = found[1] if found[2] is None else f"{found[1]}::{found[2]}"
    return find_character(name) or found[0]
