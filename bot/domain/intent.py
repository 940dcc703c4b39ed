"""What a message that stands in a customer's thread is for: the customer, or the team alone."""

from __future__ import annotations

from dataclasses import dataclass

from bot.domain.policy import ThreadMode
from bot.text.mrkdwn import parse_message, read_plain_words
from bot.text.notes import find_sms_prefix, is_note
from bot.text.tree import Document


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What somebody wrote, read."""

    document: Document
    is_note: bool  #: It begins as notes do, in one of the two forms in which Slack brings it.
    is_note_after_prefix: bool  #: … or does so behind an `sms:`.


def read_written(text: str, blocks: object) -> Written:
    """
    Read a message that came as mrkdwn *text* and as *blocks*; the blocks are what its author typed, where there are any.

    Slack makes the text of the blocks, so both say the same. Where they do not, what either calls a note is one.
    """
    document = parse_message(text, blocks)
    # Plain words are the same in both forms, and most messages are nothing else.
    forms = (document,) if document == read_plain_words(text) else (document, parse_message(text))
    return Written(
        document=document,
        is_note=any(is_note(form) for form in forms),
        is_note_after_prefix=any(is_note(form, after_prefix=True) for form in forms),
    )


def find_words_to_send(written: Written, plain: str, mode: ThreadMode) -> str | None:
    """
    Return the words that a message has for the customer; None for a note.

    *plain*: what was written, as a phone shows it. In prefix mode only what stands behind `sms:` is for the customer,
    and not even that where it is a note: `sms: note: …` is somebody who wants to be sure that it stays here.
    """
    if written.is_note:
        return None
    if mode is not ThreadMode.PREFIX:
        return plain
    return None if written.is_note_after_prefix else find_sms_prefix(plain)
