"""Slack to phone: the golden cases, and what holds for every message there can be."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.text.mrkdwn import parse_message
from bot.text.notes import is_note
from bot.text.plain import Names, find_mentions, render_plain
from bot.text.tree import Document, Paragraph, Text
from tests.pure.golden_outbound import NAMES, OUTBOUND, Written, section, text, typed, user

CASES = [
    pytest.param(written, read, id=f"{rule}: {read[:30]!r}")
    for rule, rows in OUTBOUND.items()
    for written, read in rows
]

#: Everything that means something to the reader of mrkdwn, in any order and number.
SIGNS = ["*", "_", "~", "`", "```", "<", ">", "|", ":", "&amp;", "&lt;", "&gt;", "\n", " ", "\0", "\ud83d", "a", "1"]
SIGNS += ["@U1", "#C1", "!here", "!subteam^S1", "!date^1^x", "https://x.io", ":tada:", "::skin-tone-2:", ":acme:"]
SCRAPS = st.lists(st.sampled_from(SIGNS) | st.text(max_size=3), max_size=40).map("".join)

#: What, repeated, makes careless readers look at the same characters again and again.
TIRING = ["*", "_a_", "`", "`a", "```", "```x```", "<", "<a", "<@U1>", ":", ":a", ":tada:", "::a:", "&gt;", "&", "*a "]
TIRING += ["a*_~", "*_~", ":a::b", "<https://x|*", "1:2", "::skin-tone-2", ":acme: ", "> a\n", " ", "\n", "~a *b _c "]
TIRING += [":acme:\t", "\u200b", "- ", "1. ", "\n\n ", "``` ```"]

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=5),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=5), children, max_size=4),
    max_leaves=12,
)

KINDS = [
    "rich_text",
    "rich_text_section",
    "rich_text_list",
    "rich_text_quote",
    "rich_text_preformatted",
    "text",
    "link",
]
KINDS += ["user", "channel", "usergroup", "broadcast", "emoji", "date", "color", "team", ""]
KEYS = ["text", "url", "name", "unicode", "skin_tone", "user_id", "channel_id", "usergroup_id", "range", "timestamp"]
KEYS += ["fallback", "value", "style", "indent", "offset", "elements"]


def almost(children: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """JSON that looks like an element of Slack's, with anything in any place."""
    return st.builds(
        lambda kind, fields, elements: {**fields, "elements": elements, "type": kind},
        st.sampled_from(KINDS),
        st.dictionaries(st.sampled_from(KEYS), children | JSON, max_size=5),
        st.lists(children, max_size=3),
    )


ALMOST_BLOCKS = st.lists(st.recursive(st.text(max_size=3) | st.integers(), almost, max_leaves=8), max_size=3)


def parse(written: Written) -> Document:
    if isinstance(written, str):
        return parse_message(written)
    return parse_message("what blocks say comes first", [{"type": "rich_text", "block_id": "b", "elements": written}])


@pytest.mark.parametrize(("written", "read"), CASES)
def test_a_customer_reads_what_the_table_says(written: Written, read: str) -> None:
    assert render_plain(parse(written), NAMES) == read


def test_the_table_is_as_long_as_promised() -> None:
    assert len(CASES) >= 120


@given(SCRAPS)
def test_no_mrkdwn_raises_and_what_comes_out_can_be_sent(written: str) -> None:
    document = parse_message(written)
    plain = render_plain(document, NAMES)
    plain.encode()
    assert "\r" not in plain
    assert "\0" not in plain
    assert plain == plain.rstrip()
    find_mentions(document)
    is_note(document)


@given(JSON, JSON)
def test_no_json_raises_in_the_place_of_text_or_blocks(words: object, blocks: object) -> None:
    document = parse_message(words, blocks)
    render_plain(document).encode()
    is_note(document)


@given(ALMOST_BLOCKS)
def test_no_blocks_that_look_like_rich_text_raise(blocks: list[object]) -> None:
    document = parse_message("fallback", blocks)
    render_plain(document).encode()
    render_plain(document, NAMES).encode()
    is_note(document)


@pytest.mark.parametrize(
    "blocks",
    [
        [],
        [{"type": "section", "text": {"type": "mrkdwn", "text": "no"}}],
        [{"type": "rich_text"}],
        [{"type": "rich_text", "elements": []}],
        [{"type": "rich_text", "elements": [section()]}],
        [{"type": "rich_text", "elements": [{"type": "rich_text_new", "elements": []}]}],
        [{"type": "rich_text", "elements": [section({"type": "new"})]}],
        [{"type": "rich_text", "elements": [section({"type": "text"})]}],
        [{"type": "rich_text", "elements": [section({"type": "user", "user_id": 5})]}],
        [{"type": "rich_text", "elements": [section({"type": "broadcast", "range": "nobody"})]}],
        [{"type": "rich_text", "elements": typed("fine")}, {"type": "image"}],
    ],
)
def test_blocks_we_do_not_understand_give_way_to_the_text(blocks: list[object]) -> None:
    assert render_plain(parse_message("the *text*", blocks)) == "the text"


def test_rich_text_that_says_nothing_is_an_empty_message() -> None:
    assert render_plain(parse_message("", [{"type": "rich_text", "elements": [section()]}])) == ""


def test_deep_json_is_refused_without_recursion() -> None:
    deep: dict[str, Any] = {"type": "rich_text", "elements": []}
    for _ in range(100_000):
        deep = {"type": "rich_text", "elements": [deep]}
    assert render_plain(parse_message("text", [deep])) == "text"


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"])))
def test_what_the_composer_calls_text_reaches_the_phone_letter_for_letter(words: str) -> None:
    assert render_plain(parse(typed(words))) == words.rstrip()


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="<>&*_~`:")))
def test_text_without_slacks_signs_reaches_the_phone_letter_for_letter(words: str) -> None:
    assert render_plain(parse_message(words)) == words.rstrip()


@given(st.text(st.sampled_from("ab1 *_~`.,()\n")))
def test_marks_take_no_letter_with_them_and_no_more_than_pairs(words: str) -> None:
    plain = render_plain(parse_message(words))
    assert [sign for sign in plain if sign.isalnum()] == [sign for sign in words if sign.isalnum()]
    for mark in "*_~":
        assert (words.count(mark) - plain.count(mark)) % 2 == 0


@given(st.text(st.sampled_from("ab <>&;lt"), max_size=12))
def test_escapes_are_undone_exactly_once(words: str) -> None:
    escaped = words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    if not escaped.lstrip().startswith("&gt;"):
        assert render_plain(parse_message(escaped)) == words.rstrip()


def test_mentions_are_found_wherever_they_stand() -> None:
    found = find_mentions(parse_message("&gt; <@U1>\n*<@W2>* in <#C1|x> and `<!subteam^S1>` <!here>"))
    assert [set(found.users), set(found.channels), set(found.groups)] == [{"U1", "W2"}, {"C1"}, {"S1"}]


@pytest.mark.parametrize("written", ["ask <@U404>", "in <#C404>", "<!subteam^S404> helps"])
def test_no_id_of_slacks_reaches_a_phone(written: str) -> None:
    assert "404" not in render_plain(parse_message(written), Names())


def test_a_name_cannot_break_out_of_its_line() -> None:
    names = Names(users={"U1": "An\0na\ud800"})
    assert render_plain(parse([section(text("ask "), user("U1"))]), names) == "ask @Anna\ufffd"


def count_lines_executed(work: Callable[[], object]) -> int:
    """Count the lines of bot/text that run: a measure of work that no busy machine changes."""
    count = 0

    def trace(frame: FrameType, event: str, _arg: object) -> Any:
        nonlocal count
        if "/bot/text/" not in frame.f_code.co_filename:
            return None
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize("pattern", TIRING)
def test_twice_the_text_is_at_most_twice_the_work(pattern: str) -> None:
    def read(times: int) -> Callable[[], object]:
        message = pattern * times
        return lambda: (render_plain(parse_message(message), NAMES), is_note(parse_message(message)))

    read(1)()  # loads the emoji
    small, large = (count_lines_executed(read(times)) for times in (200, 400))
    # Linear work doubles, quadratic work is four times as much.
    assert large <= 2.2 * small + 200


@pytest.mark.parametrize(
    "pattern", [" ", "<", "<a", "<https://x", "&", "&g", "`` ", ":a", ":", "\u200b", "- ", "1. ", "*"]
)
def test_no_expression_looks_at_a_long_message_again_and_again(pattern: str) -> None:
    # The count of lines does not see into a regular expression. Were one of them quadratic, this would take minutes.
    message = pattern * (300_000 // len(pattern))
    for written in (f"x {message} x", f"<{message}"):
        document = parse_message(written)
        is_note(document)
        render_plain(document, NAMES)


def test_a_paragraph_of_one_text_is_one_text() -> None:
    document = parse_message("one\ntwo *three")
    assert document == Document(blocks=(Paragraph(content=(Text(text="one\ntwo *three"),)),))
