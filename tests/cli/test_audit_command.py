"""`audit`: which entries are shown, how they look, and how it ends."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.cli import main
from bot.domain.audit import CUSTOMER, Actor, AuditAction, AuditEntry, name_operator
from bot.domain.phone import Address
from tests.storage.rig import open_rig
from tests.storage.samples import make_job

ANA = Address("+14155550101")
BEN = Address("+14155550102")
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ENTRIES = (
    AuditEntry(
        key="1",
        at=NOON,
        actor=Actor("U0DANA"),
        action=AuditAction.SENT,
        numbers=(ANA, BEN),
        subject="m1",
        detail={"origin": "thread"},
    ),
    AuditEntry(key="2", at=NOON + timedelta(hours=1), actor=CUSTOMER, action=AuditAction.OPTED_OUT, numbers=(ANA,)),
    AuditEntry(
        key="3",
        at=NOON + timedelta(days=1),
        actor=name_operator("root"),
        action=AuditAction.SETTING_CHANGED,
        subject="THREAD_MODE",
        detail={"why": "=SUM(1)\x1b[31m\nand more", "to": "prefix"},
    ),
)


@pytest.fixture
def _database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "bridge.db"

    async def fill() -> None:
        async with open_rig(path) as rig, rig.store.transaction("test") as tx:
            for entry in ENTRIES:
                await tx.audit.record(entry)

    asyncio.run(fill())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{path}")


def show(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    status = main(["audit", *arguments])
    shown = capsys.readouterr()
    assert (status, shown.err) == (0, "")
    return shown.out


@pytest.mark.usefixtures("_database")
@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ([], [1, 2, 3]),
        (["--since", "2026-11-20T13:00"], [2, 3]),
        (["--since", "2026-11-20T13:00:01"], [3]),
        (["--since", "2026-11-20T13:00:01+01:00"], [2, 3]),
        (["--since", "2026-11-21"], [3]),
        (["--until", "2026-11-21"], [1, 2]),
        (["--since", "1w", "--until", "2026-11-21"], [1, 2]),
        (["--actor", "customer"], [2]),
        (["--actor", "<@U0DANA>"], [1]),
        (["--actor", "shell:root"], [3]),
        (["--number", "(415) 555-0102"], [1]),
        (["--number", ANA], [1, 2]),
        (["--action", "sent", "--action", "setting_changed"], [1, 3]),
        (["--action", "erased"], []),
    ],
)
def test_the_filters_choose_what_is_shown(
    arguments: list[str], found: list[int], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.cli.audit.SystemClock.now", lambda _: NOON + timedelta(days=6))

    shown = json.loads(show(capsys, "--format", "json", *arguments))

    assert [entry["id"] for entry in shown] == found


@pytest.mark.usefixtures("_database")
def test_json_has_everything_exactly(capsys: pytest.CaptureFixture[str]) -> None:
    shown = json.loads(show(capsys, "--format", "json"))

    assert shown == [
        {
            "id": number,
            "at": entry.at.isoformat(),
            "actor": entry.actor,
            "action": entry.action.value,
            "numbers": list(entry.numbers),
            "subject": entry.subject,
            "detail": dict(entry.detail),
        }
        for number, entry in enumerate(ENTRIES, start=1)
    ]


@pytest.mark.usefixtures("_database")
def test_csv_is_a_line_an_entry_and_runs_in_no_spreadsheet(capsys: pytest.CaptureFixture[str]) -> None:
    rows = list(csv.DictReader(io.StringIO(show(capsys, "--format", "csv"), newline="")))

    assert [row["numbers"] for row in rows] == [f"{ANA} {BEN}", ANA, ""]
    assert rows[0] == {
        "id": "1",
        "at": "2026-11-20T12:00:00+00:00",
        "actor": "U0DANA",
        "action": "sent",
        "numbers": f"{ANA} {BEN}",
        "subject": "m1",
        "detail": '{"origin": "thread"}',
    }
    assert not any(value.startswith(("=", "@", "-")) for row in rows for value in row.values())


@pytest.mark.usefixtures("_database")
def test_the_table_is_a_line_an_entry_and_tells_the_terminal_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    heading, *lines = show(capsys).splitlines()

    assert heading.split() == ["AT", "ACTOR", "ACTION", "NUMBERS", "SUBJECT", "DETAIL"]
    assert len(lines) == len(ENTRIES)
    assert lines[0].split() == ["2026-11-20T12:00:00Z", "U0DANA", "sent", ANA, BEN, "m1", "origin:", "thread"]
    assert "\x1b" not in lines[2]
    assert "to: prefix" in lines[2]


@pytest.mark.usefixtures("_database")
@pytest.mark.parametrize(("form", "said"), [("table", "Nothing on record fits."), ("json", "[]"), ("csv", "id,at,")])
def test_nothing_that_fits_is_no_failure(form: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert show(capsys, "--actor", "nobody", "--format", form).startswith(said)


@pytest.mark.usefixtures("_database")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--number", "12"], "12"),
        (["--since", "yesterday"], "is no moment; write 2026-11-22"),
        (["--until", "999999w"], "is no moment"),
        (["--action", "whatever"], "invalid choice"),
        (["--format", "xml"], "invalid choice"),
    ],
)
def test_what_is_asked_wrongly_is_said_and_ends_with_2(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        status: object = main(["audit", *arguments])
    except SystemExit as ended:  # argparse's own way of ending
        status = ended.code
    shown = capsys.readouterr()
    assert (status, shown.out) == (2, "")
    assert said in shown.err


def test_without_a_database_it_says_so_and_ends_with_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'none.db'}")

    assert main(["audit"]) == 1
    assert "There is no database" in capsys.readouterr().err


def test_what_is_decided_about_a_job_is_on_record_with_who_sits_at_the_shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bridge.db"

    async def fill() -> None:
        async with open_rig(path) as rig, rig.store.transaction("test") as tx:
            await tx.queue.enqueue(make_job("one"))

    asyncio.run(fill())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{path}")
    monkeypatch.setenv("LOGNAME", "robin")
    statuses = [main(["queue", action, "1"]) for action in ("park", "park", "retry")]
    capsys.readouterr()

    shown = json.loads(show(capsys, "--action", "job_decided", "--format", "json"))

    assert statuses == [0, 1, 0]  # the second changed nothing, and leaves nothing
    assert [(entry["actor"], entry["subject"], entry["detail"]) for entry in shown] == [
        ("shell:robin", "1", {"decided": "set aside"}),
        ("shell:robin", "1", {"decided": "brought back"}),
    ]
