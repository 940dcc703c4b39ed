"""Pace, as whoever calls a platform needs it."""

from __future__ import annotations

from datetime import timedelta
from typing import Protocol

from bot.domain.pace import Rule


class Pace(Protocol):
    """Whose turn it is. Nobody waits in here: who comes too soon is sent away until their turn."""

    def take(self, rules: tuple[Rule, ...], ticket: str | None = None) -> None:
        """
        Return when a call under *rules* may be made now; else raise Paced, which says after how long.

        Whoever comes back with the same *ticket* has kept that turn; without one, they ask anew.
        """
        ...

    def hold_back(self, rule: Rule, after: timedelta) -> None:
        """Note that the platform asked for patience: nobody has a turn under *rule* before *after*."""
        ...

    def find_wait(self, name: str) -> timedelta:
        """Return how long whoever asked now would wait under the rule called *name*; zero: not at all."""
        ...
