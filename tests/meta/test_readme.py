"""README.md and ARCHITECTURE.md leave out no setting, command, mark or package, and name nothing that is not there."""

from __future__ import annotations

import ast
import re
import struct
import tomllib
from datetime import timedelta
from pathlib import Path

import pytest

from bot.app import _OLDEST_BACKLOG as OLDEST_BACKLOG
from bot.cli import COMMANDS
from bot.domain import job, media
from bot.domain.carrier_api.operation import Operation
from bot.domain.carrier_api.table import OPERATIONS
from bot.domain.carrier_codes import explain_code
from bot.domain.commands import MOST_RECIPIENTS, OPTOUTS_FORMS, SCHEDULE_FORMS, SMS_FORMS, Form
from bot.domain.consent_words import START_WORDS, STOP_WORDS
from bot.domain.message import Mark
from bot.flows import reconcile, sending
from bot.observe import Metrics
from bot.settings import SETTINGS as KNOWN
from bot.settings import Setting
from bot.text.segments import MAX_PARTS
from bot.workers import worker
from handlers import verify
from storage import ownership, raw, upkeep
from tools.take_pictures import LARGEST, SCENES
from tools.write_operations import insert_table

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
ARCHITECTURE = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
DOCUMENTS = {"README.md": README, "ARCHITECTURE.md": ARCHITECTURE} | {
    name: (ROOT / name).read_text(encoding="utf-8") for name in ("CHANGELOG.md", "SECURITY.md", "tests/deviations.md")
}
FORMS = (*SMS_FORMS, *SCHEDULE_FORMS, *OPTOUTS_FORMS)
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
#: What `make help` lists.
TARGETS = re.findall(r"^([a-z][a-z-]*):.*## ", MAKEFILE, re.MULTILINE)

#: What README says is shown when something is wrong, as far as no number or name stands in it.
SHOWN = [
    "The channel cannot be used and there is no other: invite the app to it, unarchive it, or set SLACK_CHANNEL.",
    "A webhook without a valid signature was refused.",
    "A request without a valid signature was refused.",
    "sends is refused as stale.",
    "its webhooks speak version",
    "it has no webhook address",
    "texts do not arrive",
    "the app has not been granted",
    "it is not set: pictures cannot be sent, and each send relies on the profile's webhook address.",
    "Another Textbridge (process",
    "is using this database.",
    "Stop it first, or set DATABASE_URL to a file of its own.",
    "it is busy",
    "the database refuses:",
    "is no longer where it was",
    "another file is in the place of",
    "the database is damaged, put a backup in its place",
    "could not be brought up to date, and is as it was:",
    "MB must be free.",
    "Nothing can listen at",
    "Few files may be open at once, and so few connections: raise the limit (ulimit -n) to 1024.",
    "Not delivered",
]


def find_rows(text: str, heading: str) -> list[list[str]]:
    """Return the cells of each row of the first table after *heading*."""
    _, found, after = text.partition(f"{heading}\n")
    assert found, heading
    table = re.search(r"^\|.*\|\n\|[-|]+\|\n((?:\|.*\|\n)+)", after, re.MULTILINE)
    assert table is not None, heading
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in table[1].splitlines()]


def strip_code(cell: str) -> str:
    return cell.strip("`")


def read_literals() -> str:
    """Return every piece of text in the program, each on a line."""
    pieces: list[str] = []
    for folder in ("bot", "handlers", "storage"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            pieces += [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return "\n".join(pieces)


LITERALS = read_literals()


# ----------------------------------------------------------------------------------------------------------- numbers

COUNTS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


def count_in_words(span: timedelta, unit: timedelta) -> str:
    return COUNTS[round(span / unit)]


@pytest.mark.parametrize(
    ("name", "phrase"),
    [
        ("README.md", f"When {COUNTS[sending.MOST_QUIET_ATTEMPTS]} attempts have"),
        ("README.md", f"Telnyx remembers for {sending.KEY_LIFE // HOUR} hours"),
        ("README.md", f"every {count_in_words(reconcile.EVERY, MINUTE)} minutes: Telnyx"),
        ("README.md", f"waits up to {ownership.PATIENCE // SECOND} seconds for the first"),
        ("README.md", f"**{COUNTS[MAX_PARTS].capitalize()} parts.**"),
        ("README.md", f"go out as an MMS, at most {COUNTS[media.MOST_FILES]}:"),
        ("README.md", f"More than {verify.TOLERANCE_SECONDS} seconds either way is refused"),
        ("README.md", f"nothing due for more than {OLDEST_BACKLOG // MINUTE} minutes"),
        ("ARCHITECTURE.md", f"It waits {count_in_words(sending.RECEIPT_WAIT, SECOND)} seconds for the receipt"),
        ("ARCHITECTURE.md", f"After {COUNTS[sending.MOST_QUIET_ATTEMPTS]} rounds people are told"),
        ("ARCHITECTURE.md", f"forgets the key ({sending.KEY_LIFE // HOUR} hours)"),
        ("ARCHITECTURE.md", f"keep their key for {upkeep.KEEP_FINISHED // DAY} days"),
        ("ARCHITECTURE.md", f"byte for byte, for {count_in_words(raw.KEEP_RAW, DAY)}"),
        ("README.md", f"go in any case, {count_in_words(raw.KEEP_RAW, DAY)} days after they were read"),
        ("ARCHITECTURE.md", f"at most {job.MOST_SURPRISES} times; then parked"),
        ("ARCHITECTURE.md", f"finish what is under way within {count_in_words(worker.PATIENCE, SECOND)} seconds"),
        ("ARCHITECTURE.md", f"overlaps waits up to {ownership.PATIENCE // SECOND} seconds"),
        ("ARCHITECTURE.md", f"asked for at start and every {count_in_words(reconcile.EVERY, MINUTE)} minutes"),
    ],
)
def test_a_number_that_it_tells_is_the_programs(name: str, phrase: str) -> None:
    assert phrase in " ".join(DOCUMENTS[name].split())


# ---------------------------------------------------------------------------------------------------------- settings

SETTINGS = {strip_code(row[0]): row[1:] for row in find_rows(README, "## Settings")}


def test_the_table_names_every_setting_and_no_other() -> None:
    assert list(SETTINGS) == [setting.name.upper() for setting in KNOWN]


@pytest.mark.parametrize("setting", KNOWN, ids=lambda setting: setting.name)
def test_the_table_says_what_is_needed_and_what_it_is_otherwise(setting: Setting) -> None:
    needed, default, does = SETTINGS[setting.name.upper()]
    value = setting.default
    shown = str(value).lower() if isinstance(value, bool) else str(value)

    assert (needed == "yes") == setting.is_required
    assert strip_code(default) == ("" if setting.is_required or value in (None, {}, (), "") else shown)
    assert len(does) > 15


# ---------------------------------------------------------------------------------------------------------- commands


def test_it_lists_every_command_of_make_and_no_other() -> None:
    listed = [strip_code(row[0]).removeprefix("make ") for row in find_rows(README, "### Commands for the shell")]

    assert sorted(listed) == sorted(TARGETS)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_command_of_make_that_is_named_exists(name: str) -> None:
    known = set(re.findall(r"^([a-z][a-z-]*):", MAKEFILE, re.MULTILINE))

    assert set(re.findall(r"(?:^|`)make ([a-z][a-z-]*)", DOCUMENTS[name], re.MULTILINE)) - known == set()


@pytest.mark.parametrize("command", COMMANDS)
def test_it_lists_every_command_of_the_program(command: str) -> None:
    rows = find_rows(README, "| `make help` | lists these |")

    assert any(re.search(rf"`python -m bot {command}\b", row[0]) and len(row[1]) > 8 for row in rows)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_command_of_the_program_that_is_named_exists(name: str) -> None:
    assert set(re.findall(r"python -m bot ([a-z]+)", DOCUMENTS[name])) - COMMANDS.keys() == set()


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.usage)
def test_it_lists_every_form_of_every_slash_command(form: Form) -> None:
    rows = {strip_code(row[0]): row[1] for row in find_rows(README, "### Slash commands")}

    assert len(rows[form.usage]) > 8


@pytest.mark.parametrize("command", ["/sms", "/schedule", "/optouts"])
def test_it_lists_the_help_of_every_slash_command(command: str) -> None:
    assert f"| `{command} help` |" in README


def test_it_lists_no_slash_command_that_does_not_exist() -> None:
    listed = {strip_code(row[0]) for row in find_rows(README, "### Slash commands")}

    assert listed - {form.usage for form in FORMS} == {"/sms help", "/schedule help", "/optouts help"}
    assert f"to at most {MOST_RECIPIENTS} " in README


# -------------------------------------------------------------------------------------------------- what people see


def test_it_lists_every_mark_and_no_other() -> None:
    rows = find_rows(README, "**Marks.** One at a time, on your own messages:\n")

    assert sorted(strip_code(row[1]) for row in rows) == sorted(Mark)
    assert len({row[0] for row in rows}) == len(rows)


def test_it_lists_every_word_that_opts_out() -> None:
    sentence = re.search(r"whole message is ([A-Z, \n]+ or [A-Z]+)", README)
    assert sentence is not None
    words = {"".join(word.split()).lower() for word in re.split(r",| or ", sentence[1])}

    assert words == STOP_WORDS
    assert {word.upper() for word in START_WORDS} <= set(re.findall(r"[A-Z]+", README))


@pytest.mark.parametrize("words", SHOWN)
def test_what_it_says_is_shown_is_shown(words: str) -> None:
    assert words in README
    assert words in LITERALS


@pytest.mark.parametrize(
    ("code", "title"), [("40010", "Not 10DLC registered"), ("40305", "Invalid from"), ("40300", "Blocked due to STOP")]
)
def test_what_it_says_about_a_code_is_what_the_thread_says(code: str, title: str) -> None:
    assert f"`❌ Not delivered. {explain_code(code, title, None).sentence}` (Telnyx {code})" in README


def test_every_figure_that_it_names_is_on_the_metrics_page() -> None:
    figures = {family.name for family in Metrics().families}
    named = set(re.findall(r"textbridge_[a-z_]+", README))

    assert named - figures == set()
    assert figures - named == set()


# -------------------------------------------------------------------------------------------------------- the links


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_file_that_it_links_to_exists(name: str) -> None:
    linked = {link.partition("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", DOCUMENTS[name]) if "://" not in link}

    assert [link for link in linked if link and not ((ROOT / name).parent / link).exists()] == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_place_in_itself_that_it_links_to_exists(name: str) -> None:
    headings = re.findall(r"^#+ (.+)$", DOCUMENTS[name], re.MULTILINE)
    anchors = {re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in headings}

    assert set(re.findall(r"\]\(#([^)]+)\)", DOCUMENTS[name])) - anchors == set()


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_file_of_the_project_that_it_names_exists(name: str) -> None:
    named = set(re.findall(r"`((?:bot|handlers|storage|tests|tools|docs|benchmarks)/[\w./-]+)`", DOCUMENTS[name]))

    assert [path for path in sorted(named) if not (ROOT / path).exists()] == []


def test_the_pictures_are_those_that_the_script_takes_and_each_is_shown() -> None:
    shown = re.findall(r"!\[[^\]]{20,}\]\(docs/pictures/([a-z]+)\.png\)", README)

    assert sorted(shown) == sorted(SCENES)
    assert sorted(path.name for path in (ROOT / "docs" / "pictures").iterdir()) == sorted(f"{n}.png" for n in SCENES)


@pytest.mark.parametrize("name", SCENES)
def test_a_picture_is_a_whole_page_and_not_too_heavy(name: str) -> None:
    content = (ROOT / "docs" / "pictures" / f"{name}.png").read_bytes()

    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">II", content[16:24]) == (1440, 900)
    assert 20_000 < len(content) <= LARGEST


# --------------------------------------------------------------------------------------------------------- packages


def test_every_package_that_is_declared_has_its_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = {re.split(r"[\[<>=~! ]", requirement)[0] for requirement in project["dependencies"]}
    rows = find_rows(ARCHITECTURE, "### The packages, each with its reason")

    assert {name for row in rows for name in re.findall(r"`([a-z-]+)`", row[0])} == declared
    assert all(len(row[1]) > 8 for row in rows)


# ------------------------------------------------------------------------------------------------ the carrier's account


def test_the_table_of_operations_is_that_of_today() -> None:
    assert insert_table(README) == README, "run: .venv/bin/python tools/write_operations.py"


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.name)
def test_every_operation_of_the_account_has_its_line(operation: Operation) -> None:
    rows = find_rows(README, "### The Telnyx account")

    assert [
        row[2]
        for row in rows
        if strip_code(row[0]).startswith(operation.name + " ") or strip_code(row[0]) == operation.name
    ] == [f"`{operation.method} {operation.path}`"]
