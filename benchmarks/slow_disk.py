"""
Whether flushes are counted and made slower in a program, and what was counted: `benchmarks.vfs` does it.

Kept apart from it, and small: the servers that are measured import this.
"""

from __future__ import annotations

import mmap
import os
import struct
from importlib import import_module
from pathlib import Path

#: What switches it on: a folder for the counts, and the milliseconds that each flush takes longer.
FOLDER, MILLISECONDS = "BENCH_FLUSH_FOLDER", "BENCH_FLUSH_MILLISECONDS"
_FILE = "flushes"
FORMAT = "<QQQ"  #: Flushes of write-ahead logs, of all other files, and commits.


def install_if_asked() -> None:
    """Count and slow down this process's flushes, if its environment says so."""
    folder = os.environ.get(FOLDER)
    if folder:
        path = Path(folder) / _FILE
        path.write_bytes(struct.pack(FORMAT, 0, 0, 0))
        with path.open("r+b") as file:
            counts = mmap.mmap(file.fileno(), 0)
        _COUNTS.append(counts)
        import_module("benchmarks.vfs").install(counts, float(os.environ.get(MILLISECONDS, "0")) / 1_000)


def read_counts(folder: Path) -> tuple[int, int, int]:
    """Return the flushes of logs and of other files, and the commits, of the program that counts into *folder*."""
    path = folder / _FILE
    log, other, commits = struct.unpack(FORMAT, path.read_bytes()) if path.exists() else (0, 0, 0)
    return log, other, commits


def count_commit() -> None:
    """Count a commit, if there is anything to count in."""
    if _COUNTS:
        log, other, commits = struct.unpack_from(FORMAT, _COUNTS[0])
        struct.pack_into(FORMAT, _COUNTS[0], 0, log, other, commits + 1)


#: What is counted in, as long as the process lives.
_COUNTS: list[mmap.mmap] = []
