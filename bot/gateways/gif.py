"""
A moving GIF without its notes.

Comments and applications' data (XMP among them, with its places and names) are left out; frames and their times stay
byte for byte. Source: the GIF89a specification, W3C.
"""

from __future__ import annotations

from bot.domain.media import NotAPicture

_HEADER = 13  # signature and logical screen descriptor
_EXTENSION, _IMAGE, _TRAILER = 0x21, 0x2C, 0x3B
_GRAPHIC_CONTROL, _PLAIN_TEXT, _APPLICATION = 0xF9, 0x01, 0xFF
_TABLE_FLAG, _TABLE_SIZE = 0x80, 0x07
#: Applications whose data says how often to play it, and no more.
_LOOPS = (b"NETSCAPE2.0", b"ANIMEXTS1.0")
_DESCRIPTOR = 10


def keep_frames_only(content: bytes) -> bytes:
    """Return the GIF *content* with its frames, their times and its loop count only. Raises NotAPicture."""
    try:
        return _copy(content)
    except IndexError as error:
        raise NotAPicture("a GIF that ends too soon") from error


def _copy(content: bytes) -> bytes:
    if content[:6] not in (b"GIF87a", b"GIF89a"):
        raise NotAPicture("not a GIF")
    at = _HEADER + _measure_table(content[10])
    kept = bytearray(content[:at])
    if len(kept) < at:
        raise NotAPicture("a GIF that ends too soon")
    while True:
        sign = content[at]
        if sign == _TRAILER:
            kept.append(_TRAILER)
            return bytes(kept)
        if sign == _IMAGE:
            begin = at + _DESCRIPTOR + _measure_table(content[at + 9])
            end = _skip_blocks(content, begin + 1)  # one byte says how the points are packed
            kept += content[at:end]
        elif sign == _EXTENSION:
            end = _skip_blocks(content, at + 2)
            if _is_of_the_picture(content, at):
                kept += content[at:end]
        else:
            raise NotAPicture("a GIF with a block of no known kind")
        at = end


def _is_of_the_picture(content: bytes, at: int) -> bool:
    label = content[at + 1]
    if label == _APPLICATION:
        return content[at + 3 : at + 14] in _LOOPS
    return label in (_GRAPHIC_CONTROL, _PLAIN_TEXT)


def _measure_table(flags: int) -> int:
    return 3 * 2 ** ((flags & _TABLE_SIZE) + 1) if flags & _TABLE_FLAG else 0


def _skip_blocks(content: bytes, at: int) -> int:
    """Return the place after the run of sub-blocks that begins at *at*."""
    while content[at]:
        at += 1 + content[at]
    return at + 1
