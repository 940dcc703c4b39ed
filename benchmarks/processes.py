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

from benchmarks import slow_disk
from benchmarks.bodies import CARRIER_PUBLIC_KEY, CHANNEL, OURS, SLACK_SECRET
from benchmarks.machine import LOAD_CORE, SERVER_CORE, pin

ROOT = Path(__file__).resolve().parent.parent

#: How long a server may take to listen, in seconds.
_PATIENCE = 30.0
_TICKS = os.sysconf("SC_CLK_TCK")
_LISTENS = re.compile(r"listening (\d+)|Textbridge listens\..*\bport=(\d+)")

#: Each contender and its module; the bridge is the program itself.
MODULES = {
    "bare": ("benchmarks.bare",),
    "floor": ("benchmarks.floors", "floor"),
    "each": ("benchmarks.floors", "each"),
    "lean": ("benchmarks.floors", "lean"),
    "through": ("benchmarks.floors", "through"),
    "bolt": ("benchmarks.bolt_peer",),
    "sample": ("benchmarks.sample_peer",),
}
BRIDGE = "bridge"
#: The bridge with its inbox switched off.
STORELESS = "storeless"


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

    def wait_until_idle(self) -> None:
        """Return when it has stopped working: the bridge goes on loading, once it is ready, what no answer waits for."""
        deadline, spent = time.perf_counter() + _PATIENCE, -1.0
        while time.perf_counter() < deadline and self.cpu_seconds != spent:
            spent = self.cpu_seconds
            time.sleep(0.25)

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

    def settle_memory(self) -> float:
        """Return the same once that has not changed for a second: some is taken late, and some is given back late."""
        held = 0.0
        for _ in range(20):
            time.sleep(1.0)
            if self.memory == held:
                break
            held = self.memory
        return held

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
        self._slack_port = self.report()["slack_port"]

    def close(self) -> None:
        """End the fake platforms."""
        self.platforms.stop()

    def set_slack(self, mode: str = "ok", delay: float = 0.0, **more: Any) -> None:
        """Have the fake platforms answer as told from now on; see `benchmarks.fakes.Orders`."""
        self.platforms.ask("/_set", {"mode": mode, "delay": delay, **more})

    def report(self) -> dict[str, Any]:
        """Return what the fake platforms have seen."""
        found: dict[str, Any] = json.loads(self.platforms.ask("/_report")[1])
        return found

    @contextmanager
    def serving(
        self, contender: str, *, waits: bool = True, settings: Mapping[str, str] | None = None, slower: float = -1.0
    ) -> Iterator[Server]:
        """
        Run *contender* while the block runs, on an empty database unless its *settings* name another.

        If it *waits*, the block begins when it is able to work. With *slower*, flushes are counted in its folder, and
        each takes so many milliseconds longer.
        """
        with tempfile.TemporaryDirectory(dir=self.folder) as name:
            folder = Path(name)
            environment = self._settings(folder) | dict(settings or {})
            if slower >= 0:
                environment |= {slow_disk.FOLDER: str(folder), slow_disk.MILLISECONDS: str(slower)}
            command = self._command(contender, folder, counted=slower >= 0)
            server = self._start(contender, command, SERVER_CORE, environment, folder)
            try:
                if waits:
                    server.wait_for("/readyz" if contender in (BRIDGE, STORELESS) else "/healthz")
                    server.wait_until_idle()
                yield server
            finally:
                server.kill()

    def _command(self, contender: str, folder: Path, *, counted: bool) -> list[str]:
        if contender == STORELESS or (contender == BRIDGE and counted):
            return [sys.executable, "-m", "benchmarks.variants", "storeless" if contender == STORELESS else "plain"]
        if contender == BRIDGE:
            return [sys.executable, "-m", "bot", "serve"]
        module, *kind = MODULES[contender]
        return [sys.executable, "-m", module, *kind, str(folder / "floor.db"), self._slack_url]

    @property
    def _slack_url(self) -> str:
        return f"http://127.0.0.1:{self._slack_port}/api/"

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
