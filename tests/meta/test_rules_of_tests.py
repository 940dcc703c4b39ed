"""The rules that `tests/conftest.py` puts every test under, each shown on a test that breaks it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

ROOT = Path(__file__).resolve().parents[2]

#: One test for each rule, and what its failure says; None: it passes.
CASES = {
    "connects": "Tests reach nothing but this machine",
    "looks_up": "Tests reach nothing but this machine",
    "hides_that_it_connects": "this test tried to reach the network",
    "leaves_a_task": "this test left tasks running",
    "leaves_a_thread": "this test left threads running",
    "leaves_a_file": "this test left open",
    "leaves_a_socket": "this test left open",
    "warns": "DeprecationWarning: old",
    "forgets_to_close": "ResourceWarning",
    "hangs": "Timeout",
    "sees_a_setting": None,
    "cleans_up": None,
    "talks_to_itself": None,
}

TESTS = """
import asyncio, os, socket, threading, time, warnings
import pytest

kept = []

def test_connects():
    with socket.socket() as plug:
        plug.connect(("192.0.2.1", 80))

def test_looks_up():
    socket.getaddrinfo("slack.com", 443)

def test_hides_that_it_connects():
    with pytest.raises(Exception):
        socket.create_connection(("192.0.2.1", 80))

async def test_leaves_a_task():
    kept.append(asyncio.create_task(asyncio.Event().wait()))

def test_leaves_a_thread():
    threading.Thread(target=threading.Event().wait, daemon=True).start()

def test_leaves_a_file():
    kept.append(open(__file__))

def test_leaves_a_socket():
    kept.append(socket.socket())

def test_warns():
    warnings.warn("old", DeprecationWarning)

def test_forgets_to_close():
    socket.socket()

@pytest.mark.timeout(0.2)
async def test_hangs():
    await asyncio.Event().wait()

def test_sees_a_setting():
    assert not {"SLACK_BOT_TOKEN", "TELNYX_API_KEY", "DATABASE_URL", "HTTPS_PROXY"} & set(os.environ)

async def test_cleans_up():
    task = asyncio.create_task(asyncio.sleep(100))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.to_thread(int)

def test_talks_to_itself():
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()):
        server.accept()[0].close()
"""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Run the tests above under this project's rules, in a process of their own, and return what pytest says."""
    folder = tmp_path_factory.mktemp("rules")
    (folder / "tests").mkdir()
    for name in ("pyproject.toml", ".env.example", "tests/conftest.py"):
        (folder / name).write_bytes((ROOT / name).read_bytes())
    (folder / "tests" / "test_cases.py").write_text(dedent(TESTS), encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--tb=short", "-rA", "--color=no"]
    settings = {"SLACK_BOT_TOKEN": "x", "TELNYX_API_KEY": "x", "DATABASE_URL": "x", "HTTPS_PROXY": "http://x"}
    done = subprocess.run(command, cwd=folder, env=settings, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize(("name", "said"), CASES.items(), ids=CASES.keys())
def test_a_test_that(name: str, said: str | None, report: str) -> None:
    outcomes = re.findall(rf"^(PASSED|FAILED|ERROR) tests/test_cases\.py::test_{name}\b", report, re.MULTILINE)
    told = re.findall(
        rf"^_+ (?:ERROR at \w+ of )?test_{name} _+\n(.*?)(?=^[_=]{{4}})", report, re.MULTILINE | re.DOTALL
    )

    if said is None:
        assert outcomes == ["PASSED"]
    else:
        assert {"FAILED", "ERROR"} & set(outcomes)
        assert said in "".join(told)


def test_the_header_says_on_what_it_runs(report: str) -> None:
    assert re.search(r"^textbridge: Python 3\.\d+\.\d+, SQLite 3\.\d+", report, re.MULTILINE)
    assert re.search(r"^chromium: ", report, re.MULTILINE)
