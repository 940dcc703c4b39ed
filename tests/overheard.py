"""
What may never be overheard: customers' numbers and anybody's words, in a log line, a metric's label or an error.

`tests/conftest.py` listens to every logger of every test at INFO, the libraries' too, and asks here; `tests/cli/rig.py`
brings what the program itself says on stderr. Numbers are known by their form, since the suite uses fictional ones (555-01xx
and their like); texts by having been told to `hear`.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterable

from bot.observe import _FIELDS, _TextFormatter, mask_numbers

#: A fictional number of the suite, however it is written, with all its digits.
_NUMBER = re.compile(r"(?<![\w.])(?:\+|%2[Bb])?1?[-. (]{0,2}[2-9]\d\d[-. )]{0,2}555[-. ]?\d{4}(?!\d)")
#: A single word shorter than this may well stand in a sentence of ours.
_SHORTEST_WORD = 12
_MADE_UP_SECRETS = re.compile(r"xoxb-made-up|made-up-signing|KEYmade-up|xoxb-secret|secret-that-signs|KEYsecret")

_texts: set[str] = set()


def hear(texts: Iterable[str | None]) -> None:
    """Remember what customers and teammates wrote, until the end of the test."""
    for text in filter(None, texts):
        stripped = text.strip()
        if " " in stripped or len(stripped) >= _SHORTEST_WORD:
            _texts.add(stripped)


def forget() -> None:
    """Forget all that was heard."""
    _texts.clear()


def find_leak(told: str) -> str | None:
    """Return what in *told*, which is for operators, is not for them; None where there is nothing."""
    if found := _NUMBER.search(told) or _MADE_UP_SECRETS.search(told):
        return found[0]
    for text in _texts:
        if text in told and re.search(rf"(?<!\w){re.escape(text)}(?!\w)", told):
            return text
    return None


def find_leak_in_labels(metrics: str) -> str | None:
    """Return what in the labels of a metrics page is not for operators."""
    return next((leak for label in re.findall(r'="([^"]*)"', metrics) if (leak := find_leak(label))), None)


def find_leak_in_lines(lines: Iterable[str]) -> str | None:
    """Return the first of the program's own log lines, as JSON, that leaks, and what."""
    for line in lines:
        try:
            entry = json.loads(line)
        except ValueError:
            entry = {"line": line}
        told = " ".join(str(value) for name, value in entry.items() if name not in ("message", "at"))
        if leak := find_leak(told) or _find_number(line):
            return f"{leak!r} in {line}"
    return None


def _find_number(line: str) -> str | None:
    found = _NUMBER.search(line)
    return None if found is None else found[0]


class Ear(logging.Handler):
    """Hears each record as the operator would see it."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.setFormatter(_TextFormatter())
        self._told: list[tuple[str, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the line, and of it what is not a constant sentence of ours."""
        line = self.format(record)
        is_ours = record.name.startswith("textbridge.") and not record.args
        fields = " ".join(str(value) for value in getattr(record, _FIELDS, {}).values())
        error = logging.Formatter().formatException(record.exc_info) if record.exc_info else ""
        self._told.append((line, f"{fields} {error}" if is_ours else line))

    def find_leak(self) -> str | None:
        """Return the first line that leaks, and what; called when all texts are known."""
        for line, loose in self._told:
            if (leak := _find_number(line)) or (leak := find_leak(mask_numbers(loose))):
                return f"{leak[:100]!r} in {line[:300]!r}"
        return None

    def forget(self) -> None:
        """Begin anew."""
        self._told.clear()
