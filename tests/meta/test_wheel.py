"""The wheel: what is installed from it is the whole program, its data included, and nothing else."""

from __future__ import annotations

import configparser
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tools.check_house import PACKAGES

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.Path:
    """Build the wheel as the image does, and return what is in it."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    (path,) = folder.glob("textbridge-*-py3-none-any.whl")
    with zipfile.ZipFile(path) as archive:
        archive.extractall(folder / "out")
    return zipfile.Path(path)


def list_files(wheel: zipfile.Path) -> set[str]:
    return {name for name in wheel.root.namelist() if not name.endswith("/")}


def list_tree() -> set[str]:
    """Return every file of the packages in the tree, whatever its kind."""
    files = (path for package in PACKAGES for path in (ROOT / package).rglob("*") if path.is_file())
    return {path.relative_to(ROOT).as_posix() for path in files if "__pycache__" not in path.parts}


def test_every_file_of_the_packages_is_in_it(wheel: zipfile.Path) -> None:
    assert list_tree() - list_files(wheel) == set()


def test_migrations_and_the_manifest_are_in_it(wheel: zipfile.Path) -> None:
    files = list_files(wheel)

    assert [name for name in files if name.startswith("storage/migrations/") and name.endswith(".sql")]
    assert (wheel / "bot" / "app.yaml").read_text(encoding="utf-8") == (ROOT / "app.yaml").read_text(encoding="utf-8")


def test_nothing_else_is_in_it(wheel: zipfile.Path) -> None:
    others = {name for name in list_files(wheel) - list_tree() if ".dist-info/" not in name}

    assert others == {"bot/app.yaml"}


def test_it_brings_the_command_and_the_licence(wheel: zipfile.Path) -> None:
    (info,) = [entry for entry in wheel.iterdir() if entry.name.endswith(".dist-info")]
    scripts = configparser.ConfigParser()
    scripts.read_string((info / "entry_points.txt").read_text(encoding="utf-8"))

    assert dict(scripts["console_scripts"]) == {"textbridge": "bot.cli:main"}
    assert "MIT License" in (info / "licenses" / "LICENSE").read_text(encoding="utf-8")
    assert "License-Expression: MIT" in (info / "METADATA").read_text(encoding="utf-8")
