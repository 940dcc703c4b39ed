"""The schema: how a database becomes this program's, and how it is kept from a program that does not know it."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bot.errors import Broken
from storage import migrate as migrations
from storage.migrate import COMPAT, SCHEMA, Migration, list_migrations, migrate, split_script, take_steps
from tools.write_schema import SCRIPT, render_schema

#: In the order in which SQLite looks through them.
_OBJECTS = "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY rowid"
_PRAGMAS = ("user_version", "application_id", "encoding", "auto_vacuum", "page_size")


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    opened = sqlite3.connect(":memory:", isolation_level=None)
    yield opened
    opened.close()


def _step(number: int, script: str) -> Migration:
    return Migration(number=number, name=f"{number:04d}_made_up.sql", script=script)


def _use(monkeypatch: pytest.MonkeyPatch, *steps: Migration) -> None:
    """Let this program have other steps than its own."""
    monkeypatch.setattr(migrations, "SCHEMA", len(steps))
    monkeypatch.setattr(migrations, "COMPAT", min(COMPAT, len(steps)))
    monkeypatch.setattr(migrations, "list_migrations", lambda: list(steps))


def _even_out(sql: str) -> str:
    """Return *sql* without the quotes and blanks that each SQLite sets as it likes when it renames a table."""
    return " ".join(sql.replace('"', "").split())


def _describe(connection: sqlite3.Connection) -> dict[str, list[tuple[Any, ...]]]:
    """Return everything that is in a database: its objects, its rows, and what its head says."""
    objects = connection.execute(_OBJECTS).fetchall()
    found = {"objects": [(*rest, sql and _even_out(sql)) for *rest, sql in objects]}
    for kind, name, *_ in objects:
        if kind == "table":
            found[name] = connection.execute(f"SELECT * FROM {name}").fetchall()
    return found | {pragma: connection.execute(f"PRAGMA {pragma}").fetchall() for pragma in _PRAGMAS}


def test_a_new_file_is_made_at_once(connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as without:
        without.setattr(migrations, "list_migrations", list)
        assert migrate(connection) == ["schema.sql"]
    assert migrate(connection) == []
    assert connection.execute("SELECT schema, compat FROM version").fetchall() == [(SCHEMA, COMPAT)]


@pytest.mark.parametrize("stop_after", range(1, SCHEMA + 1))
def test_a_file_that_took_every_step_is_the_same_as_a_new_one(connection: sqlite3.Connection, stop_after: int) -> None:
    steps = list_migrations()
    take_steps(connection, steps[:stop_after])

    assert migrate(connection) == [step.name for step in steps[stop_after:]]

    with closing(sqlite3.connect(":memory:", isolation_level=None)) as new:
        migrate(new)
        assert _describe(connection) == _describe(new)


def test_what_new_files_are_made_of_was_written_with_the_newest_step() -> None:
    assert _even_out(SCRIPT.read_text("utf-8")) == _even_out(render_schema()), "run tools/write_schema.py"


def test_jobs_are_carried_over_as_they_are_and_only_known_statuses_are_taken(connection: sqlite3.Connection) -> None:
    take_steps(connection, list_migrations()[:12])
    names = [row[1] for row in connection.execute("PRAGMA table_info(jobs)")]
    sql = f"INSERT INTO jobs ({', '.join(names)}) VALUES ({', '.join('?' for _ in names)})"
    for number, status in enumerate(("done", "parked", "running", "waiting", "ready"), start=7):
        values = {name: number * 100 + place for place, name in enumerate(names)}
        texts = {name: f"{name} {number}" for name in ("kind", "pool", "key", "lane", "body", "token", "trouble")}
        connection.execute(sql, list((values | texts | {"status": status}).values()))
    before = connection.execute("SELECT * FROM jobs ORDER BY id").fetchall()

    migrate(connection)

    assert connection.execute("SELECT * FROM jobs ORDER BY id").fetchall() == before
    with pytest.raises(sqlite3.IntegrityError, match="CHECK"):
        connection.execute("UPDATE jobs SET status = 'lost' WHERE status = 'done'")
    with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
        connection.execute("UPDATE jobs SET lane = 'lane 11' WHERE status = 'running'")


def test_a_newer_programs_database_is_refused_with_what_to_do(connection: sqlite3.Connection) -> None:
    migrate(connection)
    connection.execute("UPDATE version SET schema = ?, compat = ?", (SCHEMA + 5, SCHEMA + 3))
    before = connection.execute(_OBJECTS).fetchall()

    with pytest.raises(Broken) as told:
        migrate(connection)

    assert "newer Textbridge" in told.value.person
    assert f"schema {SCHEMA + 5}" in told.value.person
    assert "Start the newer version, or restore a backup" in told.value.person
    assert connection.execute(_OBJECTS).fetchall() == before


def test_a_newer_programs_database_that_this_one_may_still_open_is_opened_untouched(
    connection: sqlite3.Connection,
) -> None:
    migrate(connection)
    connection.execute("UPDATE version SET schema = ?, compat = ?", (SCHEMA + 5, SCHEMA))

    assert migrate(connection) == []
    assert connection.execute("SELECT schema, compat FROM version").fetchall() == [(SCHEMA + 5, SCHEMA)]


def test_a_step_that_fails_leaves_nothing_of_itself_and_of_those_before_it(
    connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = _step(1, "CREATE TABLE a (x INTEGER);\nINSERT INTO a VALUES (1);")
    _use(monkeypatch, first)
    take_steps(connection, [first])
    _use(
        monkeypatch,
        first,
        _step(2, "INSERT INTO a VALUES (2);"),
        _step(3, "CREATE TABLE b (x INTEGER);\nINSERT INTO a VALUES (3);\nINSERT INTO nowhere VALUES (4);"),
    )
    for _ in range(2):  # and again at the next start
        with pytest.raises(sqlite3.OperationalError, match="nowhere"):
            migrate(connection)

        assert not connection.in_transaction
        assert connection.execute("SELECT schema FROM version").fetchall() == [(1,)]
        assert connection.execute("SELECT x FROM a").fetchall() == [(1,)]
        assert connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'b'").fetchall() == []


def test_a_new_file_that_cannot_be_made_stays_empty(
    connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    script = tmp_path / "schema.sql"
    script.write_text("CREATE TABLE a (x INTEGER);\nCREATE TABLE a (x INTEGER);", encoding="utf-8")
    monkeypatch.setattr(migrations, "_WHOLE", script)
    with pytest.raises(sqlite3.OperationalError):
        migrate(connection)
    assert connection.execute(_OBJECTS).fetchall() == []


def test_a_missing_step_is_noticed_before_anything_is_touched(
    connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_steps(connection, list_migrations()[:-1])
    before = _describe(connection)
    monkeypatch.setattr(migrations, "SCHEMA", SCHEMA + 1)
    with pytest.raises(Broken, match=f"do not run from 1 to {SCHEMA + 1}"):
        migrate(connection)
    assert _describe(connection) == before


def test_two_programs_that_open_a_new_file_at_once_both_find_it_whole(tmp_path: Path) -> None:
    path = tmp_path / "textbridge.db"
    troubles: list[Exception] = []
    together = threading.Barrier(2)

    def open_it() -> None:
        connection = sqlite3.connect(path, isolation_level=None)
        try:
            together.wait(timeout=5)
            migrate(connection)
        except Exception as error:  # noqa: BLE001 - told below
            troubles.append(error)
        finally:
            connection.close()

    for _ in range(10):
        threads = [threading.Thread(target=open_it) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert troubles == []
        path.unlink()


# --------------------------------------------------------------------------------------------------------- scripts


def test_a_script_is_split_where_its_statements_end_and_nowhere_else() -> None:
    script = (
        "-- a comment; with a semicolon\n"
        "CREATE TABLE a (x TEXT DEFAULT 'one; two');\n"
        "CREATE TRIGGER t AFTER INSERT ON a BEGIN\n"
        "    UPDATE a SET x = 'y';\n"
        "    DELETE FROM a;\n"
        "END;\n"
        "\n-- the end\n"
    )
    statements = split_script(script)

    assert [statement.strip().splitlines()[-1] for statement in statements] == [
        "CREATE TABLE a (x TEXT DEFAULT 'one; two');",
        "END;",
    ]


def test_a_script_that_ends_in_the_middle_of_a_statement_is_refused() -> None:
    with pytest.raises(Broken, match="incomplete"):
        split_script("CREATE TABLE a (x TEXT);\nCREATE TABLE b (")


def test_no_released_step_says_begin_or_commit_itself() -> None:
    for step in list_migrations():
        words = {
            statement.split("--")[0].split()[0].upper()
            for statement in split_script(step.script)
            if statement.split("--")[0].split()
        }
        assert not words & {"BEGIN", "COMMIT", "ROLLBACK", "PRAGMA", "VACUUM"}, step.name
