"""How a number is given on the command line."""

from __future__ import annotations

from bot.domain.phone import Address, NotANumber, is_short_code, parse_address, parse_number


def read_address(typed: str, region: str) -> Address:
    """Return whom *typed* names: a number as people write it, a short code, or a sender's name. Raises NotANumber."""
    try:
        return parse_number(typed, region)
    except NotANumber:
        if is_short_code(typed.strip()) or any(character.isalpha() for character in typed):
            return parse_address(typed.strip(), region)
        raise
