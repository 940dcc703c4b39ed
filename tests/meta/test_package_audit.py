"""The packages' audit: a vulnerability fails, silence is told and does not, and a good answer is not asked for twice a day."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from tools.audit_packages import LOCKS, audit

NOW = 1_800_000_000.0
GOOD = {"dependencies": [{"name": "aiohttp", "version": "9.9", "vulns": []}], "fixes": []}
BAD = {
    "dependencies": [
        {"name": "aiohttp", "version": "3.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["3.1"], "aliases": []}]},
        {"name": "yarl", "version": "1.0", "vulns": [{"id": "PYSEC-2", "fix_versions": []}]},
    ]
}
NOBODY = {"dependencies": [{"name": "aiohttp", "skip_reason": "Dependency not found on PyPI"}]}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in LOCKS:
        (tmp_path / name).write_text("x==1\n")
    return tmp_path


def run(root: Path, report: object, now: float = NOW) -> tuple[int, str]:
    return audit(root, root / "stamp", lambda _locks: None if report is None else json.dumps(report), now)


def test_a_known_vulnerability_fails_and_says_what_mends_it(root: Path) -> None:
    status, told = run(root, BAD)

    assert status == 1
    assert "aiohttp 3.0: PYSEC-1, mended in 3.1" in told
    assert "yarl 1.0: PYSEC-2, mended in no version yet" in told
    assert run(root, BAD)[0] == 1  # and again: it is not taken for audited


@pytest.mark.parametrize("report", [None, NOBODY])
def test_advisories_that_cannot_be_reached_are_told_and_fail_nothing(report: object, root: Path) -> None:
    status, told = run(root, report)

    assert status == 0
    assert "NOT audited" in told
    status, told = run(root, BAD, NOW + 60)  # not asked again at once, and not taken for audited
    assert (status, "NOT audited" in told) == (0, True)
    assert run(root, BAD, NOW + 3700)[0] == 1


def test_a_good_answer_is_good_for_a_day_and_for_these_locks(root: Path) -> None:
    asked: list[Sequence[Path]] = []

    def ask(locks: Sequence[Path]) -> str:
        asked.append(locks)
        return json.dumps(GOOD)

    assert audit(root, root / "stamp", ask, NOW)[0] == 0
    assert audit(root, root / "stamp", ask, NOW + 3600)[0] == 0
    assert len(asked) == 1
    audit(root, root / "stamp", ask, NOW + 25 * 3600)
    (root / LOCKS[0]).write_text("x==2\n")
    audit(root, root / "stamp", ask, NOW + 25 * 3600)
    assert len(asked) == 3
    assert [lock.name for lock in asked[0]] == list(LOCKS)
