"""
The rules that every test runs under: no internet, nobody's settings, no warning, and nothing left behind.

Warnings are made errors in `pyproject.toml`; the rest is here. None of it can be switched off by a test.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import platform
import shutil
import sqlite3
import sys
import threading
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from importlib import import_module
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import hypothesis
import pytest

ROOT = Path(__file__).resolve().parent.parent
IN_CI = os.environ.get("CI", "").lower() in {"1", "true", "yes"}

# ---------------------------------------------------------------------------------------------- nobody's settings

#: Read by Slack's and Python's own HTTP clients, whatever our settings say.
_PROXY_VARIABLES = {"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"}


def _name_settings() -> set[str]:
    """Return the name of every setting, as `.env.example` lists them."""
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    return {line.lstrip("# ").partition("=")[0] for line in lines if "=" in line and line.lstrip("# ")[:1].isupper()}


def _scrub_environment() -> None:
    settings = _name_settings()
    for name in list(os.environ):
        if name.startswith(("SLACK_", "TELNYX_")) or name in settings or name.upper() in _PROXY_VARIABLES:
            del os.environ[name]


# At import, before a library can have read them: slack_bolt takes its token and secret from the environment.
_scrub_environment()

# -------------------------------------------------------------------------------------------------- no internet

_refused: list[str] = []


class NetworkClosedError(RuntimeError):
    """A test tried to reach something that is not this machine."""


def _is_here(host: object) -> bool:
    if host is None or host in ("", b"", "localhost", b"localhost"):
        return True
    try:
        address = ip_address(host.decode() if isinstance(host, bytes) else str(host).partition("%")[0])
    except ValueError:
        return False  # a name: finding out whose would already ask the network
    return address.is_loopback or address.is_unspecified


def _refuse_network(event: str, args: tuple[object, ...]) -> None:
    """Refuse to connect, send or look up a name anywhere but on the loopback. An audit hook: no code gets round it."""
    if event in ("socket.connect", "socket.sendto"):
        address = args[1]
        host = address[0] if isinstance(address, tuple) else None  # a path or None is a socket of this machine
    elif event == "socket.getaddrinfo":
        host = args[0]
    else:
        return
    if not _is_here(host):
        _refused.append(f"{event} {host!r}")
        message = f"Tests reach nothing but this machine, and this one tried {event} to {host!r}. Use a simulator."
        raise NetworkClosedError(message)


sys.addaudithook(_refuse_network)


@pytest.fixture(autouse=True)
def _network_stays_closed() -> Iterator[None]:
    """Fail a test whose attempt to reach the network was caught by the code under test."""
    _refused.clear()
    yield
    assert not _refused, f"this test tried to reach the network: {_refused}"


# -------------------------------------------------------------------------------------------- nobody overheard


def _import_overheard() -> Any:
    try:
        return import_module("tests.overheard")
    except ImportError:  # these rules are shown on tests of their own, with nothing of the project around them
        return None


overheard = _import_overheard()
_ear = None if overheard is None else overheard.Ear()
#: What a library may say at INFO is listened to as well, though the program silences some.
_LIBRARIES = (
    "slack_sdk",
    "slack_bolt",
    "httpx",
    "httpcore",
    "aiosqlite",
    "aiohttp.access",
    "aiohttp.server",
    "textbridge",
)


@pytest.fixture(autouse=True)
def _nobody_is_overheard(_network_stays_closed: None) -> Iterator[None]:
    """Fail a test in which a log line told a customer's number, anybody's words, or a secret."""
    if overheard is None or _ear is None:
        yield
        return
    root = logging.getLogger()
    levels = {name: logging.getLogger(name).level for name in ("", *_LIBRARIES)}
    handlers = list(root.handlers)
    for name in levels:
        logging.getLogger(name).setLevel(logging.INFO)
    root.addHandler(_ear)
    _ear.forget()
    overheard.forget()
    yield
    # A command that was run in here may have set all logging up anew.
    root.handlers[:] = handlers
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
    leak = _ear.find_leak()
    _ear.forget()
    assert leak is None, f"this test's log tells what is nobody's to know: {leak}"


# ----------------------------------------------------------------------------------------- nothing left behind


def _list_threads() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.is_alive()}


def _list_descriptors() -> Counter[str]:
    """Count the open files by what they point at, sockets by kind; empty where the system does not tell."""
    folder = Path("/proc/self/fd")
    found: Counter[str] = Counter()
    if not folder.is_dir():
        return found
    for descriptor in os.listdir(folder):  # noqa: PTH208 - must not keep the folder itself open
        try:
            found[str((folder / descriptor).readlink()).partition(":[")[0]] += 1
        except OSError:
            continue  # the one that listed the folder
    return found


@pytest.fixture(autouse=True)
def _nothing_stays_open(_network_stays_closed: None) -> Iterator[None]:
    """Fail a test that leaves a thread or an open file, socket or pipe. Set up first, so looked at last."""
    threads, descriptors = _list_threads(), _list_descriptors()
    yield
    left = _list_threads() - threads
    for thread in left:
        thread.join(timeout=2)  # told to stop, it may still be on its way out
    left = {thread for thread in left if thread.is_alive()}
    assert not left, f"this test left threads running: {sorted(thread.name for thread in left)}"
    if _list_descriptors() - descriptors:
        gc.collect()  # what only a cycle holds is warned about by Python itself
    more = _list_descriptors() - descriptors
    assert not more, f"this test left open: {dict(more)}"


@pytest.fixture
async def _no_task_stays(_nothing_stays_open: None) -> AsyncIterator[None]:
    yield
    for _ in range(20):  # tasks already cancelled or done get their turns to end
        if not _list_tasks():
            return
        await asyncio.sleep(0)
    pytest.fail(f"this test left tasks running: {_list_tasks()}", pytrace=False)


def _list_tasks() -> list[str]:
    ours = asyncio.current_task()
    return sorted(f"{task.get_name()}: {task.get_coro()}" for task in asyncio.all_tasks() if task is not ours)


@pytest.fixture(autouse=True)
def _nothing_keeps_running(request: pytest.FixtureRequest, _nothing_stays_open: None) -> None:
    """Count the tasks of a test that has an event loop; give no loop to one that has none."""
    if request.node.get_closest_marker("asyncio") is not None:
        request.getfixturevalue("_no_task_stays")


_exit_status = 0


def pytest_sessionfinish(exitstatus: int) -> None:
    """Keep the status for the end."""
    global _exit_status  # noqa: PLW0603 - pytest's own hooks share nothing else
    _exit_status = int(exitstatus)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    """End the run even where a failed test left a thread that Python would wait for without end."""
    waited_for = [thread for thread in _list_threads() if not thread.daemon and thread is not threading.main_thread()]
    if waited_for:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(_exit_status or 1)


# --------------------------------------------------------------------------------------------------- hypothesis

# A machine that shares its cores cannot keep deadlines; what failed is printed so that it can be pasted into a test.
hypothesis.settings.register_profile("dev", deadline=None, print_blob=True)
hypothesis.settings.register_profile("ci", deadline=None, print_blob=True, derandomize=True, database=None)
hypothesis.settings.register_profile("fuzz", deadline=None, print_blob=True, max_examples=5_000)  # make fuzz
hypothesis.settings.load_profile("ci" if IN_CI else "dev")

# ------------------------------------------------------------------------------------------------------ browser

_CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_CHROMIUM_ON_MACOS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)


def find_chromium() -> str | None:
    """Return where Chromium is: what `CHROMIUM` names, else the first found on the path or in macOS's place."""
    if told := os.environ.get("CHROMIUM"):
        return told
    found = (shutil.which(name) for name in _CHROMIUMS)
    return next((path for path in found if path), None) or next(
        (path for path in _CHROMIUM_ON_MACOS if Path(path).exists()), None
    )


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """Return the path of Chromium; without one the test is skipped, or, under CI, fails."""
    path = find_chromium()
    if path is not None:
        return path
    if IN_CI:
        pytest.fail("No Chromium found, and CI skips nothing: .ci/run installs it.", pytrace=False)
    pytest.skip("no Chromium found: install one (`apt install chromium`), or set CHROMIUM to where it is")


def pytest_report_header() -> list[str]:
    """Say on what this run stands."""
    profile = "ci, the same examples every time" if IN_CI else "dev"
    return [
        f"textbridge: Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}",
        f"hypothesis profile: {profile}",
        f"chromium: {find_chromium() or 'none found, so the tests of the page are skipped (apt install chromium)'}",
    ]
