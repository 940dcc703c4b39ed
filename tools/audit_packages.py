"""
Ask whether a locked package has a known vulnerability (PyPI's advisories, by pip-audit). Run by `make check`.

A vulnerability ends with 1. Where the advisories cannot be reached this says so and ends with 0. To keep `make check`
quick, what was found well is not asked again for a day, and who does not answer not for an hour, unless a lock file has
changed meanwhile.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-build.lock", "requirements-fuzz.lock")
STAMP = ROOT / ".venv" / ".audited"
#: How long an answer is good for, in seconds, and none; and how long is waited for one.
_GOOD_FOR = {"good": 24 * 3600, "none": 3600}
_PATIENCE = 120

#: Runs pip-audit on lock files and returns what it printed, or None where it could not ask.
Ask = Callable[[Sequence[Path]], str | None]


_UNREACHED = "Packages: NOT audited, for the advisories cannot be reached from here."


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What was found."""

    vulnerable: Sequence[str]  #: A line for each vulnerability.
    audited: int  #: How many packages there was an answer on.
    unanswered: int  #: And how many there was none.


def ask_pip_audit(locks: Sequence[Path]) -> str | None:
    """Return pip-audit's report as JSON, or None where it could not be made."""
    command = [sys.executable, "-m", "pip_audit", "--format", "json", "--progress-spinner", "off", "--timeout", "5"]
    command += ["--disable-pip", "--require-hashes", *(f"--requirement={lock}" for lock in locks)]
    try:
        done = subprocess.run(  # noqa: S603 - all our own
            command, capture_output=True, text=True, timeout=_PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        return None
    return done.stdout if done.stdout.lstrip().startswith("{") else None


def judge(report: Mapping[str, Any]) -> Verdict:
    """Return what a report of pip-audit says."""
    vulnerable = []
    audited = unanswered = 0
    for package in report["dependencies"]:
        if "skip_reason" in package:
            unanswered += 1
            continue
        audited += 1
        for found in package["vulns"]:
            mended = ", ".join(found.get("fix_versions") or []) or "no version yet"
            line = f"{package['name']} {package['version']}: {found['id']}, mended in {mended}"
            if line not in vulnerable:
                vulnerable.append(line)
    return Verdict(vulnerable=vulnerable, audited=audited, unanswered=unanswered)


def audit(root: Path, stamp: Path, ask: Ask, now: float) -> tuple[int, str]:
    """Return the exit status and what to tell; *now* is Unix seconds."""
    locks = [root / name for name in LOCKS]
    state = hashlib.sha256(b"".join(lock.read_bytes() for lock in locks)).hexdigest()
    known = _find_fresh(stamp, state, now)
    if known == "good":
        return 0, "Packages: audited within the last day, no known vulnerability."
    if known == "none":
        return 0, f"{_UNREACHED} They are asked again within the hour."
    said = ask(locks)
    verdict = None if said is None else judge(json.loads(said))
    if verdict is None or not verdict.audited:
        stamp.write_text(f"{state} {now:.0f} none\n", encoding="utf-8")
        return 0, _UNREACHED
    if verdict.vulnerable:
        lines = "\n".join(f"  {line}" for line in verdict.vulnerable)
        return 1, f"Packages with known vulnerabilities; `make lock UPGRADE=1` takes newer ones:\n{lines}"
    if verdict.unanswered:
        return (
            0,
            f"Packages: {verdict.audited} audited, no known vulnerability; on {verdict.unanswered} nothing is known.",
        )
    stamp.write_text(f"{state} {now:.0f} good\n", encoding="utf-8")
    return 0, f"Packages: {verdict.audited} audited, no known vulnerability."


def _find_fresh(stamp: Path, state: str, now: float) -> str | None:
    """Return what was found lately about the same lock files."""
    try:
        known, at, found = stamp.read_text(encoding="utf-8").split()
        return found if known == state and 0 <= now - float(at) < _GOOD_FOR[found] else None
    except (OSError, ValueError, KeyError):
        return None


if __name__ == "__main__":
    status, told = audit(ROOT, STAMP, ask_pip_audit, time.time())  # noqa: TID251 - a script has no clock of ours
    print(told)
    sys.exit(status)
