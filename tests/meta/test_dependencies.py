"""What is declared, what is locked and what is imported are the same packages."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

from tools.check_house import PACKAGES, list_python, read_lock

ROOT = Path(__file__).resolve().parents[2]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

#: Declared though nothing imports it: the time zones that zoneinfo reads where the system has none.
DATA_ONLY = {"tzdata"}


def name_of(requirement: str) -> str:
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert found is not None, requirement
    return normalize(found[0])


def normalize(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def find_imported(folders: tuple[str, ...]) -> set[str]:
    """Return the distributions that the code in *folders* imports, anywhere in it."""
    modules: set[str] = set()
    for path in list_python(ROOT):
        if path.relative_to(ROOT).parts[0] not in folders:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                modules |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                assert node.module is not None, f"{path}: a relative import"
                modules.add(node.module.partition(".")[0])
    ours = {*PACKAGES, "benchmarks", "tests", "tools", "__future__"}
    distributions = packages_distributions()
    # The fuzzer is no part of what tests run with: it has wheels for few systems, and a lock file of its own.
    others = modules - set(sys.stdlib_module_names) - ours - {"atheris"}
    return {normalize(distributions[module][0]) for module in others}


def test_every_package_that_the_program_imports_is_declared() -> None:
    declared = {name_of(requirement) for requirement in PROJECT["project"]["dependencies"]}

    assert find_imported(PACKAGES) - declared == set()


def test_every_package_that_is_declared_is_imported() -> None:
    declared = {name_of(requirement) for requirement in PROJECT["project"]["dependencies"]}

    assert declared - DATA_ONLY - find_imported(PACKAGES) == set()


def test_every_package_that_the_tests_import_is_declared() -> None:
    groups = PROJECT["dependency-groups"]
    declared = {name_of(line) for line in [*PROJECT["project"]["dependencies"], *groups["test"]]}

    assert find_imported(("tests", "tools")) - declared == set()


def test_what_is_declared_is_locked() -> None:
    groups = PROJECT["dependency-groups"]
    runtime = {name_of(line) for line in PROJECT["project"]["dependencies"]}
    tools = {name_of(line) for name in groups.keys() - {"fuzz"} for line in groups[name] if isinstance(line, str)}

    assert runtime - read_lock(ROOT / "requirements.lock").keys() == set()
    assert runtime | tools <= read_lock(ROOT / "requirements-dev.lock").keys()
    assert "hatchling" in read_lock(ROOT / "requirements-build.lock")
    assert {name_of(line) for line in groups["fuzz"]} == read_lock(ROOT / "requirements-fuzz.lock").keys()


def test_what_the_tests_run_with_is_what_the_program_runs_with() -> None:
    runtime, everything = read_lock(ROOT / "requirements.lock"), read_lock(ROOT / "requirements-dev.lock")

    assert len(runtime) > 20
    assert runtime.items() <= everything.items()


def test_every_dependency_says_how_old_it_may_be() -> None:
    open_ended = [line for line in PROJECT["project"]["dependencies"] if ">=" not in line]

    assert open_ended == []
