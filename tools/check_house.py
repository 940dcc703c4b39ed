"""
Check the rules of the house that no linter knows: sizes, names, trust, lock files, licence. Run by `make check`.

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

#: Simulators speak plain HTTP, to each other and to a bridge on the same machine.
WITHOUT_TLS = Path("bot", "sandbox")
#: By which keyword what makes connections is told whom to trust; a session, by the connector that was told.
_TRUSTING = {
    "connector": ("aiohttp.ClientSession", "aiohttp.request"),
    "ssl": ("aiohttp.TCPConnector", "slack_sdk.AsyncWebClient", "slack_sdk.AsyncWebhookClient"),
    "verify": ("httpx.AsyncClient", "httpx.AsyncHTTPTransport", "httpx.Client", "httpx.HTTPTransport"),
}
_KEYWORDS = {maker: keyword for keyword, makers in _TRUSTING.items() for maker in makers}

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


def find_own_trust(root: Path) -> Iterator[str]:
    """
    Yield a line for each session, connector or client that is not given the bridge's TLS context.

    What aiohttp takes instead trusts nobody in a running bridge, and httpx's has roots of its own: see `bot.gateways.tls`.
    """
    for path in list_python(root):
        place = path.relative_to(root)
        if place.parts[0] not in PACKAGES or place.is_relative_to(WITHOUT_TLS):
            continue
        for line, maker, given in list_makers(ast.parse(path.read_text(encoding="utf-8"))):
            keyword = _KEYWORDS.get(maker)
            if keyword and not any(
                each.arg == keyword and (keyword == "connector" or ast.unparse(each.value) == "get_tls()")
                for each in given
            ):
                value = "aiohttp.TCPConnector(ssl=get_tls())" if keyword == "connector" else "get_tls()"
                yield f"{place}:{line}: {maker} would not trust whom the bridge trusts; give it {keyword}={value}"


def list_makers(tree: ast.Module) -> Iterator[tuple[int, str, list[ast.keyword]]]:
    """Yield the line of each call of something imported, and of each class made of such, what it is, and its keywords."""
    names = _read_imports(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield node.lineno, _name(node.func, names), node.keywords
        elif isinstance(node, ast.ClassDef):
            inner = [each for each in ast.walk(node) if isinstance(each, ast.Call)]
            given = [word for each in inner if ast.unparse(each.func) == "super().__init__" for word in each.keywords]
            yield from ((node.lineno, _name(base, names), given) for base in node.bases)


def _read_imports(tree: ast.Module) -> dict[str, str]:
    """Return what each name in a file that came from elsewhere is there: `package`, or `package.name`."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {(each.asname or each.name).partition(".")[0]: each.name.partition(".")[0] for each in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            package = node.module.partition(".")[0]
            found |= {each.asname or each.name: f"{package}.{each.name}" for each in node.names}
    return found


def _name(named: ast.expr, names: dict[str, str]) -> str:
    """Return `package.name` for what was imported; the modules between the two do not count."""
    first, _, rest = ast.unparse(named).partition(".")
    whole = f"{names.get(first, '')}.{rest}".rstrip(".")
    return f"{whole.partition('.')[0]}.{whole.rpartition('.')[2]}"


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
    find_own_trust,
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
