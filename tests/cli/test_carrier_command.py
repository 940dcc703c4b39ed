"""`carrier`: every operation typed as the help shows it, against the simulated carrier."""

from __future__ import annotations

import asyncio
import io
import json
import re
import shlex
import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bot.cli import _build_parser as build_parser
from bot.cli import main
from bot.cli.carrier import run as run_carrier
from bot.cli.carrier_fields import write_example
from bot.cli.carrier_tables import Progress
from bot.clock import SystemClock
from bot.domain.carrier_api import profiles
from bot.domain.carrier_api.operation import Answer, Operation
from bot.domain.carrier_api.table import OPERATIONS
from bot.domain.consent import CustomerStopped, Evidence, EvidenceSource
from bot.domain.phone import Address
from bot.sandbox.faults import Fault, FaultKind
from storage.audit import AuditFilter, AuditRow, read_audit
from storage.database import open_database
from storage.queue import Bell
from storage.store import SqliteStore
from tests.cli.rig import Done, run_bot
from tests.sandbox.telnyx_account_seed import OURS, PROFILE, THEIRS, open_account
from tests.sandbox.telnyx_receiver import KEY, Bench

Shell = Callable[..., Any]
by_name = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.name)


class Terminal(io.StringIO):
    """Standard input with somebody at it."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with open_account() as opened:
        yield opened


@pytest.fixture
def shell(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    """Type a command of `carrier` and return how it ended; *typed*: what somebody answers, None: nobody is there."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TELNYX_API_KEY", KEY)
    monkeypatch.setenv("TELNYX_API_URL", bench.sim.url)
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'bridge.db'}")

    async def type_command(*arguments: str, typed: str | None = None) -> Done:
        monkeypatch.setattr(sys, "stdin", io.StringIO() if typed is None else Terminal(typed))
        capsys.readouterr()
        ended: list[int] = []
        loop, finished = asyncio.get_running_loop(), asyncio.Event()

        def work() -> None:
            try:
                given = ["carrier", *arguments]
                ended.append(run_carrier(build_parser(given).parse_args(given)))
            except SystemExit as leaving:
                ended.append(int(leaving.code or 0))
            finally:
                loop.call_soon_threadsafe(finished.set)

        # It runs an event loop of its own, while this one serves the carrier.
        thread = threading.Thread(target=work)
        thread.start()
        await finished.wait()
        thread.join()
        (status,) = ended
        told = capsys.readouterr()
        return Done(status=status, out=told.out, err=told.err)

    return type_command


def split(example: str) -> list[str]:
    words = shlex.split(example)
    assert words[:4] == ["python", "-m", "bot", "carrier"]
    return words[4:]


@asynccontextmanager
async def open_store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    database = await open_database(tmp_path / "bridge.db")
    try:
        yield SqliteStore(database, Bell(), SystemClock())
    finally:
        await database.close()


async def opt_out(tmp_path: Path, number: str) -> None:
    evidence = Evidence(source=EvidenceSource.KEYWORD, at=SystemClock().now(), words="stop")
    async with open_store(tmp_path) as store, store.transaction("test") as tx:
        await tx.consents.record(Address(number), CustomerStopped(evidence=evidence), evidence)


async def read_entries(tmp_path: Path) -> list[AuditRow]:
    database = await open_database(tmp_path / "bridge.db")
    try:
        return [row async for row in read_audit(database, AuditFilter())]
    finally:
        await database.close()


# ------------------------------------------------------------------------------------------------------ every operation


@by_name
async def test_the_help_shows_an_example_and_it_works(operation: Operation, shell: Shell, bench: Bench) -> None:
    helped = await shell(operation.resource, operation.verb, "--help")
    example = write_example(operation)
    assert helped.status == 0
    assert f"Example:\n\n  {example}\n" in helped.out
    assert f"{operation.method} {operation.path}" in helped.out

    done = await shell(*split(example), *(["--yes"] if operation.destroys else []))
    assert (done.status, done.err) == (0, "")
    assert done.out.strip()
    assert [request.status in (200, 201) for request in bench.sim.requests] == [True]
    assert bench.sim.requests[0].method == operation.method


@by_name
async def test_what_the_carrier_answers_is_printed_as_json(operation: Operation, shell: Shell, bench: Bench) -> None:
    done = await shell(*split(write_example(operation)), "--json", *(["--yes"] if operation.destroys else []))
    answer = json.loads(done.out)
    assert isinstance(answer, dict if operation.answer is Answer.ONE else list)
    assert answer or operation is profiles.DELETE_AUTORESPONSE


@by_name
async def test_a_refusal_is_told_with_its_code_and_ends_with_1(
    operation: Operation, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TELNYX_API_KEY", "KEYwrong")
    done = await shell(*split(write_example(operation)), *(["--yes"] if operation.destroys else []))
    assert (done.status, done.out) == (1, "")
    assert done.err == (
        "The carrier refused (10009, HTTP 401): Authentication failed. The required authentication headers were either "
        "invalid or not included in the request.\n"
    )


async def test_a_refusal_names_the_field_that_it_is_about(shell: Shell) -> None:
    done = await shell("messages", "send", "--from", "+13125550999", "--to", THEIRS, "--text", "x")
    assert done.status == 1
    assert done.err.startswith("The carrier refused (40305, HTTP 400): Invalid 'from' address.")
    assert done.err.endswith(" It is about --from.\n")


@pytest.mark.parametrize("operation", [each for each in OPERATIONS if each.destroys], ids=lambda each: each.name)
async def test_what_is_lost_is_asked_about_first(operation: Operation, shell: Shell, bench: Bench) -> None:
    command = split(write_example(operation))

    nobody = await shell(*command)
    assert nobody.status == 2
    assert operation.destroys in nobody.err
    assert "--yes" in nobody.err

    no = await shell(*command, typed="no\n")
    assert (no.status, no.out) == (1, "")
    assert no.err.endswith("Nothing was done.\n")
    assert bench.sim.requests == []

    yes = await shell(*command, typed="yes\n")
    assert yes.status == 0
    assert operation.destroys in yes.err
    assert len(bench.sim.requests) == 1


async def test_switching_a_profile_off_is_asked_about_and_switching_it_on_is_not(shell: Shell, bench: Bench) -> None:
    asked = await shell("profiles", "update", PROFILE, "--enabled", "no")
    assert asked.status == 2
    assert "No text leaves this profile any more." in asked.err
    assert (await shell("profiles", "update", PROFILE, "--enabled", "no", "--yes")).status == 0
    assert bench.sim.account.profiles[PROFILE].enabled is False
    assert (await shell("profiles", "update", PROFILE, "--enabled", "yes")).status == 0
    assert bench.sim.account.profiles[PROFILE].enabled is True


# -------------------------------------------------------------------------------------------------------- asked wrongly


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (["messages", "send", "--to", THEIRS], "--from is needed, or messaging_profile_id."),
        (["messages", "send", "--text", "x"], "--to is needed."),
        (["messages", "send", "--from", OURS, "--to", "12", "--text", "x"], "--to: “12” is too short"),
        (
            ["messages", "send", "--from", OURS, "--to", THEIRS, "--text", "x", "--auto-detect", "maybe"],
            "takes yes or no",
        ),
        (["profiles", "update", PROFILE], "--name nothing to change was given."),
        (["profiles", "get", "mine"], "ID must be an id such as"),
        (["profiles", "update", PROFILE, "--number-pool-settings", "{"], "--number-pool-settings takes JSON"),
        (["profiles", "update", PROFILE, "--number-pool-settings", "@none.json"], "none.json cannot be read"),
        (["profiles", "update", PROFILE, "--redaction-level", "much"], "--redaction-level takes a number"),
        (
            ["profiles", "update", PROFILE, "--number-pool-settings", '{"skip_unhealthy": true}'],
            "--number-pool-settings.toll_free_weight is needed.",
        ),
        (["numbers", "get", OURS], "ID must be an id as its list shows it"),
        (["optouts", "list", "--created-at-gte", "yesterday"], "--created-at-gte must be a date and time"),
        (["hosted"], "usage:"),
        (["explode"], "choose from "),
        (["hosted", "explode"], "usage:"),
        (["numbers", "list", "--colour", "red"], "usage:"),
        (["numbers", "list", "--limit", "0"], "'0' is not a number above 0"),
    ],
)
async def test_what_is_asked_wrongly_ends_with_2_and_says_what(
    command: list[str], told: str, shell: Shell, bench: Bench
) -> None:
    done = await shell(*command)
    assert (done.status, done.out) == (2, "")
    assert told in done.err
    assert "Traceback" not in done.err
    assert "Resource." not in done.err
    assert bench.sim.requests == []


async def test_a_missing_key_is_told_by_the_name_of_its_setting(tmp_path: Path) -> None:
    done = await run_bot("carrier", "profiles", "list", folder=tmp_path)
    assert (done.status, done.out) == (2, "")
    assert "TELNYX_API_KEY is missing" in done.err
    assert "SLACK" not in done.err


async def test_the_program_itself_does_it_too(tmp_path: Path, bench: Bench) -> None:
    environment = {"TELNYX_API_KEY": KEY, "TELNYX_API_URL": bench.sim.url}
    done = await run_bot("carrier", "profiles", "get", PROFILE, folder=tmp_path, environment=environment)
    assert (done.status, done.err) == (0, "")
    assert re.search(r"^name +Textbridge$", done.out, re.MULTILINE)


def test_the_help_of_the_whole_names_every_resource(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["carrier", "--help"])
    out = capsys.readouterr().out
    assert all(f"\n    {operation.resource}" in out for operation in OPERATIONS)
    assert "Exit status: 0 done, 1" in out


# -------------------------------------------------------------------------------------------------------------- reading


async def test_numbers_are_taken_as_people_write_them(shell: Shell, bench: Bench) -> None:
    done = await shell("messages", "send", "--from", "(312) 555-0100", "--to", "415-555-0101", "--text", "hello")
    assert done.status == 0
    assert json.loads(bench.sim.requests[0].body) == {"from": OURS, "to": THEIRS, "text": "hello"}


async def test_several_are_given_with_commas_or_one_by_one(shell: Shell, bench: Bench) -> None:
    command = ["messages", "send-group", "--from", OURS, "--to", f"{THEIRS}, 212-555-0123", "--to", "+12065550171"]
    pictures = ["--media-urls", "http://127.0.0.1:9/a,b.png", "--media-urls", "http://127.0.0.1:9/c.png"]
    assert (await shell(*command, *pictures)).status == 0
    body = json.loads(bench.sim.requests[0].body)
    assert body["to"] == [THEIRS, "+12125550123", "+12065550171"]
    assert body["media_urls"] == ["http://127.0.0.1:9/a,b.png", "http://127.0.0.1:9/c.png"]


async def test_objects_are_given_as_json_or_in_a_file_and_null_empties(
    shell: Shell, bench: Bench, tmp_path: Path
) -> None:
    pool = {"toll_free_weight": 0, "long_code_weight": 2.5, "skip_unhealthy": True, "geomatch": True}
    (tmp_path / "pool.json").write_text(json.dumps(pool), encoding="utf-8")
    assert (await shell("profiles", "update", PROFILE, "--number-pool-settings", "@pool.json")).status == 0
    assert bench.sim.account.profiles[PROFILE].number_pool_settings == pool
    assert (await shell("profiles", "update", PROFILE, "--number-pool-settings", "null", "--yes")).status == 0
    assert bench.sim.account.profiles[PROFILE].number_pool_settings is None


async def test_a_table_has_a_line_for_each_and_filters_narrow_it(shell: Shell, bench: Bench) -> None:
    done = await shell("numbers", "list", "--messaging-profile-id", PROFILE, "--type", "longcode")
    heading, *rows = done.out.splitlines()
    assert heading.split()[:4] == ["ID", "PHONE", "NUMBER", "TYPE"]
    assert [row.split()[1] for row in rows] == [OURS]
    assert (await shell("numbers", "list", "--phone-number-contains", "999")).out == "There is none.\n"


async def test_objects_within_one_are_shown_as_a_table(shell: Shell) -> None:
    sent = await shell("messages", "send-group", "--from", OURS, "--to", f"{THEIRS},+12125550123", "--text", "x")
    lines = sent.out.splitlines()
    place = lines.index("to")
    assert [line.split()[:2] for line in lines[place + 1 : place + 4]] == [
        ["PHONE", "NUMBER"],
        [THEIRS, "queued"],
        ["+12125550123", "queued"],
    ]
    metrics = await shell("profiles", "detailed-metrics", PROFILE, "--time-frame", "7d")
    assert len(metrics.out.partition("\ndetailed\n")[2].splitlines()) == 1 + 7


async def test_a_long_list_says_how_far_it_is_and_a_limit_ends_it(shell: Shell, bench: Bench) -> None:
    for place in range(598):
        bench.sim.add_number(f"+1646555{place:04}", profile_id=PROFILE)
    done = await shell("numbers", "list", "--json")
    assert len(json.loads(done.out)) == 600
    assert done.err == "250 of 600 read\n500 of 600 read\n600 of 600 read\n"

    bench.sim.requests.clear()
    some = await shell("numbers", "list", "--limit", "3")
    assert some.out.splitlines()[-1] == "… and 597 more"
    assert len(some.out.splitlines()) == 5
    assert len(bench.sim.requests) == 1


async def test_a_carrier_that_asks_for_patience_while_a_list_is_read_gets_it(shell: Shell, bench: Bench) -> None:
    for place in range(598):
        bench.sim.add_number(f"+1646555{place:04}", profile_id=PROFILE)
    operation = "GET /phone_numbers/messaging"
    bench.sim.faults.add(Fault(kind=FaultKind.RATE_LIMIT, operation=operation, times=2, retry_after=0))
    done = await shell("numbers", "list", "--json")
    numbers = [each["phone_number"] for each in json.loads(done.out)]
    assert (done.status, len(numbers), len(set(numbers))) == (0, 600, 600)
    assert [request.query["page[number]"] for request in bench.sim.requests] == ["1", "1", "1", "2", "3"]

    bench.sim.faults.add(Fault(kind=FaultKind.RATE_LIMIT, operation=operation, times=6, retry_after=0))
    refused = await shell("numbers", "list")
    assert (refused.status, refused.out) == (1, "")
    assert "asks for patience" in refused.err


async def test_a_secret_is_shown_only_where_it_is_asked_for(shell: Shell, bench: Bench) -> None:
    bench.sim.account.profiles[PROFILE].v1_secret = "very-secret"
    assert "very-secret" not in (await shell("profiles", "get", PROFILE)).out
    assert "very-secret" in (await shell("profiles", "get", PROFILE, "--json")).out
    fresh = (await shell("profiles", "regenerate-secret", PROFILE, "--yes")).out
    assert bench.sim.account.profiles[PROFILE].v1_secret in fresh


async def test_what_the_carrier_says_cannot_move_the_terminals_cursor(shell: Shell, bench: Bench) -> None:
    bench.sim.account.profiles[PROFILE].name = "evil\x1b[2Jname\nnext"
    for out in ((await shell("profiles", "list")).out, (await shell("profiles", "get", PROFILE)).out):
        assert "\x1b" not in out
        assert "evil [2Jname next" in out


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (["profiles", "get", PROFILE], "Nothing was done:"),
        (["profiles", "update", PROFILE, "--name", "x"], "It may or may not have been done:"),
        (["messages", "send", "--from", OURS, "--to", THEIRS, "--text", "x"], "--key shell-"),
        (["messages", "send", "--from", OURS, "--to", THEIRS, "--text", "x", "--key", "mine"], "--key mine within"),
        (["messages", "schedule", "--from", OURS, "--to", THEIRS, "--text", "x"], "Look before you do it again."),
    ],
)
async def test_a_lost_answer_is_told_as_what_it_is(command: list[str], told: str, shell: Shell, bench: Bench) -> None:
    bench.sim.faults.add(Fault(kind=FaultKind.DROP_ANSWER, operation="*", times=1))
    done = await shell(*command)
    assert (done.status, done.out) == (1, "")
    assert told in done.err


# ------------------------------------------------------------------------------------------------- consent and the audit


@pytest.mark.parametrize("operation", [each for each in OPERATIONS if each.sends], ids=lambda each: each.name)
async def test_nobody_who_said_stop_is_texted_from_here(
    operation: Operation, shell: Shell, bench: Bench, tmp_path: Path
) -> None:
    to = operation.example["to"]
    await opt_out(tmp_path, str(to[-1] if isinstance(to, list) else to))
    done = await shell(*split(write_example(operation)))
    assert (done.status, done.out) == (1, "")
    assert "opted out" in done.err
    assert bench.sim.requests == []
    assert await read_entries(tmp_path) == []


async def test_a_text_and_a_change_are_on_record_without_words_or_secrets(
    shell: Shell, bench: Bench, tmp_path: Path
) -> None:
    async with open_store(tmp_path):
        pass
    await shell("messages", "send", "--from", OURS, "--to", THEIRS, "--text", "the words")
    await shell("profiles", "update", PROFILE, "--smart-encoding", "yes", "--v1-secret", "hush")
    await shell("profiles", "list")
    sent, changed = await read_entries(tmp_path)
    assert (sent.action, sent.numbers, sent.subject) == ("sent", (THEIRS,), "messages send")
    assert (changed.action, changed.subject) == ("account_changed", "profiles update")
    assert changed.detail == {"id": PROFILE, "smart_encoding": "true", "v1_secret": "(not kept)"}
    assert sent.actor == changed.actor
    assert sent.actor.startswith("shell:")
    assert "words" not in str(sent)


async def test_a_refusal_is_on_record_and_one_for_stop_is_remembered(
    shell: Shell, bench: Bench, tmp_path: Path
) -> None:
    async with open_store(tmp_path):
        pass
    bench.sim.block(sender=OURS, person=THEIRS, keyword="STOP")
    command = ["messages", "send", "--from", OURS, "--to", THEIRS, "--text", "hello"]
    first = await shell(*command)
    assert "(40300, HTTP 409)" in first.err
    assert [(entry.action, dict(entry.detail).get("refused")) for entry in await read_entries(tmp_path)] == [
        ("sent", None),
        ("not_sent", "40300"),
        ("opted_out", None),
    ]
    assert "opted out" in (await shell(*command)).err
    assert len(bench.sim.requests) == 1


async def test_the_same_key_typed_twice_sends_once(shell: Shell, bench: Bench) -> None:
    command = ["messages", "send", "--from", OURS, "--to", THEIRS, "--text", "once", "--key", "k-1"]
    assert (await shell(*command)).out == (await shell(*command)).out
    await bench.sim.settle()
    assert len(bench.sim.phone(THEIRS)) == 1


def test_at_a_terminal_the_progress_keeps_to_one_line_and_leaves_nothing_behind() -> None:
    stream = Terminal()
    with Progress(stream) as progress:
        progress.tell(250, 600, pages=3)
        progress.tell(500, 600, pages=3)
    assert stream.getvalue() == "\r250 of 600 read\r500 of 600 read\r\x1b[K"
    quiet = Terminal()
    with Progress(quiet) as progress:
        progress.tell(20, 20, pages=1)
    assert quiet.getvalue() == ""
