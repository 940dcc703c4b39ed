"""Reactions that come as text are recognised for what they are, and nothing else is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.text.emoji import find_character
from bot.text.tapback_phrases import PHRASES, Phrase
from bot.text.tapbacks import Tapback, matches_quotation, parse_tapback

SIX = ["+1", "heart", "-1", "joy", "bangbang", "question"]


def tapback(reaction: str, quotation: str, *, truncated: bool = False, removed: bool = False) -> Tapback:
    return Tapback(reaction=reaction, quotation=quotation, truncated=truncated, removed=removed)


RECOGNISED = [
    # iPhone, English
    ("Liked “See you at 5”", tapback("+1", "See you at 5")),
    ("Loved “See you at 5”", tapback("heart", "See you at 5")),
    ("Laughed at “See you at 5”", tapback("joy", "See you at 5")),
    ("Emphasized “See you at 5”", tapback("bangbang", "See you at 5")),
    ("Emphasised “See you at 5”", tapback("bangbang", "See you at 5")),
    ("Questioned “See you at 5”", tapback("question", "See you at 5")),
    ("Disliked “See you at 5”", tapback("-1", "See you at 5")),
    ("Reacted 😂 to “See you at 5”", tapback("joy", "See you at 5")),
    ("Reacted 👍🏽 to “See you at 5”", tapback("+1::skin-tone-4", "See you at 5")),
    ("Reacted with ❤️ to “See you at 5”", tapback("heart", "See you at 5")),
    ("Reacted 👨‍👩‍👧‍👦 to “us”", tapback("man-woman-girl-boy", "us")),
    ("Removed a like from “x y”", tapback("+1", "x y", removed=True)),
    ("Removed a heart from “x y”", tapback("heart", "x y", removed=True)),
    ("Removed a laugh from “x y”", tapback("joy", "x y", removed=True)),
    ("Removed an exclamation from “x y”", tapback("bangbang", "x y", removed=True)),
    ("Removed a question mark from “x y”", tapback("question", "x y", removed=True)),
    ("Removed a dislike from “x y”", tapback("-1", "x y", removed=True)),
    ("Removed 😂 from “x y”", tapback("joy", "x y", removed=True)),
    # What carriers and keyboards make of it
    ('Liked "See you at 5"', tapback("+1", "See you at 5")),
    ("Liked 'See you at 5'", tapback("+1", "See you at 5")),
    ("Liked ‘See you at 5’", tapback("+1", "See you at 5")),
    ("Liked „See you at 5“", tapback("+1", "See you at 5")),
    ("Liked « See you at 5 »", tapback("+1", "See you at 5")),
    ("Liked «\u00a0See you at 5\u00a0»", tapback("+1", "See you at 5")),
    ("Liked\u00a0“See you at 5”", tapback("+1", "See you at 5")),
    ("  Liked “See you at 5”\n", tapback("+1", "See you at 5")),
    ("liked “See you at 5”", tapback("+1", "See you at 5")),
    # The quotation
    ("Liked “a “quoted” word”", tapback("+1", "a “quoted” word")),
    ("Liked “two\nlines”", tapback("+1", "two\nlines")),
    ("Liked “it’s”", tapback("+1", "it’s")),
    ("Liked “to “x””", tapback("+1", "to “x”")),
    ("Liked “a long text that was…”", tapback("+1", "a long text that was…", truncated=True)),
    ("Liked “a long text that was...”", tapback("+1", "a long text that was...", truncated=True)),
    ("Liked “cut off before its end…", tapback("+1", "cut off before its end…", truncated=True)),
    # Google Messages
    ("👍 to “See you at 5”", tapback("+1", "See you at 5")),
    ("\u200a\u200b👍\u200b to “\u200aSee you at 5\u200a”\u200a", tapback("+1", "See you at 5")),
    ("\u200a\u200b😂\u200b to “\u200atwo\nlines\u200a”\u200a\n", tapback("joy", "two\nlines")),
    ("\u200b❤️\u200b to “\u200aSee you at 5\u200a”", tapback("heart", "See you at 5")),
    ("\u200aRemoved \u200c👍\u200c from “\u200aSee you\u200a”\u200a", tapback("+1", "See you", removed=True)),
    ("\u200aHa reaccionado con \u200b👍\u200b a “\u200aNos vemos\u200a”\u200a", tapback("+1", "Nos vemos")),
    ("\u200a\u200b👍\u200b to “\u200aa\u200ab\u200a”\u200a", tapback("+1", "a\u200ab")),
    # Other languages
    ("Le gustó “Nos vemos”", tapback("+1", "Nos vemos")),
    ("Le encantó “Nos vemos”", tapback("heart", "Nos vemos")),
    ("No le gustó “Nos vemos”", tapback("-1", "Nos vemos")),
    ("Le dio risa “Nos vemos”", tapback("joy", "Nos vemos")),
    ("Exclamó por “Nos vemos”", tapback("bangbang", "Nos vemos")),
    ("Dudó sobre “Nos vemos”", tapback("question", "Nos vemos")),
    ("Reaccionó con 😂 a “Nos vemos”", tapback("joy", "Nos vemos")),
    ("A aimé « À demain »", tapback("+1", "À demain")),
    ("A adoré « À demain »", tapback("heart", "À demain")),
    ("N’a pas aimé « À demain »", tapback("-1", "À demain")),
    ("N'a pas aimé « À demain »", tapback("-1", "À demain")),
    ("a attribué la mention « J’aime » à « ok »", tapback("+1", "ok")),
    ("a attribué la mention « 😂 » à « lol »", tapback("joy", "lol")),
    ("A réagi avec 🔥 à « la photo »", tapback("fire", "la photo")),
    ("A retiré la mention « Adore » de « ok »", tapback("heart", "ok", removed=True)),
    ("A retiré un j’adore de « ok »", tapback("heart", "ok", removed=True)),
    ("Gefällt: „Bis morgen“", tapback("+1", "Bis morgen")),
    ("Gefällt nicht: „Bis morgen“", tapback("-1", "Bis morgen")),
    ("„Bis morgen“ ein Herz hinzugefügt", tapback("heart", "Bis morgen")),
    ("„Bis „bald“ morgen“ ein Lachen hinzugefügt", tapback("joy", "Bis „bald“ morgen")),
    ("Hat mit 😂 auf „Bis morgen“ reagiert", tapback("joy", "Bis morgen")),
    ("„Gefällt mir“ von „Bis morgen“ entfernt", tapback("+1", "Bis morgen", removed=True)),
    ("Herz von „Bis morgen“ entfernt", tapback("heart", "Bis morgen", removed=True)),
    ("❤️ aus „Bis morgen“ entfernt", tapback("heart", "Bis morgen", removed=True)),
    ("Понравилось «До завтра»", tapback("+1", "До завтра")),
    ("Polubił “Do jutra”", tapback("+1", "Do jutra")),
    ("對「明天見」按讚", tapback("+1", "明天見")),
    ("已移除對「明天見」的 😂 反應", tapback("joy", "明天見", removed=True)),
]

NOT_RECOGNISED = [
    "",
    "Liked",
    "Liked an image",
    "Loved a movie",
    "Laughed at an attachment",
    "Reacted 😂 to an image",
    "Removed a heart from an image",
    "Le encantó una imagen",
    "Liked it a lot",
    "I liked “See you at 5”",
    "Liked “See you at 5” yesterday",
    "Liked “See you at 5",
    "Liked See you at 5”",
    "Liked “”",
    "Liked “ ”",
    "Liked “…”",
    "“See you at 5”",
    "See you at 5",
    "Reacted well to “the plan”",
    "Reacted to “the plan”",
    "Reacted 😂😂 to “the plan”",
    "no to “the plan”",
    "👍",
    "👍 to the plan",
    "He said “hi”",
    "LIKED “See you at 5”",
    "\u200a\u200bwords\u200b to “\u200ax\u200a”\u200a",
    "\u200b\u200a\u200c",
    "\u200a\u200b👍\u200c to “\u200ax\u200a”\u200a",
]


@pytest.mark.parametrize(("text", "expected"), RECOGNISED)
def test_a_reaction_is_recognised(text: str, expected: Tapback) -> None:
    assert parse_tapback(text) == expected


@pytest.mark.parametrize("text", NOT_RECOGNISED)
def test_what_is_no_reaction_to_words_stays_text(text: str) -> None:
    assert parse_tapback(text) is None


@pytest.mark.parametrize("phrase", PHRASES, ids=lambda phrase: phrase.words)
def test_each_phrase_is_read_as_what_it_says_and_as_no_other(phrase: Phrase) -> None:
    text = phrase.words.replace("{q}", "“See you at 5”").replace("{e}", "🔥")
    expected = tapback(phrase.reaction or "fire", "See you at 5", removed=phrase.removed)
    assert parse_tapback(text) == expected


def test_every_reaction_is_an_emoji_of_slacks() -> None:
    assert {phrase.reaction for phrase in PHRASES} == {None, *SIX}
    assert all(find_character(reaction) for reaction in SIX)


@given(st.text(min_size=1), st.sampled_from(PHRASES))
def test_what_is_quoted_comes_out_as_it_was_but_for_blanks_at_its_ends(words: str, phrase: Phrase) -> None:
    found = parse_tapback(phrase.words.replace("{q}", f"“{words}”").replace("{e}", "🔥"))
    if words.strip().strip(".…"):
        assert found is not None
        assert found.quotation == words.strip()
    else:
        assert found is None


@given(st.text(st.sampled_from("Liked “”\"'…. to👍\u200a\u200b\u200cx")) | st.text())
def test_no_text_raises(text: str) -> None:
    found = parse_tapback(text)
    assert found is None or matches_quotation(found.quotation, found.quotation)


@pytest.mark.parametrize(
    "pattern", ["“", "Liked “", "\u200a\u200b", "\u200b👍\u200b\u200a", "👍 to “", "…", " ", "”", "對「"]
)
def test_a_long_text_is_not_looked_at_again_and_again(pattern: str) -> None:
    text = pattern * (100_000 // len(pattern))
    for told in (text, f"Liked “{text}", f"“{text}", f"\u200b👍\u200b\u200a{text}"):
        parse_tapback(told)
        matches_quotation(told, told)


@pytest.mark.parametrize(
    ("quotation", "candidate"),
    [
        ("See you at 5", "See you at 5"),
        ('It\'s "fine"', "It’s “fine”"),
        ("It’s “fine”", 'It\'s "fine"'),
        ("5 - 6 pm", "5 – 6 pm"),
        ("two lines", "two\nlines"),
        ("two lines", "  two   lines "),
        ("wait...", "wait…"),
        ("5\u00a0pm", "5 pm"),
        ("❤", "❤️"),
        ("cafe\u0301", "café"),
        ("A long text that…", "A long text that was cut off"),
        ("A long text that...", "A long text that was cut off"),
        ("A long text that …", "A long text that was cut off"),
        ("It's a long…", "It’s a long one"),
        ("zero\u200bwidth", "zerowidth"),
    ],
)
def test_a_quotation_matches_what_it_quotes(quotation: str, candidate: str) -> None:
    assert matches_quotation(quotation, candidate)


@pytest.mark.parametrize(
    ("quotation", "candidate"),
    [
        ("See you at 5", "See you at 6"),
        ("See you", "See you at 5"),
        ("See you at 5", "See you"),
        ("…", "anything"),
        ("...", "anything"),
        ("", ""),
        ("", "anything"),
        ("x", ""),
        ("A long text…", "Another long text"),
        ("ok", "OK"),
    ],
)
def test_a_quotation_does_not_match_anything_else(quotation: str, candidate: str) -> None:
    assert not matches_quotation(quotation, candidate)


@given(st.text(), st.integers(0, 50))
def test_any_beginning_with_an_ellipsis_matches(text: str, length: int) -> None:
    beginning = text[:length]
    if matches_quotation(text, text) and matches_quotation(beginning, beginning) and beginning.strip().strip(".…"):
        whole = beginning + "x" + text[length:]
        assert matches_quotation(beginning + "x…", whole)
