"""
What kind of file some bytes are, and what such a file is called.

Neither the carrier's word nor a file's name is taken for it: the first bytes say more. Sources: the formats' own
descriptions (ISO 14496-12 for the `ftyp` brands, RFC 6350, RFC 5545, PNG, RIFF), IANA's list of media types.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

#: As many first bytes as `sniff_type` looks at.
HEAD = 512
UNKNOWN = "application/octet-stream"

#: (offset, bytes there, media type)
_MAGIC: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (0, b"II*\x00", "image/tiff"),
    (0, b"MM\x00*", "image/tiff"),
    (0, b"BM", "image/bmp"),
    (0, b"%PDF-", "application/pdf"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"OggS", "audio/ogg"),
    (8, b"WAVE", "audio/wav"),
    (0, b"#!AMR", "audio/amr"),
    (0, b"\x1aE\xdf\xa3", "video/webm"),
    (0, b"PK\x03\x04", "application/zip"),
)
_BRANDS = {
    b"heic": "image/heic",
    b"heix": "image/heic",
    b"hevc": "image/heic",
    b"hevx": "image/heic",
    b"heim": "image/heic",
    b"heis": "image/heic",
    b"mif1": "image/heic",
    b"msf1": "image/heic",
    b"avif": "image/avif",
    b"avis": "image/avif",
    b"qt  ": "video/quicktime",
    b"M4A ": "audio/mp4",
    b"M4B ": "audio/mp4",
}
_WORDS = (
    ("BEGIN:VCARD", "text/vcard"),
    ("BEGIN:VCALENDAR", "text/calendar"),
    ("<!DOCTYPE HTML", "text/html"),
    ("<HTML", "text/html"),
    ("<HEAD", "text/html"),
)
_ALIASES = {
    "image/jpg": "image/jpeg",
    "image/pjpeg": "image/jpeg",
    "image/heif": "image/heic",
    "image/x-ms-bmp": "image/bmp",
    "text/x-vcard": "text/vcard",
    "text/directory": "text/vcard",
    "text/x-vcalendar": "text/calendar",
    "audio/mp3": "audio/mpeg",
    "audio/x-wav": "audio/wav",
    "audio/wave": "audio/wav",
    "audio/vnd.wave": "audio/wav",
    "audio/x-m4a": "audio/mp4",
    "audio/m4a": "audio/mp4",
    "video/3gp": "video/3gpp",
}
#: Formats whose bytes say what holds the content, not whether it can be seen or only heard.
_CONTAINERS = {
    "video/mp4": frozenset({"audio/mp4", "audio/aac", "video/quicktime", "video/3gpp", "audio/3gpp"}),
    "video/3gpp": frozenset({"audio/3gpp", "audio/amr", "video/mp4", "audio/mp4"}),
    "audio/ogg": frozenset({"video/ogg", "application/ogg", "audio/opus"}),
    "video/webm": frozenset({"audio/webm", "video/x-matroska"}),
    "application/zip": frozenset(
        {
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            "application/vnd.openxmlformats-officedocument.presentationml.presentation",
            "application/epub+zip",
            "application/vnd.apple.pkpass",
        }
    ),
}
_EXTENSIONS = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/gif": "gif",
    "image/webp": "webp",
    "image/tiff": "tiff",
    "image/bmp": "bmp",
    "image/heic": "heic",
    "image/avif": "avif",
    "image/svg+xml": "svg",
    "video/mp4": "mp4",
    "video/3gpp": "3gp",
    "video/3gpp2": "3g2",
    "video/quicktime": "mov",
    "video/webm": "webm",
    "video/mpeg": "mpg",
    "audio/mpeg": "mp3",
    "audio/mp4": "m4a",
    "audio/aac": "aac",
    "audio/3gpp": "3gp",
    "audio/amr": "amr",
    "audio/ogg": "ogg",
    "audio/opus": "opus",
    "audio/wav": "wav",
    "audio/midi": "mid",
    "application/pdf": "pdf",
    "application/zip": "zip",
    "application/smil": "smil",
    "application/json": "json",
    "application/msword": "doc",
    "application/vnd.ms-excel": "xls",
    "application/vnd.apple.pkpass": "pkpass",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "pptx",
    "text/vcard": "vcf",
    "text/calendar": "ics",
    "text/plain": "txt",
    "text/html": "html",
    "text/csv": "csv",
}
_TYPE = re.compile(r"^[a-z0-9][a-z0-9!#$&^_.+-]{0,60}/[a-z0-9][a-z0-9!#$&^_.+-]{0,90}$")
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_EXTENSION = re.compile(r"^[A-Za-z0-9]{1,8}$")
#: A name that only a machine would give: hexadecimal digits and their separators, long.
_MACHINE_MADE = re.compile(r"^[0-9a-fA-F_-]{16,}$")
_MOST_CHARACTERS = 60
_MPEG_SYNC = (0xFF, 0xE0)


def sniff_type(head: bytes) -> str | None:
    """Return the media type that the first bytes of a file show; None where they show none."""
    if head[4:8] == b"ftyp":
        return _read_brand(head)
    for offset, magic, kind in _MAGIC:
        if head[offset : offset + len(magic)] == magic:
            return kind
    if len(head) > 1 and head[0] == _MPEG_SYNC[0] and head[1] & _MPEG_SYNC[1] == _MPEG_SYNC[1]:
        # MPEG audio and AAC in ADTS begin with the same eleven bits; the layer tells them apart.
        return "audio/aac" if head[1] & 0x06 == 0 else "audio/mpeg"
    words = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:32].decode("ascii", "replace").upper()
    return next((kind for word, kind in _WORDS if words.startswith(word)), None)


def _read_brand(head: bytes) -> str:
    length = int.from_bytes(head[:4], "big")
    brands = [head[8:12], *(head[at : at + 4] for at in range(16, min(length, len(head)), 4))]
    if brands[0] in (b"mif1", b"msf1") and (b"avif" in brands or b"avis" in brands):
        return "image/avif"
    if brands[0][:3] == b"3gp":
        return "video/3gpp"
    if brands[0][:3] == b"3g2":
        return "video/3gpp2"
    return _BRANDS.get(brands[0], "video/mp4")


def read_type(declared: str | None) -> str | None:
    """Return *declared*, a Content-Type, in its one normal form without parameters; None for what is none."""
    kind = (declared or "").partition(";")[0].strip().lower()
    return _ALIASES.get(kind, kind) if _TYPE.match(kind) else None


def choose_type(declared: str | None, head: bytes) -> str:
    """Return what a file is, by its first bytes, and by what was said of it where those leave it open."""
    said = read_type(declared)
    seen = sniff_type(head)
    if seen is None:
        # Bytes that claim to be a picture and are none must not be called one.
        return UNKNOWN if said is None or (said.startswith("image/") and said != "image/svg+xml") else said
    if said is not None and said in _CONTAINERS.get(seen, ()):
        return said
    return seen


def make_filename(name: str | None, content_type: str, *, fallback: str) -> str:
    """
    Return a file's name: letters of ASCII, digits, `.`, `_` and `-` only, with the extension of *content_type*.

    *name* is what somebody else called it, in full trust of nothing; where it says nothing, *fallback* is the stem.
    """
    path = PurePosixPath((name or "").replace("\\", "/"))
    given = path.suffix.removeprefix(".")
    extension = _EXTENSIONS.get(content_type) or (given.lower() if _EXTENSION.match(given) else "bin")
    stem = _UNSAFE.sub("_", path.stem).strip("._-")[:_MOST_CHARACTERS].rstrip("._-")
    if not stem or not any(character.isalnum() for character in stem) or _MACHINE_MADE.match(stem):
        stem = fallback
    return f"{stem}.{extension}"


def name_in_address(address: str) -> str | None:
    """Return the last part of an address' path, which may be a file's name."""
    try:
        path = unquote(urlsplit(address).path)
    except ValueError:
        return None
    return path.rpartition("/")[2] or None
