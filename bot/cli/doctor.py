"""`doctor`: looks at everything that the bridge depends on, and says what to do."""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import AsyncIterator, Callable

from bot.app import read_policy
from bot.cli.examine_here import examine_address, examine_database
from bot.cli.examine_slack import examine_slack
from bot.cli.examine_telnyx import examine_telnyx
from bot.cli.findings import Finding, Grade, wrong
from bot.cli.manifest import list_scopes, read_manifest
from bot.clock import Clock, SystemClock
from bot.errors import Broken, TextbridgeError
from bot.observe import configure_logging
from bot.settings import Settings, load_settings

_NETWORK = "Check this machine's way to the internet (DNS, proxy, firewall), and try again."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take the form of the report."""
    parser.add_argument("--json", action="store_true", help="print the findings as JSON, for machines")


def run(options: argparse.Namespace) -> int:
    """Examine all and return 0 when nothing is wrong, else 1."""
    configure_logging(level="ERROR", as_json=False)
    settings = load_settings()
    findings = asyncio.run(_gather(settings, SystemClock(), tells=not options.json))
    grades = [finding.grade for finding in findings]
    if options.json:
        report = {"ok": Grade.WRONG not in grades, "checks": [finding.render_json() for finding in findings]}
        print(json.dumps(report, indent=2, ensure_ascii=False))
    else:
        print(_sum_up(grades))
    return 1 if Grade.WRONG in grades else 0


def _sum_up(grades: list[Grade]) -> str:
    bad, doubtful = grades.count(Grade.WRONG), grades.count(Grade.WARNING)
    warnings = f"{doubtful} warning{'s' if doubtful != 1 else ''}"
    if bad:
        return f"\n{bad} wrong, {warnings}. Do what the lines say, from the top, and run this again."
    return f"\nNothing is wrong, {warnings}." if doubtful else "\nAll is well."


async def _gather(settings: Settings, clock: Clock, *, tells: bool) -> list[Finding]:
    found = []
    async for finding in examine(settings, clock, announce=_announce if tells else None):
        found.append(finding)
        if tells:
            print(f"  {finding.render_line()}", flush=True)
    return found


def _announce(part: str) -> None:
    print(f"{part} …", flush=True)


async def examine(
    settings: Settings, clock: Clock, *, announce: Callable[[str], None] | None = None
) -> AsyncIterator[Finding]:
    """Yield every finding as it comes; *announce* is told the part that is looked at next."""
    base = read_policy(settings, None).webhook_base
    parts: dict[str, Callable[[], AsyncIterator[Finding]]] = {
        "The database": lambda: examine_database(settings, clock),
        "Slack": lambda: examine_slack(settings, list_scopes(read_manifest()), clock),
        "Telnyx": lambda: examine_telnyx(settings, base, clock),
        "Our address": lambda: examine_address(settings),
    }
    for part, look in parts.items():
        if announce is not None:
            announce(part)
        async for finding in _survive(part, look):
            yield finding


async def _survive(part: str, look: Callable[[], AsyncIterator[Finding]]) -> AsyncIterator[Finding]:
    """Yield the findings on *part*; that it cannot be examined is one more, and no reason to leave out the others."""
    try:
        async for finding in look():
            yield finding
    except Broken as error:
        yield wrong(part, error.log, "Mend that, and run this again.")
    except TextbridgeError as error:
        yield wrong(part, f"{error.log}.", _NETWORK)
    except Exception as error:  # noqa: BLE001 - an answer of a shape that nobody has seen must not hide the rest
        yield wrong(part, f"it could not be examined ({type(error).__name__}).", "Please report this.")
