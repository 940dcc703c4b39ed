"""What it was measured on."""

from __future__ import annotations

import os
import platform
import shutil
import sqlite3
import statistics
import time
from importlib.metadata import version
from pathlib import Path

#: The servers measured run here; the load and the fake platforms on the other.
SERVER_CORE, LOAD_CORE = 0, 1

_TASKSET = shutil.which("taskset")
#: Whether a process can be kept on a core of its own. Asked at import, before this process keeps itself on one.
CAN_PIN = _TASKSET is not None and {SERVER_CORE, LOAD_CORE} <= os.sched_getaffinity(0)


def pin(core: int) -> list[str]:
    """Return what goes before a command to keep it on *core*; nothing where that cannot be."""
    return [_TASKSET, "-c", str(core)] if _TASKSET and CAN_PIN else []


def measure_flush(folder: Path, times: int = 50) -> float:
    """Return the median of what appending 4 KB to a file in *folder* and flushing it takes, in microseconds."""
    spans = []
    path = folder / "flush"
    with path.open("wb", buffering=0) as file:
        for _ in range(times):
            file.write(b"x" * 4096)
            began = time.perf_counter()
            os.fsync(file.fileno())
            spans.append((time.perf_counter() - began) * 1e6)
    path.unlink()
    return statistics.median(spans)


def measure_loop(times: int = 7) -> list[float]:
    """Return what the same counting took again and again, in milliseconds: how far the machine's own speed moves."""
    spans = []
    for _ in range(times):
        began = time.perf_counter()
        total = 0
        for number in range(200_000):
            total += number
        spans.append((time.perf_counter() - began) * 1e3)
    return spans


def describe_machine(folder: Path) -> list[str]:
    """Return lines that say on what this runs, and how busy it is."""
    names = [
        line.partition(":")[2].strip()
        for line in _read(Path("/proc/cpuinfo")).splitlines()
        if line.startswith("model name")
    ]
    packages = ", ".join(
        f"{name} {version(name)}" for name in ("aiohttp", "aiosqlite", "pynacl", "slack-bolt", "slack-sdk", "httpx")
    )
    spans = measure_loop()
    processor = names[0] if names else platform.processor() or "unknown processor"
    load = ", ".join(f"{average:.1f}" for average in os.getloadavg())
    return [
        f"{os.cpu_count()} × {processor}, {platform.system()} {platform.release()}",
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {packages}",
        f"Flushing 4 KB to this disk takes {measure_flush(folder):.0f} µs (median)",
        f"Servers on core {SERVER_CORE}, load and fake platforms on core {LOAD_CORE}"
        if CAN_PIN
        else "Processes could not be kept on cores of their own: there is no `taskset`, or there are not two cores",
        f"Load average when it began: {load}; the same counting took {min(spans):.1f}–{max(spans):.1f} ms",
    ]


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""
