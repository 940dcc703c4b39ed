"""
Check the rules of the house that no linter knows: sizes, names, lock files, licence. Run by `make check`.

Prints one line for each breach, and exits with 1 when there is any.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

PACKAGES = ("bot", "handlers", "storage")
FOLDERS = (*PACKAGES, "benchmarks", "tests", "tools")
MOST_LINES = 500
#: Names that say nothing of what is inside, so that anything ends up there.
EMPTY_NAMES = {"util", "utils", "helper", "helpers", "common", "base", "manager", "managers", "misc"}

_PINNED = re.compile(r"^([a-z0-9][a-z0-9._-]*)==([^ ;\\]+)")


def list_python(root: Path) -> Iterator[Path]:
    """Yield every Python file of ours under *root*."""
    for folder in FOLDERS:
        yield from sorted((root / folder).rglob("*.py"))


def find_long_files(root: Path) -> Iterator[str]:
    """Yield a line for each Python file that wants splitting."""
    for path in list_python(root):
        lines = len(path.read_text(encoding="utf-8").splitlines())
        if lines > MOST_LINES:
            yield f"{path.relative_to(root)}: {lines} lines, {MOST_LINES} is the most; split it by what it knows"


def find_empty_names(root: Path) -> Iterator[str]:
    """Yield a line for each module or package whose name says nothing."""
    for path in list_python(root):
        for part in path.relative_to(root).with_suffix("").parts:
            if part in EMPTY_NAMES:
                yield f"{path.relative_to(root)}: '{part}' says nothing; name it after what it knows"


def find_init_imports(root: Path) -> Iterator[str]:
    """Yield a line if `bot/__init__.py` imports: it would be run by whoever imports any part of the package."""
    path = root / "bot" / "__init__.py"
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import | ast.ImportFrom) and getattr(node, "module", "") != "__future__":
            yield f"bot/__init__.py:{node.lineno}: imports nothing, so that every part can be imported alone"


def read_lock(path: Path) -> dict[str, str]:
    """Return the version of each package that the lock file *path* pins."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return {found[1]: found[2] for line in lines if (found := _PINNED.match(line))}


def find_lock_faults(root: Path) -> Iterator[str]:
    """Yield a line for each lock file that names a host, leaves a version or hash open, or disagrees with another."""
    versions: dict[str, str] = {}
    for name in ("requirements-dev.lock", "requirements.lock", "requirements-build.lock", "requirements-fuzz.lock"):
        path = root / name
        if not path.is_file():
            yield f"{name}: missing; make lock writes it"
            continue
        # A line that goes on ends in a backslash: join them, so that each requirement is one with its hashes.
        for line in path.read_text(encoding="utf-8").replace("\\\n", " ").splitlines():
            wanted = line.strip()
            if not wanted or wanted.startswith("#"):
                continue
            if "://" in wanted or wanted.startswith("-"):
                yield f"{name}: names where to fetch from, which is the installer's to know: {wanted[:60]}"
            elif not _PINNED.match(wanted) or "--hash=sha256:" not in wanted:
                yield f"{name}: not an exact version with its hashes: {wanted[:60]}"
        for package, version in read_lock(path).items():
            if versions.setdefault(package, version) != version:
                yield f"{name}: {package} {version}, but {versions[package]} in requirements-dev.lock; make lock"


def find_missing_licence(root: Path) -> Iterator[str]:
    """Yield a line if the MIT licence is not there."""
    path = root / "LICENSE"
    if not path.is_file() or "MIT License" not in path.read_text(encoding="utf-8"):
        yield "LICENSE: the MIT licence is missing"


RULES: tuple[Callable[[Path], Iterator[str]], ...] = (
    find_long_files,
    find_empty_names,
    find_init_imports,
    find_lock_faults,
    find_missing_licence,
)


def find_breaches(root: Path) -> list[str]:
    """Return a line for each breach of a rule of the house under *root*."""
    return [line for rule in RULES for line in rule(root)]


def main() -> int:
    """Print the breaches; return the exit status."""
    breaches = find_breaches(Path(__file__).resolve().parent.parent)
    for line in breaches:
        print(line)
    if not breaches:
        print(f"House rules: {len(RULES)} kept.")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
