"""
Counting, in memory: what `/metrics` tells.

How it is told is the business of Prometheus' own library (`bot.exposition`), which takes as long to load as the gate and
the inbox together, and is not needed before somebody asks. Counted is on the event loop's thread alone: nothing is locked.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Generic, TypeVar


class Figure(StrEnum):
    """What kind of figure a family is of, in Prometheus' words."""

    COUNTER = "counter"  #: It only grows.
    GAUGE = "gauge"  #: It is what it is now.
    HISTOGRAM = "histogram"  #: How many were at most so much.


class Value:
    """A number."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0.0

    def inc(self) -> None:
        """Count one more."""
        self.value += 1.0

    def set(self, value: float) -> None:
        """Replace it."""
        self.value = value


class Spread:
    """How many were at most each of *bounds*, which ascend, and how much they were together."""

    __slots__ = ("_bounds", "_counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, value: float) -> None:
        """Add one."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self.total += value

    def list_buckets(self) -> list[tuple[str, float]]:
        """Return each bound, `+Inf` the last, and how many were at most that, as Prometheus has it."""
        buckets, so_far = [], 0
        for bound, count in zip([*map(str, map(float, self._bounds)), "+Inf"], self._counts, strict=True):
            so_far += count
            buckets.append((bound, float(so_far)))
        return buckets


One = TypeVar("One", bound=Value | Spread)


class Family(Generic[One]):
    """The figures of one name, one for each set of labels."""

    def __init__(self, figure: Figure, name: str, tells: str, labels: Sequence[str], make: Callable[[], One]) -> None:
        self.figure = figure
        self.name = name
        self.tells = tells
        self.names = labels
        self._make = make
        self._figures: dict[tuple[str, ...], One] = {}

    def labels(self, *values: str) -> One:
        """Return the figure with these labels, which is 0 if it is new; it may be kept."""
        found = self._figures.get(values)
        if found is None:
            if len(values) != len(self.names):
                msg = f"{self.name} has the labels {self.names}"
                raise ValueError(msg)
            found = self._figures[tuple(map(str, values))] = self._make()
        return found

    def clear(self) -> None:
        """Forget all of them."""
        self._figures.clear()

    def list_figures(self) -> list[tuple[tuple[str, ...], One]]:
        """Return each set of labels and its figure."""
        return list(self._figures.items())
