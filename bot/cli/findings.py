"""What an examination finds, and how it is shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Grade(StrEnum):
    """How bad it is."""

    OK = "ok"  #: Nothing to do.
    WARNING = "warning"  #: The bridge works, but not all of it, or not surely.
    WRONG = "wrong"  #: The bridge does not work until somebody does something.


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line: what was looked at, what was found, and what to do about it."""

    grade: Grade
    about: str
    says: str
    do: str = ""

    def render_line(self) -> str:
        """Return it for eyes."""
        return f"{self.grade:<8} {self.about}: {self.says}" + (f" {self.do}" if self.do else "")

    def render_json(self) -> Mapping[str, str | None]:
        """Return it for machines."""
        return {"status": self.grade.value, "about": self.about, "finding": self.says, "next_step": self.do or None}


def ok(about: str, says: str) -> Finding:
    """Return that all is well."""
    return Finding(grade=Grade.OK, about=about, says=says)


def warn(about: str, says: str, do: str = "") -> Finding:
    """Return that something deserves a look."""
    return Finding(grade=Grade.WARNING, about=about, says=says, do=do)


def wrong(about: str, says: str, do: str) -> Finding:
    """Return that something must be done."""
    return Finding(grade=Grade.WRONG, about=about, says=says, do=do)
