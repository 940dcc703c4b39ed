"""
Read a Slack message into the tree: from its `rich_text` blocks, or else from its `mrkdwn` text.

The rules of `mrkdwn` are those of https://docs.slack.dev/messaging/formatting-message-text; what they say of a line
stands in `mrkdwn_line`, what they say of lines is here: fences of three backticks, and `>` before a quoted line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from bot.text.mrkdwn_line import merge_texts, read_line, read_verbatim
from bot.text.rich_text import find_rich_text
from bot.text.tree import Block, Document, Inline, Paragraph, Preformatted, Quote, Text

_FENCE: Final = "```"
#: What may be, or begin, anything but itself.
_MEANINGFUL: Final = frozenset("<>&*_~`:")
# What a person types as `>` comes as `&gt;`; a bare one comes from programs.
_QUOTE_MARK: Final = re.compile(r"(?:&gt;|>) ?")
_LONG_QUOTE_MARK: Final = re.compile(r"(?:&gt;|>){3} ?")


def parse_message(text: object, blocks: object = None) -> Document:
    """
    Read a message of the Events API: its `text`, and its `blocks` where it has any.

    Blocks win where they are rich text throughout, for they say what the text leaves to guess. Takes JSON of any shape
    without raising: what is not text is none. Takes time in proportion to the message's length.
    """
    if rich := find_rich_text(blocks):
        return Document(blocks=rich)
    return Document(blocks=tuple(_read_blocks(text))) if isinstance(text, str) else Document()


def read_plain_words(text: str) -> Document | None:
    """Return what `parse_message` makes of *text* where nothing in it means more than itself; None where it may."""
    if not text or not text.isprintable() or not _MEANINGFUL.isdisjoint(text):
        return None
    return Document(blocks=(Paragraph(content=(Text(text=text),)),))


def _read_blocks(text: str) -> Iterator[Block]:
    """Split off what stands between fences; a fence without its fellow, or around nothing, is text."""
    prose_start = search_start = 0
    while (opening := text.find(_FENCE, search_start)) >= 0:
        code_start = opening + len(_FENCE)
        closing = text.find(_FENCE, code_start)
        if closing < 0:
            break
        code = text[code_start:closing]
        if not code.strip():
            search_start = code_start
            continue
        yield from _read_prose(text[prose_start:opening].removesuffix("\n"))
        yield Preformatted(content=tuple(merge_texts(read_verbatim(code.removeprefix("\n").removesuffix("\n")))))
        prose_start = closing + len(_FENCE)
        prose_start += text.startswith("\n", prose_start)
        search_start = prose_start
    yield from _read_prose(text[prose_start:])


def _read_prose(text: str) -> Iterator[Block]:
    """Read lines, neighbours of one kind as one block; `>>>` quotes all that follows."""
    if not text:
        return
    lines: list[list[Inline]] = []
    quoted = to_the_end = False
    for line in text.split("\n"):
        mark = None
        if not to_the_end:
            mark = _LONG_QUOTE_MARK.match(line)
            to_the_end = mark is not None
            mark = mark or _QUOTE_MARK.match(line)
        is_quote = to_the_end or mark is not None
        if lines and is_quote != quoted:
            yield _build_block(lines, quoted=quoted)
            lines = []
        quoted = is_quote
        lines.append(read_line(line[mark.end() :] if mark else line))
    yield _build_block(lines, quoted=quoted)


def _build_block(lines: list[list[Inline]], *, quoted: bool) -> Block:
    joined: list[Inline] = []
    for number, line in enumerate(lines):
        if number:
            joined.append(Text(text="\n"))
        joined.extend(line)
    content = tuple(merge_texts(joined))
    return Quote(content=content) if quoted else Paragraph(content=content)
