"""
What a Slack message says, without how Slack wrote it down.

Both of Slack's notations, `mrkdwn` text and `rich_text` blocks, are read into this tree; everything else looks at the
tree alone. No text in it is escaped.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class Style(StrEnum):
    """How a run of text looks."""

    BOLD = "bold"  #: Heavy.
    ITALIC = "italic"  #: Slanted.
    STRIKE = "strike"  #: Struck through.
    UNDERLINE = "underline"  #: Underlined; Slack offers it in canvases.
    CODE = "code"  #: In a typewriter's letters, on a grey ground.


class BroadcastRange(StrEnum):
    """Whom a broadcast calls."""

    HERE = "here"  #: Those in the channel who are at their desks.
    CHANNEL = "channel"  #: All in the channel.
    EVERYONE = "everyone"  #: All in the workspace.


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """Letters. Line breaks are line feeds."""

    text: str
    styles: frozenset[Style] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """An address with its scheme (`https:`, `mailto:`, `tel:` …), and the words it stands behind, if any."""

    url: str
    label: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UserMention:
    """One person, a bot included. *label* is the name that Slack gave along, which it seldom does."""

    user_id: str
    label: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelMention:
    """One channel. *label* is its name without `#`; Slack leaves it out for private channels."""

    channel_id: str
    label: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupMention:
    """One user group. *label* is its handle, with or without `@`."""

    group_id: str
    label: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Broadcast:
    """A call to many."""

    range: BroadcastRange


@dataclass(frozen=True, slots=True, kw_only=True)
class Emoji:
    """An emoji. *character* is None for a workspace's own, which is a picture that no phone has."""

    name: str
    character: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Date:
    """A moment that Slack shows in each reader's zone; *fallback* is what it shows where it cannot."""

    timestamp: int
    fallback: str | None = None


Inline = Text | Link | UserMention | ChannelMention | GroupMention | Broadcast | Emoji | Date


@dataclass(frozen=True, slots=True, kw_only=True)
class Paragraph:
    """A run of text; it may hold line breaks."""

    content: tuple[Inline, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class List:
    """
    Items at one depth. A list within a list follows it in the document, with a greater *indent*, as in Slack.

    *start* is the number of the first item of an ordered list, or None where Slack did not say.
    """

    items: tuple[tuple[Inline, ...], ...]
    ordered: bool = False
    indent: int = 0
    start: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """What stands behind a bar at the margin."""

    content: tuple[Inline, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preformatted:
    """A block of code: text and links only."""

    content: tuple[Inline, ...]


Block = Paragraph | List | Quote | Preformatted


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A whole message."""

    blocks: tuple[Block, ...] = ()

    def walk_inlines(self) -> Iterator[Inline]:
        """Yield everything in the order it is read."""
        for block in self.blocks:
            if isinstance(block, List):
                for item in block.items:
                    yield from item
            else:
                yield from block.content
