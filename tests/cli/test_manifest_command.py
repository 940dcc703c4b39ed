"""`manifest`: the Slack app with this bridge's address in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.cli import main
from bot.cli.manifest import clean_address, list_scopes, read_manifest
from tests.cli.rig import ROOT, run_bot


def find_addresses(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set().union(*map(find_addresses, value.values()))
    if isinstance(value, list):
        return set().union(*map(find_addresses, value))
    return {value} if isinstance(value, str) and value.startswith("http") else set()


def test_it_is_the_manifest_with_the_address_everywhere(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["manifest", "--url", "https://sms.example.com/"]) == 0

    told = capsys.readouterr().out
    whole = yaml.safe_load((ROOT / "app.yaml").read_text(encoding="utf-8"))
    printed = yaml.safe_load(told)
    assert find_addresses(printed) == {"https://sms.example.com/slack/events"}
    assert printed["oauth_config"] == whole["oauth_config"]
    assert printed["features"].keys() == whole["features"].keys()
    assert "YOUR-PUBLIC-URL" not in told


async def test_the_address_is_taken_from_the_environment_and_nothing_else_is_needed(tmp_path: Path) -> None:
    set_up = {"PUBLIC_URL": "https://sms.example.com", "PORT": "not needed here", "SLACK_CHANNEL": "not either"}
    done = await run_bot("manifest", folder=tmp_path, environment=set_up)

    assert done.status == 0
    assert find_addresses(yaml.safe_load(done.out)) == {"https://sms.example.com/slack/events"}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "There is no address"),
        (["--url", ""], "There is no address"),
        (["--url", "http://sms.example.com"], "https addresses only"),
        (["--url", "sms.example.com"], "begin with https://"),
        (["--url", "https://"], "begin with https://"),
        (["--url", "https://user:pass@sms.example.com"], "not of the form"),
        (["--url", "https://sms.example.com?x=1"], "not of the form"),
        (["--url", "https://sms.example.com #x"], "not of the form"),
        (["--url", "https://sms.example.com:99999"], "a port that cannot be"),
    ],
)
def test_an_address_that_slack_could_not_use_is_refused_in_words(
    arguments: list[str],
    told: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)

    assert main(["manifest", *arguments]) == 2

    said = capsys.readouterr()
    assert told in said.err
    assert "manifest --url https://" in said.err
    assert said.out == ""


@pytest.mark.parametrize(
    "typed",
    ["https://a.example", "https://a.example//", " HTTPS://a.example ", "https://a.example/slack/events"],
)
def test_what_people_paste_is_understood(typed: str) -> None:
    assert clean_address(typed) == "https://a.example"


def test_the_scopes_are_those_of_the_manifest() -> None:
    whole = yaml.safe_load((ROOT / "app.yaml").read_text(encoding="utf-8"))

    assert list_scopes(read_manifest()) == whole["oauth_config"]["scopes"]["bot"]
