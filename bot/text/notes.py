"""
Tell what a team writes to itself from what it writes to a customer.

A mistake the one way shows a mark that somebody notices; the other way a customer reads what was not meant for them. So
all that may be meant as a note is one: the sign is looked for behind whatever a person or a program put before it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from typing import Final, assert_never

from bot.text.tree import (
    Broadcast,
    ChannelMention,
    Date,
    Document,
    Emoji,
    GroupMention,
    Inline,
    Link,
    List,
    Text,
    UserMention,
)

#: Stands for a mention in what is looked at: a letter of nobody's, which Unicode leaves to private agreement.
_MENTION: Final = "\ue000"
_NOTE_SIGN: Final = re.compile(rf"(?:note|private|internal)\s?:|//|;;|🔇|:mute:|{_MENTION}")
#: Long enough for the longest sign, `internal :`.
_SIGN_LENGTH: Final = 12

#: Marks of formatting that stay in the text, as in `**note:** …`, which Slack does not know: they count for nothing.
_MARKS: Final = frozenset("*_~`")
#: Of ASCII: those marks, and the controls that are no blanks.
_UNSEEN_ASCII: Final = {
    ord(letter): None
    for letter in map(chr, range(128))
    if letter in _MARKS or not (letter.isprintable() or letter.isspace())
}
#: Letters to Unicode, nothing to the eye: fillers of Hangul and the empty Braille pattern.
_INVISIBLE_LETTERS: Final = frozenset("\u115f\u1160\u3164\uffa0\u2800")
#: What may stand before a line that is quoted or in a list, where a program wrote the list as text.
_LINE_MARKS: Final = re.compile(r"(?:\s|[>|#•◦▪▫‣⁃·–—-]|[0-9]{1,3}[.)]\s)+")

_PLAIN_SIGN: Final = re.compile(r"(?:(?:note|private|internal)\s?:|//|;;|🔇)", re.IGNORECASE)
_SMS_PREFIX: Final = re.compile(r"sms\s?:", re.IGNORECASE)


def is_note(document: Document, *, after_prefix: bool = False) -> bool:
    """
    Say whether a message is for the team alone, in whatever mode its thread is.

    It is when it begins, after any blanks, formatting and invisible characters and in any case, with `note:`,
    `private:`, `internal:`, `//`, `;;` or 🔇, or with a mention of a person, a user group or everybody in the channel.
    *after_prefix*: or when it does so behind an `sms:`.
    """
    return _NOTE_SIGN.match(_read_opening(document, after_prefix=after_prefix)) is not None


def find_sms_prefix(plain: str) -> str | None:
    """Return what follows `sms:` at the beginning of a text, without blanks around it; None where it is not there."""
    start = _skip(plain, 0, _is_invisible)
    found = _SMS_PREFIX.match(_fold_opening(plain, start))
    return None if found is None else plain[start + found.end() :].strip()


def strip_note_sign(plain: str) -> str:
    """Return a note's text without the sign that made it one, and what stood before it, for when it is sent after all."""
    start = 0
    while True:
        start = _skip(plain, start, lambda letter: _is_invisible(letter) or letter in _MARKS)
        marks = _LINE_MARKS.match(plain, start)
        if marks is None:
            break
        start = marks.end()
    sign = _PLAIN_SIGN.match(_fold_opening(plain, start))
    if sign is None:
        return plain.lstrip()
    return plain[_skip(plain, start + sign.end(), lambda letter: _is_invisible(letter) or letter in _MARKS) :]


def _skip(plain: str, start: int, is_passed: Callable[[str], bool]) -> int:
    """Return the place of the first letter from *start* on that is not passed over."""
    return next((place for place in range(start, len(plain)) if not is_passed(plain[place])), len(plain))


def _fold_opening(plain: str, start: int) -> str:
    """Return the letters from *start* on, as many as a sign has, each by itself, so that places stay the same."""
    # An East Asian keyboard's full-width colon is a colon too.
    return "".join(unicodedata.normalize("NFKC", letter)[:1] for letter in plain[start : start + _SIGN_LENGTH])


def _read_opening(document: Document, *, after_prefix: bool) -> str:
    """Return the first letters to be seen, folded; *after_prefix*: those behind an `sms:`, if it begins with one."""
    opening = ""
    for inline in _walk_with_breaks(document):
        opening = _take_off_line_marks(opening + _fold(_read_inline(inline)))
        prefix = _SMS_PREFIX.match(opening) if after_prefix else None
        if prefix is not None:  # at once: the blanks behind it must not count for letters
            opening, after_prefix = _take_off_line_marks(opening[prefix.end() :]), False
        if len(opening) >= _SIGN_LENGTH:
            break
    return opening


def _walk_with_breaks(document: Document) -> Iterator[Inline]:
    for block in document.blocks:
        for line in block.items if isinstance(block, List) else (block.content,):
            yield from line
            yield Text(text="\n")


def _read_inline(inline: Inline) -> str:
    match inline:
        case Text():
            return inline.text
        case Link():
            return inline.label or inline.url
        case Emoji():
            # A workspace's own emoji does not reach the phone, so what follows it is what the phone would begin with.
            return inline.character or ""
        case ChannelMention():
            return "channel"
        case Date():
            return "date"
        case UserMention() | GroupMention() | Broadcast():
            return _MENTION
        case _:
            assert_never(inline)


def _fold(text: str) -> str:
    """Make equal what looks equal: case, widths and marks of formatting; and drop what cannot be seen."""
    if text.isascii():  # as most are, and each letter by itself would take longer than all else that is read
        return text.translate(_UNSEEN_ASCII).lower()
    seen = "".join(letter if letter.isspace() or not _is_invisible(letter) else "" for letter in text)
    folded = unicodedata.normalize("NFKC", seen).casefold()
    return "".join(letter for letter in folded if letter not in _MARKS)


def _take_off_line_marks(text: str) -> str:
    found = _LINE_MARKS.match(text)
    return text[found.end() :] if found else text


def _is_invisible(letter: str) -> bool:
    """Blanks, controls, format characters such as the zero-width space, variation selectors, fillers, broken halves."""
    return (
        letter.isspace()
        or letter in _INVISIBLE_LETTERS
        or unicodedata.category(letter) in {"Cf", "Cc", "Cs", "Mn", "Me", "Zl", "Zp", "Zs"}
    )
