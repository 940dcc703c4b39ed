"""
Read Slack's `rich_text` blocks, in which every message that a person writes arrives, into the tree.

The shapes are those of https://docs.slack.dev/reference/block-kit/blocks/rich-text-block. Nothing in them is escaped,
and what is an emoji, a mention or a link is said, not guessed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from bot.text.emoji import find_character
from bot.text.tree import (
    Block,
    Broadcast,
    BroadcastRange,
    ChannelMention,
    Date,
    Emoji,
    GroupMention,
    Inline,
    Link,
    List,
    Paragraph,
    Preformatted,
    Quote,
    Style,
    Text,
    UserMention,
)

#: Slack nests lists to depth 8; more is not Slack's.
_MAX_INDENT: Final = 8
# Controls and surrogates come only from a broken element.
_NOT_IN_EMOJI: Final = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


class _NotRichTextError(Exception):
    """The blocks are not what Slack's documentation shows; the message has to be read some other way."""


def find_rich_text(blocks: object) -> tuple[Block, ...] | None:
    """
    Return what *blocks* say, or None where they are not rich text through and through, as Slack documents it.

    Takes JSON of any shape.
    """
    if not isinstance(blocks, Sequence) or isinstance(blocks, str | bytes) or not blocks:
        return None
    try:
        found = [_read_block(part) for block in blocks for part in _get_parts(block, "rich_text")]
    except _NotRichTextError:
        return None
    read = [block for block in found if block is not None]
    return tuple(_drop_last_break(block) for block in read[:-1]) + tuple(read[-1:])


def _drop_last_break(block: Block) -> Block:
    """Take off the line break with which Slack ends a section before a list: a new block is a new line anyway."""
    if isinstance(block, Paragraph) and isinstance(last := block.content[-1], Text) and last.text.endswith("\n"):
        return Paragraph(content=(*block.content[:-1], replace(last, text=last.text[:-1])))
    return block


def _get_mapping(value: object) -> Mapping[str, object]:
    if isinstance(value, Mapping):
        return value
    raise _NotRichTextError


def _get_text(element: Mapping[str, object], key: str) -> str:
    value = element.get(key)
    if isinstance(value, str):
        return value
    raise _NotRichTextError


def _find_text(element: Mapping[str, object], key: str) -> str | None:
    value = element.get(key)
    return value if isinstance(value, str) and value else None


def _get_parts(element: object, expected: str) -> Sequence[object]:
    element = _get_mapping(element)
    parts = element.get("elements")
    if element.get("type") != expected or not isinstance(parts, Sequence) or isinstance(parts, str | bytes):
        raise _NotRichTextError
    return parts


def _find_count(element: Mapping[str, object], key: str) -> int | None:
    value = element.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _read_block(part: object) -> Block | None:
    """Read one of the four containers; None for an empty one."""
    element = _get_mapping(part)
    kind = _get_text(element, "type")
    if kind == "rich_text_list":
        return _read_list(element)
    content = _read_inlines(element, kind)
    if kind == "rich_text_section":
        return Paragraph(content=content) if content else None
    if kind == "rich_text_quote":
        return Quote(content=content) if content else None
    if kind == "rich_text_preformatted":
        return Preformatted(content=content) if content else None
    raise _NotRichTextError


def _read_list(element: Mapping[str, object]) -> List | None:
    items = tuple(_read_inlines(item, "rich_text_section") for item in _get_parts(element, "rich_text_list"))
    offset = _find_count(element, "offset")
    if not items:
        return None
    return List(
        items=items,
        ordered=element.get("style") == "ordered",
        indent=min(_find_count(element, "indent") or 0, _MAX_INDENT),
        start=offset + 1 if offset else None,
    )


def _read_inlines(element: object, expected: str) -> tuple[Inline, ...]:
    return tuple(_read_inline(_get_mapping(part)) for part in _get_parts(element, expected))


def _read_inline(element: Mapping[str, object]) -> Inline:
    read = _READERS.get(_get_text(element, "type"))
    if read is None:
        raise _NotRichTextError
    return read(element)


def _read_text(element: Mapping[str, object]) -> Inline:
    style = element.get("style")
    named = frozenset(member for member in Style if style.get(member) is True) if isinstance(style, Mapping) else None
    return Text(text=_get_text(element, "text"), styles=named or frozenset())


def _read_link(element: Mapping[str, object]) -> Inline:
    return Link(url=_get_text(element, "url"), label=_find_text(element, "text"))


def _read_broadcast(element: Mapping[str, object]) -> Inline:
    try:
        return Broadcast(range=BroadcastRange(_get_text(element, "range")))
    except ValueError:
        raise _NotRichTextError from None


def _read_emoji(element: Mapping[str, object]) -> Inline:
    name = _get_text(element, "name")
    tone = _find_count(element, "skin_tone")
    toned = name if tone is None or "skin-tone" in name else f"{name}::skin-tone-{tone}"
    return Emoji(name=name, character=_find_unicode(element) or find_character(toned))


def _find_unicode(element: Mapping[str, object]) -> str | None:
    """Return the characters of `"unicode": "1f44b-1f3fd"`."""
    code_points = _find_text(element, "unicode")
    if code_points is None:
        return None
    try:
        characters = "".join(chr(int(code_point, 16)) for code_point in code_points.split("-"))
    except (ValueError, OverflowError):
        return None
    return None if _NOT_IN_EMOJI.search(characters) else characters


def _read_date(element: Mapping[str, object]) -> Inline:
    timestamp = _find_count(element, "timestamp")
    if timestamp is None:
        raise _NotRichTextError
    return Date(timestamp=timestamp, fallback=_find_text(element, "fallback"))


_READERS: Final[Mapping[str, Callable[[Mapping[str, object]], Inline]]] = MappingProxyType(
    {
        "text": _read_text,
        "link": _read_link,
        "user": lambda element: UserMention(user_id=_get_text(element, "user_id")),
        "channel": lambda element: ChannelMention(channel_id=_get_text(element, "channel_id")),
        "usergroup": lambda element: GroupMention(group_id=_get_text(element, "usergroup_id")),
        "broadcast": _read_broadcast,
        "emoji": _read_emoji,
        "date": _read_date,
        # A colour is shown as its code beside a small square.
        "color": lambda element: Text(text=_get_text(element, "value")),
    }
)
