"""What a person types in Slack, as Slack stores it: escaped text with tokens, and one rich_text block beside it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

#: Short names of the emoji that the simulated client knows unless it is given a larger table: name -> code points in
#: hex. A small choice from the names that Slack shares with the iamcal emoji-data set (MIT).
FEW_EMOJI: Mapping[str, str] = {
    "+1": "1f44d",
    "-1": "1f44e",
    "blush": "1f60a",
    "calendar": "1f4c6",
    "car": "1f697",
    "clap": "1f44f",
    "cry": "1f622",
    "eyes": "1f440",
    "fire": "1f525",
    "flag-us": "1f1fa-1f1f8",
    "grey_question": "2754",
    "heart": "2764-fe0f",
    "hourglass_flowing_sand": "23f3",
    "joy": "1f602",
    "memo": "1f4dd",
    "mute": "1f507",
    "no_entry": "26d4",
    "ok_hand": "1f44c",
    "pizza": "1f355",
    "pray": "1f64f",
    "rocket": "1f680",
    "slightly_smiling_face": "1f642",
    "smile": "1f604",
    "sob": "1f62d",
    "tada": "1f389",
    "thumbsup": "1f44d",
    "truck": "1f69a",
    "warning": "26a0-fe0f",
    "wave": "1f44b",
    "white_check_mark": "2705",
    "x": "274c",
}

#: Slack's skin tones 2 to 6 are the five Fitzpatrick modifiers.
_SKIN_TONES = {tone: f"1f3f{tone + 9:x}" for tone in range(2, 7)}
_STYLES = {"*": "bold", "_": "italic", "~": "strike", "`": "code"}

_TOKEN = re.compile(
    r"(?P<mention><(?:@[UW][A-Z0-9]+|\#[CG][A-Z0-9]+|!subteam\^S[A-Z0-9]+|!(?:here|channel|everyone))(?:\|[^<>\n]*)?>)"
    r"|(?P<url>https?://[^\s<>|]*[^\s<>|.,;:!?'\")\]])"
    r"|(?P<email>[A-Za-z0-9][\w.+-]{0,63}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,})"
    r"|(?P<domain>(?<![\w@./-])(?:[A-Za-z0-9-]+\.)+(?:com|org|net|io)(?:/[^\s<>|]*[^\s<>|.,;:!?'\")\]])?(?![\w@-]))"
    r"|(?P<phone>(?<![\w+])(?:\+?1[ .-]?)?(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[ .-]\d{4}(?!\w))"
    r"|(?P<emoji>:[a-z0-9_+'-]+:(?::skin-tone-[2-6]:)?)"
    r"|(?P<styled>(?<!\w)(?P<mark>[*_~`])(?=\S)(?P<inner>[^\n]{0,1000}?\S)(?P=mark)(?!\w))",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """Typed text as Slack keeps it."""

    text: str  #: Escaped, links and mentions in angle brackets, emoji as short names.
    block: Json  #: The rich_text block of the same content, without a block_id; its texts are not escaped.


def escape_text(text: str) -> str:
    """Escape the three characters that Slack encodes, and no others."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def read_typed(text: str, emoji: Mapping[str, str]) -> Typed:
    """
    Turn what a person typed into what Slack stores and sends.

    *text* is as typed; a mention picked from the client's list is written as its token (`<@U1>`, `<#C1>`,
    `<!subteam^S1>`, `<!here>`). *emoji* maps short names to code points in hex joined by `-`, or to "" for the
    workspace's own pictures. Styles, links, bare domains, mail addresses, phone numbers, bullets, quotes and
    code blocks become what the composer makes of them.
    """
    characters = {_to_characters(code): name for name, code in reversed(list(emoji.items())) if code}
    reader = _Reader(emoji, characters)
    texts: list[str] = []
    elements: list[Json] = []
    for kind, lines in _split_paragraphs(text):
        if kind == "pre":
            body = "\n".join(lines)
            texts.append(f"```{escape_text(body)}```")
            elements.append({"type": "rich_text_preformatted", "elements": [{"type": "text", "text": body}]})
        elif kind == "bullet":
            items = [reader.read(line) for line in lines]
            texts.append("\n".join(f"• {item}" for item, _ in items))
            sections = [{"type": "rich_text_section", "elements": parts} for _, parts in items]
            elements.append({"type": "rich_text_list", "style": "bullet", "indent": 0, "elements": sections})
        else:
            body, parts = reader.read("\n".join(lines))
            texts.append("\n".join(f"&gt; {line}" for line in body.split("\n")) if kind == "quote" else body)
            name = "rich_text_quote" if kind == "quote" else "rich_text_section"
            elements.append({"type": name, "elements": parts})
    return Typed(text="\n".join(texts), block={"type": "rich_text", "elements": elements})


def _to_characters(code: str) -> str:
    return "".join(chr(int(point, 16)) for point in code.split("-"))


def _split_paragraphs(text: str) -> list[tuple[str, list[str]]]:
    found: list[tuple[str, list[str]]] = []
    fenced = False
    for line in text.split("\n"):
        if line.strip() == "```":
            fenced = not fenced
            if fenced:
                found.append(("pre", []))
            continue
        if fenced:
            found[-1][1].append(line)
            continue
        kind, rest = "plain", line
        if line.startswith(("- ", "• ")):
            kind, rest = "bullet", line[2:]
        elif line.startswith("> "):
            kind, rest = "quote", line[2:]
        if not found or found[-1][0] != kind:
            found.append((kind, []))
        found[-1][1].append(rest)
    return found


class _Reader:
    """Reads one run of typed text into its stored form and its rich_text elements."""

    def __init__(self, emoji: Mapping[str, str], characters: Mapping[str, str]) -> None:
        self._emoji = emoji
        self._characters = characters
        longest_first = sorted(characters, key=len, reverse=True)
        self._pictures = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def read(self, text: str, style: frozenset[str] = frozenset()) -> tuple[str, list[Json]]:
        """Return the stored text and the elements of *text*."""
        stored: list[str] = []
        parts: list[Json] = []
        at = 0
        for match in _TOKEN.finditer(text):
            if match.start() < at:
                continue
            token = self._read_token(match, style)
            if token is None:
                continue
            self._read_plain(text[at : match.start()], style, stored, parts)
            stored.append(token[0])
            parts.extend(token[1])
            at = match.end()
        self._read_plain(text[at:], style, stored, parts)
        return "".join(stored), parts

    def _read_token(self, match: re.Match[str], style: frozenset[str]) -> tuple[str, list[Json]] | None:
        whole = match.group(0)
        if match["mention"]:
            return whole, [_style(_read_mention(whole), style)]
        if match["emoji"]:
            return self._read_short_name(whole)
        if match["styled"]:
            mark = match["mark"]
            inner = match["inner"]
            if mark == "`":
                element: Json = {"type": "text", "text": inner}
                return f"`{escape_text(inner)}`", [_style(element, style | {"code"})]
            text, parts = self.read(inner, style | {_STYLES[mark]})
            return f"{mark}{text}{mark}", parts
        return _read_link(match, style)

    def _read_short_name(self, whole: str) -> tuple[str, list[Json]] | None:
        name, _, tone = whole.strip(":").partition("::skin-tone-")
        if name not in self._emoji:
            return None  # an unknown name stays text
        return whole, [_build_emoji(name, self._emoji[name], int(tone) if tone else None)]

    def _read_plain(self, text: str, style: frozenset[str], stored: list[str], parts: list[Json]) -> None:
        at = 0
        for match in self._pictures.finditer(text) if self._pictures else ():
            self._add_text(text[at : match.start()], style, stored, parts)
            name = self._characters[match.group(0)]
            stored.append(f":{name}:")
            parts.append(_build_emoji(name, self._emoji[name], None))
            at = match.end()
        self._add_text(text[at:], style, stored, parts)

    @staticmethod
    def _add_text(text: str, style: frozenset[str], stored: list[str], parts: list[Json]) -> None:
        if text:
            stored.append(escape_text(text))
            parts.append(_style({"type": "text", "text": text}, style))


def _style(element: Json, style: frozenset[str]) -> Json:
    return {**element, "style": dict.fromkeys(sorted(style), True)} if style else element


def _build_emoji(name: str, code: str, tone: int | None) -> Json:
    element: Json = {"type": "emoji", "name": name}
    if code:
        element["unicode"] = f"{code}-{_SKIN_TONES[tone]}" if tone else code
    if tone:
        element["skin_tone"] = tone
    return element


def _read_mention(token: str) -> Json:
    target = token[1:-1].partition("|")[0]
    if target.startswith("@"):
        return {"type": "user", "user_id": target[1:]}
    if target.startswith("#"):
        return {"type": "channel", "channel_id": target[1:]}
    if target.startswith("!subteam^"):
        return {"type": "usergroup", "usergroup_id": target.removeprefix("!subteam^")}
    return {"type": "broadcast", "range": target[1:]}


def _read_link(match: re.Match[str], style: frozenset[str]) -> tuple[str, list[Json]]:
    whole = match.group(0)
    if match["url"]:
        return f"<{escape_text(whole)}>", [_style({"type": "link", "url": whole}, style)]
    if match["email"]:
        url = f"mailto:{whole}"
    elif match["phone"]:
        digits = re.sub(r"\D", "", whole)
        url = f"tel:{'+' if whole.startswith('+') else ''}{digits}"
    else:
        url = f"http://{whole}"
    return f"<{url}|{escape_text(whole)}>", [_style({"type": "link", "url": url, "text": whole}, style)]
