"""The commands for the shell: each is there, says what it does, and tells what is missing in words."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROMISED = ["demo", "run", "test", "check", "bench", "lock"]


def run(*command: str, folder: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(
        command, cwd=folder, env=kept | environment, capture_output=True, text=True, timeout=30, check=False
    )


def test_make_alone_lists_every_command_with_what_it_does() -> None:
    done = run("make")

    listed = dict(re.findall(r"^  make (\S+) +(\S.*)$", done.stdout, re.MULTILINE))
    assert done.returncode == 0, done.stderr
    assert set(PROMISED) <= listed.keys()


@pytest.mark.parametrize("target", PROMISED)
def test_a_command_knows_how_to_set_itself_up(target: str, tmp_path: Path) -> None:
    for name in ("Makefile", "requirements.lock", "requirements-dev.lock"):
        shutil.copy(ROOT / name, tmp_path)

    plan = run("make", "--dry-run", target, folder=tmp_path).stdout

    kind = "runtime" if target in ("demo", "run") else "dev"
    assert re.findall(r"set-up\.sh (\w+)", plan) == ["venv", kind]


def test_a_python_that_is_too_old_is_told_with_what_to_do(tmp_path: Path) -> None:
    folder = tmp_path / "a house with blanks"
    shutil.copytree(ROOT / "tools", folder / "tools")
    old = tmp_path / "python3"
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo "Python 3.9.2" && exit\nexit 1\n')
    old.chmod(old.stat().st_mode | stat.S_IXUSR)

    done = run(
        "sh", "tools/set-up.sh", "venv", "demo", folder=folder, PATH=f"{tmp_path}:/usr/bin:/bin", PYTHON="python3"
    )

    assert done.returncode == 1
    assert "Textbridge needs Python 3.11 to 3.14, and found Python 3.9.2." in done.stderr
    assert "make demo PYTHON=" in done.stderr
    assert not (folder / ".venv").exists()


def test_a_python_without_the_venv_module_is_told_with_what_to_do(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "tools", tmp_path / "tools")
    bare = tmp_path / "python3"
    bare.write_text('#!/bin/sh\ncase "$2" in *ensurepip*) exit 1 ;; esac\nexit 0\n')
    bare.chmod(bare.stat().st_mode | stat.S_IXUSR)

    done = run("sh", "tools/set-up.sh", "venv", folder=tmp_path, PYTHON=str(bare))

    assert done.returncode == 1
    assert "apt install python3-venv" in done.stderr


@pytest.mark.parametrize("script", [".ci/run", "tools/lock.sh", "tools/set-up.sh"])
def test_a_script_can_be_started_and_parsed(script: str) -> None:
    path = ROOT / script
    shell = "bash" if "bash" in path.read_text(encoding="utf-8").splitlines()[0] else "sh"

    assert os.access(path, os.X_OK)
    assert run(shell, "-n", str(path)).stderr == ""


def test_ci_runs_the_same_commands_as_people_do() -> None:
    lines = (ROOT / ".ci" / "run").read_text(encoding="utf-8")

    assert re.search(r"^make -k check$", lines, re.MULTILINE)
    assert re.search(r"^make test\b", lines, re.MULTILINE)
