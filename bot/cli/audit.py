"""`audit`: who sent, overrode, opted out and set what, and when."""

from __future__ import annotations

import argparse
import asyncio
import csv
import json
import re
import sys
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.cli.numbers import describe_mistake, read_address
from bot.cli.partial import load_only
from bot.clock import SystemClock
from bot.domain.audit import Actor, AuditAction
from bot.domain.phone import NotANumber
from storage.admin import open_existing
from storage.audit import AuditFilter, AuditRow, read_audit

EPILOG = """\
Every text sent, every override of a rule, every change of an opt-out and of a setting: who did it, when, and to whom.
Nothing is ever changed or removed in it, and no text is in it. Oldest first; works while the bridge runs.

A moment is a day (2026-11-22), a day and a time (2026-11-22T09:30, in UTC unless it names its zone), or how long ago
(90m, 12h, 7d). An actor is a Slack user id (U012ABCDEF), customer, carrier, textbridge, or shell:NAME for somebody who
ran a command here.

  python -m bot audit --since 7d --action sent_now --action sent_again   overrides of this week
  python -m bot audit --number "(415) 555-0101"                         all about one customer
  python -m bot audit --since 2026-11-01 --until 2026-12-01 --format csv > november.csv
"""
_COLUMNS = ("id", "at", "actor", "action", "numbers", "subject", "detail")
#: So wide is each column of the table; what is longer moves the rest to the right. A table that is streamed cannot know.
_WIDTHS = (20, 14, 17, 14, 24, 0)
_AGO = re.compile(r"(\d{1,6})([mhdw])")
_UNITS = {
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
#: What a spreadsheet takes for a formula. Numbers begin with + and are none.
_FORMULA = ("=", "@", "-", "\t", "\r")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take which entries are wanted, and how they are to look."""
    parser.add_argument("--since", type=_read_moment, metavar="MOMENT", help="what was done at this moment or later")
    parser.add_argument("--until", type=_read_moment, metavar="MOMENT", help="what was done before this moment")
    parser.add_argument("--actor", metavar="WHO", help="what this one did")
    parser.add_argument("--number", metavar="NUMBER", help="what concerns this customer, as people write the number")
    parser.add_argument(
        "--action",
        action="append",
        choices=[*map(str, AuditAction)],
        metavar="ACTION",
        help=f"only this, or these if given more than once: {', '.join(AuditAction)}",
    )
    parser.add_argument(
        "--format", choices=["table", "csv", "json"], default="table", help="table (default), csv, json"
    )


def _read_moment(typed: str) -> datetime:
    ago = _AGO.fullmatch(typed)
    try:
        if ago is not None:
            return SystemClock().now() - int(ago[1]) * _UNITS[ago[2]]
        moment = datetime.fromisoformat(typed)
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(
            f"{typed!r} is no moment; write 2026-11-22, 2026-11-22T09:30, or 7d for seven days ago"
        ) from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def run(options: argparse.Namespace) -> int:
    """Print the entries; 0 also when none fits, 2 when the number is none."""
    settings = load_only("database_url", "default_region")
    try:
        number = None if options.number is None else read_address(options.number, settings.default_region)
    except NotANumber as error:
        print(describe_mistake(error), file=sys.stderr)
        return 2
    wanted = AuditFilter(
        since=options.since,
        until=options.until,
        actor=None if options.actor is None else Actor(options.actor.strip().strip("<@>")),
        number=number,
        actions=frozenset(AuditAction(name) for name in options.action or ()),
    )
    asyncio.run(_run(settings.database_path, wanted, options.format))
    return 0


async def _run(path: Path, wanted: AuditFilter, form: str) -> None:
    async with open_existing(path) as database:
        rows = read_audit(database, wanted)
        match form:
            case "json":
                await _print_json(rows)
            case "csv":
                await _print_csv(rows)
            case _:
                await _print_table(rows)


async def _print_table(rows: AsyncIterator[AuditRow]) -> None:
    empty = True
    async for row in rows:
        if empty:
            _print_cells([name.upper() for name in _COLUMNS[1:]])
            empty = False
        detail = "  ".join(f"{name}: {value}" for name, value in row.detail.items())
        _print_cells(
            [f"{row.at:%Y-%m-%dT%H:%M:%SZ}", row.actor, row.action, " ".join(row.numbers), row.subject or "", detail]
        )
    if empty:
        print("Nothing on record fits.")


def _print_cells(cells: Sequence[str]) -> None:
    # Whatever a detail says, an entry is one line, and tells the terminal nothing.
    padded = (cell.ljust(width) for cell, width in zip(cells, _WIDTHS, strict=True))
    line = "  ".join(padded).rstrip()
    print("".join(letter if letter.isprintable() else " " for letter in line))


async def _print_json(rows: AsyncIterator[AuditRow]) -> None:
    """Print one array, an entry a line, as they come."""
    before = "[\n"
    async for row in rows:
        sys.stdout.write(before + json.dumps(_render(row), ensure_ascii=False))
        before = ",\n"
    sys.stdout.write("[]\n" if before == "[\n" else "\n]\n")


async def _print_csv(rows: AsyncIterator[AuditRow]) -> None:
    writer = csv.DictWriter(sys.stdout, _COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    async for row in rows:
        detail = json.dumps(dict(row.detail), ensure_ascii=False, sort_keys=True) if row.detail else ""
        plain = _render(row) | {"numbers": " ".join(row.numbers), "detail": detail}
        writer.writerow({name: _defuse(str(value or "")) for name, value in plain.items()})


def _defuse(value: str) -> str:
    """Keep a spreadsheet from running what somebody wrote (owasp.org, CSV injection)."""
    return f"'{value}" if value.startswith(_FORMULA) else value


def _render(row: AuditRow) -> dict[str, object]:
    return {
        "id": row.id,
        "at": row.at.isoformat(),
        "actor": row.actor,
        "action": row.action,
        "numbers": list(row.numbers),
        "subject": row.subject,
        "detail": dict(row.detail),
    }
