"""Every emoji that Slack knows has its character, and every character its name."""

from __future__ import annotations

import hashlib
import unicodedata
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.text.emoji import find_character, find_short_name, list_short_names
from bot.text.mrkdwn import parse_message
from bot.text.plain import render_plain

TONES = {"2": "\U0001f3fb", "3": "\U0001f3fc", "4": "\U0001f3fd", "5": "\U0001f3fe", "6": "\U0001f3ff"}
NAMES = sorted(list_short_names())


def list_toned_names() -> list[str]:
    """Return the name of each form that differs from its emoji without a tone."""
    single = [f"{name}::skin-tone-{tone}" for name, tone in product(NAMES, TONES)]
    pairs = [f"{name}::skin-tone-{one}-{two}" for name, one, two in product(NAMES, TONES, TONES) if one != two]
    return [name for name in single + pairs if find_character(name) != find_character(name.partition("::")[0])]


def test_every_short_name_of_slacks_table_becomes_its_character_on_the_phone() -> None:
    assert len(NAMES) == 1973
    for name in NAMES:
        character = find_character(name)
        assert character, name
        assert render_plain(parse_message(f"see :{name}: there")) == f"see {character} there"


def test_the_table_is_the_one_that_was_compared_with_its_source() -> None:
    # The digest was taken when all names and tones had been compared with emoji-data 16, one by one.
    tones = ["", *(f"::skin-tone-{tone}" for tone in TONES)]
    tones += [f"::skin-tone-{one}-{two}" for one, two in product(TONES, TONES) if one != two]
    lines = [f"{name}{tone} {find_character(name + tone)}" for name in NAMES for tone in tones]
    digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    assert digest == "74d9c274905cc1efd47e4231003cb8f62ae2cd846be9f1753872cf7b120a8471"


def test_every_skin_tone_that_slack_offers_is_written() -> None:
    toned = list_toned_names()
    assert len(toned) == 2020  # emoji-data's own count
    for name in toned:
        character = find_character(name)
        assert character
        assert any(tone in character for tone in TONES.values())


def test_every_character_leads_back_to_a_name_that_means_it() -> None:
    for name in NAMES + list_toned_names():
        character = find_character(name)
        assert character
        back = find_short_name(character)
        assert back is not None, name
        assert find_character(back) == character


@pytest.mark.parametrize(
    ("name", "character"),
    [
        ("tada", "🎉"),
        ("+1", "👍"),
        ("thumbsup", "👍"),
        ("+1::skin-tone-2", "👍🏻"),
        ("+1::skin-tone-1", "👍"),
        ("point_up::skin-tone-6", "☝🏿"),
        ("point_up", "☝️"),
        ("flag-gb", "🇬🇧"),
        ("uk", "🇬🇧"),
        ("simple_smile", "🙂"),
        ("keycap_star", "*️⃣"),
        ("female-technologist::skin-tone-4", "👩🏽‍💻"),
        ("people_holding_hands::skin-tone-2-6", "🧑🏻‍🤝‍🧑🏿"),
        ("people_holding_hands::skin-tone-2::skin-tone-6", "🧑🏻‍🤝‍🧑🏿"),
        ("people_holding_hands::skin-tone-3", "🧑🏼‍🤝‍🧑🏼"),
        ("tada::skin-tone-3", "🎉"),
        ("satellite", "🛰️"),
        ("umbrella", "☂️"),
        ("email", "✉️"),
        ("egg", "🥚"),
    ],
)
def test_names_mean_what_slack_means(name: str, character: str) -> None:
    assert find_character(name) == character


@pytest.mark.parametrize(
    ("character", "name"),
    [
        ("👍", "+1"),
        ("👎", "-1"),
        ("❤️", "heart"),
        ("❤", "heart"),
        ("❤︎", "heart"),
        ("😂", "joy"),
        ("‼️", "bangbang"),
        ("‼", "bangbang"),
        ("❓", "question"),
        ("👋🏼", "wave::skin-tone-3"),
        ("🧑🏻‍🤝‍🧑🏿", "people_holding_hands::skin-tone-2-6"),
        ("🎉🏽", "tada"),
        ("🇺🇸", "us"),
    ],
)
def test_a_reaction_gets_slacks_own_name(character: str, name: str) -> None:
    assert find_short_name(character) == name


@pytest.mark.parametrize("name", ["", "acme-logo", "Tada", ":tada:", "skin-tone-9", "::skin-tone-2"])
def test_what_is_no_emoji_of_slacks_has_no_character(name: str) -> None:
    assert find_character(name) is None


@given(st.text())
def test_no_text_raises(text: str) -> None:
    find_character(text)
    name = find_short_name(text)
    assert name is None or find_character(name)


#: Names that Unicode gives to another character than Slack does: 🐶 is Slack's `dog`, 🐕 is Unicode's DOG.
SLACKS_OWN = {
    "black_circle",
    "book",
    "calendar",
    "cat",
    "cow",
    "dog",
    "first_quarter_moon",
    "horse",
    "house",
    "infinity",
}
SLACKS_OWN |= {
    "interrobang",
    "kiss",
    "last_quarter_moon",
    "lightning",
    "lips",
    "man_in_tuxedo",
    "mouse",
    "pencil",
    "pig",
}
SLACKS_OWN |= {"rabbit", "smile", "sun_behind_cloud", "tiger", "train", "whale", "white_circle"}


def test_names_that_slack_took_over_from_unicode_mean_the_same_character() -> None:
    by_unicode = {
        unicodedata.name(chr(number), "").lower().replace(" ", "_").replace("-", "_"): chr(number)
        for number in (*range(0x2000, 0x3300), *range(0x1F000, 0x1FB00))
    }
    shared = [name for name in NAMES if name in by_unicode]
    assert len(shared) > 900
    assert {name for name in shared if (find_character(name) or "").rstrip("\ufe0f") != by_unicode[name]} == SLACKS_OWN
