"""Write `storage/schema.sql`, of which a new database is made, from the steps in `storage/migrations`."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from storage.migrate import SCHEMA, list_migrations, take_steps  # noqa: E402 - the project is beside this script

SCRIPT = ROOT / "storage" / "schema.sql"
_HEAD = f"""\
-- Schema {SCHEMA}, of which a new database is made: what the steps in `migrations` come to.
-- Written by tools/write_schema.py: do not edit. What stands between the statements there, and why, is not repeated here.
"""
#: In the order in which they were made: it is the order in which SQLite looks through a table's indices, too.
_OBJECTS = """
SELECT type, sql FROM sqlite_master
WHERE sql IS NOT NULL AND name <> 'version' AND name NOT LIKE 'sqlite^_%' ESCAPE '^' ORDER BY rowid"""


def render_schema() -> str:
    """Return the statements that make a database of today's schema; `storage.migrate` adds the table of versions."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        take_steps(connection, list_migrations())
        parts = [_HEAD]
        for kind, sql in connection.execute(_OBJECTS):
            parts.append(f"{sql};\n" if kind == "index" else f"\n{sql};\n")
    return "".join(parts)


if __name__ == "__main__":
    SCRIPT.write_text(render_schema(), encoding="utf-8")
