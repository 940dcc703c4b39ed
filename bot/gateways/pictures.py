"""
Pictures made fit to be sent.

Small enough, upright, in a form that every phone shows, and with nothing in them but the picture. Done in threads, one
picture at a time: decoding one of 50 million points takes 150 MB and a second.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable
from pathlib import Path
from typing import IO, TypeVar

import pillow_heif
from PIL import Image, ImageOps

from bot.domain.media import NotAPicture
from bot.gateways.gif import keep_frames_only
from bot.ports.media import Fitted, Look

T = TypeVar("T")

#: A picture that claims to have more is not decoded: a few bytes can claim anything. No phone's camera has more.
MOST_POINTS = 120_000_000
#: No phone shows more along either side.
_LONGEST_SIDE = 2560
_QUALITIES = (88, 80, 70, 58)
_LEAST_QUALITY = 40
#: A colour profile larger than this is no plain one.
_MOST_PROFILE = 16_000
_MOST_ROUNDS = 40

#: The formats that are read, by Pillow's names; whatever else Pillow could read is more for a forged file to attack.
_FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "HEIF", "AVIF", "BMP", "TIFF")

pillow_heif.register_heif_opener()
# Pillow warns of large pictures by their number of points; `_open` judges that, and does so before anything is decoded.
Image.MAX_IMAGE_PIXELS = None


class PillowPictures:
    """`bot.ports.media.Pictures` with Pillow."""

    def __init__(self) -> None:
        self._one = asyncio.Semaphore(1)

    async def look(self, path: Path) -> Look:
        """Return what the picture in *path* is. Raises NotAPicture."""
        return await self._run(lambda: _look(path))

    async def fit(self, path: Path, most: int) -> Fitted:
        """Return the picture in at most *most* bytes. Raises NotAPicture."""
        return await self._run(lambda: fit_picture(path.read_bytes(), most))

    async def strip_animation(self, path: Path) -> Fitted:
        """Return an animated GIF with its frames as they are, and nothing else in it. Raises NotAPicture."""
        return await self._run(lambda: Fitted(content=keep_frames_only(path.read_bytes()), content_type="image/gif"))

    async def _run(self, work: Callable[[], T]) -> T:
        async with self._one:
            return await asyncio.to_thread(work)


def _look(path: Path) -> Look:
    with path.open("rb") as file, _open(file) as image:
        return Look(width=image.width, height=image.height, moves=bool(getattr(image, "is_animated", False)))


def _open(file: IO[bytes]) -> Image.Image:
    """Open a picture without decoding it. Raises NotAPicture for what is none, or is too large to be decoded."""
    try:
        image = Image.open(file, formats=_FORMATS)
    except Exception as error:
        raise NotAPicture(f"it cannot be opened: {type(error).__name__}") from error
    if image.width * image.height > MOST_POINTS or image.width * image.height == 0:
        raise NotAPicture(f"it claims {image.width} by {image.height} points")
    return image


def fit_picture(content: bytes, most: int) -> Fitted:
    """
    Return the picture in *content* in at most *most* bytes; at least 2,000 are needed.

    It is turned as it was meant, and has no word on where, when and by whom it was taken. Graphics stay PNG where that
    fits, all else becomes JPEG. Raises NotAPicture.
    """
    with _open(io.BytesIO(content)) as opened:
        kind = opened.format
        try:
            opened.draft("RGB", (_LONGEST_SIDE, _LONGEST_SIDE))  # JPEG only: decodes a large one at half or a quarter
            image = ImageOps.exif_transpose(opened)
            profile = opened.info.get("icc_profile")
            image = _make_plain(image)
        except Exception as error:
            raise NotAPicture(f"it cannot be decoded: {type(error).__name__}") from error
    if not isinstance(profile, bytes) or len(profile) > _MOST_PROFILE or b"RGB " not in profile[:24]:
        profile = None
    image.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE), Image.Resampling.LANCZOS)
    if kind in ("PNG", "GIF", "BMP", "TIFF") or image.mode == "RGBA":
        as_png = _encode(image, "PNG", optimize=True, icc_profile=profile)
        if len(as_png) <= most:
            return Fitted(content=as_png, content_type="image/png")
    return Fitted(content=_shrink(_flatten(image), most, profile), content_type="image/jpeg")


def _make_plain(image: Image.Image) -> Image.Image:
    """Return *image* in RGB or RGBA, with its points and nothing of what came along with them."""
    if image.mode.startswith("I;16") or image.mode in ("I", "F"):
        image = _narrow(image)
    sees_through = image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info
    plain = image.convert("RGBA" if sees_through else "RGB")
    if sees_through and plain.getchannel("A").getextrema() == (255, 255):
        plain = plain.convert("RGB")
    clean = Image.new(plain.mode, plain.size)
    clean.paste(plain)
    return clean


def _narrow(image: Image.Image) -> Image.Image:
    """Return a picture of 16 or more bits a point in 8, its darkest black and its brightest white."""
    wide = image.convert("F")
    low, high = wide.getextrema()
    if not isinstance(low, int | float) or not isinstance(high, int | float) or not high > low:
        return Image.new("L", image.size, 0 if low == 0 else 128)
    top = 65535.0 if image.mode.startswith("I;16") else float(high)
    bottom = 0.0 if image.mode.startswith("I;16") else float(low)
    return wide.point(lambda value: value * (255.0 / (top - bottom)) + (-bottom * 255.0 / (top - bottom))).convert("L")


def _flatten(image: Image.Image) -> Image.Image:
    if image.mode != "RGBA":
        return image
    ground = Image.new("RGB", image.size, "white")
    ground.paste(image, mask=image.getchannel("A"))
    return ground


def _shrink(image: Image.Image, most: int, profile: bytes | None) -> bytes:
    """Return *image* as JPEG of at most *most* bytes: as large as that allows, rather smaller than blurred."""
    found = b""
    for _ in range(_MOST_ROUNDS):
        for quality in _QUALITIES:
            found = _encode(image, "JPEG", quality=quality, optimize=True, progressive=True, icc_profile=profile)
            if len(found) <= most:
                return found
            if len(found) > most * 2.5:
                break  # no quality makes up for that
        if max(image.size) <= 1:
            break
        factor = min(0.85, max(0.3, (most / len(found)) ** 0.5))
        size = (max(1, int(image.width * factor)), max(1, int(image.height * factor)))
        image = image.resize(size, Image.Resampling.LANCZOS)
    found = _encode(image, "JPEG", quality=_LEAST_QUALITY, optimize=True, icc_profile=None)
    if len(found) > most:
        raise NotAPicture(f"it cannot be made to fit into {most} bytes")
    return found


def _encode(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **{name: value for name, value in options.items() if value is not None})
    return buffer.getvalue()
