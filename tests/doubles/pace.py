"""A pace that never sends anybody away, and says what the test wants of how busy it is."""

from __future__ import annotations

from datetime import timedelta

from bot.domain.pace import Rule


class EasyPace:
    """`bot.ports.Pace`."""

    def __init__(self) -> None:
        self.turn = timedelta(0)  #: How long it says that whoever asks waits for a turn.

    def take(self, rules: tuple[Rule, ...], ticket: str | None = None) -> None:
        """Let anybody go."""

    def hold_back(self, rule: Rule, after: timedelta) -> None:
        """Hear it."""

    def find_wait(self, name: str) -> timedelta:
        """Return what the test wants said."""
        assert name
        return self.turn
