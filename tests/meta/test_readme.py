"""README.md leaves out no setting and no command."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.settings import Settings

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def readme() -> str:
    """Return the text of README.md."""
    return (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(name.upper() for name in Settings.model_fields))
def test_it_names_every_setting(name: str, readme: str) -> None:
    assert re.search(rf"`{name}`", readme)


@pytest.mark.parametrize("target", ["demo", "run", "test", "check", "bench", "lock"])
def test_it_names_every_command_of_make(target: str, readme: str) -> None:
    assert f"make {target}" in readme


def test_every_command_of_make_that_it_names_exists(readme: str) -> None:
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))

    assert set(re.findall(r"`make ([a-z-]+)", readme)) - targets == set()


def test_every_file_that_it_links_to_exists(readme: str) -> None:
    linked = {link.partition("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", readme) if "://" not in link}

    assert [name for name in linked if name and not (ROOT / name).exists()] == []
