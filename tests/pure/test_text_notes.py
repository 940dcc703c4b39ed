"""What a team writes to itself never leaves; what it writes to a customer is not held back."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.text.mrkdwn import parse_message
from bot.text.notes import find_sms_prefix, is_note, strip_note_sign
from tests.pure.golden_outbound import Element, emoji, items, link, pre, quote, section, text, typed, user

NOTES = [
    "note: call her back",
    "Note: call her back",
    "NOTE:call her back",
    "note : call her back",
    "private: x",
    "Internal: x",
    "// x",
    "//x",
    ";; x",
    ";;x",
    "🔇 x",
    "🔇\ufe0f x",
    ":mute: x",
    ":mute:",
    "note:",
    "   note: x",
    "\n\n\tnote: x",
    "\u00a0\u2003note: x",
    "\u200b\u2060\ufeffnote: x",
    "\u200e\u202anote: x",
    "\u3164\u2800note: x",
    "no\u200bte: x",
    "no\u00adte: x",
    "*note:* x",
    "*note*: x",
    "_*note:* x_",
    "~note:~ x",
    "`note:` x",
    "```note: x```",
    "```\n// x\n```",
    "**note:** x",
    "*note: not closed",
    "&gt; note: x",
    "&gt;&gt;&gt; // x",
    "> ;; x",
    "• note: x",
    "- note: x",
    "1. note: x",
    "2) // x",
    "# note: x",
    "ｎｏｔｅ： x",
    "；； x",
    ":acme-logo: note: x",
    "<https://x.io|note: x>",
    "<@U1> can you?",
    "<@U1|anna> can you?",
    "<@W1>",
    "  <@U1>",
    "*<@U1>* x",
    "&gt; <@U1> x",
    "• <@U1> x",
    "1. <@U1> x",
    "\u200b<@U1>",
    ":acme-logo: <@U1> x",
    "<!subteam^S1> x",
    "<!subteam^S1|@drivers> x",
    "<!here> x",
    "<!channel> x",
]

NOT_NOTES = [
    "",
    "   ",
    "hello",
    "notes: x",
    "a note: x",
    "noted: x",
    "Notes from today",
    "note x",
    "please note: x",
    "private x",
    "internally: x",
    "/ x",
    "https://x.io",
    "<https://x.io>",
    "<https://x.io|x.io> // x",
    "; x",
    "x // y",
    "x ;; y",
    "bye 🔇",
    "🎉 note: x",
    ":tada: // x",
    "hi <@U1>",
    "hi <!subteam^S1>",
    "<#C1> x",
    "sms: note: x",
    "(note: x",
    "🔈 x",
    "10 // x",
    "@anna x",
]

RICH_NOTES: list[list[Element]] = [
    typed("note: x"),
    typed("\n \u200b//x"),
    [section(text("Note:", bold=True), text(" x"))],
    [section(text("no", bold=True), text("te: x"))],
    [section(text("note"), text(":", italic=True), text(" x"))],
    [section(text("// x", code=True))],
    [quote(text("private: x"))],
    [pre(text("internal: x"))],
    [items("note: x", "more")],
    [items("", ";; x", style="ordered")],
    [section(), section(text(" \n")), quote(text("// x"))],
    [section(emoji("mute", unicode="1f507"), text(" x"))],
    [section(emoji("mute"))],
    [section(text(" "), emoji("mute"))],
    [section(text("🔇"))],
    [section(emoji("acme-logo"), text(" note: x"))],
    [section(user("U1"), text(" x"))],
    [section(text("  \n"), user("U1"))],
    [section(text("*"), user("U1"))],
    [quote(user("U1"))],
    [items(section(user("U1"), text(" x")))],
    [section({"type": "usergroup", "usergroup_id": "S1"}, text(" x"))],
    [section({"type": "broadcast", "range": "channel"})],
    [section(link("https://x.io", "// x"))],
]

RICH_NOT_NOTES: list[list[Element]] = [
    [],
    typed("hello"),
    [section(text("no")), section(text("te: x"))],
    [items("no", "te: x")],
    [section(text("hi "), user("U1"))],
    [section(emoji("tada"), user("U1"))],
    [section(link("https://x.io"), text(" // x"))],
    [section({"type": "channel", "channel_id": "C1"}, text(" note: x"))],
    [section(text("x")), quote(text("// y"))],
]

SIGNS = ["note:", "private:", "internal:", "//", ";;", "🔇", "<@U1>", "<!subteam^S1>"]
COVERS = ["*{}*", "_{}_", "~{}~", "`{}`", "&gt; {}", "*_{}_*", "• {}", " {}", "\n{}", "\u200b{}"]


@pytest.mark.parametrize("written", NOTES)
def test_a_note_stays_here(written: str) -> None:
    assert is_note(parse_message(written))


@pytest.mark.parametrize("written", NOT_NOTES)
def test_what_is_no_note_goes_out(written: str) -> None:
    assert not is_note(parse_message(written))


@pytest.mark.parametrize("elements", RICH_NOTES)
def test_a_note_of_the_composer_stays_here(elements: list[Element]) -> None:
    assert is_note(parse_message("its text", [{"type": "rich_text", "elements": elements}]))


@pytest.mark.parametrize("elements", RICH_NOT_NOTES)
def test_what_is_no_note_of_the_composer_goes_out(elements: list[Element]) -> None:
    assert not is_note(parse_message("its text", [{"type": "rich_text", "elements": elements}]))


@given(
    st.text(st.characters(categories=["Cf", "Zs", "Mn"]), max_size=5),
    st.sampled_from(SIGNS),
    st.sampled_from(COVERS),
    st.lists(st.booleans(), min_size=20, max_size=20),
)
def test_no_blank_no_formatting_and_no_case_hides_a_note(blanks: str, sign: str, cover: str, upper: list[bool]) -> None:
    if not sign.startswith("<"):
        sign = "".join(letter.upper() if up else letter for letter, up in zip(sign, upper, strict=False))
    assert is_note(parse_message(cover.format(blanks + sign) + " the rest"))


@given(st.text(st.characters(categories=["Ll", "Nd"]), min_size=1), st.sampled_from(SIGNS))
def test_a_sign_behind_a_word_is_no_sign(word: str, sign: str) -> None:
    if unicodedata.normalize("NFKC", word).strip():
        assert not is_note(parse_message(f"x{word} {sign} the rest"))


@given(
    st.text(st.characters(max_codepoint=0x7F)),
    st.sampled_from([*SIGNS, "hello"]),
    st.text(st.characters(max_codepoint=0x7F)),
)
def test_a_letter_beyond_ascii_that_nobody_sees_changes_nothing(before: str, sign: str, after: str) -> None:
    written = before + sign + after
    assert is_note(parse_message(written)) == is_note(parse_message(f"{written}\u200b"))


def test_only_a_mention_that_comes_first_makes_a_note() -> None:
    assert is_note(parse_message("\n *<@U1>* x"))
    assert not is_note(parse_message("x <@U1>"))


@pytest.mark.parametrize(
    ("plain", "rest"),
    [
        ("sms: hi", "hi"),
        ("SMS:hi", "hi"),
        ("Sms : hi ", "hi"),
        ("\n \u200bsms: two\nlines", "two\nlines"),
        ("sms：hi", "hi"),
        ("sms:", ""),
        ("sms: sms: hi", "sms: hi"),
        ("sms hi", None),
        ("smsx: hi", None),
        ("hi sms: x", None),
        ("s㎳:", None),
        ("", None),
    ],
)
def test_the_prefix_is_taken_off_where_it_is(plain: str, rest: str | None) -> None:
    assert find_sms_prefix(plain) == rest


@pytest.mark.parametrize(
    ("note", "text"),
    [
        ("note: hi", "hi"),
        ("Note : hi\nthere ", "hi\nthere "),
        ("NOTE:hi", "hi"),
        ("// hi", "hi"),
        (";;hi", "hi"),
        ("🔇 hi", "hi"),
        ("🔇\ufe0f hi", "hi"),
        ("\n \u200b// hi", "hi"),
        ("**note:** hi", "hi"),
        ("> ;; hi", "hi"),
        ("• private: hi", "hi"),
        ("1. internal: hi", "hi"),
        ("note： hi", "hi"),
        ("note:", ""),
        ("note: note: hi", "note: hi"),
        ("@Ben hi", "@Ben hi"),
        ("> hi // there", "> hi // there"),
        ("hi", "hi"),
    ],
)
def test_a_note_that_is_sent_after_all_loses_the_sign_that_made_it_one(note: str, text: str) -> None:
    assert strip_note_sign(note) == text
