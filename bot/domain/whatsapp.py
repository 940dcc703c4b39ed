"""
WhatsApp messages as the carrier writes them: reading what people send, and wording what we send.

An inbound message keeps its content in `body`, an object whose `type` names the part that holds it. Sources: Telnyx's
OpenAPI description and its own client (`POST /messages/whatsapp`, inbound message payload), Meta's Cloud API for the
parts that Telnyx passes through as they are. Read as tolerantly as texts are: what has no words of its own is put into
some, and nothing is dropped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bot.domain.carrier_lanes import as_mapping, as_sequence

#: Meta's limits for one message, in characters.
MOST_CHARACTERS: Final = 4096
MOST_CAPTION_CHARACTERS: Final = 1024
#: The parts that hold one file each.
_FILES: Final = ("image", "video", "audio", "document", "sticker")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaction:
    """A reaction to a message of ours or theirs."""

    emoji: str  #: Empty: the reaction was taken back.
    carrier_id: str  #: The message that was reacted to, as the carrier calls it.


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatsappContent:
    """What one inbound message holds."""

    text: str
    files: tuple[Mapping[str, Any], ...] = ()  #: Each with `url`, and `content_type` where it is told.
    reaction: Reaction | None = None


def read_whatsapp_body(body: object) -> WhatsappContent:
    """Return what *body* holds. Never raises."""
    if isinstance(body, str):
        return WhatsappContent(text=body)
    parts = as_mapping(body)
    kind = parts.get("type") if isinstance(parts.get("type"), str) else ""
    content = _read_part(str(kind), parts)
    if content is not None:
        return content
    text = _words(parts.get("text", parts.get("body")))
    if text:
        return WhatsappContent(text=text)
    return WhatsappContent(
        text=f"(a WhatsApp message of the kind “{kind}”, which cannot be shown here)" if kind else ""
    )


def _read_part(kind: str, parts: Mapping[str, Any]) -> WhatsappContent | None:
    part = parts.get(kind)
    if kind in _FILES:
        file = as_mapping(part)
        url = file.get("link") or file.get("url")
        held = {"url": url, "content_type": file.get("mime_type"), "sha256": file.get("sha256")}
        return WhatsappContent(text=_string(file.get("caption")), files=(held,) if isinstance(url, str) else ())
    if kind == "reaction":
        reaction = as_mapping(part)
        return WhatsappContent(
            text=_string(reaction.get("emoji")),
            reaction=Reaction(emoji=_string(reaction.get("emoji")), carrier_id=_string(reaction.get("message_id"))),
        )
    if kind == "location":
        return WhatsappContent(text=_write_location(as_mapping(part)))
    if kind == "contacts":
        return WhatsappContent(text="\n".join(_write_contact(as_mapping(each)) for each in as_sequence(part)))
    if kind in ("interactive", "button"):
        return WhatsappContent(text=_read_answer(as_mapping(part)))
    if kind == "edit":
        edited = read_whatsapp_body(as_mapping(part).get("message"))
        return WhatsappContent(text=f"(edited) {edited.text}", files=edited.files)
    if kind == "revoke":
        return WhatsappContent(text="(took back an earlier message)")
    return None


def _read_answer(part: Mapping[str, Any]) -> str:
    """Return the words on the button or in the list that were chosen."""
    chosen = as_mapping(part.get("button_reply") or part.get("list_reply"))
    return _string(part.get("text")) or _string(chosen.get("title")) or "(pressed a button)"


def _write_location(part: Mapping[str, Any]) -> str:
    named = [_string(part.get(name)) for name in ("name", "address")]
    latitude, longitude = part.get("latitude"), part.get("longitude")
    place = f"{latitude}, {longitude}" if latitude is not None and longitude is not None else ""
    return "📍 " + (", ".join(each for each in (*named, place) if each) or "a place")


def _write_contact(part: Mapping[str, Any]) -> str:
    name = _string(as_mapping(part.get("name")).get("formatted_name"))
    phones = [_string(as_mapping(each).get("phone")) for each in as_sequence(part.get("phones"))]
    return "👤 " + (" ".join(each for each in (name, *phones) if each) or "a contact")


def build_whatsapp_message(text: str, files: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """
    Return the `whatsapp_message` of a send. *files*: at most one, its address and its media type.

    A text with a file goes as the file's caption.
    """
    if not files:
        return {"type": "text", "text": {"body": text}}
    ((link, content_type),) = files
    family = content_type.partition("/")[0]
    kind = family if family in ("image", "video", "audio") else "document"
    file: dict[str, Any] = {"link": link}
    if kind == "document":
        file["filename"] = link.rsplit("/", 1)[-1]
    if text and kind != "audio":
        file["caption"] = text
    return {"type": kind, kind: file}


def _words(text: object) -> str:
    return _string(as_mapping(text).get("body")) if isinstance(text, Mapping) else _string(text)


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""
