"""
Read one line of `mrkdwn`.

By https://docs.slack.dev/messaging/formatting-message-text `<…>` stands for a mention or a link, and `&amp;` `&lt;`
`&gt;` for the three characters; nothing else is escaped. A mark (`*` `_` `~` and the backtick) counts in pairs only, at
the edges of words, within a line. Everything else is what the person typed, and stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from bot.text.emoji import find_character
from bot.text.tree import (
    Broadcast,
    BroadcastRange,
    ChannelMention,
    Date,
    Emoji,
    GroupMention,
    Inline,
    Link,
    Style,
    Text,
    UserMention,
)

_STYLES: Final = MappingProxyType({"*": Style.BOLD, "_": Style.ITALIC, "~": Style.STRIKE})
_ENTITIES: Final = MappingProxyType({"&amp;": "&", "&lt;": "<", "&gt;": ">"})
_ENTITY: Final = re.compile("|".join(_ENTITIES))

# Each alternative ends before the next character that could begin it again: a line is read once, however it is filled.
_LEXEME: Final = re.compile(
    r"<(?P<token>[^<>\n]*)>"
    r"|:(?P<emoji>[\w+'-]{1,100})(?P<tones>(?:::skin-tone-[1-6](?:-[1-6])?){0,2}):"
    r"|(?P<mark>\*+|_+|~+)"
)
_CODE_MARK_OR_TOKEN: Final = re.compile(r"<[^<>\n]*>|`+")
_TOKEN: Final = re.compile(r"<([^<>\n]*)>")
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S")
_ID: Final = re.compile(r"\w+")
# What may stand outside a pair of marks, next to it; a letter, a digit or a slash (`¯\_(ツ)_/¯`) may not.
_BEFORE_OPENING: Final = frozenset("([{<>\"'“‘«„-–—*_~`:;.,!?&|…¡¿")
_AFTER_CLOSING: Final = frozenset(")]}<>\"'”’»“-–—*_~`:;.,!?&|…")
_TIMESTAMP: Final = re.compile(r"[0-9]{1,19}", re.ASCII)
# Names of emoji that are also times, hexadecimal numbers and single letters: with a letter or a digit next to the colon
# (`10:100:00`, `fe80:ab:cd`, `a:b:c`) they are no emoji.
_AMBIGUOUS_NAME: Final = re.compile(r"[0-9a-f]{1,4}|..?", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Mark:
    """A `*`, `_` or `~` that may begin or end a styled run; several of one kind together do neither."""

    text: str
    opens: bool
    closes: bool


def read_line(line: str) -> list[Inline]:
    """Read one line: code first, for nothing in it counts; then tokens and emoji; then the marks between them."""
    pieces: list[Inline | _Mark] = []
    start = 0
    for opening, closing in _find_code(line):
        pieces.extend(_read_pieces(line, start, opening))
        pieces.extend(
            replace(inline, styles=frozenset({Style.CODE})) if isinstance(inline, Text) else inline
            for inline in read_verbatim(line[opening + 1 : closing])
        )
        start = closing + 1
    pieces.extend(_read_pieces(line, start, len(line)))
    return _apply_marks(pieces)


def _find_code(line: str) -> Iterator[tuple[int, int]]:
    """Yield where each pair of single backticks opens and closes."""
    opening: int | None = None
    for found in _CODE_MARK_OR_TOKEN.finditer(line):
        if found.group() != "`":
            continue
        place = found.start()
        if opening is not None and line[opening + 1 : place].strip() and _may_follow(line[place + 1 : place + 2]):
            yield opening, place
            opening = None
        else:
            opening = place if _may_precede(line[max(place - 1, 0) : place]) else None


def read_verbatim(code: str) -> Iterator[Inline]:
    """Read code: what stands in `<…>` counts even there."""
    start = 0
    for found in _TOKEN.finditer(code):
        token = find_token(found.group(1))
        if token is not None:
            yield Text(text=_decode_entities(code[start : found.start()]))
            yield token
            start = found.end()
    yield Text(text=_decode_entities(code[start:]))


def _read_pieces(line: str, start: int, end: int) -> Iterator[Inline | _Mark]:
    """Read `line[start:end]`, in which there is no code."""
    text_start = place = start
    emoji_end = -1
    while (found := _LEXEME.search(line, place, end)) is not None:
        piece: Inline | _Mark | None
        if found["token"] is not None:
            piece = find_token(found["token"])
        elif found["mark"] is not None:
            piece = _read_mark(line, found)
        else:
            piece = _find_emoji(line, found, follows_emoji=emoji_end == found.start())
        if piece is None:
            # What is no emoji after all ends with a colon that may begin the next.
            place = found.end() - 1 if found["emoji"] is not None else found.end()
            continue
        yield Text(text=_decode_entities(line[text_start : found.start()]))
        yield piece
        text_start = place = found.end()
        if isinstance(piece, Emoji):
            emoji_end = place
    yield Text(text=_decode_entities(line[text_start:end]))


def _read_mark(line: str, found: re.Match[str]) -> _Mark:
    """Say whether a mark stands at the edge of a word."""
    text = found.group()
    before, after = line[max(found.start() - 1, 0) : found.start()], line[found.end() : found.end() + 1]
    return _Mark(
        text=text,
        opens=len(text) == 1 and _may_precede(before) and bool(after.strip()),
        closes=len(text) == 1 and _may_follow(after) and bool(before.strip()),
    )


def _may_precede(before: str) -> bool:
    """Say whether a pair may open after this character, empty at the beginning of a line."""
    return not before.strip() or before in _BEFORE_OPENING


def _may_follow(after: str) -> bool:
    """Say whether a pair may close before this character, empty at the end of a line."""
    return not after.strip() or after in _AFTER_CLOSING


def _apply_marks(pieces: list[Inline | _Mark]) -> list[Inline]:
    """Turn pairs of marks into styles, and all others back into text."""
    paired: dict[int, Style] = {}
    openings: dict[str, int] = {}
    for place, piece in enumerate(pieces):
        if not isinstance(piece, _Mark):
            continue
        character = piece.text[0]
        opening = openings.get(character)
        if piece.closes and opening is not None:
            paired[opening] = paired[place] = _STYLES[character]
            # What was opened within a pair cannot be closed outside it.
            openings = {mark: other for mark, other in openings.items() if other < opening}
        elif piece.opens:
            openings[character] = place
        elif len(piece.text) > 1:
            # Slack reads no pair across `**`, as in `*args, **kwargs*`.
            openings.pop(character, None)
    inlines: list[Inline] = []
    styles: frozenset[Style] = frozenset()
    for place, piece in enumerate(pieces):
        if isinstance(piece, _Mark):
            style = paired.get(place)
            if style is not None:
                styles ^= {style}
            else:
                inlines.append(Text(text=piece.text, styles=styles))
        else:
            inlines.append(replace(piece, styles=piece.styles | styles) if isinstance(piece, Text) else piece)
    return inlines


def _find_emoji(line: str, found: re.Match[str], *, follows_emoji: bool) -> Emoji | None:
    """
    Tell `:tada:` and `:our-logo:` from colons that happen to stand around a word, as in `10:30:45` and `std::map::at`.

    Slack writes an emoji that was typed as a character by its name wherever it stands, within a word too. A workspace's
    own emoji stands between blanks, punctuation or other emoji.
    """
    name = found["emoji"]
    before, after = line[max(found.start() - 1, 0) : found.start()], line[found.end() : found.end() + 1]
    within_word = before.isalnum() or after.isalnum()
    character = find_character(name + found["tones"])
    if character is not None:
        return None if within_word and _AMBIGUOUS_NAME.fullmatch(name) else Emoji(name=name, character=character)
    if within_word or name != name.lower() or not any(letter.isalpha() for letter in name):
        return None
    if before == ":" and not follows_emoji:
        return None
    following = _LEXEME.match(line, found.end()) if after == ":" else None
    if after == ":" and (following is None or following["emoji"] is None):
        return None
    return Emoji(name=name, character=None)


def find_token(body: str) -> Inline | None:
    """Read what stands in `<…>`; None where Slack would not have put it there, so that it is text."""
    target, _, rest = body.partition("|")
    label = _decode_entities(rest) or None
    identifier = target[1:]
    if target.startswith("@") and _ID.fullmatch(identifier):
        return UserMention(user_id=identifier, label=label)
    if target.startswith("#") and _ID.fullmatch(identifier):
        return ChannelMention(channel_id=identifier, label=label)
    if target.startswith("!"):
        return _find_command(identifier, label)
    if _SCHEME.match(target):
        return Link(url=_decode_entities(target), label=None if label is None else _replace_emoji(label))
    return None


def _find_command(command: str, label: str | None) -> Inline | None:
    """Read what stands in `<!…>`."""
    kind, *rest = command.split("^")
    if kind == "subteam" and rest and _ID.fullmatch(rest[0]):
        return GroupMention(group_id=rest[0], label=label)
    if kind == "date" and rest and _TIMESTAMP.fullmatch(rest[0]):
        return Date(timestamp=int(rest[0]), fallback=label)
    if not rest and kind in set(BroadcastRange):
        return Broadcast(range=BroadcastRange(kind))
    # Slack shows the label of a command it does not know.
    return None if label is None else Text(text=label)


def _replace_emoji(label: str) -> str:
    """Write the emoji in a link's words as characters."""
    pieces = _read_pieces(label, 0, len(label))
    return "".join(
        (piece.character or "") if isinstance(piece, Emoji) else piece.text
        for piece in pieces
        if isinstance(piece, Text | Emoji | _Mark)
    ).strip()


def _decode_entities(text: str) -> str:
    """Undo Slack's escaping, once: `&amp;lt;` is what a person's `&lt;` looks like."""
    return _ENTITY.sub(lambda found: _ENTITIES[found.group()], text)


def merge_texts(inlines: Iterable[Inline]) -> Iterator[Inline]:
    """Join neighbouring texts of one look; leave out empty ones."""
    pending: list[str] = []
    styles: frozenset[Style] = frozenset()
    for inline in inlines:
        if isinstance(inline, Text):
            if inline.styles != styles:
                if pending:
                    yield Text(text="".join(pending), styles=styles)
                pending, styles = [], inline.styles
            if inline.text:
                pending.append(inline.text)
            continue
        if pending:
            yield Text(text="".join(pending), styles=styles)
            pending = []
        yield inline
    if pending:
        yield Text(text="".join(pending), styles=styles)
