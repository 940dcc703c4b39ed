"""The words to which the carrier itself answers: STOP, START and HELP, as its opt-out guide lists them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from bot.sandbox.telnyx_state import AutoResponse, NumberKind


class KeywordOp(StrEnum):
    """What a keyword does (`autoresponse_type` of the webhook)."""

    STOP = "STOP"  #: Blocks the profile's numbers from texting the person.
    START = "START"  #: Lifts the block that the person set on this number.
    HELP = "HELP"  #: Only answers.


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyword:
    """A keyword that somebody texted."""

    op: KeywordOp
    word: str  #: As texted, blanks around it aside: what the opt-out list shows.
    reply: str | None = None  #: What the profile has to say to it; None: the usual.


_WORDS = {
    **dict.fromkeys(("STOP", "STOPALL", "STOP ALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT"), KeywordOp.STOP),
    **dict.fromkeys(("START", "UNSTOP"), KeywordOp.START),
    "HELP": KeywordOp.HELP,
}
#: On toll-free numbers the network handles these and no others.
_TOLL_FREE_WORDS = {"STOP": KeywordOp.STOP, "START": KeywordOp.START, "UNSTOP": KeywordOp.START}

_STOPPED = (
    "You have successfully been unsubscribed, you will not receive any more messages from this number. "
    "Reply START to re-subscribe."
)
_STARTED = (
    "You have successfully been re-subscribed to this number. Reply STOP to unsubscribe. Msg&Data Rates May Apply."
)
_TOLL_FREE_STOPPED = (
    'NETWORK MSG: You replied with the word "stop" which blocks all texts sent from this number. '
    'Text back "unstop" to receive messages again.'
)
_TOLL_FREE_STARTED = 'NETWORK MSG: You have replied "unstop" and will begin receiving messages again from this number.'


def find_keyword(text: str | None, kind: NumberKind) -> Keyword | None:
    """Return the keyword that *text* is, as a whole and in any case; a sentence with a keyword in it is none."""
    if text is None:
        return None
    word = text.strip()
    words = _TOLL_FREE_WORDS if kind is NumberKind.TOLL_FREE else _WORDS
    op = words.get(word.upper())
    return None if op is None else Keyword(op=op, word=word)


_OPS = {"stop": KeywordOp.STOP, "start": KeywordOp.START, "info": KeywordOp.HELP}


def find_configured(text: str | None, answers: Iterable[AutoResponse]) -> Keyword | None:
    """Return the keyword that *text* is by a profile's own automatic answers."""
    word = (text or "").strip()
    for answer in answers:
        if word.upper() in (each.strip().upper() for each in answer.keywords):
            return Keyword(op=_OPS[answer.op], word=word, reply=answer.resp_text)
    return None


def word_reply(op: KeywordOp, kind: NumberKind, *, help_text: str) -> str:
    """Return what the carrier texts back."""
    toll_free = kind is NumberKind.TOLL_FREE
    if op is KeywordOp.STOP:
        return _TOLL_FREE_STOPPED if toll_free else _STOPPED
    if op is KeywordOp.START:
        return _TOLL_FREE_STARTED if toll_free else _STARTED
    return help_text
