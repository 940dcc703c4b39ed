"""Write the tree of a Slack message as the plain text that goes to a phone, and say whom it mentions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, assert_never
from urllib.parse import unquote

from bot.text.tree import (
    Block,
    Broadcast,
    ChannelMention,
    Date,
    Document,
    Emoji,
    GroupMention,
    Inline,
    Link,
    List,
    Paragraph,
    Preformatted,
    Quote,
    Text,
    UserMention,
)

#: What stands for those whose name nobody knows: an id would tell a customer nothing.
_SOME_USER: Final = "a colleague"
_SOME_CHANNEL: Final = "our channel"
_SOME_GROUP: Final = "our team"

_BULLET: Final = "• "
_INDENTATION: Final = "  "

#: Stands where an emoji was that no phone has, until the blanks around it are put right. No cleaned text contains it.
_GAP: Final = "\0"
_GAPS: Final = re.compile(r"\0(?:[ \t]*\0)*")
_CLOSING_PUNCTUATION: Final = tuple(".,;:!?…)]}")

_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_LINE_END: Final = re.compile(r"\r\n?")
#: Controls other than tab and line feed: no phone shows them, and some carriers refuse them.
_CONTROLS: Final = dict.fromkeys((*range(0x09), 0x0B, 0x0C, *range(0x0E, 0x20), 0x7F))

_BLANK_LINES: Final = re.compile(r"\A(?:[ \t]*\n)+")
_NOT_DIGIT: Final = re.compile(r"[^0-9]+")
_WEB_SCHEME: Final = re.compile(r"https?://", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What to call those whom a message mentions: names by Slack's ids, with or without `@` and `#` before them."""

    users: Mapping[str, str] = field(default_factory=dict)
    channels: Mapping[str, str] = field(default_factory=dict)
    groups: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mentions:
    """Slack's ids of those whom a message mentions."""

    users: frozenset[str]
    channels: frozenset[str]
    groups: frozenset[str]


def find_mentions(document: Document) -> Mentions:
    """Return whose names `render_plain` will want."""
    inlines = tuple(document.walk_inlines())
    return Mentions(
        users=frozenset(inline.user_id for inline in inlines if isinstance(inline, UserMention)),
        channels=frozenset(inline.channel_id for inline in inlines if isinstance(inline, ChannelMention)),
        groups=frozenset(inline.group_id for inline in inlines if isinstance(inline, GroupMention)),
    )


def render_plain(document: Document, names: Names | None = None) -> str:
    """
    Return the message as the customer is to read it.

    Styles vanish, and so do emoji that only this workspace has; lists, quotes and links become what one would type on a
    phone. Nothing that the person typed is lost but blank lines at the beginning and blanks at the end. The text can be
    encoded as UTF-8, and its lines end in line feeds.
    """
    lines = "\n".join(_render_blocks(document.blocks, names or Names()))
    return _BLANK_LINES.sub("", _close_gaps(lines)).rstrip()


def _render_blocks(blocks: Iterable[Block], names: Names) -> Iterator[str]:
    #: The last number given at each depth: a list goes on counting after a deeper one has interrupted it.
    counts: dict[int, int] = {}
    for block in blocks:
        if isinstance(block, List):
            counts = {indent: count for indent, count in counts.items() if indent <= block.indent}
            number = block.start or counts.get(block.indent, 0) + 1
            yield from _render_items(block, number, names)
            counts[block.indent] = number + len(block.items) - 1 if block.ordered else 0
            continue
        counts = {}
        content = _render_inlines(block.content, names)
        if isinstance(block, Paragraph | Preformatted):
            yield content
        elif isinstance(block, Quote):
            yield "\n".join(f"> {line}".rstrip(" ") for line in content.split("\n"))
        else:
            assert_never(block)


def _render_items(block: List, number: int, names: Names) -> Iterator[str]:
    margin = _INDENTATION * block.indent
    for place, item in enumerate(block.items, start=number):
        mark = f"{place}. " if block.ordered else _BULLET
        hanging = "\n" + margin + " " * len(mark)
        yield margin + mark + _render_inlines(item, names).replace("\n", hanging)


def _render_inlines(inlines: Iterable[Inline], names: Names) -> str:
    return "".join(render_inline(inline, names) for inline in inlines)


def render_inline(inline: Inline, names: Names) -> str:
    """Return what a phone shows of one piece of a line, as in `render_plain`."""
    match inline:
        case Text():
            return _clean(inline.text)
        case Link():
            return _render_link(_clean(inline.url), _clean(inline.label or ""))
        case UserMention():
            return _render_name("@", names.users.get(inline.user_id), inline.label) or _SOME_USER
        case ChannelMention():
            return _render_name("#", names.channels.get(inline.channel_id), inline.label) or _SOME_CHANNEL
        case GroupMention():
            return _render_name("@", names.groups.get(inline.group_id), inline.label) or _SOME_GROUP
        case Broadcast():
            return f"@{inline.range}"
        case Emoji():
            return _GAP if inline.character is None else _clean(inline.character)
        case Date():
            return _clean(inline.fallback or "") or _render_moment(inline.timestamp)
        case _:
            assert_never(inline)


def _render_name(sign: str, name: str | None, label: str | None) -> str | None:
    for candidate in (name, label):
        cleaned = _clean(candidate or "").strip().removeprefix(sign)
        if cleaned:
            return sign + cleaned
    return None


def _render_moment(timestamp: int) -> str:
    try:
        return f"{datetime.fromtimestamp(timestamp, UTC):%Y-%m-%d %H:%M} UTC"
    except (OverflowError, ValueError, OSError):
        return ""


def _render_link(url: str, label: str) -> str:
    """Write a link so that a phone recognises the address: the words alone where they say it already."""
    scheme, _, address = url.partition(":")
    if scheme.lower() == "mailto":
        target = unquote(address.partition("?")[0])
        says_it = label.casefold() == target.casefold()
    elif scheme.lower() in {"tel", "sms"}:
        target = unquote(address)
        digits = _NOT_DIGIT.sub("", label)
        # A number with or without its country's code is the same to whoever typed it.
        says_it = bool(digits) and _NOT_DIGIT.sub("", target).endswith(digits)
    else:
        target = url
        says_it = url in label or _bare_address(label) == _bare_address(url)
    if not label.strip():
        return target
    return label if says_it else f"{label} ({target})"


def _bare_address(url: str) -> str:
    return _WEB_SCHEME.sub("", url, count=1).removesuffix("/").casefold()


def _clean(text: str) -> str:
    """Make lines end in line feeds, take off controls, and show a broken half of a character as what it is."""
    return _SURROGATE.sub("\ufffd", _LINE_END.sub("\n", text)).translate(_CONTROLS)


def _close_gaps(text: str) -> str:
    """Take out the emoji that a phone does not have, and one of the two blanks around each."""
    first, *others = _GAPS.split(text)
    parts = [first]
    for right in others:
        left = parts.pop()
        bare_left, bare_right = left.rstrip(" \t"), right.lstrip(" \t")
        blank_before, blank_after = bare_left != left, bare_right != right
        if not bare_left or bare_left.endswith("\n"):
            parts += [left, bare_right] if blank_before and bare_left else [bare_left, bare_right]
        elif not bare_right or bare_right.startswith("\n"):
            parts += [bare_left, bare_right]
        elif blank_before and (blank_after or bare_right.startswith(_CLOSING_PUNCTUATION)):
            parts += [left if blank_after else bare_left, bare_right]
        else:
            parts += [left, right]
    return "".join(parts)
