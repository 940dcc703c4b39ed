"""What people read, on the demo's page: pictures, long texts, reactions and groups, from the phone to Slack and back."""

from __future__ import annotations

import io
import re
from collections.abc import Callable

import pytest
from PIL import Image, ImageOps
from playwright.async_api import FilePayload, Locator, Page, expect

from tests.browser.steps import channel, open_thread, phone, reply, text_in, thread, type_command
from tests.media.kinds import VCARD, make_exif, make_heic, make_pdf

pytestmark = pytest.mark.browser

SAM, ALEX = "+14155550101", "+12125550123"
GPS_BLOCK = 0x8825
#: On its side: a quarter turn is to be made before it is shown.
LYING = 6


def mark(message: Locator, name: str) -> Locator:
    return message.locator(f".reaction[data-name='{name}']")


async def start_group(page: Page, name: str) -> None:
    """Open a group of the customer whose phone is shown and *name*, by the keyboard alone."""
    await page.get_by_role("button", name=re.compile("^Texting with")).press("Enter")
    await page.keyboard.press("End")
    await page.keyboard.press("Enter")
    form = page.get_by_role("dialog", name=re.compile("texts as a group with"))
    await form.get_by_role("checkbox", name=name).press("Space")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("textbox", name="Text message")).to_be_focused()


async def download(page: Page, address: str | None) -> bytes:
    assert address is not None
    response = await page.request.get(f"{page.url.rstrip('/')}{address}")
    assert response.ok
    return await response.body()


def take_photograph() -> bytes:
    """Return a photograph lying on its side, with the place where it was taken, as a phone makes it."""
    picture = Image.linear_gradient("L").resize((120, 80))
    photograph = Image.merge("RGB", (picture, ImageOps.flip(picture), ImageOps.mirror(picture.rotate(90))))
    photograph.paste((220, 20, 20), (0, 0, 40, 30))
    written = io.BytesIO()
    photograph.save(written, "JPEG", quality=92, exif=make_exif(LYING))
    return written.getvalue()


def stand_up(content: bytes) -> Image.Image:
    """Return the picture as people see it."""
    return ImageOps.exif_transpose(Image.open(io.BytesIO(content))).convert("RGB")


def measure_difference(one: bytes, other: bytes) -> float:
    """Return by how much the pixels differ on average, of 255."""
    first, second = stand_up(one), stand_up(other)
    assert first.size == second.size
    pairs = zip(first.tobytes(), second.tobytes(), strict=True)
    return sum(abs(a - b) for a, b in pairs) / len(first.tobytes())


def pack(name: str, kind: str, content: bytes) -> FilePayload:
    return {"name": name, "mimeType": kind, "buffer": content}


async def test_a_photograph_goes_both_ways_whole_and_leaves_without_its_place(page: Page) -> None:
    photograph = take_photograph()
    assert GPS_BLOCK in Image.open(io.BytesIO(photograph)).getexif()
    await page.get_by_label("Pictures to send").set_input_files(pack("tube.jpg", "image/jpeg", photograph))
    await text_in(page, "This one?")
    await open_thread(page, "This one?")
    shared = thread(page).locator(".picture")
    await expect(shared).to_have_count(1)
    assert measure_difference(photograph, await download(page, await shared.get_attribute("href"))) == 0

    await (
        page.get_by_role("complementary", name="Thread")
        .get_by_label("Files to attach")
        .set_input_files(pack("shelf.jpg", "image/jpeg", photograph))
    )
    message = await reply(page, "No, this one.")
    await expect(phone(page).locator(".theirs .bubble")).to_have_text("No, this one.")
    received = phone(page).locator(".theirs .bubble-picture")
    await expect(received).to_have_js_property("naturalWidth", stand_up(photograph).width)
    arrived = await download(page, await received.get_attribute("src"))
    assert measure_difference(photograph, arrived) < 4
    assert dict(Image.open(io.BytesIO(arrived)).getexif()) == {}
    assert b"Exif" not in arrived
    await expect(mark(message, "white_check_mark")).to_be_visible()


@pytest.mark.parametrize(
    ("name", "kind", "make"),
    [
        ("ana.vcf", "text/vcard", lambda: VCARD),
        ("offer.pdf", "application/pdf", make_pdf),
        ("bike.heic", "image/heic", make_heic),
    ],
    ids=["contact", "document", "iphone_photograph"],
)
async def test_what_is_no_picture_to_a_browser_is_offered_as_the_file_that_it_is(
    page: Page, name: str, kind: str, make: Callable[[], bytes]
) -> None:
    content = make()
    await page.get_by_label("Pictures to send").set_input_files(pack(name, kind, content))
    await text_in(page, "Here it is")
    await expect(phone(page).locator(".mine .attached")).to_contain_text(name)
    await open_thread(page, "Here it is")
    shared = thread(page).locator("a.file")
    await expect(shared).to_have_count(1)
    assert await download(page, await shared.get_attribute("href")) == content


async def test_a_long_text_goes_on_in_the_next_message_and_every_line_keeps_its_place(page: Page) -> None:
    lines = [f"{number}. A line of a long letter, with <b> & *stars* in it" for number in range(1, 121)]
    field = page.get_by_role("textbox", name="Text message")
    await field.fill("\n".join(lines))
    await field.press("Enter")
    await open_thread(page, lines[0])
    await expect(thread(page)).to_contain_text(lines[-1])
    parts = await thread(page).get_by_role("article").locator(".message-body").all_inner_texts()
    assert len(parts) > 1
    found = re.findall(r"^\d+\. A line of a long letter, with <b> & \*stars\* in it$", "\n".join(parts), re.MULTILINE)
    assert found == lines

    words = " ".join(f"word{number}" for number in range(1, 101))
    await expect(mark(await reply(page, words), "white_check_mark")).to_be_visible()
    await expect(phone(page).locator(".theirs .bubble")).to_have_text([words])


async def test_a_reaction_on_the_phone_becomes_one_in_slack_and_can_be_taken_back_all_by_keyboard(page: Page) -> None:
    await text_in(page, "Is it ready?")
    await open_thread(page, "Is it ready?")
    message = await reply(page, "It is! Come by until 6 & bring the ticket.")
    await expect(mark(message, "white_check_mark")).to_be_visible()
    tap = phone(page).get_by_role("button", name=re.compile("^React to “It is! Come by"))
    await phone(page).focus()
    await page.keyboard.press("Tab")
    await expect(tap).to_be_focused()
    await page.keyboard.press("ArrowUp")
    await expect(phone(page).get_by_role("button", name="React to “Is it ready?”")).to_be_focused()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await page.get_by_role("menuitem", name=re.compile(r"\bLike$")).press("Enter")
    await expect(mark(message, "+1")).to_be_visible()
    await expect(phone(page).get_by_role("img", name=re.compile("^Liked “It is! Come by"))).to_be_visible()
    await expect(phone(page).locator(".bubble")).to_have_count(2)
    await expect(thread(page).get_by_role("article")).to_have_count(2)
    wire = page.get_by_role("region", name="Requests between phone, Telnyx, bot and Slack")
    await expect(wire).to_contain_text("Liked “It is! Come by until 6 & bring the ticket.”")

    await expect(tap).to_be_focused()
    await page.keyboard.press("Enter")
    await page.get_by_role("menuitem", name="Take it back").press("Enter")
    await expect(mark(message, "+1")).to_have_count(0)
    await expect(phone(page).locator(".tapback")).to_have_count(0)


async def test_a_group_is_one_thread_and_a_reply_reaches_every_phone_in_it(page: Page) -> None:
    await start_group(page, "Alex Chen")
    await text_in(page, "Alex and I share a bike. Is it ready?")
    card = channel(page).get_by_role("article")
    await expect(card).to_contain_text("Group of 2")
    await expect(card).to_contain_text(SAM)
    await expect(card).to_contain_text(ALEX)
    await open_thread(page, "Alex and I share a bike.")
    await expect(mark(await reply(page, "On Friday, both of you."), "white_check_mark")).to_be_visible()
    await expect(phone(page).locator(".theirs .bubble")).to_have_text(["On Friday, both of you."])

    await page.get_by_role("tab", name="Alex Chen, +12125550123, new text").click()
    await expect(page.get_by_role("button", name=re.compile(r"^Texting with .* \+ Sam Rivera"))).to_be_visible()
    await expect(phone(page).locator(".theirs .bubble")).to_have_text(
        ["Alex and I share a bike. Is it ready?", "On Friday, both of you."]
    )
    await text_in(page, "Friday it is.")
    await expect(thread(page)).to_contain_text("Friday it is.")
    await expect(card).to_have_count(1)


async def test_a_command_with_several_numbers_opens_a_group_that_takes_no_half_written_text(page: Page) -> None:
    await text_in(page, "Hello?")
    draft = page.get_by_role("textbox", name="Text message")
    await draft.fill("I am asking because")
    await type_command(page, f"/sms {SAM}, {ALEX} The bikes are ready.")
    card = channel(page).get_by_role("article").filter(has_text="Group of 2")
    await expect(card).to_contain_text("The bikes are ready.")
    await expect(page.get_by_role("tab", name="Alex Chen, +12125550123, new text")).to_be_visible()
    talks = page.get_by_role("button", name=re.compile("^Texting with"))
    await expect(talks).to_have_accessible_name(re.compile("new text in another conversation$"))
    await expect(phone(page).locator(".bubble")).to_have_text(["Hello?"])
    await draft.fill("")
    await page.get_by_role("tab", name="Alex").click()
    await expect(phone(page).locator(".theirs .bubble")).to_have_text("The bikes are ready.")


async def test_the_form_counts_parts_says_what_makes_them_many_and_replaces_it(page: Page) -> None:
    await type_command(page, "/sms")
    form = page.get_by_role("dialog")
    await form.get_by_label(re.compile("^To")).first.fill("(415) 555-0101")
    text = form.get_by_label(re.compile("^Text")).first
    words = "It\u2019s ready \u2013 come by when you like, we are here until six. " * 2
    await text.press_sequentially(words[:20])
    await expect(form).to_contain_text("1 part")
    await text.fill(words)
    await expect(form).to_contain_text("2 parts")
    await expect(form).to_contain_text("\u2019 \u2013 make a part hold 70 characters instead of 160.")
    await form.get_by_role("button", name="Replace them: 1 part").press("Enter")
    await expect(text).to_have_value(words.replace("\u2019", "'").replace("\u2013", "-"))
    await expect(form).to_contain_text("1 part")
    await expect(form.get_by_role("button", name=re.compile("^Replace them"))).to_have_count(0)
    await form.get_by_label(re.compile("^Pictures and files")).set_input_files(
        pack("bike.jpg", "image/jpeg", take_photograph())
    )
    await form.get_by_role("button", name="Send").click()
    await expect(form).to_contain_text("On its way")
    await form.get_by_role("button", name="Done").click()
    await expect(phone(page).locator(".theirs .bubble")).to_contain_text("It's ready - come by")
    await expect(phone(page).locator(".theirs .bubble-picture")).to_be_visible()
