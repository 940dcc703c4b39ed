"""Real files of each kind, made by the libraries that make them; none is a placeholder."""

from __future__ import annotations

import io
import struct
import wave

import pillow_heif
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

pillow_heif.register_heif_opener()

#: Where the camera was, as EXIF has it: the words that must not be found in what goes out.
MAKER = "Camera of Ana"


def make_picture(width: int = 64, height: int = 48, *, mode: str = "RGB") -> Image.Image:
    """Return a picture whose upper left is red, upper right green, lower left blue, lower right white."""
    picture = Image.new("RGB", (width, height))
    half = (width // 2, height // 2)
    for place, colour in (((0, 0), "red"), ((half[0], 0), "lime"), ((0, half[1]), "blue"), (half, "white")):
        picture.paste(colour, (*place, width, height))
    return picture.convert(mode)


def make_exif(orientation: int = 1) -> Image.Exif:
    """Return EXIF with a place on earth, a maker, and *orientation*."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = MAKER
    exif.get_ifd(0x8825).update(
        {
            1: "N",
            2: (IFDRational(41), IFDRational(52), IFDRational(30)),
            3: "W",
            4: (IFDRational(87), IFDRational(37), IFDRational(40)),
        }
    )
    return exif


def encode(picture: Image.Image, format_: str, **options: object) -> bytes:
    """Return *picture* in a file's bytes."""
    buffer = io.BytesIO()
    picture.save(buffer, format_, **options)
    return buffer.getvalue()


def make_jpeg(width: int = 64, height: int = 48, *, orientation: int = 1, quality: int = 90) -> bytes:
    """Return a photograph as a phone makes it: with a place, a maker, and perhaps lying on its side."""
    words = {"exif": make_exif(orientation), "comment": MAKER.encode()}
    return encode(make_picture(width, height), "JPEG", quality=quality, **words)


def make_heic(width: int = 64, height: int = 48) -> bytes:
    """Return a photograph as newer iPhones make it."""
    return encode(make_picture(width, height), "HEIF", exif=make_exif().tobytes(), quality=80)


def make_animation(frames: int = 3, size: int = 32) -> bytes:
    """Return a moving GIF with a comment in it."""
    pictures = [Image.new("RGB", (size, size), (80 * number, 40, 200 - 60 * number)) for number in range(frames)]
    buffer = io.BytesIO()
    pictures[0].save(
        buffer, "GIF", save_all=True, append_images=pictures[1:], duration=80, loop=0, comment=MAKER.encode()
    )
    return buffer.getvalue()


def make_pdf() -> bytes:
    """Return a page with the picture on it."""
    return encode(make_picture(), "PDF")


def make_wave(seconds: float = 0.05) -> bytes:
    """Return a little sound."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(struct.pack("<h", 1000) * int(8000 * seconds))
    return buffer.getvalue()


def make_video() -> bytes:
    """Return an MP4 of no frames: its boxes as ISO 14496-12 wants them, which is all that anybody here looks at."""
    kind = b"isom" + struct.pack(">I", 512) + b"isommp41"
    header = struct.pack(">IIIII", 0, 0, 0, 1000, 0) + struct.pack(">IH", 0x00010000, 0x0100) + bytes(10)
    matrix = struct.pack(">9I", 0x00010000, 0, 0, 0, 0x00010000, 0, 0, 0, 0x40000000)
    mvhd = header + matrix + bytes(24) + struct.pack(">I", 1)
    return _box(b"ftyp", kind) + _box(b"moov", _box(b"mvhd", mvhd)) + _box(b"mdat", b"")


def _box(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", 8 + len(content)) + name + content


VCARD = "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Zoë Müller\r\nTEL:+14155550188\r\nEND:VCARD\r\n".encode()
CALENDAR = b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\nEND:VCALENDAR\r\n"
AMR = b"#!AMR\n" + bytes([0x3C]) + bytes(31)
