"""What every test's log is searched for is found where it is, and not where it is not."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from bot.observe import Log
from tests import overheard
from tests.overheard import Ear, find_leak, find_leak_in_labels, find_leak_in_lines

WORDS = "the blue bicycle"


@pytest.fixture
def ear() -> Iterator[Ear]:
    """Return an ear of this test's own: the one of every test would fail it."""
    root = logging.getLogger("textbridge.overheard")
    ear = Ear()
    root.addHandler(ear)
    root.propagate = False
    root.setLevel(logging.INFO)
    overheard.hear([WORDS])
    yield ear
    root.removeHandler(ear)
    root.propagate = True


@pytest.mark.parametrize(
    "field", [WORDS, f"text={WORDS}!", "xoxb-made-up-bot-token"], ids=["the words", "words among others", "a secret"]
)
def test_a_field_that_tells_what_somebody_wrote_is_found(field: str, ear: Ear) -> None:
    Log("overheard").info("A sentence.", field=field)

    assert ear.find_leak() is not None


def test_words_in_an_error_are_found(ear: Ear) -> None:
    Log("overheard").error("It broke.", error=ValueError(WORDS))

    assert ear.find_leak() is not None


def test_what_a_library_says_is_searched_whole(ear: Ear) -> None:
    other = logging.getLogger("a.library")
    other.addHandler(ear)
    other.propagate = False
    assert ear.find_leak() is None
    other.warning("GET /messages?text=%s", WORDS)
    other.removeHandler(ear)
    assert ear.find_leak() is not None


def test_a_number_that_the_formatter_masks_is_none(ear: Ear) -> None:
    Log("overheard").info("A sentence.", number="+14155550101", written="(415) 555-0101")

    assert ear.find_leak() is None


@pytest.mark.parametrize(
    "told",
    [
        "+14155550101",
        "14155550101",
        "4155550101",
        "(415) 555-0101",
        "415-555-0101",
        "to=%2B14155550101&x",
        "a 415.555.0101 b",
    ],
)
def test_a_fictional_number_is_known_in_each_of_its_forms(told: str) -> None:
    assert find_leak(told) is not None
    assert find_leak_in_labels(f'textbridge_calls_total{{operation="{told}"}} 1.0') is not None


@pytest.mark.parametrize(
    "told", ["+141…01", "1795186800.555123", "job 4155", "2026-11-20T15:04:05.555010", "0x4155550101ab"]
)
def test_what_is_no_number_is_not_taken_for_one(told: str) -> None:
    assert find_leak(told) is None


def test_the_programs_own_lines_are_searched_in_their_fields() -> None:
    overheard.hear(["Textbridge listens."])

    assert find_leak_in_lines(['{"at": "x", "message": "Textbridge listens.", "port": 1}']) is None
    assert find_leak_in_lines(['{"at": "x", "message": "A text.", "words": "Textbridge listens."}']) is not None
    assert find_leak_in_lines(["not JSON: +14155550101"]) is not None
