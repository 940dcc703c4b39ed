"""Figures: a ratio in each round, its median over the rounds, and whether the goal is reached."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """What a ratio should be."""

    at_least: float | None = None
    at_most: float | None = None

    def __str__(self) -> str:
        """Return it in mathematics."""
        return f"≥ {self.at_least:g}" if self.at_least is not None else f"≤ {self.at_most:g}"

    def is_met(self, value: float) -> bool:
        """Tell whether *value* reaches it."""
        return value >= self.at_least if self.at_least is not None else value <= (self.at_most or 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One line of the table: *ours* and *theirs* hold one value a round, taken one right after the other."""

    measure: str
    ours_name: str
    theirs_name: str
    unit: str
    ours: Sequence[float]
    theirs: Sequence[float]
    goal: Goal | None = None

    @property
    def ratios(self) -> list[float]:
        """Return ours over theirs, round by round."""
        return [mine / other for mine, other in zip(self.ours, self.theirs, strict=True) if other]

    @property
    def is_met(self) -> bool | None:
        """Whether the median ratio reaches the goal; None where there is none."""
        return None if self.goal is None or not self.ratios else self.goal.is_met(statistics.median(self.ratios))


@dataclass(slots=True)
class Tally:
    """Everything that was measured."""

    figures: list[Figure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    requests: int = 0
    errors: int = 0
    samples: dict[tuple[str, str], list[float]] = field(default_factory=dict)

    def add(self, contender: str, quantity: str, value: float) -> None:
        """Keep one round's *value*."""
        self.samples.setdefault((contender, quantity), []).append(value)

    def compare(
        self,
        measure: str,
        quantity: str,
        ours: str,
        theirs: str,
        unit: str,
        goal: Goal | None = None,
        *,
        as_: str = "",
        of: str = "",
    ) -> None:
        """Make a figure of what two contenders showed of one *quantity*; theirs may be kept *as_* another, *of* another."""
        self.figures.append(
            Figure(
                measure=measure,
                ours_name=ours,
                theirs_name=theirs,
                unit=unit,
                ours=self.samples[ours, quantity],
                theirs=self.samples[of or theirs, as_ or quantity],
                goal=goal,
            )
        )

    def hold_against(
        self, measure: str, ours: tuple[str, str], theirs: str, amount: float, unit: str, goal: Goal | None = None
    ) -> None:
        """Make a figure of what a contender showed of a quantity (*ours*) and a fixed *amount*, which *theirs* names."""
        values = self.samples[ours]
        self.figures.append(
            Figure(
                measure=measure,
                ours_name=ours[0],
                theirs_name=theirs,
                unit=unit,
                ours=values,
                theirs=[amount] * len(values),
                goal=goal,
            )
        )


def show_spread(values: Sequence[float], digits: int = 3) -> str:
    """Return `median (least-most)`."""
    if not values:
        return "-"
    middle, least, most = (show(value, digits) for value in (statistics.median(values), min(values), max(values)))
    return f"{middle} ({least}–{most})"


def show(value: float, digits: int = 3) -> str:
    """Return *value* with some *digits* that count."""
    if value >= 10 ** (digits - 1):
        return f"{value:,.0f}"
    return f"{value:.{digits}g}"
