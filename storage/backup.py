"""A copy of the database while it is in use."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from bot.errors import Broken
from storage.database import BUSY_MILLISECONDS

_OWNER_ONLY = 0o600


def back_up(source: Path, target: Path) -> int:
    """
    Copy the database at *source*, as it is at this moment, to the new file *target*; return its size in bytes.

    The copy is checked before it gets its name, so that a file of that name is always a whole backup. Raises Broken
    when *target* is there already, the disk is full, or the copy is not sound.
    """
    if not source.exists():
        raise Broken(f"There is no database at {source}. Set DATABASE_URL.")
    if target.exists():
        raise Broken(f"{target} is there already. Nothing is overwritten: give another name.")
    partial = target.with_name(f"{target.name}.partial")
    try:
        partial.unlink(missing_ok=True)
        partial.touch(mode=_OWNER_ONLY)
        _copy(source, partial)
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.rename(target)
    except (OSError, sqlite3.Error) as error:
        partial.unlink(missing_ok=True)
        raise Broken(f"The backup could not be made: {error}.") from error
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    return target.stat().st_size


def _copy(source: Path, partial: Path) -> None:
    with closing(sqlite3.connect(source, timeout=BUSY_MILLISECONDS / 1000)) as live:
        with closing(sqlite3.connect(partial)) as copy:
            # All pages in one step: one moment of the live file, whatever the bridge writes meanwhile.
            live.backup(copy)
            # The copy is one file, with no log beside it, until somebody uses it.
            copy.execute("PRAGMA journal_mode = DELETE")
            found = [str(row[0]) for row in copy.execute("PRAGMA integrity_check")]
            known = copy.execute("SELECT COUNT(*) FROM sqlite_master WHERE name = 'version'").fetchone()[0]
        if found != ["ok"]:
            raise Broken(f"The copy is not sound, and so may the database be: {found[0]}.")
        if not known:
            raise Broken(f"{source} is no database of Textbridge.")
