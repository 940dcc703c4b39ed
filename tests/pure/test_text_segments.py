"""Parts are counted as carriers count them, against a second count made another way."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.text.segments import MAX_PARTS, Encoding, count_segments, replace_lookalikes

#: 3GPP TS 23.038, table by code point, 0x1B (escape) left out.
GSM_CODE_POINTS = (
    "40 A3 24 A5 E8 E9 F9 EC F2 C7 0A D8 F8 0D C5 E5 394 5F 3A6 393 39B 3A9 3A0 3A8 3A3 398 39E C6 E6 DF C9"
)
GSM = {chr(int(number, 16)) for number in GSM_CODE_POINTS.split()}
GSM |= {chr(number) for number in range(0x20, 0x5B)} - {"@", "$"} - {"$"} | {"$", "@", "¤"}
GSM |= {chr(number) for number in range(0x61, 0x7B)} | set("¡ÄÖÑÜ§¿äöñüà")
GSM_TWO = {"\x0c", "^", "{", "}", "\\", "[", "~", "]", "|", "€"}

COMMON = st.sampled_from(sorted(GSM) + sorted(GSM_TWO))
GSM_TEXTS = st.lists(COMMON, max_size=700).map("".join)
LONG_TEXTS = st.tuples(
    st.lists(st.sampled_from(["a", "€", "é", "😀", "ж", "{"]), max_size=6).map("".join), st.integers(0, 120)
).map(lambda pair: pair[0] * pair[1])
ANY_TEXTS = st.text(max_size=400) | LONG_TEXTS


def count_by_cutting(text: str) -> tuple[str, int, int]:
    """Return encoding, units and parts by really cutting: units on a tape, an escape or a high half never last."""
    if all(letter in GSM | GSM_TWO for letter in text):
        name, single, several = "GSM-7", 160, 153
        tape = [unit for letter in text for unit in (["ESC", letter] if letter in GSM_TWO else [letter])]
        first_of_two = {place for place, unit in enumerate(tape) if unit == "ESC"}
    else:
        name, single, several = "UCS-2", 70, 67
        raw = text.encode("utf-16-be", "surrogatepass")
        tape = [raw[place : place + 2].hex() for place in range(0, len(raw), 2)]
        first_of_two = {place for place, unit in enumerate(tape) if "d800" <= unit <= "dbff"}
    if len(tape) <= single:
        return name, len(tape), 1 if tape else 0
    parts = start = 0
    while start < len(tape):
        end = min(start + several, len(tape))
        if end < len(tape) and end - 1 in first_of_two:
            end -= 1
        parts, start = parts + 1, end
    return name, len(tape), parts


def test_the_alphabet_has_as_many_letters_as_the_standard() -> None:
    everything = "".join(chr(number) for number in range(0x110000) if not 0xD800 <= number < 0xE000)
    fitting = set(everything) - {culprit.character for culprit in count_segments(everything).culprits}
    assert {letter for letter in fitting if count_segments(letter).units == 1} == GSM
    assert {letter for letter in fitting if count_segments(letter).units == 2} == GSM_TWO
    assert (len(GSM), len(GSM_TWO)) == (127, 10)


@given(GSM_TEXTS | ANY_TEXTS)
def test_the_count_is_that_of_really_cutting(text: str) -> None:
    counted = count_segments(text)
    assert (counted.encoding, counted.units, counted.parts) == count_by_cutting(text)


@given(GSM_TEXTS | ANY_TEXTS)
def test_what_remains_fits_and_one_more_does_not(text: str) -> None:
    counted = count_segments(text)
    filler = "a" if counted.encoding is Encoding.GSM7 else "ж"
    assert count_segments(text + filler * counted.remaining).parts == max(counted.parts, 1)
    assert count_segments(text + filler * (counted.remaining + 1)).parts == max(counted.parts, 1) + 1


@given(ANY_TEXTS)
def test_culprits_are_all_that_keeps_a_text_out_of_gsm(text: str) -> None:
    culprits = count_segments(text).culprits
    assert all(text[culprit.position] == culprit.character for culprit in culprits)
    places = {culprit.position for culprit in culprits}
    rest = "".join(letter for place, letter in enumerate(text) if place not in places)
    assert count_segments(rest).encoding is Encoding.GSM7
    assert (count_segments(text).encoding is Encoding.UCS2) == bool(culprits)


@pytest.mark.parametrize(
    ("text", "encoding", "units", "parts", "remaining"),
    [
        ("", "GSM-7", 0, 0, 160),
        ("a", "GSM-7", 1, 1, 159),
        ("a" * 160, "GSM-7", 160, 1, 0),
        ("a" * 161, "GSM-7", 161, 2, 145),
        ("a" * 306, "GSM-7", 306, 2, 0),
        ("a" * 307, "GSM-7", 307, 3, 152),
        ("€" * 80, "GSM-7", 160, 1, 0),
        ("€" * 81, "GSM-7", 162, 2, 143),
        # A part of 153 holds 76 of two units each: a unit is left over in each.
        ("€" * 77 + "a" * 10, "GSM-7", 164, 2, 141),
        ("€" * 153, "GSM-7", 306, 3, 151),
        ("é{}", "GSM-7", 5, 1, 155),
        ("’", "UCS-2", 1, 1, 69),
        ("ж" * 70, "UCS-2", 70, 1, 0),
        ("ж" * 71, "UCS-2", 71, 2, 63),
        ("😀" * 35, "UCS-2", 70, 1, 0),
        ("😀" * 36, "UCS-2", 72, 2, 61),
        ("ж" * 66 + "😀" * 3, "UCS-2", 72, 2, 61),
        ("á", "UCS-2", 1, 1, 69),
        ("`", "UCS-2", 1, 1, 69),
        ("\t", "UCS-2", 1, 1, 69),
        ("ç", "UCS-2", 1, 1, 69),
        ("Ç", "GSM-7", 1, 1, 159),
    ],
)
def test_the_limits_are_those_of_the_carriers(text: str, encoding: str, units: int, parts: int, remaining: int) -> None:
    counted = count_segments(text)
    assert (counted.encoding, counted.units, counted.parts, counted.remaining) == (encoding, units, parts, remaining)


def test_more_than_ten_parts_are_too_long() -> None:
    assert MAX_PARTS == 10
    assert not count_segments("a" * 1530).is_too_long
    assert count_segments("a" * 1531).is_too_long
    assert not count_segments("ж" * 670).is_too_long
    assert count_segments("ж" * 671).is_too_long


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("“It’s fine” – really…", '"It\'s fine" - really...'),
        ("«oui» ‹non› „ja“", '"oui" <non> "ja"'),
        ("5\u00a0pm\u2009—\u202f6\u00a0pm", "5 pm - 6 pm"),
        ("• one\n• two", "- one\n- two"),
        ("soft\u00adhyphen zero\u200bwidth", "softhyphen zerowidth"),
        ("tab\there `tick´", "tab here 'tick'"),
        ("1\u20442 −3 ∗ ∼", "1/2 -3 * ~"),
        ("two\u2028lines", "two\nlines"),
    ],
)
def test_lookalikes_become_what_gsm_has(text: str, safe: str) -> None:
    assert replace_lookalikes(text) == safe
    assert count_segments(safe).encoding is Encoding.GSM7


@pytest.mark.parametrize(
    "text", ["áéíóú ç ñ", "Привет", "😀 👨‍👩‍👧 ❤️", "plain ASCII 'text' \"too\"\n", "ΔΦ €[]{}~^|\\"]
)
def test_letters_emoji_and_what_is_safe_stay(text: str) -> None:
    assert replace_lookalikes(text) == text


def pick_letters(text: str) -> list[str]:
    """Letters and digits proper; modifier letters such as ʼ and ˆ look like punctuation."""
    return [letter for letter in text if unicodedata.category(letter) in {"Lu", "Ll", "Lt", "Lo", "Nd"}]


@given(st.text())
def test_replacing_twice_changes_nothing_more_and_takes_no_letter(text: str) -> None:
    once = replace_lookalikes(text)
    assert replace_lookalikes(once) == once
    assert len(count_segments(once).culprits) <= len(count_segments(text).culprits)
    assert pick_letters(once) == pick_letters(text)
