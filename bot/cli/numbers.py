"""How a number is given on the command line."""

from __future__ import annotations

import re

from bot.domain.phone import Address, NotANumber, is_short_code, parse_address, parse_number
from bot.observe import mask_numbers

_QUOTED = re.compile(r"\u201c[^\u201d]*\u201d")


def read_address(typed: str, region: str) -> Address:
    """Return whom *typed* names: a number as people write it, a short code, or a sender's name. Raises NotANumber."""
    try:
        return parse_number(typed, region)
    except NotANumber:
        if is_short_code(typed.strip()) or any(character.isalpha() for character in typed):
            return parse_address(typed.strip(), region)
        raise


def describe_mistake(error: NotANumber) -> str:
    """Return why something is no number, with what was typed masked: what a command says may end in somebody's log."""
    return _QUOTED.sub(lambda found: mask_numbers(found[0]), str(error))
