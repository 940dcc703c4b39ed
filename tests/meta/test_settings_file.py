"""`.env.example` names every setting, with a word on each, and would be understood."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.errors import SettingsWrong
from bot.settings import SETTINGS, load_settings

ROOT = Path(__file__).resolve().parents[2]
LINES = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
SETTING = re.compile(r"^(# )?([A-Z][A-Z_]+)=(.*)$")
SHOWN = {found[2]: (at, found[1] is None, found[3]) for at, line in enumerate(LINES) if (found := SETTING.match(line))}


def test_it_names_every_setting_and_no_other() -> None:
    assert {setting.name.upper() for setting in SETTINGS} == SHOWN.keys()


def test_what_must_be_filled_in_stands_open_and_the_rest_is_commented_out() -> None:
    needed = {setting.name.upper() for setting in SETTINGS if setting.is_required}

    assert {name for name, (_, is_set, _) in SHOWN.items() if is_set} == needed


def test_a_copy_that_nobody_has_filled_in_is_told_to_be_so() -> None:
    with pytest.raises(SettingsWrong) as told:
        load_settings(env_file=ROOT / ".env.example")

    needed = [setting.name.upper() for setting in SETTINGS if setting.is_required]
    assert [problem.partition(" is missing")[0] for problem in told.value.problems] == needed


def test_a_word_on_each_stands_above_it() -> None:
    for name, (at, _, _) in SHOWN.items():
        above = next(line for line in reversed(LINES[:at]) if not SETTING.match(line))
        assert re.match(r"# \S.{15,}", above), name


def test_a_value_shown_for_what_need_not_be_set_is_the_default() -> None:
    examples = {"NUMBER_CHANNELS", "PUBLIC_URL"}
    for setting in SETTINGS:
        _, is_set, shown = SHOWN[setting.name.upper()]
        if is_set or setting.name.upper() in examples:
            continue
        default = setting.default
        assert shown == (
            "" if default in (None, (), {}) else str(default).lower() if isinstance(default, bool) else str(default)
        )
