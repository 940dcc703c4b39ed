"""
Every flush to the disk counted, and made slower, by whatever program is started through here.

SQLite reaches the disk through a table of functions, its VFS. A copy of that table is registered in which `xSync` waits
first and counts; so no tool is needed that a machine may lack. Counts are kept in a small file, for the
measure to read while the program runs. Where Python brings an SQLite of its own inside, nothing is counted, and the
measure says so.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import mmap
import struct
import time
from typing import Any

from benchmarks.slow_disk import FORMAT

_OPEN_WAL = 0x00080000
_OK = 0

_Open = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)
_Sync = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int)


class _Methods(ctypes.Structure):
    """`sqlite3_io_methods`, version 3."""

    _fields_ = [("version", ctypes.c_int), ("functions", ctypes.c_void_p * 18)]  # type: ignore[mutable-override] # ctypes wants it so


class _File(ctypes.Structure):
    """The beginning of `sqlite3_file`."""

    _fields_ = [("methods", ctypes.POINTER(_Methods))]  # type: ignore[mutable-override] # ctypes wants it so


class _Vfs(ctypes.Structure):
    """`sqlite3_vfs`, version 3."""

    _fields_ = [  # type: ignore[mutable-override] # ctypes wants it so
        ("version", ctypes.c_int),
        ("file_size", ctypes.c_int),
        ("longest_path", ctypes.c_int),
        ("next", ctypes.c_void_p),
        ("name", ctypes.c_char_p),
        ("data", ctypes.c_void_p),
        ("open", ctypes.c_void_p),
        ("functions", ctypes.c_void_p * 15),
    ]


_SYNC = 4  #: After close, read, write, truncate.


def install(counts: mmap.mmap, pause: float) -> None:
    """Count this process's flushes in *counts*, and have each take *pause* seconds longer."""
    library = ctypes.CDLL(ctypes.util.find_library("sqlite3"))
    library.sqlite3_vfs_find.restype = ctypes.POINTER(_Vfs)
    original = library.sqlite3_vfs_find(None)
    logs: set[int] = set()

    # Held here, for the last flush may come when this module has been taken apart already.
    form = struct.Struct(FORMAT)
    wait = time.sleep

    def count(handle: int) -> None:
        log, other, commits = form.unpack_from(counts)
        form.pack_into(counts, 0, log + (handle in logs), other + (handle not in logs), commits)
        if pause:
            wait(pause)

    tables: dict[int, _Methods] = {}
    kept: list[Any] = []  # what C points to must not be collected

    def wrap(table: _Methods) -> _Methods:
        sync = _Sync(table.functions[_SYNC])

        def sync_slowly(handle: int, flags: int) -> int:
            count(handle)
            status: int = sync(handle, flags)
            return status

        slow = _Sync(sync_slowly)
        copy = _Methods.from_buffer_copy(table)
        copy.functions[_SYNC] = ctypes.cast(slow, ctypes.c_void_p).value
        kept.extend((sync, slow, copy))
        return copy

    open_really = _Open(original.contents.open)

    def open_counting(_vfs: int, name: int | None, handle: int, flags: int, out: int | None) -> int:
        status: int = open_really(ctypes.addressof(original.contents), name, handle, flags, out)
        opened = ctypes.cast(handle, ctypes.POINTER(_File)).contents
        if status == _OK and opened.methods:
            address = ctypes.addressof(opened.methods.contents)
            if address not in tables:
                tables[address] = wrap(opened.methods.contents)
            opened.methods = ctypes.pointer(tables[address])
            (logs.add if flags & _OPEN_WAL else logs.discard)(handle)
        return status

    counting = _Open(open_counting)
    copy = _Vfs.from_buffer_copy(original.contents)
    copy.name = b"counting"
    copy.open = ctypes.cast(counting, ctypes.c_void_p).value
    _KEPT.extend((library, original, open_really, counting, copy, tables, kept, counts))
    if library.sqlite3_vfs_register(ctypes.byref(copy), 1) != _OK:
        raise RuntimeError("SQLite does not take another way to the disk")


#: What C points to, as long as the process lives.
_KEPT: list[Any] = []
