"""
Bringing the database to this program's schema: numbered SQL files, never edited once released.

A new file is made at once of `schema.sql`, which is what all steps together come to: `tools/write_schema.py` writes it of
them, and `tests/storage/test_migrations.py` holds that a file made of it is no other than one that took every step.

Two numbers are kept in the file: *schema*, what it has become, and *compat*, the oldest program that may still open it.
A program that is older than *compat* refuses to start, instead of damaging what it does not know.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.clock import SystemClock
from bot.errors import Broken
from bot.observe import Log
from storage.packing import PACKERS

_log = Log("migrate")

#: What this program's SQL expects.
SCHEMA = 14
#: The oldest program that may open a database which this one has written.
COMPAT = 11

#: A step may take minutes on a file of years. Whoever waits is told so often that it goes on, in seconds.
_TELL_EVERY = 10.0
#: How many of SQLite's own instructions lie between two looks at the clock.
_INSTRUCTIONS = 1_000_000

#: Beside this file, in the wheel as well. `importlib.resources` would find it too, and take as long as all steps do.
_FOLDER = Path(__file__).with_name("migrations")
_WHOLE = Path(__file__).with_name("schema.sql")
_NAME = re.compile(r"^(\d{4})_[a-z0-9_]+\.sql$")

_CREATE_VERSION = """
CREATE TABLE IF NOT EXISTS version
(one INTEGER PRIMARY KEY CHECK (one = 1), schema INTEGER NOT NULL, compat INTEGER NOT NULL) STRICT"""
_READ_VERSION = "SELECT schema, compat FROM version"
_WRITE_VERSION = """
INSERT INTO version VALUES (1, ?, ?)
ON CONFLICT (one) DO UPDATE SET schema = excluded.schema, compat = excluded.compat"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """One step: from schema *number* - 1 to *number*."""

    number: int
    name: str
    script: str


def list_migrations() -> list[Migration]:
    """Return all steps, in order. Raises Broken when their numbers have a gap or do not end at SCHEMA."""
    found = [
        Migration(number=int(match[1]), name=entry.name, script=entry.read_text("utf-8"))
        for entry in _FOLDER.iterdir()
        if (match := _NAME.match(entry.name))
    ]
    found.sort(key=lambda migration: migration.number)
    if [migration.number for migration in found] != list(range(1, SCHEMA + 1)):
        msg = f"the migrations in this program do not run from 1 to {SCHEMA}"
        raise Broken(msg)
    return found


def migrate(connection: sqlite3.Connection) -> list[str]:
    """
    Bring the database behind *connection* to SCHEMA and return the names of the steps taken; a new file takes one.

    *connection* must be in autocommit mode (`isolation_level=None`). Raises Broken when the database was written by a
    newer program that no longer wants this one to touch it.
    """
    schema, compat = _read_version(connection)
    if compat > SCHEMA:
        msg = (
            f"This database was last used by a newer Textbridge (schema {schema}, readable from {compat}); "
            f"this one knows schema {SCHEMA}. Start the newer version, or restore a backup made by this one."
        )
        raise Broken(msg, person=msg)
    if schema >= SCHEMA:
        return []
    # All in one transaction: one flush of the disk, and all of them or none.
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Asked again under the lock: another process may have opened the same new file and made it meanwhile.
        schema = _read_version(connection)[0]
        steps = [step for step in list_migrations() if step.number > schema] if schema else [_read_whole()]
        take_steps(connection, steps, since=schema)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # SQLite itself takes it back where the disk is full, or a step is interrupted
            connection.execute("ROLLBACK")
        raise
    if steps and schema:
        _log.info("The database is up to date.", schema=SCHEMA)
    return [step.name for step in steps]


def _read_whole() -> Migration:
    return Migration(number=SCHEMA, name=_WHOLE.name, script=_WHOLE.read_text("utf-8"))


def take_steps(connection: sqlite3.Connection, steps: list[Migration], *, since: int = 0) -> None:
    """Take *steps*, which follow on schema *since*, in the caller's transaction; log them, but for a new file's."""
    if not steps:
        return
    _lend_packers(connection)
    connection.execute(_CREATE_VERSION)
    with _telling(connection, since=since) as tell:
        for step in steps:
            tell(step)
            for statement in split_script(step.script):
                connection.execute(statement)
    connection.execute(_WRITE_VERSION, (steps[-1].number, COMPAT))


def _lend_packers(connection: sqlite3.Connection) -> None:
    """Let the steps say `packed_id(…)`: what SQLite cannot pack by itself. NULL stays NULL."""
    for name, pack in PACKERS.items():
        connection.create_function(
            name, 1, lambda value, pack=pack: None if value is None else pack(value), deterministic=True
        )


@contextmanager
def _telling(connection: sqlite3.Connection, *, since: int) -> Iterator[Callable[[Migration], None]]:
    """Log which steps are taken, and that they go on. Of a new file (*since* is 0) nothing is told."""
    if since == 0:
        yield lambda _: None
        return
    clock = SystemClock()
    began = told_at = clock.monotonic()
    name = ""

    def tell(step: Migration) -> None:
        nonlocal name
        name = step.name
        _log.info("Bringing the database up to date.", step=name)

    def look_at_clock() -> None:
        nonlocal told_at
        if clock.monotonic() - told_at >= _TELL_EVERY:
            told_at = clock.monotonic()
            _log.info("Still bringing the database up to date.", step=name, seconds=round(told_at - began))

    connection.set_progress_handler(look_at_clock, _INSTRUCTIONS)
    try:
        yield tell
    finally:
        connection.set_progress_handler(None, 0)


def _read_version(connection: sqlite3.Connection) -> tuple[int, int]:
    known = connection.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'version'").fetchone()
    row = connection.execute(_READ_VERSION).fetchone() if known else None
    return (row[0], row[1]) if row else (0, 0)


def split_script(script: str) -> list[str]:
    """
    Return the statements of *script*, each complete.

    `sqlite3.executescript` would commit the transaction that it is called in, so the statements are run one by one.
    """
    statements = []
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            if pending.strip():
                statements.append(pending)
            pending = ""
    if any(line.strip() and not line.strip().startswith("--") for line in pending.splitlines()):
        msg = f"a migration ends in an incomplete statement: {pending.strip()[:60]!r}"
        raise Broken(msg)
    return statements
