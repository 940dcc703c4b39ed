"""Whether a database can be kept where the settings say, and what lies there: asked before anything is opened."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from bot.errors import Broken
from storage.database import BUSY_MILLISECONDS

_HEADER = b"SQLite format 3\x00"
_VERSION = "SELECT schema, compat FROM version"


def check_place(path: Path) -> str | None:
    """Return why no database can be kept at *path*, in words for whoever set it; None where one can."""
    folder = path.parent
    if path.is_dir():
        return f"{path} is a folder, not a file."
    if not path.exists():
        nearest = next((each for each in (folder, *folder.parents) if each.exists()), Path())
        if not nearest.is_dir():
            return f"{folder} cannot be a folder: {nearest} is a file."
        return None if os.access(nearest, os.W_OK | os.X_OK) else f"the folder {nearest} is not writable."
    if not os.access(path, os.R_OK | os.W_OK):
        return f"{path} is not writable."
    if not os.access(folder, os.W_OK | os.X_OK):
        return f"the folder {folder} is not writable, and SQLite needs files beside the database."
    with path.open("rb") as file:
        if file.read(len(_HEADER)) not in (_HEADER, b""):
            return f"{path} is something else than a database."
    return None


def check_version(path: Path) -> tuple[int, int] | None:
    """
    Return the schema of the file at *path* and the oldest program that may open it; None where nothing is in it yet.

    Raises Broken when it is no database of ours, or is damaged.
    """
    try:
        with closing(sqlite3.connect(path, timeout=BUSY_MILLISECONDS / 1000)) as connection:
            tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            if "version" in tables:
                schema, compat = connection.execute(_VERSION).fetchone()
                return int(schema), int(compat)
    except sqlite3.Error as error:
        raise Broken(f"The database {path} cannot be opened: {error}.") from error
    if tables:
        raise Broken(f"{path} is a database of another program. Set DATABASE_URL to a file of its own.")
    return None
