"""
Who may be texted: what a text says about it, and the state of one person.

Two flags, because two parties may close the door and each opens only its own: what a customer closed by STOP only
their START opens again; what a teammate closed by hand only a teammate does.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import assert_never

from bot.domain import consent_words as words
from bot.domain.ids import MessageId, UserId
from bot.domain.phone import Address


class ConsentSignal(StrEnum):
    """What an inbound text says about being texted."""

    STOP = "stop"  #: A keyword, theirs or the carrier's reading: not one more text.
    START = "start"  #: A keyword that lifts their STOP.
    HELP = "help"  #: A keyword that the carrier answers; changes nothing.
    ASKS_TO_STOP = "asks_to_stop"  #: Asks to be left alone in their own words: a person decides, by a card.
    NONE = "none"  #: Nothing.


class EvidenceSource(StrEnum):
    """How we know."""

    KEYWORD = "keyword"  #: The customer's whole message was a keyword.
    CARRIER_WORD = "carrier_word"  #: The carrier's `autoresponse_type` on an inbound text.
    CARRIER_REFUSAL = "carrier_refusal"  #: The carrier refused a send with 40300, whose title says STOP.
    CARRIER_LIST = "carrier_list"  #: The carrier's own list of opt-outs.
    COMMAND = "command"  #: A teammate typed `/optouts add`.
    CARD = "card"  #: A teammate pressed the button under a request to be left alone.


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Why somebody may not be texted: kept when the words themselves are erased."""

    source: EvidenceSource
    at: datetime  #: When they said it, by the carrier's clock where it tells; aware UTC.
    actor: UserId | None = None  #: The teammate, where it was one.
    message_id: MessageId | None = None  #: The inbound text, where there is one.
    words: str | None = None  #: What they wrote: `cancel`.
    reason: str | None = None  #: What the teammate gave as the reason.


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """Whether *address* may be texted."""

    address: Address
    stopped_by_customer: Evidence | None = None
    stopped_by_hand: Evidence | None = None

    @property
    def blocked(self) -> bool:
        """Whether nothing may be sent."""
        return self.stopped_by_customer is not None or self.stopped_by_hand is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerStopped:
    """They said STOP, or the carrier says they did."""

    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerStarted:
    """They said START at *at*."""

    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class HandAdded:
    """A teammate opted them out."""

    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class HandRemoved:
    """A teammate lifted what a teammate had set."""


ConsentChange = CustomerStopped | CustomerStarted | HandAdded | HandRemoved

#: Says more about what happened than the carrier's refusals and lists do.
_THEIR_OWN_WORDS = frozenset({EvidenceSource.KEYWORD, EvidenceSource.CARRIER_WORD})


def apply(consent: Consent, change: ConsentChange) -> Consent:
    """
    Return *consent* after *change*; an equal one where it changes nothing.

    A START lifts the customer's flag unless it is older than the STOP that they texted: texts may come out of order, and
    in doubt nobody is texted. A second STOP moves the moment on, so that a START between the two cannot lift it; the
    carrier's refusals and lists never replace the customer's own words. What these alone tell any START lifts: if it
    should not, the carrier still refuses.
    """
    match change:
        case CustomerStopped(evidence=evidence):
            if _is_better(evidence, consent.stopped_by_customer):
                return replace(consent, stopped_by_customer=evidence)
            return consent
        case CustomerStarted(at=at):
            stopped = consent.stopped_by_customer
            if stopped is not None and stopped.source in _THEIR_OWN_WORDS and at < stopped.at:
                return consent
            return replace(consent, stopped_by_customer=None)
        case HandAdded(evidence=evidence):
            return replace(consent, stopped_by_hand=evidence)
        case HandRemoved():
            return replace(consent, stopped_by_hand=None)
        case _:
            assert_never(change)


def _is_better(new: Evidence, known: Evidence | None) -> bool:
    """Tell whether *new* should stand in place of *known*: the customer's own words before all, then the later."""
    if known is None:
        return True
    if (new.source in _THEIR_OWN_WORDS) != (known.source in _THEIR_OWN_WORDS):
        return new.source in _THEIR_OWN_WORDS
    return new.at > known.at


def read_consent(text: str | None, autoresponse_type: str | None) -> ConsentSignal:
    """
    Tell what an inbound text says about being texted.

    *autoresponse_type* is the carrier's reading, `START`, `STOP` or `HELP` in any case; what it does not know counts
    for nothing. Where the two differ, the one that texts less wins.
    """
    said = _read_words(text or "")
    carrier = (autoresponse_type or "").strip().upper()
    if carrier == "STOP" or said is ConsentSignal.STOP:
        return ConsentSignal.STOP
    if said is ConsentSignal.ASKS_TO_STOP:
        return said
    if carrier == "START":
        return ConsentSignal.START
    if carrier == "HELP" and said is ConsentSignal.NONE:
        return ConsentSignal.HELP
    return said


def _read_words(text: str) -> ConsentSignal:
    sentences = _reduce(text)
    tokens = [word for sentence in sentences for word in sentence]
    whole = "".join(tokens)
    if whole in words.STOP_WORDS or (tokens and tokens[0] in words.STOP_WORDS and len(set(tokens)) == 1):
        return ConsentSignal.STOP
    if not text.isascii() and len(text) <= _LONGEST_DISGUISE and _is_stop_in_disguise(text):
        return ConsentSignal.STOP
    if whole in words.START_WORDS:
        return ConsentSignal.START
    if whole in words.HELP_WORDS:
        return ConsentSignal.HELP
    if whole in words.NEAR_WORDS or _is_keyword_with_courtesy(tokens, _KEYWORDS):
        return ConsentSignal.ASKS_TO_STOP
    # `Stop. I don't know you.` and `Who is this? STOP`: a keyword that is a sentence of its own, at either end.
    if sentences and any(_is_keyword_with_courtesy(edge, _UNMISTAKABLE) for edge in (sentences[0], sentences[-1])):
        return ConsentSignal.ASKS_TO_STOP
    if not _REQUESTS.may_be_in(tokens):
        return ConsentSignal.NONE
    flowing = "".join(f"{' '.join(sentence)} | " for sentence in sentences)
    return ConsentSignal.ASKS_TO_STOP if _REQUESTS.is_in(_NO_REQUESTS.take_out(flowing)) else ConsentSignal.NONE


#: A keyword with whatever else may stand around it.
_LONGEST_DISGUISE = 60


def _is_stop_in_disguise(text: str) -> bool:
    """Tell whether *text* is a keyword to the eye, in letters of another alphabet or in boxes."""
    sentences = _reduce(text.casefold().translate(words.LOOK_ALIKES))
    return "".join(word for sentence in sentences for word in sentence) in words.STOP_WORDS


_KEYWORDS = words.STOP_WORDS | words.NEAR_WORDS
_LONGEST_KEYWORD = max(map(len, _KEYWORDS))
#: `Cancel. See you Friday` and `The end` are about something else.
_UNMISTAKABLE = frozenset({"stop", "stopall", "unsubscribe", "optout"})


def _is_keyword_with_courtesy(tokens: list[str], keywords: frozenset[str]) -> bool:
    rest = ""
    for token in tokens:
        if token not in words.COURTESY:
            rest += token
            if len(rest) > _LONGEST_KEYWORD:  # as nearly every text is after a few words
                return False
    return rest in keywords


def _reduce(text: str) -> list[list[str]]:
    """
    Reduce *text* to its sentences' words: no case, accents, emoji, punctuation or invisible characters.

    Full-width and styled letters become plain ones. Apostrophes vanish (`don't` is `dont`); commas end a sentence too.
    """
    reduced = unicodedata.normalize("NFKD", text).casefold().translate(_REDUCED)
    return [sentence.split() for sentence in reduced.split("|") if sentence.strip()]


def _reduce_character(character: str) -> str:
    category = unicodedata.category(character)
    if category[0] in "LN":
        return character
    if category in {"Mn", "Cf", "Me"} or character in "'`\u2018\u2019\u02bc\u00b4":
        return ""
    return "|" if character in ".,!?;:\n\r\u2026\u00bf\u00a1\u2014" else " "


class _Reduced(dict[int, str]):
    """What becomes of each character: known beforehand for ASCII, looked up for all others."""

    def __missing__(self, code: int) -> str:
        return _reduce_character(chr(code))


_REDUCED = _Reduced({code: _reduce_character(chr(code)) for code in range(128)})


class _Phrases:
    """
    Phrases in the language that `bot.domain.consent_words` tells.

    Nearly all texts have nothing of any of them, and that is seen at once: each phrase has a word without which it is not
    there. By the word that it begins with, a place in a text may be the beginning of a few of them.
    """

    def __init__(self, phrases: tuple[str, ...]) -> None:
        self._needed = frozenset(word for phrase in phrases for word in _find_rarest_words(phrase))
        self._by_word: dict[str, list[str]] = {}
        for phrase in phrases:
            for word in _find_first_words(phrase):
                self._by_word.setdefault(word, []).append(phrase)
        self._patterns: dict[str, re.Pattern[str]] = {}

    def may_be_in(self, tokens: list[str]) -> bool:
        """Tell whether one of them can stand in a text of these words."""
        return not self._needed.isdisjoint(tokens)

    def is_in(self, text: str) -> bool:
        """Tell whether one of them stands in *text*, a row of words with a blank after each."""
        return any(self._match(text, word) is not None for word in self._find_beginnings(text))

    def take_out(self, text: str) -> str:
        """Return *text* with the end of a sentence in place of each."""
        kept, end = [], 0
        for word in self._find_beginnings(text):
            match = self._match(text, word) if word.start() >= end else None
            if match is not None:
                kept += [text[end : word.start()], "| "]
                end = match.end()
        return "".join([*kept, text[end:]]) if kept else text

    def _find_beginnings(self, text: str) -> list[re.Match[str]]:
        if self._by_word.keys().isdisjoint(text.split()):
            return []
        return [word for word in _WORD.finditer(text) if word[0] in self._by_word]

    def _match(self, text: str, word: re.Match[str]) -> re.Match[str] | None:
        pattern = self._patterns.get(word[0])
        if pattern is None:
            phrases = "|".join(_translate(phrase) for phrase in self._by_word[word[0]])
            pattern = self._patterns[word[0]] = re.compile(phrases)
        return pattern.match(text, word.start())


_WORD = re.compile(r"\S+")
_ITEM = re.compile(r"\[[^\]]*\]|\S+")


def _read_items(phrase: str) -> Iterator[tuple[tuple[str, ...], bool]]:
    """Return what *phrase* is made of: the ways in which each item may be said, and whether it must be."""
    for item in _ITEM.findall(phrase):
        if item not in ("^", "$", "?"):
            name = item.strip("[]*")
            is_needed = not item.startswith("[") and not item.endswith("*")
            yield words.CLASSES[name[1:-1]] if name.startswith("{") else (name,), is_needed


def _find_first_words(phrase: str) -> set[str]:
    """Return the words with which *phrase* may begin."""
    found: set[str] = set()
    for members, is_needed in _read_items(phrase):
        found.update(member.split()[0] for member in members)
        if is_needed:
            break
    return found


def _find_rarest_words(phrase: str) -> set[str]:
    """Return words of which *phrase* has at least one, whichever way it is said: long ones, for those are rare."""
    needed = [
        {max(member.split(), key=len) for member in members} for members, is_needed in _read_items(phrase) if is_needed
    ]
    return max(needed, key=lambda found: min(map(len, found)))


def _translate(phrase: str) -> str:
    parts: list[str] = []
    for item in _ITEM.findall(phrase):
        if item == "^":
            parts.append(r"(?:\A|(?<=\| ))")
        elif item == "$":
            parts.append(r"(?=\||\Z)")
        elif item == "?":
            parts.append(r"(?:\w+ )?")
        elif item.startswith("["):
            parts.append(f"(?:{_translate_words(item[1:-1])})?")
        elif item.endswith("*"):
            parts.append(f"(?:{_translate_words(item[:-1])})*")
        else:
            parts.append(_translate_words(item))
    return "".join(parts)


def _translate_words(item: str) -> str:
    if item.startswith("{"):
        return "(?:" + "|".join(f"{re.escape(member)} " for member in words.CLASSES[item[1:-1]]) + ")"
    return f"{re.escape(item)} "


_REQUESTS = _Phrases(words.REQUESTS)
_NO_REQUESTS = _Phrases(words.NO_REQUESTS)
