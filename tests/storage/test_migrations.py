"""The schema: how a database becomes this program's, and how it is kept from a program that does not know it."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.errors import Broken
from storage import migrate as migrations
from storage.migrate import COMPAT, SCHEMA, Migration, list_migrations, migrate, split_script

_OBJECTS = "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY type, name"


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


def test_a_fresh_database_takes_every_step_once(connection: sqlite3.Connection) -> None:
    assert migrate(connection) == [step.name for step in list_migrations()]
    assert migrate(connection) == []
    assert connection.execute("SELECT schema, compat FROM version").fetchall() == [(SCHEMA, COMPAT)]


@pytest.mark.parametrize("stop_after", range(SCHEMA + 1))
def test_a_migrated_database_is_the_same_as_a_fresh_one(
    connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch, stop_after: int
) -> None:
    fresh = sqlite3.connect(":memory:", isolation_level=None)
    try:
        migrate(fresh)
        steps = list_migrations()
        with monkeypatch.context() as older:
            _use(older, *steps[:stop_after])
            migrate(connection)
        migrate(connection)
        assert connection.execute(_OBJECTS).fetchall() == fresh.execute(_OBJECTS).fetchall()
    finally:
        fresh.close()


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
    migrate(connection)
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


def test_the_first_step_failing_leaves_an_empty_file(
    connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    _use(monkeypatch, _step(1, "CREATE TABLE a (x INTEGER);\nCREATE TABLE a (x INTEGER);"))
    with pytest.raises(sqlite3.OperationalError):
        migrate(connection)
    assert connection.execute(_OBJECTS).fetchall() == []


def test_a_missing_step_is_noticed_before_anything_is_touched(
    connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrations, "SCHEMA", SCHEMA + 1)
    with pytest.raises(Broken, match=f"do not run from 1 to {SCHEMA + 1}"):
        migrate(connection)
    assert connection.execute(_OBJECTS).fetchall() == []


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
