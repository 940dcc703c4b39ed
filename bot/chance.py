"""Randomness, for the whole program: identifiers that cannot be guessed, and the jitter of retries."""

from __future__ import annotations

import random
import secrets
from datetime import datetime
from typing import Protocol

#: No vowels, no 0/o/1/l: short identifiers are read aloud and typed, and should spell nothing.
_READABLE = "23456789bcdfghjkmnpqrstvwxz"
_RANDOM_BITS = 80


class Chance(Protocol):
    """A source of identifiers and jitter."""

    def token(self) -> str:
        """Return 32 characters `[0-9a-f]`: 128 bits nobody can guess."""
        ...

    def ordered(self, now: datetime) -> str:
        """
        Return 32 characters `[0-9a-f]` that sort by *now*: its milliseconds in 48 bits, then 80 that nobody can guess.

        For what is kept by the million and found by it: one made now lies beside those made lately, in the index and so in
        the commit. It tells when it was made, so it is no secret's; those are `token`s.
        """
        ...

    def short(self) -> str:
        """Return 5 readable characters, for identifiers that people type; not unique by itself."""
        ...

    def fraction(self) -> float:
        """Return a number from 0 (included) to 1 (excluded)."""
        ...


class SystemChance:
    """The operating system's randomness."""

    def token(self) -> str:
        """Return 32 hexadecimal characters: 128 bits."""
        return secrets.token_hex(16)

    def ordered(self, now: datetime) -> str:
        """Return 32 hexadecimal characters: 48 bits of *now*, 80 of chance."""
        return _put_in_order(now, secrets.randbits(_RANDOM_BITS))

    def short(self) -> str:
        """Return 5 readable characters."""
        return "".join(secrets.choice(_READABLE) for _ in range(5))

    def fraction(self) -> float:
        """Return a number from 0 to 1."""
        return secrets.randbelow(1 << 30) / (1 << 30)


class SeededChance:
    """Randomness that repeats itself from a seed: for tests and reproducible runs."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - repeatable on purpose, never in production

    def token(self) -> str:
        """Return 32 hexadecimal characters."""
        return f"{self._random.getrandbits(128):032x}"

    def ordered(self, now: datetime) -> str:
        """Return 32 hexadecimal characters, in the order of *now*."""
        return _put_in_order(now, self._random.getrandbits(_RANDOM_BITS))

    def short(self) -> str:
        """Return 5 readable characters."""
        return "".join(self._random.choice(_READABLE) for _ in range(5))

    def fraction(self) -> float:
        """Return a number from 0 to 1."""
        return self._random.random()


def _put_in_order(now: datetime, bits: int) -> str:
    return f"{int(now.timestamp() * 1000):012x}{bits:020x}"
