"""Arguments, exit statuses and the mistakes that can be foreseen: one line each, and never a traceback."""

from __future__ import annotations

import os
import re
import socket
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from bot.cli import COMMANDS, main
from bot.listening import listen
from tests.cli.rig import run_bot

SECRETS = {
    "SLACK_BOT_TOKEN": "xoxb-secret-of-slack",
    "SLACK_SIGNING_SECRET": "secret-that-signs",
    "TELNYX_API_KEY": "KEYsecret",
}
RIGHT = SECRETS | {
    "SLACK_CHANNEL": "C0123",
    "TELNYX_PUBLIC_KEY": f"{'A' * 43}=",
    "TELNYX_PHONE_NUMBER": "+13125550100",
    "PORT": "0",
}


def test_the_help_has_each_command_on_one_line_and_ends_with_examples(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit) as ended:
        main(["--help"])

    lines = capsys.readouterr().out.splitlines()
    assert ended.value.code == 0
    for command, (_, does) in COMMANDS.items():
        assert f"    {command:<10}{does}" in lines
    assert lines[-1].strip().startswith("python -m bot ")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])

    assert ended.value.code == 0
    assert f"python -m bot {command}" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        ["frob"],
        ["serve", "now"],
        ["queue", "retry"],
        ["queue", "show", "x"],
        ["queue", "park", "9" * 20],
        ["export"],
        ["demo", "--port", "70000"],
    ],
)
def test_what_is_asked_wrongly_ends_with_2_and_the_usage(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)

    told = capsys.readouterr()
    assert ended.value.code == 2
    assert told.err.startswith("usage: python -m bot")
    assert told.out == ""


def test_what_is_no_number_of_a_job_is_told_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["queue", "retry", "everything"])

    assert "'everything' is not the number of a job, nor all" in capsys.readouterr().err


def test_it_tells_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])

    assert ended.value.code == 0
    assert re.fullmatch(r"Textbridge \d+\.\d+\.\d+\n", capsys.readouterr().out)


async def test_every_missing_or_wrong_setting_is_told_at_once_and_no_secret_is(tmp_path: Path) -> None:
    wrong = SECRETS | {
        "SLACK_CHANNEL": "#texts-wrong-value",
        "TELNYX_PUBLIC_KEY": "wrong-value",
        "PORT": "wrong-value",
        "THREAD_MODE": "wrong-value",
        "PUBLIC_URL": "http://wrong-value.example",
        "SLACK_API_URL": "https://wrong-value.example:99999/api/",
        "TELNYX_API_KEY": "“wrong-value”",
    }
    done = await run_bot("serve", folder=tmp_path, environment=wrong)

    lines = done.err.splitlines()
    assert done.status == 2
    assert done.out == ""
    assert sorted(line.partition(" ")[0] for line in lines) == [
        "PORT",
        "PUBLIC_URL",
        "SLACK_API_URL",
        "SLACK_CHANNEL",
        "TELNYX_API_KEY",
        "TELNYX_PHONE_NUMBER",
        "TELNYX_PUBLIC_KEY",
        "THREAD_MODE",
    ]
    assert all("should hold" in line for line in lines)
    assert "TELNYX_PHONE_NUMBER is missing" in done.err
    for secret in (*SECRETS.values(), "wrong-value", "Traceback"):
        assert secret not in done.err


async def test_the_settings_of_a_file_called_env_are_read_too(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("TELNYX_PHONE_NUMBER=+13125550100\nTHREAD_MODE=shout\n", encoding="utf-8")

    done = await run_bot("doctor", folder=tmp_path)

    assert done.status == 2
    assert "THREAD_MODE is wrong" in done.err
    assert "TELNYX_PHONE_NUMBER" not in done.err


async def test_a_file_called_env_in_another_encoding_is_told(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("TELNYX_PHONE_NUMBER=+13125550100\n", encoding="utf-16")

    done = await run_bot("serve", folder=tmp_path)

    assert (done.status, done.out) == (2, "")
    assert done.err == ".env is wrong: it should hold text in UTF-8, one NAME=value a line\n"


def take_folder(place: Path) -> None:
    place.mkdir(parents=True)


def take_file_for_folder(place: Path) -> None:
    place.parent.write_text("", encoding="utf-8")


def write_something_else(place: Path) -> None:
    place.parent.mkdir()
    place.write_text("these are not the bytes of a database", encoding="utf-8")


def write_another_programs(place: Path) -> None:
    place.parent.mkdir()
    with closing(sqlite3.connect(place)) as connection:
        connection.execute("CREATE TABLE theirs (one)")


def write_a_newer_ones(place: Path) -> None:
    place.parent.mkdir()
    with closing(sqlite3.connect(place, isolation_level=None)) as connection:
        connection.execute("CREATE TABLE version (one INTEGER PRIMARY KEY, schema INTEGER, compat INTEGER)")
        connection.execute("INSERT INTO version VALUES (1, 999, 998)")


@pytest.mark.parametrize(
    ("prepare", "told"),
    [
        (take_folder, "is a folder, not a file"),
        (take_file_for_folder, "cannot be a folder"),
        (write_something_else, "something else than a database"),
        (write_another_programs, "a database of another program"),
    ],
)
def test_a_database_that_cannot_be_used_is_one_line_on_stderr(
    tmp_path: Path,
    prepare: Callable[[Path], None],
    told: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    place = tmp_path / "data" / "bridge.db"
    prepare(place)
    set_up(monkeypatch, place)

    assert main(["serve"]) == 1

    said = capsys.readouterr().err
    assert told in said
    assert len(said.splitlines()) == 1


async def test_a_database_of_a_newer_version_is_left_alone_in_one_line(tmp_path: Path) -> None:
    place = tmp_path / "data" / "bridge.db"
    write_a_newer_ones(place)

    done = await run_bot(folder=tmp_path, environment=RIGHT | {"DATABASE_URL": f"sqlite:///{place}"})

    assert done.status == 1
    assert "newer Textbridge (schema 999" in done.err
    assert len(done.err.splitlines()) == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is unwritable for root")
def test_a_folder_that_is_not_writable_is_one_line_on_stderr(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o500)
    set_up(monkeypatch, folder / "bridge.db")

    assert main(["serve"]) == 1

    said = capsys.readouterr().err
    assert "not writable" in said
    assert len(said.splitlines()) == 1


def set_up(monkeypatch: pytest.MonkeyPatch, place: Path) -> None:
    for name, value in (RIGHT | {"DATABASE_URL": f"sqlite:///{place}"}).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(place.parents[1])


async def test_a_port_that_is_taken_is_one_line_on_stderr(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = await run_bot(folder=tmp_path, environment=RIGHT | {"PORT": port})

    assert done.status == 1
    assert port in done.err
    assert "PORT" in done.err
    assert len(done.err.splitlines()) == 1


async def test_a_port_that_is_taken_after_it_was_asked_about_is_one_line_on_stderr(tmp_path: Path) -> None:
    with closing(listen("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    both = {"PORT": port, "OPS_PORT": port}  # neither listens yet when the other is bound
    nobody = {
        "SLACK_API_URL": "http://127.0.0.1:9/api/",
        "TELNYX_API_URL": "http://127.0.0.1:9/v2",
        "LOG_LEVEL": "ERROR",
    }
    done = await run_bot(folder=tmp_path, environment=RIGHT | both | nobody)

    assert done.status == 1
    assert f"Nothing can listen at 127.0.0.1, port {port}: Address already in use. Stop what listens" in done.err
    assert len(done.err.splitlines()) == 1


async def test_a_host_that_is_not_this_machine_is_no_matter_of_what_listens_there(tmp_path: Path) -> None:
    done = await run_bot(folder=tmp_path, environment=RIGHT | {"HOST": "192.0.2.1"})

    assert done.status == 1
    assert done.err.startswith("Nothing can listen at 192.0.2.1, port 0: ")
    assert done.err.endswith(". Set HOST or PORT to something else.\n")


@pytest.mark.parametrize("place", ["", ":memory:", "data.db?mode=ro"])
def test_a_database_that_is_no_file_is_a_wrong_setting(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in (RIGHT | {"DATABASE_URL": f"sqlite:///{place}"}).items():
        monkeypatch.setenv(name, value)

    assert main(["serve"]) == 2

    wrong = "DATABASE_URL is wrong: it should hold where the data are: sqlite:///path/to/file.db\n"
    assert capsys.readouterr().err == wrong
    assert list(tmp_path.iterdir()) == []
