"""What the carrier answers, for eyes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self, TextIO

from bot.domain.carrier_api.operation import Operation

#: Not for whoever looks over a shoulder; `--json` shows it, and so does the operation that makes a new one.
_SECRET = "v1_secret"  # noqa: S105 - the name of a field
_HIDDEN = "(hidden; --json shows it)"
_SHOWS_SECRETS = "profiles regenerate-secret"


def render_record(operation: Operation, record: Mapping[str, Any]) -> str:
    """Return one object, a part a line; parts of parts after a dot."""
    if not record:
        return "Done."
    tables = {name: value for name, value in record.items() if _is_table(value)}
    lines = flatten({name: value for name, value in record.items() if name not in tables})
    if _SECRET in lines and operation.name != _SHOWS_SECRETS:
        lines[_SECRET] = _HIDDEN
    width = max(map(len, lines), default=0)
    shown = [f"{name.ljust(width)}  {value}" for name, value in lines.items()]
    for name, rows in tables.items():
        shown += ["", name, *(f"  {line}" for line in _draw(rows, _list_columns(rows)))]
    return "\n".join(shown)


def _is_table(value: object) -> bool:
    """Tell whether *value* is a list of objects, which a line cannot show."""
    return isinstance(value, list) and bool(value) and all(isinstance(each, Mapping) for each in value)


def flatten(record: Mapping[str, Any], inside: str = "") -> dict[str, str]:
    """Return each part of *record* by its name, as it is shown."""
    lines: dict[str, str] = {}
    for name, value in record.items():
        if isinstance(value, Mapping) and value:
            lines |= flatten(value, f"{inside}{name}.")
        else:
            lines[f"{inside}{name}"] = show(value)
    return lines


def render_table(operation: Operation, items: Sequence[Mapping[str, Any]], *, total: int) -> str:
    """Return a list as a table, with how many more there are."""
    if not items:
        return "There is none."
    lines = _draw(items, operation.columns or _list_columns(items))
    if total > len(items):
        lines.append(f"… and {total - len(items)} more")
    return "\n".join(lines)


def _list_columns(items: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return every part that any of *items* has."""
    return tuple(dict.fromkeys(name for item in items for name in flatten(item)))


def _draw(items: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> list[str]:
    """Return a heading and a line for each item, in columns as wide as they have to be."""
    heading = [name.upper().replace("_", " ") for name in columns]
    rows = [heading, *([_find(item, column) for column in columns] for item in items)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(columns))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _find(item: object, column: str) -> str:
    """Return what stands at the dotted place *column*; of a list, that of each."""
    here, _, rest = column.partition(".")
    value = item.get(here) if isinstance(item, Mapping) else None
    if not rest:
        return show(value)
    if isinstance(value, list):
        return ", ".join(_find(each, rest) for each in value) or "-"
    return _find(value, rest)


def show(value: object) -> str:
    """Return *value* for a terminal: on one line, and without what would move its cursor."""
    if value is None or value in ("", []):
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list) and not any(isinstance(each, Mapping | list) for each in value):
        return ", ".join(show(each) for each in value)
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, Mapping | list) else str(value)
    return "".join(character if character.isprintable() else " " for character in text)


class Progress:
    """Says how far a long list has been read; nothing about a short one."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._is_terminal = stream.isatty()
        self._told = False

    def __enter__(self) -> Self:
        return self

    def tell(self, read: int, total: int, *, pages: int) -> None:
        """Say that *read* of *total* are here."""
        if pages > 1:
            self._told = True
            text = f"{read} of {total} read"
            self._stream.write(f"\r{text}" if self._is_terminal else f"{text}\n")
            self._stream.flush()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._told and self._is_terminal:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
