"""
Write a customer's text for Slack so that it stands there exactly as sent, and does nothing.

Cut it with `split_for_slack` first. Post each part with both `text=escape_sms(part)`, for notifications and screen
readers, and `blocks=text_blocks(part)`, for everybody else, and with the options in `POST_OPTIONS`. In `text` only `&`,
`<` and `>` mean anything to Slack once `mrkdwn` is off
(https://docs.slack.dev/messaging/formatting-message-text#escaping), so that no mention and no link can form. A
`rich_text` block's text means nothing at all to Slack: `*bold*`, `:tada:` and `@channel` stay what they are.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

#: What goes with each `chat.postMessage` of a customer's text: no formatting, no guessed links, no previews.
POST_OPTIONS: Final[Mapping[str, object]] = MappingProxyType(
    {"mrkdwn": False, "parse": "none", "link_names": False, "unfurl_links": False, "unfurl_media": False}
)

#: The most characters of one text object in a block, by Slack's limit for sections.
MAX_BLOCK_TEXT: Final = 3000
#: The most blocks of one message.
MAX_BLOCKS: Final = 50
#: The most characters of one message: they fit one block, and Slack recommends at most 4,000 of `text`.
MAX_MESSAGE_TEXT: Final = MAX_BLOCK_TEXT

#: The longest escape, `&amp;`, has to fit.
_MIN_LIMIT: Final = 5
_ESCAPE: Final = re.compile(r"&(?:amp|lt|gt);")
_BROKEN: Final = re.compile("[\0\ud800-\udfff]")
_PAIR: Final = re.compile("[\ud800-\udbff][\udc00-\udfff]")
_JOINER: Final = "\u200d"


def show_broken(text: str) -> str:
    """
    Return *text* so that any database and any JSON can hold it.

    NUL and halves of characters become U+FFFD, two halves that belong together the character that they are.
    """
    if _BROKEN.search(text) is None:  # nearly always
        return text
    whole = _PAIR.sub(lambda found: found.group().encode("utf-16", "surrogatepass").decode("utf-16"), text)
    return _BROKEN.sub("\ufffd", whole)


def escape_sms(text: str) -> str:
    """Return *text* for the `text` of a message: nothing in it can become a mention, a link or an entity."""
    return html.escape(show_broken(text), quote=False)


def text_blocks(text: str) -> list[dict[str, object]]:
    """
    Return Block Kit blocks that show *text*, unescaped here, letter for letter; none for an empty text.

    Raises ValueError when it takes more than the 50 blocks of one message: split it first.
    """
    parts = split_for_slack(show_broken(text), MAX_BLOCK_TEXT)
    if len(parts) > MAX_BLOCKS:
        raise ValueError(f"{len(text)} characters take {len(parts)} blocks; split_for_slack() it into messages first")
    return [
        {
            "type": "rich_text",
            "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": part}]}],
        }
        for part in parts
        if part
    ]


def split_for_slack(text: str, limit: int = MAX_MESSAGE_TEXT) -> list[str]:
    """
    Cut *text* into parts of at most *limit* characters that make the whole again when joined; none for an empty text.

    Cuts after a line if that leaves no part less than half full, else after a word, else between characters as people
    see them. Never cuts within an escape (`&amp;`) or a surrogate pair, so escaped text stays escaped; within a
    character of many code points only where it alone is longer than *limit*. Raises ValueError for a limit below 5.
    """
    if limit < _MIN_LIMIT:
        raise ValueError(f"a limit of {limit} leaves no room for an escape; give at least {_MIN_LIMIT}")
    return list(_split(text, limit))


def _split(text: str, limit: int) -> Iterator[str]:
    start = 0
    while len(text) - start > limit:
        cut = _find_cut(text, start, start + limit)
        yield text[start:cut]
        start = cut
    if start < len(text):
        yield text[start:]


def _find_cut(text: str, start: int, end: int) -> int:
    """Return the best place to cut in `start + 1 … end`. Looks no further back than *start*, so that all is linear."""
    half = start + (end - start) // 2
    after_line = text.rfind("\n", half, end) + 1
    if after_line and _is_boundary(text, after_line, start):
        return after_line
    for place in range(end, half, -1):
        if text[place - 1].isspace() and not text[place].isspace() and _is_boundary(text, place, start):
            return place
    for place in range(end, start, -1):
        if _is_boundary(text, place, start):
            return place
    return next(place for place in range(end, start, -1) if not _is_within_code(text, place))


def _is_boundary(text: str, place: int, start: int) -> bool:
    """Say whether people see two characters where `text[place - 1]` and `text[place]` meet."""
    before, after = text[place - 1], text[place]
    if _is_within_code(text, place) or before == _JOINER or (before == "\r" and after == "\n"):
        return False
    if _is_regional(after):
        run = place
        while run > start and _is_regional(text[run - 1]):
            run -= 1
        return (place - run) % 2 == 0  # a flag is two of them
    return not _is_extending(after)


def _is_within_code(text: str, place: int) -> bool:
    """Say whether *place* is inside an escape or a surrogate pair."""
    if "\udc00" <= text[place] <= "\udfff" and "\ud800" <= text[place - 1] <= "\udbff":
        return True
    ampersand = text.rfind("&", max(place - _MIN_LIMIT + 1, 0), place)
    found = _ESCAPE.match(text, ampersand) if ampersand >= 0 else None
    return found is not None and found.end() > place


def _is_regional(letter: str) -> bool:
    return "\U0001f1e6" <= letter <= "\U0001f1ff"


def _is_extending(letter: str) -> bool:
    """Accents, variation selectors, keycaps, joiners, skin tones, tags of flags, later letters of a Hangul syllable."""
    return (
        letter == _JOINER
        or unicodedata.category(letter) in {"Mn", "Mc", "Me"}
        or "\U0001f3fb" <= letter <= "\U0001f3ff"
        or "\U000e0020" <= letter <= "\U000e007f"
        or "\u1160" <= letter <= "\u11ff"
        or "\ud7b0" <= letter <= "\ud7ff"
    )
