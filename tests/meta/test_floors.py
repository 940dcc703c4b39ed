"""Imports point down only: the contracts in `pyproject.toml` catch what breaks them, each shown on a copy that does."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools.check_house import PACKAGES

ROOT = Path(__file__).resolve().parents[2]

#: A file that should not be, what it imports, and the name of the contract that says so.
BREACHES = {
    "bot/domain/wrong_floor.py": ("bot.ports", "Imports point down only"),
    "bot/text/wrong_domain.py": ("bot.domain", "Imports point down only"),
    "bot/flows/wrong_adapter.py": ("bot.gateways", "Imports point down only"),
    "handlers/wrong_neighbour.py": ("storage", "Imports point down only"),
    "bot/domain/wrong_loop.py": ("asyncio", "What we know is pure"),
    "bot/domain/wrong_clock.py": ("bot.clock", "What we know is pure"),
    "bot/flows/wrong_network.py": ("httpx", "Use-cases talk to ports"),
    "handlers/wrong_sql.py": ("sqlite3", "SQL is storage's alone"),
    "bot/sandbox/wrong_share.py": ("bot.text", "A simulator shares no code"),
    "bot/gateways/wrong_double.py": ("bot.sandbox", "Nothing that does real work"),
}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return what import-linter says of a copy of the tree with every breach in it."""
    folder = tmp_path_factory.mktemp("floors")
    shutil.copy(ROOT / "pyproject.toml", folder)
    for package in PACKAGES:
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    for path, (imported, _) in BREACHES.items():
        (folder / path).write_text(f"import {imported}\n", encoding="utf-8")
    program = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    command = [sys.executable, "-c", program, "--no-logo", "--no-cache"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize(("path", "breach"), BREACHES.items(), ids=BREACHES.keys())
def test_a_wrong_import_is_caught_by_its_contract(path: str, breach: tuple[str, str], told: str) -> None:
    imported, contract = breach
    module = path.removesuffix(".py").replace("/", ".")

    sections = re.split(r"\n(?=[^\n]+\n-{20,}\n)", told)
    about = [text for text in sections if text.lstrip("\n").startswith(contract)]

    assert any(re.search(rf"^-? +{re.escape(module)} -> {re.escape(imported)}\b", text, re.MULTILINE) for text in about)
