"""Whatever picture comes in, what goes out fits, stands upright, and says nothing of where it was taken."""

from __future__ import annotations

import io
import random
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from bot.domain.media import NotAPicture
from bot.gateways.gif import keep_frames_only
from bot.gateways.pictures import MOST_POINTS, PillowPictures, fit_picture
from tests.media.kinds import MAKER, encode, make_animation, make_exif, make_heic, make_jpeg, make_picture

MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "I;16", "I", "F")
FORMATS = {
    "1": ("PNG", "TIFF"),
    "L": ("PNG", "JPEG", "GIF"),
    "LA": ("PNG",),
    "P": ("PNG", "GIF", "BMP"),
    "RGB": ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "HEIF", "AVIF"),
    "RGBA": ("PNG", "WEBP", "TIFF", "HEIF"),
    "CMYK": ("JPEG", "TIFF"),
    "YCbCr": ("JPEG",),
    "I;16": ("PNG", "TIFF"),
    "I": ("TIFF",),
    "F": ("TIFF",),
}


def read(content: bytes) -> Image.Image:
    """Return the picture in *content*, wholly decoded."""
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


def make_noise(width: int, height: int, seed: int) -> Image.Image:
    """Return the kind of picture that compresses worst."""
    return Image.frombytes("RGB", (width, height), random.Random(seed).randbytes(3 * width * height))


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """Return a picture of any kind, in bytes, with all that a camera writes along."""
    width, height = draw(st.integers(1, 700)), draw(st.integers(1, 700))
    source = make_noise(width, height, draw(st.integers(0, 9))) if draw(st.booleans()) else make_picture(width, height)
    mode = draw(st.sampled_from(MODES))
    if mode in ("I;16", "I", "F"):
        picture = source.convert("L").convert("I" if mode != "F" else "F")
        picture = picture.point(lambda value: value * 200 + 0)
        picture = picture.convert("I;16") if mode == "I;16" else picture
    else:
        picture = source.convert(mode)
    kind = draw(st.sampled_from(FORMATS[mode]))
    options = {"exif": make_exif(draw(st.integers(1, 8))).tobytes()} if kind in ("JPEG", "PNG", "WEBP", "HEIF") else {}
    return encode(picture, kind, **options)


def says_nothing(content: bytes) -> bool:
    """Tell whether a file holds a picture and no word besides."""
    image = read(content)
    words = {key: value for key, value in image.info.items() if key in ("exif", "xmp", "comment", "XML:com.adobe.xmp")}
    return not dict(image.getexif()) and not words and MAKER.encode() not in content and b"Exif" not in content


@settings(max_examples=60)
@given(files(), st.integers(2_000, 60_000))
def test_every_picture_fits_and_says_nothing_but_itself(content: bytes, most: int) -> None:
    fitted = fit_picture(content, most)
    assert len(fitted.content) <= most
    assert says_nothing(fitted.content)
    assert f"image/{(read(fitted.content).format or '').lower()}" == fitted.content_type


@settings(max_examples=200)
@given(st.binary(max_size=400))
def test_what_is_no_picture_is_told_apart(noise: bytes) -> None:
    with pytest.raises(NotAPicture):
        fit_picture(noise, 10_000)


@settings(max_examples=150)
@given(st.data())
def test_a_damaged_picture_fits_or_is_told_apart(data: st.DataObject) -> None:
    whole = data.draw(st.sampled_from([make_jpeg(), make_heic(), make_animation(), encode(make_picture(), "PNG")]))
    at = data.draw(st.integers(0, len(whole) - 1))
    damaged = whole[:at] + data.draw(st.binary(max_size=8)) + whole[at + data.draw(st.integers(0, 8)) :]
    with suppress(NotAPicture):
        assert len(fit_picture(damaged, 20_000).content) <= 20_000


def at(image: Image.Image, x: float, y: float) -> str:
    """Name the colour of a picture at a place, given in parts of its sides."""
    red, green, blue = image.convert("RGB").getpixel((int(image.width * x), int(image.height * y)))  # type: ignore[misc]
    return {(1, 0, 0): "red", (0, 1, 0): "green", (0, 0, 1): "blue", (1, 1, 1): "white"}.get(
        (red > 128, green > 128, blue > 128), f"{red},{green},{blue}"
    )


#: Orientation -> the colours upper left, upper right, lower left, lower right once the picture stands as it was meant.
UPRIGHT = {
    1: ("red", "green", "blue", "white"),
    2: ("green", "red", "white", "blue"),
    3: ("white", "blue", "green", "red"),
    4: ("blue", "white", "red", "green"),
    5: ("red", "blue", "green", "white"),
    6: ("blue", "red", "white", "green"),
    7: ("white", "green", "blue", "red"),
    8: ("green", "white", "red", "blue"),
}


@pytest.mark.parametrize("orientation", UPRIGHT)
def test_a_picture_taken_on_its_side_comes_out_upright(orientation: int) -> None:
    fitted = fit_picture(make_jpeg(320, 240, orientation=orientation), 100_000)
    assert says_nothing(fitted.content)
    image = read(fitted.content)
    assert image.size == ((240, 320) if orientation > 4 else (320, 240))
    found = tuple(at(image, x, y) for x, y in ((0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75)))
    assert found == UPRIGHT[orientation]


def test_a_heic_becomes_a_jpeg_with_its_pixels_and_without_its_place() -> None:
    fitted = fit_picture(make_heic(400, 300), 100_000)
    assert (fitted.content_type, read(fitted.content).size) == ("image/jpeg", (400, 300))
    assert says_nothing(fitted.content)
    assert at(read(fitted.content), 0.75, 0.25) == "green"


def test_a_large_photograph_is_made_smaller_rather_than_blurred() -> None:
    large = encode(make_noise(3000, 2000, 1), "JPEG", quality=95)
    fitted = fit_picture(large, 600_000)
    assert 300_000 < len(fitted.content) <= 600_000
    image = read(fitted.content)
    assert abs(image.width / image.height - 1.5) < 0.02
    assert image.width >= 600


def test_a_graphic_that_fits_stays_a_graphic() -> None:
    fitted = fit_picture(encode(make_picture(300, 200), "PNG"), 50_000)
    assert fitted.content_type == "image/png"
    assert read(fitted.content).tobytes() == make_picture(300, 200).tobytes()


def test_what_can_be_seen_through_shows_white_where_it_must_become_a_jpeg() -> None:
    glass = make_noise(400, 400, 2).convert("RGBA")
    glass.putalpha(0)
    image = read(fit_picture(encode(glass, "WEBP", lossless=True, exact=True), 2_000).content)
    assert image.convert("RGB").getpixel((5, 5)) in {(255, 255, 255), (0, 0, 0)}
    half = make_noise(400, 400, 2).convert("RGBA")
    half.paste((0, 0, 0, 0), (0, 0, 200, 400))
    fitted = fit_picture(encode(half, "PNG"), 20_000)
    assert (fitted.content_type, at(read(fitted.content), 0.2, 0.5)) == ("image/jpeg", "white")


def test_a_picture_that_claims_too_many_points_is_never_decoded() -> None:
    wide = encode(Image.new("1", (60_000, MOST_POINTS // 60_000 + 1)), "PNG")
    assert len(wide) < 100_000
    with pytest.raises(NotAPicture, match="claims"):
        fit_picture(wide, 100_000)


def test_formats_that_nobody_sends_are_not_even_read() -> None:
    with pytest.raises(NotAPicture):
        fit_picture(encode(make_picture(), "PPM"), 100_000)


async def test_an_animation_keeps_its_frames_and_loses_its_notes(tmp_path: Path) -> None:
    path = tmp_path / "moving"
    path.write_bytes(make_animation(frames=4))
    pictures = PillowPictures()
    assert (await pictures.look(path)).moves
    fitted = await pictures.strip_animation(path)
    before, after = Image.open(path), Image.open(io.BytesIO(fitted.content))
    with before, after:
        assert (after.n_frames, after.info["loop"], after.info["duration"]) == (4, 0, 80)  # type: ignore[attr-defined]
        assert "comment" in before.info
        assert "comment" not in after.info
        for frame in range(4):
            before.seek(frame)
            after.seek(frame)
            assert before.convert("RGB").tobytes() == after.convert("RGB").tobytes()
    assert MAKER.encode() not in fitted.content


@given(st.data())
def test_a_damaged_animation_is_told_apart_or_copied(data: st.DataObject) -> None:
    whole = make_animation()
    end = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(NotAPicture):
        keep_frames_only(whole[:end])
