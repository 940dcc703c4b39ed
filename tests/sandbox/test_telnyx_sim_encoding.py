"""How the simulated carrier counts texts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.sandbox.telnyx_encoding import Encoding, is_gsm7, measure_text, simplify_text


@pytest.mark.parametrize(
    ("text", "encoding", "parts"),
    [
        ("", "GSM-7", 1),
        ("a" * 160, "GSM-7", 1),
        ("a" * 161, "GSM-7", 2),
        ("a" * 306, "GSM-7", 2),
        ("a" * 307, "GSM-7", 3),
        ("a" * 1530, "GSM-7", 10),
        ("{" * 80, "GSM-7", 1),
        ("{" * 81, "GSM-7", 2),
        ("a" * 152 + "{" + "a" * 152, "GSM-7", 3),  # the brace does not fit the first part's last place
        ("é" * 160, "GSM-7", 1),
        ("ж" * 70, "UCS-2", 1),
        ("ж" * 71, "UCS-2", 2),
        ("ж" * 134, "UCS-2", 2),
        ("👋" * 35, "UCS-2", 1),
        ("👋" * 36, "UCS-2", 2),
        ("👋" * 67, "UCS-2", 3),  # 33 pairs a part: no pair is torn
        ("`", "UCS-2", 1),
        ("Ç", "UCS-2", 1),
    ],
)
def test_parts_are_counted_as_published(text: str, encoding: str, parts: int) -> None:
    measure = measure_text(text)
    assert (measure.encoding.value, measure.parts) == (encoding, parts)


@given(st.text(max_size=2000))
def test_parts_hold_the_text_and_are_no_more_than_needed(text: str) -> None:
    measure = measure_text(text)
    each = 153 if measure.encoding is Encoding.GSM7 else 67
    if measure.parts == 1:
        assert measure.units <= (160 if measure.encoding is Encoding.GSM7 else 70)
    else:
        assert measure.parts * each >= measure.units
        assert (measure.parts - 1) * (each - 1) < measure.units
    assert is_gsm7(text) == (measure.encoding is Encoding.GSM7)


@given(st.text(alphabet="abc“”‘’…–—\u00a0\t👋", max_size=200))
def test_simplifying_never_costs_the_encoding_and_is_done_once(text: str) -> None:
    simple = simplify_text(text)
    assert simplify_text(simple) == simple
    assert "👋" in text or is_gsm7(simple)
