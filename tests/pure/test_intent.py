"""What of a thread is for the customer, in each mode and in each of the two forms in which Slack brings it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.domain.intent import find_words_to_send, read_written
from bot.domain.policy import ThreadMode
from bot.text.mrkdwn import parse_message, read_plain_words
from bot.text.plain import render_plain
from tests.pure.golden_outbound import emoji, items, pre, quote, section, text, typed, user

REPLY, PREFIX, CONFIRM = ThreadMode.REPLY, ThreadMode.PREFIX, ThreadMode.CONFIRM


def find(mode: ThreadMode, written: str, elements: Any = None) -> str | None:
    read = read_written(written, [{"type": "rich_text", "elements": elements}] if elements else None)
    return find_words_to_send(read, render_plain(read.document), mode)


@pytest.mark.parametrize(
    ("written", "reply", "prefix"),
    [
        # What is written, what goes out in the modes `reply` and `confirm`, and what in `prefix`; None: nothing.
        ("hello", "hello", None),
        ("sms: hello", "sms: hello", "hello"),
        ("*SMS :* hello", "SMS : hello", "hello"),
        ("note: hello", None, None),
        ("sms: note: hello", "sms: note: hello", None),
        ("sms:note: hello", "sms:note: hello", None),
        ("sms: *Note:* hello", "sms: Note: hello", None),
        ("sms:\n\n// hello", "sms:\n\n// hello", None),
        ("sms: ;; hello", "sms: ;; hello", None),
        ("sms: \u200b🔇 hello", "sms: \u200b🔇 hello", None),
        ("sms: :mute: hello", "sms: 🔇 hello", None),
        ("sms: <@U1> can you?", "sms: a colleague can you?", None),
        ("sms: <!here>", "sms: @here", None),
        ("sms: • private: x", "sms: • private: x", None),
        ("sms: sms: hello", "sms: sms: hello", "sms: hello"),
        ("sms: a note: hello", "sms: a note: hello", "a note: hello"),
        ("note: sms: hello", None, None),
        ("// sms: hello", None, None),
        ("<@U1> sms: hello", None, None),
        ("sms:", "sms:", ""),
        ("", "", None),
    ],
)
def test_what_goes_out_of_what_is_written(written: str, reply: str | None, prefix: str | None) -> None:
    assert find(REPLY, written) == reply
    assert find(CONFIRM, written) == reply
    assert find(PREFIX, written) == prefix


@pytest.mark.parametrize(
    "elements",
    [
        typed("sms: note: x"),
        [section(text("sms:", bold=True), text(" "), text("note:", bold=True), text(" x"))],
        [section(text("sms:" + " " * 40), text("note: x"))],
        [section(text("sms:")), section(text("\n")), quote(text("private: x"))],
        [section(text("sms: ")), pre(text("// x"))],
        [section(text("sms: ")), items("internal: x", "more")],
        [section(text("sms: "), emoji("mute", unicode="1f507"), text(" x"))],
        [section(text("sms: "), user("U1"), text(" x"))],
    ],
)
def test_a_note_behind_the_prefix_stays_here_whatever_it_is_made_of(elements: Any) -> None:
    assert find(PREFIX, "its text", elements) is None


@pytest.mark.parametrize("mode", ThreadMode)
@pytest.mark.parametrize(
    ("written", "elements"), [("note: x", typed("x")), ("x", typed("note: x")), ("note: x", typed("note: x"))]
)
def test_what_either_form_calls_a_note_is_one(mode: ThreadMode, written: str, elements: Any) -> None:
    assert find(mode, written, elements) is None


@given(st.text() | st.text(st.sampled_from("abot 1:*_~`&<>;lg.,!-•éß日👋\u200b\n\t")))
@example(":wave:")
@example("*a* _a_")
@example("~a~")
@example("`a`")
@example("&amp;")
@example("<@U1>")
@example("> a")
def test_plain_words_are_read_as_any_message_is(text: str) -> None:
    plain = read_plain_words(text)
    assert plain is None or plain == parse_message(text)
