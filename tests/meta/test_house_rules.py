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


def test_what_is_given_the_bridges_trust_and_a_simulator_are_left_in_peace(house: Path) -> None:
    write("bot/sandbox/sim.py", "import aiohttp\nx = aiohttp.ClientSession()\n")(house)
    given = [
        "aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=get_tls()))",
        "httpx.AsyncClient(base_url='', verify=get_tls())",
        "session.request('GET', url)",
        "aiohttp.ClientTimeout(total=5)",
    ]
    write("bot/gateways/own.py", "import aiohttp\nimport httpx\n" + "\n".join(given))(house)
    mine = "class Mine(aiohttp.TCPConnector):\n    def __init__(self):\n        super().__init__(ssl=get_tls())\n"
    write("handlers/own.py", f"import aiohttp\n{mine}")(house)

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
        *(
            (write("bot/gateways/own.py", f"{imported}\nx = {made}\n"), "bot/gateways/own.py:2: ")
            for imported, made in (
                ("import aiohttp", "aiohttp.ClientSession()"),
                ("import aiohttp", "aiohttp.ClientSession(timeout=5)"),
                ("import aiohttp as http", "http.TCPConnector(limit=5)"),
                ("import aiohttp", "aiohttp.TCPConnector(ssl=False)"),
                ("import aiohttp", "aiohttp.request('GET', url)"),
                ("from aiohttp import ClientSession as S", "S()"),
                ("import httpx", "httpx.AsyncClient(verify=True)"),
                ("import httpx", "httpx.Client()"),
                ("from slack_sdk.web.async_client import AsyncWebClient", "AsyncWebClient(token='')"),
            )
        ),
        (
            write("handlers/own.py", "import aiohttp\n\nclass Mine(aiohttp.TCPConnector):\n    pass\n"),
            "handlers/own.py:3: ",
        ),
        (write("LICENSE", "All rights reserved\n"), "LICENSE:"),
        (lambda root: (root / "LICENSE").unlink(), "LICENSE:"),
    ],
)
def test_a_breach_is_told_with_its_place(house: Path, change: Callable[[Path], object], told: str) -> None:
    change(house)

    (line,) = find_breaches(house)

    assert line.startswith(told)
