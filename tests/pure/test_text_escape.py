"""Phone to Slack: the golden cases, and what holds for every text a customer can send."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bot.text.escape import (
    MAX_BLOCK_TEXT,
    MAX_BLOCKS,
    MAX_MESSAGE_TEXT,
    POST_OPTIONS,
    escape_sms,
    show_broken,
    split_for_slack,
    text_blocks,
)
from bot.text.mrkdwn import parse_message
from bot.text.plain import render_plain
from bot.text.tree import Document, Paragraph, Text
from tests.pure.golden_inbound import ESCAPED, UNCHANGED

CASES = [pytest.param(sms, sms, id=f"{rule}: {sms!r}") for rule, rows in UNCHANGED.items() for sms in rows]
CASES += [pytest.param(sms, shown, id=f"{rule}: {sms!r}") for rule, rows in ESCAPED.items() for sms, shown in rows]

#: Any text at all, broken halves and NUL included, rich in what matters to Slack.
PIECES = ["&", "<", ">", "&amp;", "&lt;", "<!channel>", "<@U1>", ":tada:", "*b*", "\0", "\ud83d", "\ude00", "\n", " "]
PIECES += ["e\u0301", "👍🏽", "👨‍👩‍👧‍👦", "🇺🇸", "🇩🇪", "#\ufe0f\u20e3", "\r\n", "한", "\u1112\u1161\u11ab", "word "]
TEXTS = st.lists(st.sampled_from(PIECES) | st.text(st.characters(), max_size=4), max_size=60).map("".join)


def read_blocks(blocks: list[dict[str, object]]) -> str:
    """Return the words of text_blocks()' blocks, having checked that they are nothing but text."""
    words = []
    for block in blocks:
        loose: Any = block
        assert loose["type"] == "rich_text"
        (part,) = loose["elements"]
        assert part["type"] == "rich_text_section"
        (element,) = part["elements"]
        assert element.keys() == {"type", "text"}
        assert element["type"] == "text"
        words.append(element["text"])
    return "".join(words)


@pytest.mark.parametrize(("sms", "shown"), CASES)
def test_slack_gets_what_the_table_says(sms: str, shown: str) -> None:
    assert escape_sms(sms) == shown
    assert read_blocks(text_blocks(sms)) == show_broken(sms)


def test_the_table_is_as_long_as_promised() -> None:
    assert len(CASES) >= 60


@given(TEXTS)
def test_whatever_comes_can_be_sent_to_slack_and_is_read_back_as_it_was(sms: str) -> None:
    escaped = escape_sms(sms)
    escaped.encode()
    assert escaped.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&") == show_broken(sms)
    json.dumps(text_blocks(sms), ensure_ascii=False).encode()
    assert read_blocks(text_blocks(sms)) == show_broken(sms)


@given(TEXTS)
def test_nothing_but_our_own_escapes_means_anything_to_slack(sms: str) -> None:
    escaped = escape_sms(sms)
    assert not re.search(r"[<>\0]", escaped)
    assert not re.search(r"&(?!(?:amp|lt|gt);)", escaped)


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"])))
def test_what_a_customer_texted_is_one_run_of_text_to_our_own_reader(sms: str) -> None:
    blocks = text_blocks(sms)
    read = parse_message("the escaped text", blocks or None)
    if sms:
        assert read == Document(blocks=(Paragraph(content=(Text(text=sms),)),))
        assert render_plain(read) == sms.rstrip()


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_sound_text_is_not_touched(text: str) -> None:
    assert show_broken(text.replace("\0", "")) == text.replace("\0", "")


def test_a_message_is_posted_without_formatting_guessing_or_previews() -> None:
    assert dict(POST_OPTIONS) == {
        "mrkdwn": False,
        "parse": "none",
        "link_names": False,
        "unfurl_links": False,
        "unfurl_media": False,
    }


@given(TEXTS, st.integers(5, 40))
def test_parts_make_the_whole_and_fit(text: str, limit: int) -> None:
    parts = split_for_slack(text, limit)
    assert "".join(parts) == text
    assert all(0 < len(part) <= limit for part in parts)


@given(TEXTS, st.integers(5, 40))
def test_parts_of_escaped_text_are_escaped_themselves(sms: str, limit: int) -> None:
    escaped = escape_sms(sms)
    parts = [
        part.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&") for part in split_for_slack(escaped, limit)
    ]
    assert "".join(parts) == show_broken(sms)


WHOLE = ["👨‍👩‍👧‍👦", "👍🏽", "🇺🇸", "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", "#\ufe0f\u20e3"]
WHOLE += ["e\u0301\u0302", "\u1112\u1161\u11ab", "\r\n", "\ud83d\ude00", "&amp;", "&lt;", "&gt;"]


@pytest.mark.parametrize("whole", WHOLE)
@given(before=st.integers(0, 30), times=st.integers(1, 12), limit=st.integers(11, 20))
def test_what_people_see_as_one_character_is_never_cut(whole: str, before: int, times: int, limit: int) -> None:
    parts = split_for_slack("x" * before + whole * times, limit)
    assert sum(part.count(whole) for part in parts) == times


def test_a_cut_is_made_after_a_line_rather_than_a_word_and_after_a_word_rather_than_in_it() -> None:
    assert split_for_slack("one two\nthree four", 14) == ["one two\n", "three four"]
    assert split_for_slack("one two three four", 14) == ["one two three ", "four"]
    assert split_for_slack("one two three four", 12) == ["one two ", "three four"]
    assert split_for_slack("onetwothreefour", 12) == ["onetwothreef", "our"]


def test_an_early_line_end_does_not_make_a_part_less_than_half_full() -> None:
    assert split_for_slack("a\n" + "b" * 20, 10) == ["a\n" + "b" * 8, "b" * 10, "bb"]


def test_a_character_longer_than_the_limit_is_cut_but_not_lost() -> None:
    tower = "a" + "\u0301" * 30
    parts = split_for_slack(tower, 10)
    assert "".join(parts) == tower
    assert all(len(part) <= 10 for part in parts)


def test_nothing_makes_no_part_and_no_block() -> None:
    assert split_for_slack("") == []
    assert text_blocks("") == []


def test_a_limit_too_small_for_an_escape_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 5"):
        split_for_slack("text", 4)


def test_a_part_fits_one_block_and_a_message_has_no_more_blocks_than_slack_takes() -> None:
    assert [len(text_blocks(part)) for part in split_for_slack("word " * 2000)] == [1, 1, 1, 1]
    full = text_blocks("x" * (MAX_BLOCK_TEXT * MAX_BLOCKS))
    assert len(full) == MAX_BLOCKS
    with pytest.raises(ValueError, match="51 blocks"):
        text_blocks("x" * (MAX_BLOCK_TEXT * MAX_BLOCKS + 1))


@pytest.mark.parametrize("pattern", ["x", " ", "\n", "🇺", "\u0301", "&", "&amp;", "\u200d", "\ud83d", "word "])
def test_a_long_text_is_cut_without_looking_at_it_again_and_again(pattern: str) -> None:
    text = pattern * (200_000 // len(pattern))
    assert "".join(split_for_slack(text, MAX_MESSAGE_TEXT)) == text


@given(TEXTS)
def test_cutting_first_and_escaping_then_is_the_same_as_escaping(sms: str) -> None:
    assume(sms == show_broken(sms))
    assert "".join(escape_sms(part) for part in split_for_slack(sms, 10)) == escape_sms(sms)
