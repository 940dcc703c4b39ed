"""What the simulated composer makes of typed text, and which blocks the simulator refuses."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.sandbox.slack_blocks import VIEW_BLOCKS, Surface, fill_ids, find_mistakes
from bot.sandbox.slack_text import FEW_EMOJI, escape_text, read_typed


def section(*elements: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"type": "rich_text_section", "elements": list(elements)}]


def text(content: str, **style: bool) -> dict[str, Any]:
    return {"type": "text", "text": content, **({"style": style} if style else {})}


@pytest.mark.parametrize(
    ("typed", "stored", "elements"),
    [
        ("a < b & c", "a &lt; b &amp; c", section(text("a < b & c"))),
        ("hi :wave:", "hi :wave:", section(text("hi "), {"type": "emoji", "name": "wave", "unicode": "1f44b"})),
        ("hi 👋", "hi :wave:", section(text("hi "), {"type": "emoji", "name": "wave", "unicode": "1f44b"})),
        (
            ":wave::skin-tone-3:",
            ":wave::skin-tone-3:",
            section({"type": "emoji", "name": "wave", "unicode": "1f44b-1f3fc", "skin_tone": 3}),
        ),
        ("at 12:30:45 :nope:", "at 12:30:45 :nope:", section(text("at 12:30:45 :nope:"))),
        (
            "see https://a.io/?b=1&c.",
            "see <https://a.io/?b=1&amp;c>.",
            section(text("see "), {"type": "link", "url": "https://a.io/?b=1&c"}, text(".")),
        ),
        ("a.io", "<http://a.io|a.io>", section({"type": "link", "url": "http://a.io", "text": "a.io"})),
        (
            "me@a.io",
            "<mailto:me@a.io|me@a.io>",
            section({"type": "link", "url": "mailto:me@a.io", "text": "me@a.io"}),
        ),
        (
            "+1 (415) 555-0101",
            "<tel:+14155550101|+1 (415) 555-0101>",
            section({"type": "link", "url": "tel:+14155550101", "text": "+1 (415) 555-0101"}),
        ),
        ("<@U1> <!here>", "<@U1> <!here>", section(
            {"type": "user", "user_id": "U1"}, text(" "), {"type": "broadcast", "range": "here"})),
        ("<!subteam^S1>", "<!subteam^S1>", section({"type": "usergroup", "usergroup_id": "S1"})),
        ("*a _b_*", "*a _b_*", section(text("a ", bold=True), text("b", bold=True, italic=True))),
        ("`x <y>`", "`x &lt;y&gt;`", section(text("x <y>", code=True))),
        ("2*3*4 a_b_c", "2*3*4 a_b_c", section(text("2*3*4 a_b_c"))),
        ("> said", "&gt; said", [{"type": "rich_text_quote", "elements": [text("said")]}]),
        ("```\na\nb\n```", "```a\nb```", [{"type": "rich_text_preformatted", "elements": [text("a\nb")]}]),
        ("- a\n- b", "• a\n• b", [
            {"type": "rich_text_list", "style": "bullet", "indent": 0,
             "elements": [*section(text("a")), *section(text("b"))]}]),
    ],
)  # fmt: skip
def test_typed_text_becomes_what_slack_stores(typed: str, stored: str, elements: list[dict[str, Any]]) -> None:
    made = read_typed(typed, FEW_EMOJI)
    assert made.text == stored
    assert made.block == {"type": "rich_text", "elements": elements}


@given(st.text(alphabet=st.characters(blacklist_characters="*_~`:<>@.-•+()", blacklist_categories=["Cs", "N"])))
def test_plain_words_are_only_escaped(words: str) -> None:
    made = read_typed(words, {})
    assert made.text == escape_text(words)
    said = "".join(part["text"] for element in made.block["elements"] for part in element["elements"])
    assert said == words


@given(st.text(max_size=300))
def test_no_typed_text_is_too_strange(typed: str) -> None:
    made = read_typed(typed, FEW_EMOJI)
    assert made.block["elements"]


def test_a_very_long_word_is_read_in_no_time() -> None:
    assert read_typed("a" * 40_000, FEW_EMOJI).text == "a" * 40_000


def plain(content: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": content}


def button(**more: Any) -> dict[str, Any]:
    return {"type": "button", "text": plain("Go"), "action_id": "go", **more}


def options(count: int) -> list[dict[str, Any]]:
    return [{"text": plain("o"), "value": str(number)} for number in range(count)]


def actions(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"type": "actions", "elements": list(elements)}


def words(content: str) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": content}


BOX = {"type": "input", "label": plain("L"), "element": {"type": "plain_text_input", "action_id": "a"}}


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ({"type": "header", "text": plain("x" * 150)}, {"type": "header", "text": plain("x" * 151)}),
        ({"type": "header", "text": plain("x")}, {"type": "header", "text": words("x")}),
        ({"type": "section", "text": words("x" * 3000)}, {"type": "section", "text": words("x" * 3001)}),
        ({"type": "section", "text": words("x")}, {"type": "section", "text": words("")}),
        ({"type": "section", "fields": [words("x")] * 10}, {"type": "section", "fields": [words("x")] * 11}),
        ({"type": "section", "text": words("x")}, {"type": "section"}),
        ({"type": "context", "elements": [words("x")] * 10}, {"type": "context", "elements": [words("x")] * 11}),
        ({"type": "context", "elements": [words("x")]}, {"type": "context", "elements": [button()]}),
        (
            actions(*(button(action_id=str(n)) for n in range(25))),
            actions(*(button(action_id=str(n)) for n in range(26))),
        ),
        (actions(button()), actions()),
        (actions(button()), actions(button(), button())),
        (actions(button(text=plain("x" * 75))), actions(button(text=plain("x" * 76)))),
        (actions(button(value="x" * 2000)), actions(button(value="x" * 2001))),
        (actions(button(style="danger")), actions(button(style="green"))),
        (actions(button(action_id="x" * 255)), actions(button(action_id="x" * 256))),
        (actions({"type": "overflow", "options": options(5)}), actions({"type": "overflow", "options": options(6)})),
        (
            actions({"type": "static_select", "options": options(100)}),
            actions({"type": "static_select", "options": options(101)}),
        ),
        ({"type": "image", "image_url": "https://x/y", "alt_text": "y"}, {"type": "image", "image_url": "https://x/y"}),
        ({"type": "markdown", "text": "x" * 12_000}, {"type": "markdown", "text": "x" * 12_001}),
        (BOX, BOX | {"label": plain("x" * 2001)}),
        (BOX, BOX | {"element": button()}),
        ({"type": "divider"}, {"type": "nonsense"}),
    ],
)
def test_blocks_are_refused_just_beyond_slacks_limits(good: dict[str, Any], bad: dict[str, Any]) -> None:
    assert find_mistakes([good], Surface()) == []
    assert find_mistakes([bad], Surface()) != []


def test_a_message_has_fifty_blocks_and_a_view_a_hundred() -> None:
    line = {"type": "divider"}
    assert find_mistakes([line] * 50, Surface()) == []
    assert find_mistakes([line] * 51, Surface()) != []
    assert find_mistakes([line] * 100, Surface(most=VIEW_BLOCKS, is_view=True)) == []
    assert find_mistakes([line] * 101, Surface(most=VIEW_BLOCKS, is_view=True)) != []
    assert find_mistakes({"type": "divider"}, Surface()) != []


def test_blocks_and_elements_without_ids_are_given_some() -> None:
    given_ids = iter(["b1", "a1", "b2"])
    filled = fill_ids([actions(button(action_id="")), {"type": "divider"}], lambda _prefix: next(given_ids))
    assert filled[0]["block_id"] == "b1"
    assert filled[0]["elements"][0]["action_id"] == "a1"
    assert filled[1]["block_id"] == "b2"
