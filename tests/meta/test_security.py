"""SECURITY.md: a test for each threat, and each test named there exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from handlers.gate import Limits
from handlers.verify import TOLERANCE_SECONDS

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
_, _, AFTER = TEXT.partition("## Threats\n")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in AFTER.partition("\n## ")[0].splitlines()
    if line.startswith("| ") and not line.startswith("| threat ")
]


def list_tests(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_each_threat_is_a_line_with_what_holds_it_off_and_the_test_that_holds_it() -> None:
    assert len(ROWS) >= 30
    for row in ROWS:
        threat, holds, test = row
        assert len(threat) > 8
        assert len(holds) > 8
        assert re.fullmatch(r"`tests/[\w/]+\.py::test_\w+`", test), row
    assert len({row[0] for row in ROWS}) == len(ROWS)


def test_each_test_that_it_names_exists() -> None:
    missing = []
    for *_, test in ROWS:
        path, _, name = test.strip("`").partition("::")
        if not (ROOT / path).is_file() or name not in list_tests(ROOT / path):
            missing.append(test)

    assert missing == []


def test_the_numbers_that_it_tells_are_the_programs() -> None:
    limits = Limits()

    assert f"{TOLERANCE_SECONDS} seconds either way" in TEXT
    assert f"after {limits.headers_within.total_seconds():.0f} seconds" in TEXT
    assert f"after {limits.body_within.total_seconds():.0f} seconds" in TEXT
    assert f"{limits.headers}, of {round(limits.line_bytes / 1024)} KiB each" in TEXT
    assert f"{limits.connections}; the longest idle" in TEXT
    assert f"{limits.body_bytes // 1024**2} MiB" in TEXT
