"""Settings are read from the environment, `.env` and the call, and what is wrong is told without repeating it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot.domain.policy import ThreadMode
from bot.errors import SettingsWrong
from bot.settings import SETTINGS, LogFormat, Secret, load_settings, read_settings

NEEDED: dict[str, Any] = {
    "slack_bot_token": "xoxb-made-up",
    "slack_signing_secret": "made-up-secret",
    "slack_channel": "C0TEXTS",
    "telnyx_api_key": "KEYmade-up",
    "telnyx_public_key": f"{'A' * 43}=",
    "telnyx_phone_number": "+13125550100",
}


@pytest.mark.parametrize(
    ("name", "said", "read"),
    [
        ("port", " 9000 ", 9000),
        ("port", 0, 0),
        ("thread_mode", " Prefix ", ThreadMode.PREFIX),
        ("log_format", "JSON", LogFormat.JSON),
        ("log_level", "debug", "DEBUG"),
        ("default_region", "gb", "GB"),
        ("media_allow_private_hosts", "Yes", True),
        ("media_allow_private_hosts", "0", False),
        ("public_url", "https://sms.example.com/", "https://sms.example.com"),
        ("public_url", None, None),
        ("public_url", "http://127.0.0.2:8080", "http://127.0.0.2:8080"),
        ("slack_api_url", "http://[::1]:9000/api/", "http://[::1]:9000/api"),
        ("slack_channel", "C1", "C1"),
        ("send_hold_seconds", "20", 20),
        ("send_hold_seconds", "0.5", 0.5),
        ("notice_after_minutes", "0.05", 0.05),
        ("telnyx_phone_number", "+1 (312) 555-0100", "+13125550100"),
        ("quiet_hours", "", ""),
        ("senders", "", None),
        ("senders", " @sms-team ", "sms-team"),
        ("senders", "sms.team_2", "sms.team_2"),
        ("senders", "S0123ABCD", "S0123ABCD"),
        ("number_channels", "+1 312 555 0001 = C0SALES, ", {"+13125550001": "C0SALES"}),
    ],
)
def test_what_is_said_is_read(name: str, said: object, read: object) -> None:
    assert getattr(read_settings(NEEDED | {name: said}), name) == read


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("slack_bot_token", " "),
        ("slack_bot_token", "xoxb-with a blank"),
        ("slack_signing_secret", " "),
        ("slack_channel", "#texts"),
        ("telnyx_public_key", "AAAA"),
        ("telnyx_phone_number", "3125550100"),
        ("number_channels", "+13125550001"),
        ("number_channels", "+13125550001=#sales"),
        ("public_url", "http://sms.example.com"),
        ("public_url", "sms.example.com"),
        ("public_url", "https://sms example.com"),
        ("public_url", "https://sms.example.com/?a=b"),
        ("slack_api_url", "http://slack.com/api/"),
        ("slack_channel", "C"),
        ("notice_after_minutes", "-1"),
        ("send_hold_seconds", "nan"),
        ("send_hold_seconds", "inf"),
        ("database_url", "postgres://localhost/texts"),
        ("port", "65536"),
        ("port", "-1"),
        ("port", "8080.5"),
        ("default_region", "ZZ"),
        ("send_hold_seconds", "3601"),
        ("media_allow_private_hosts", "perhaps"),
        ("thread_mode", "shout"),
        ("quiet_hours", "21:00"),
        ("log_level", "LOUD"),
        ("senders", "SMS Team"),
        ("senders", "U0123ABCD"),
        ("senders", "@one,@two"),
    ],
)
def test_what_cannot_be_is_told_with_what_it_should_hold_and_without_itself(name: str, said: str) -> None:
    with pytest.raises(SettingsWrong) as wrong:
        read_settings(NEEDED | {name: said})

    (problem,) = wrong.value.problems
    (description,) = (setting.description for setting in SETTINGS if setting.name == name)
    assert problem == f"{name.upper()} is wrong: it should hold {description}"


def test_all_that_is_missing_is_told_at_once_in_the_order_of_the_table() -> None:
    with pytest.raises(SettingsWrong) as wrong:
        read_settings({})

    assert [problem.partition(" ")[0] for problem in wrong.value.problems] == [name.upper() for name in NEEDED]
    assert all(" is missing: it should hold " in problem for problem in wrong.value.problems)


def test_the_call_wins_over_the_environment_and_that_over_the_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / ".env"
    file.write_text("PORT=1\nHOST=file\nTHREAD_MODE='prefix' # as we like it\nSLACK_CHANNEL=C0FILE\n", encoding="utf-8")
    monkeypatch.setenv("HOST", "environment")
    monkeypatch.setenv("thread_mode", "")  # empty: not set
    monkeypatch.setenv("SLACK_CHANNEL", "C0ENVIRONMENT")

    settings = load_settings(env_file=file, **NEEDED)

    assert (settings.port, settings.host, settings.thread_mode) == (1, "environment", ThreadMode.PREFIX)
    assert settings.slack_channel == "C0TEXTS"


def test_a_line_of_the_file_that_cannot_be_read_is_told_and_not_left_out(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text(
        "HOST=here\n\nexport PORT=1\nQUIET_HOURS=\"21:00-08:00\n# so far\nSENDERS='@a\nsms'\nQUIET HOURS: none\n",
        encoding="utf-8",
    )

    with pytest.raises(SettingsWrong) as wrong:
        load_settings(env_file=file, **NEEDED)

    assert list(wrong.value.problems) == [
        f"{file} is wrong in line {line}: it should hold NAME=value, every quote closed" for line in (4, 8)
    ]


def test_a_file_as_windows_writes_it_is_read_from_its_first_line_on(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_bytes(b"\xef\xbb\xbfPORT=1\r\nHOST=here\r\n")

    settings = load_settings(env_file=file, **NEEDED)

    assert (settings.port, settings.host) == (1, "here")


def test_a_secret_does_not_show() -> None:
    settings = read_settings(NEEDED)

    assert "made-up" not in f"{settings!r} {settings.slack_bot_token} {settings.telnyx_api_key!r}"
    assert settings.slack_bot_token == Secret("xoxb-made-up")
    assert settings.slack_bot_token.get_secret_value() == "xoxb-made-up"


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        read_settings(NEEDED).port = 1  # type: ignore[misc] # that is what is tried
