"""What `tools/check_house.py` promises to find, each shown on a small tree that breaks it, and none in this one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tools.check_house import MOST_LINES, find_breaches

ROOT = Path(__file__).resolve().parents[2]
HASHED = "one==1.0 \\\n    --hash=sha256:00\n"


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """Return a small tree that keeps every rule."""
    for folder in ("bot", "handlers", "storage", "tests"):
        (tmp_path / folder).mkdir()
    (tmp_path / "bot" / "__init__.py").write_text('"""The program."""\n\nfrom __future__ import annotations\n')
    (tmp_path / "bot" / "phone.py").write_text("number = 1\n" * MOST_LINES)
    for name in ("requirements.lock", "requirements-dev.lock", "requirements-build.lock", "requirements-fuzz.lock"):
        (tmp_path / name).write_text("# make lock\n" + HASHED)
    (tmp_path / "LICENSE").write_text("MIT License\n")
    return tmp_path


def write(path: str, text: str) -> Callable[[Path], object]:
    """Return what writes *text* to *path* under a root."""

    def change(root: Path) -> None:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)

    return change


def test_this_tree_keeps_every_rule() -> None:
    assert find_breaches(ROOT) == []


def test_a_tree_that_keeps_the_rules_is_left_in_peace(house: Path) -> None:
    assert find_breaches(house) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (write("storage/long.py", "x = 1\n" * (MOST_LINES + 1)), "storage/long.py: 501 lines"),
        (write("bot/domain/utils.py", ""), "bot/domain/utils.py: 'utils'"),
        (write("handlers/common/web.py", ""), "handlers/common/web.py: 'common'"),
        (write("bot/__init__.py", "from bot import phone\n"), "bot/__init__.py:1:"),
        (write("bot/__init__.py", "def f():\n    import os\n"), "bot/__init__.py:2:"),
        (
            write("requirements.lock", "--index-url https://mirror.example/simple\n" + HASHED),
            "requirements.lock: names",
        ),
        (write("requirements.lock", "one @ https://files.example/one.whl\n"), "requirements.lock: names"),
        (write("requirements.lock", "one==1.0\n"), "requirements.lock: not an exact version"),
        (write("requirements.lock", "one>=1.0 \\\n    --hash=sha256:00\n"), "requirements.lock: not an exact version"),
        (write("requirements.lock", HASHED.replace("1.0", "1.1")), "requirements.lock: one 1.1, but 1.0"),
        (lambda root: (root / "requirements-build.lock").unlink(), "requirements-build.lock: missing"),
        (write("LICENSE", "All rights reserved\n"), "LICENSE:"),
        (lambda root: (root / "LICENSE").unlink(), "LICENSE:"),
    ],
)
def test_a_breach_is_told_with_its_place(house: Path, change: Callable[[Path], object], told: str) -> None:
    change(house)

    (line,) = find_breaches(house)

    assert line.startswith(told)
