"""The servers under measurement, each a process of its own, started anew for every round."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.bodies import CARRIER_PUBLIC_KEY, CHANNEL, OURS, SLACK_SECRET
from benchmarks.machine import LOAD_CORE, SERVER_CORE, pin

ROOT = Path(__file__).resolve().parent.parent

#: How long a server may take to listen, in seconds.
_PATIENCE = 30.0
_TICKS = os.sysconf("SC_CLK_TCK")
_LISTENS = re.compile(r"listening (\d+)|Textbridge listens\..*\bport=(\d+)")

#: Each contender and its module; the bridge is the program itself.
MODULES = {
    "bare": ("benchmarks.floors", "bare"),
    "floor": ("benchmarks.floors", "floor"),
    "each": ("benchmarks.floors", "each"),
    "lean": ("benchmarks.floors", "lean"),
    "through": ("benchmarks.floors", "through"),
    "bolt": ("benchmarks.bolt_peer",),
    "sample": ("benchmarks.sample_peer",),
}
BRIDGE = "bridge"


class Server:
    """A process that listens on a port of this machine."""

    def __init__(self, process: subprocess.Popen[bytes], output: Path, folder: Path) -> None:
        self._process = process
        self._output = output
        self.folder = folder
        self.started_at = time.perf_counter()
        self.port = self._find_port()

    def _find_port(self) -> int:
        while time.perf_counter() - self.started_at < _PATIENCE:
            said = self._output.read_text(encoding="utf-8", errors="replace")
            if found := _LISTENS.search(said):
                return int(found[1] or found[2])
            if self._process.poll() is not None:
                break
            time.sleep(0.002)
        self.stop()
        raise RuntimeError(f"a server did not start; it said:\n{self.tell()}")

    def tell(self) -> str:
        """Return the end of what it printed."""
        return self._output.read_text(encoding="utf-8", errors="replace")[-2_000:]

    def ask(self, path: str, body: Mapping[str, Any] | None = None) -> tuple[int, bytes]:
        """Return status and body of one GET, or of one POST of *body*."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET" if body is None else "POST", path, None if body is None else json.dumps(body))
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def wait_for(self, path: str) -> float:
        """Return the seconds from its start until it answered 200 at *path*."""
        while time.perf_counter() - self.started_at < _PATIENCE:
            try:
                if self.ask(path)[0] == http.client.OK:
                    return time.perf_counter() - self.started_at
            except OSError:
                pass  # it does not listen yet
            time.sleep(0.002)
        raise RuntimeError(f"a server was not ready in time; it said:\n{self.tell()}")

    @property
    def cpu_seconds(self) -> float:
        """Return the processor time that it and its children have taken so far, all threads together."""
        total = 0
        for pid in [self._process.pid, *_list_children(self._process.pid)]:
            fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
        return total / _TICKS

    @property
    def memory(self) -> float:
        """Return the megabytes that it holds in memory, its children's included."""
        total = 0.0
        for pid in [self._process.pid, *_list_children(self._process.pid)]:
            status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
            total += int(status.partition("VmRSS:")[2].split()[0]) / 1024
        return total

    def stop(self) -> float:
        """End it and return the seconds that this took."""
        began = time.perf_counter()
        self._process.terminate()
        try:
            self._process.wait(timeout=12)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        return time.perf_counter() - began

    def kill(self) -> None:
        """End it at once, with whatever it still has to do."""
        for pid in _list_children(self._process.pid):
            _kill(pid)
        self._process.kill()
        self._process.wait()


def _list_children(pid: int) -> list[int]:
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in path.read_text(encoding="utf-8").split()] if path.exists() else []


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):  # it may go by itself
        os.kill(pid, signal.SIGKILL)


class Yard:
    """Where servers are started: a folder for their files, and the fake platforms that they all talk to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.platforms = self._start("platforms", [sys.executable, "-m", "benchmarks.fakes"], LOAD_CORE, {})

    def close(self) -> None:
        """End the fake platforms."""
        self.platforms.stop()

    def set_slack(self, mode: str = "ok", delay: float = 0.0) -> None:
        """Have the fake Slack take posts as told, from now on."""
        self.platforms.ask("/_set", {"mode": mode, "delay": delay})

    def report(self) -> dict[str, Any]:
        """Return what the fake platforms have seen."""
        found: dict[str, Any] = json.loads(self.platforms.ask("/_report")[1])
        return found

    @contextmanager
    def serving(self, contender: str, *, waits: bool = True) -> Iterator[Server]:
        """Run *contender* on an empty database while the block runs; if it *waits*, the block begins when it is able to work."""
        with tempfile.TemporaryDirectory(dir=self.folder) as name:
            folder = Path(name)
            server = self._start(
                contender, self._command(contender, folder), SERVER_CORE, self._settings(folder), folder
            )
            try:
                if waits:
                    server.wait_for("/readyz" if contender == BRIDGE else "/healthz")
                yield server
            finally:
                server.kill()

    def _command(self, contender: str, folder: Path) -> list[str]:
        if contender == BRIDGE:
            return [sys.executable, "-m", "bot", "serve"]
        module, *kind = MODULES[contender]
        return [sys.executable, "-m", module, *kind, str(folder / "floor.db"), self._slack_url]

    @property
    def _slack_url(self) -> str:
        return f"http://127.0.0.1:{self.platforms.port}/api/"

    def _settings(self, folder: Path) -> dict[str, str]:
        return {
            "SLACK_BOT_TOKEN": "xoxb-made-up",
            "SLACK_SIGNING_SECRET": SLACK_SECRET,
            "SLACK_CHANNEL": CHANNEL,
            "SLACK_API_URL": self._slack_url,
            "TELNYX_API_KEY": "KEYmade-up",
            "TELNYX_PUBLIC_KEY": CARRIER_PUBLIC_KEY,
            "TELNYX_PHONE_NUMBER": OURS,
            "TELNYX_API_URL": f"http://127.0.0.1:{self.platforms.port}/v2",
            "DATABASE_URL": f"sqlite:///{folder / 'bridge.db'}",
            "PORT": "0",
        }

    def _start(
        self, name: str, command: list[str], core: int, settings: Mapping[str, str], folder: Path | None = None
    ) -> Server:
        folder = folder or self.folder
        output = folder / f"{name}.log"
        environment = {"PATH": os.defpath, "PYTHONPATH": str(ROOT), "LANG": "C.UTF-8", **settings}
        with output.open("wb") as file:
            process = subprocess.Popen(
                [*pin(core), *command], cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=file, stderr=file
            )
        return Server(process, output, folder)


def has_sample_peer() -> bool:
    """Tell whether the sample peer's packages are there."""
    return find_spec("flask") is not None and find_spec("gunicorn") is not None
