"""What a command says on stderr may end in somebody's log: no customer's number, no text and no secret is in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.cli import main
from tests.overheard import find_leak, hear

#: The example that a mistake is answered with.
_EXAMPLE = "Write it like (415) 555-0101 or +14155550101."
_WORDS = "come at noon, the door code is 4711"
SETTINGS = {
    "SLACK_BOT_TOKEN": "xoxb-secret-of-slack",
    "SLACK_SIGNING_SECRET": "secret-that-signs,,",
    "SLACK_CHANNEL": "#+14155550101",
    "TELNYX_API_KEY": "KEYsecret\u201c",
    "TELNYX_PUBLIC_KEY": "+14155550101",
    "TELNYX_PHONE_NUMBER": "415-555-0101",
    "NUMBER_CHANNELS": "+14155550101=nowhere",
    "PUBLIC_URL": "http://4155550101.example",
    "QUIET_HOURS": "4155550101",
    "RETENTION_DAYS": "4155550101",
    "OPS_PORT": "4155550101",
}


@pytest.mark.parametrize(
    "arguments",
    [
        ["export", "(415) 555-0101 1234567"],
        ["export", "+14155550101", "--output"],
        ["export", "+14155550101", "+14155550102"],
        ["export", "+14155550101"],
        ["erase", "415555010155501"],
        ["erase", "+14155550101", "--yes"],
        ["audit", "--number", "4155550101 4155550102"],
        ["audit", "--since", "+14155550101"],
        ["queue", "show", "+14155550101"],
        ["+14155550101"],
        ["carrier", "messages", "send", "--to", "+14155550101", "--text", _WORDS],
        ["carrier", "messages", "send", "--from", "x", "--to", "4155550101 4155550102", "--text", _WORDS],
    ],
    ids=" ".join,
)
def test_a_mistake_of_an_operator_repeats_no_number_and_no_text(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    hear([_WORDS])
    try:
        status = main(arguments)
    except SystemExit as ended:
        status = int(ended.code or 0)
    said = capsys.readouterr().err

    assert status != 0
    assert said
    assert find_leak(said.replace(_EXAMPLE, "")) is None, said


def test_wrong_settings_are_told_without_what_they_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)

    assert main(["serve"]) == 2
    said = capsys.readouterr().err

    assert {line.split()[0] for line in said.splitlines()} >= SETTINGS.keys() - {"SLACK_BOT_TOKEN"}
    for line in said.splitlines():
        assert find_leak(line.partition(", such as ")[0]) is None, line
