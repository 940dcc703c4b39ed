"""What was typed after a command, as it reaches a phone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.text.typed import render_typed, show_numbers


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("5 &gt; 3 &amp; 2 &lt; 4", "5 > 3 & 2 < 4"),
        ("&amp;lt;", "&lt;"),
        ("*see* `it` :wave:", "*see* `it` 👋"),
        ("<https://x.example/a?b=1&amp;c=2>", "https://x.example/a?b=1&c=2"),
        ("<http://x.example|x.example>", "x.example"),
        ("<https://x.example/a|here>", "here (https://x.example/a)"),
        ("<https://x.example/?q=&amp;amp;>", "https://x.example/?q=&amp;"),
        ("<mailto:ann@x.example|ann@x.example>", "ann@x.example"),
        ("<@U0ANN|ann> in <#C0TEXTS|texts>", "@ann in #texts"),
        ("<@U0ANN> in <#C0TEXTS|>", "a colleague in our channel"),
        ("<!here> <!subteam^S1|@team>", "@here @team"),
        ("<b> a < b > c <3 <> <note: x>", "<b> a < b > c <3 <> <note: x>"),
        ("&lt;@U0ANN&gt; &lt;https://x.example&gt;", "<@U0ANN> <https://x.example>"),
    ],
)
def test_words_stay_as_typed_and_what_slack_made_of_them_is_undone_once(typed: str, shown: str) -> None:
    assert render_typed(typed) == shown


def test_a_numbers_link_stays_until_the_number_is_read() -> None:
    token = "<tel:+14155550101|415-555-0101>"
    assert render_typed(f"{token} Hi") == f"{token} Hi"
    assert show_numbers(f"call {token}, or <tel:+14155550102>") == "call 415-555-0101, or +14155550102"


@given(st.text(alphabet=st.sampled_from("ab <>@#!|&;:/\nhtps")))
def test_anything_typed_is_shown(text: str) -> None:
    if "<" not in text and "&" not in text and ":" not in text:
        assert render_typed(text) == text
    assert isinstance(show_numbers(render_typed(text)), str)
