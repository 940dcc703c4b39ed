"""What a person sees who starts the demo: the phone at the left, Slack at the right, the real bot between them."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Locator, Page, expect

from tests.browser.steps import channel, open_thread, phone, reply, text_in, thread, type_command

pytestmark = pytest.mark.browser

SAM = "+14155550101"
JORDAN = "Jordan"


async def expect_mark(message: Locator, name: str) -> None:
    await expect(message.locator(f".reaction[data-name='{name}']")).to_be_visible()


async def test_a_first_text_opens_a_card_that_shows_the_number_and_the_words_as_sent(page: Page) -> None:
    words = "Is *it* ready? <b>&amp; @here</b> <img src=x onerror=alert(1)>"
    await text_in(page, words)
    card = channel(page).get_by_role("article").filter(has_text=SAM)
    await expect(card).to_have_count(1)
    await expect(card).to_contain_text(words)
    await expect(card.locator("img, b, .mention")).to_have_count(0)


async def test_a_reply_in_the_thread_arrives_on_the_phone_and_gets_its_mark(page: Page) -> None:
    await text_in(page, "Do you fix tubes?")
    await open_thread(page, "Do you fix tubes?")
    message = await reply(page, "We do, while you wait.")
    await expect(phone(page).locator(".theirs .bubble")).to_have_text("We do, while you wait.")
    await expect_mark(message, "white_check_mark")
    await text_in(page, "Great, thanks!")
    await expect(thread(page)).to_contain_text("Great, thanks!")


async def test_a_note_stays_in_the_thread(page: Page) -> None:
    await text_in(page, "Hello?")
    await open_thread(page, "Hello?")
    await expect_mark(await reply(page, "// he is a regular"), "memo")
    await expect_mark(await reply(page, "Hello Sam!"), "white_check_mark")
    await expect(phone(page).locator(".theirs .bubble")).to_have_text(["Hello Sam!"])


async def test_a_picture_arrives_as_a_file_in_the_thread(page: Page) -> None:
    await page.get_by_role("button", name="Add a picture").click()
    await page.get_by_role("menuitem", name="Sunset photo").click()
    await text_in(page, "Look at this")
    await expect(phone(page).locator("img")).to_be_visible()
    await open_thread(page, "Look at this")
    picture = thread(page).locator(".picture img")
    await expect(picture).to_be_visible()
    await expect(picture).to_have_js_property("complete", value=True)
    assert await picture.evaluate("image => image.naturalWidth") > 0


async def test_nobody_who_said_stop_is_texted_and_the_author_is_told_why(page: Page) -> None:
    await page.get_by_role("tab", name=JORDAN).click()
    await text_in(page, "How much is it?")
    await open_thread(page, "How much is it?")
    await expect_mark(await reply(page, "It is $85."), "white_check_mark")
    await text_in(page, "STOP")
    await expect(phone(page).locator(".automatic .bubble")).to_be_visible()
    await expect(thread(page).get_by_role("article").filter(has_text="STOP").first).to_be_visible()
    received = await phone(page).locator(".theirs").count()
    message = await reply(page, "We have a special this week!")
    await expect_mark(message, "no_entry")
    await expect(page.locator(".message.ephemeral").first).to_contain_text("Only visible to you")
    await expect(phone(page).locator(".theirs")).to_have_count(received)


async def test_a_guest_cannot_text(page: Page) -> None:
    await text_in(page, "Anyone there?")
    await page.get_by_role("button", name="Change teammate").click()
    await page.get_by_role("menuitem", name="Lee Novak").click()
    await open_thread(page, "Anyone there?")
    await expect_mark(await reply(page, "Yes, me!"), "no_entry")
    await expect(phone(page).locator(".theirs")).to_have_count(0)


async def test_the_form_behind_the_bare_command_refuses_what_is_no_number_and_sends_the_rest(page: Page) -> None:
    await type_command(page, "/sms")
    form = page.get_by_role("dialog")
    await form.get_by_label(re.compile("^To")).first.fill("12")
    await form.get_by_label(re.compile("^Text")).first.fill("Your bike is ready.")
    await form.get_by_role("button", name="Send").click()
    await expect(form.locator(".has-error .field-error").first).not_to_be_empty()
    await form.get_by_label(re.compile("^To")).first.fill("(415) 555-0101")
    await form.get_by_role("button", name="Send").click()
    await expect(form).to_contain_text("On its way to (415) 555-0101")
    await form.get_by_role("button", name="Done").click()
    await expect(form).to_have_count(0)
    await expect(phone(page).locator(".theirs .bubble")).to_have_text("Your bike is ready.")
    await expect(channel(page).get_by_role("article").filter(has_text=SAM).first).to_be_visible()


async def test_a_button_in_a_private_answer_does_what_it_says(page: Page) -> None:
    await type_command(page, f"/schedule {SAM} in 2 hours Your bike is ready.")
    answer = page.locator(".message.ephemeral")
    await expect(answer).to_contain_text("Your bike is ready.")
    await answer.get_by_role("button", name="Cancel").click()
    await expect(answer.get_by_role("button", name="Cancel")).to_have_count(0)


async def test_a_mistake_in_a_command_is_answered_privately(page: Page) -> None:
    await type_command(page, "/sms 12 Hello")
    answer = page.locator(".message.ephemeral")
    await expect(answer).to_contain_text("/sms")
    await answer.get_by_role("button", name="Dismiss message").click()
    await expect(answer).to_have_count(0)


async def test_everything_is_done_with_the_keyboard_alone(page: Page) -> None:
    await page.get_by_role("tab", name="Sam").focus()
    keyboard = page.keyboard
    await keyboard.press("ArrowRight")
    await expect(page.get_by_role("tab", name="Alex")).to_be_focused()
    while not await page.evaluate("document.activeElement.matches('.phone-field')"):
        await keyboard.press("Tab")
    await keyboard.type("First line")
    await keyboard.press("Shift+Enter")
    await keyboard.type("second line")
    await keyboard.press("Enter")
    card = channel(page).get_by_role("article").filter(has_text="second line")
    await expect(card).to_be_visible()
    while not await page.evaluate("document.activeElement.matches('.channel .message')"):
        await keyboard.press("Tab")
    await keyboard.press("t")
    await expect(page.get_by_role("combobox", name="Reply…")).to_be_focused()
    await keyboard.type("Got both.")
    await keyboard.press("Enter")
    await expect(phone(page).locator(".theirs .bubble")).to_have_text("Got both.")
    await keyboard.press("ArrowUp")
    await expect(page.get_by_role("textbox", name="Edit message")).to_be_focused()
    await keyboard.press("Escape")
    await keyboard.press("Escape")
    await expect(thread(page)).to_be_hidden()
    await expect(card).to_be_focused()
    while not await page.evaluate("document.activeElement.matches('.channel .composer-field')"):
        await keyboard.press("Tab")
    await keyboard.type("/s")
    await expect(page.get_by_role("option", name="/sms")).to_have_attribute("aria-selected", "true")
    await keyboard.press("Tab")
    await expect(page.get_by_role("combobox", name="Message #customer-texts")).to_have_value("/sms ")


async def test_ones_own_message_can_be_edited_reacted_to_and_deleted(page: Page) -> None:
    field = page.get_by_role("combobox", name="Message #customer-texts")
    await field.fill("lunch at 12?")
    await field.press("Enter")
    message = channel(page).get_by_role("article").filter(has_text="lunch")
    await message.focus()
    await message.press("e")
    await page.get_by_role("textbox", name="Edit message").fill("lunch at 12:30?")
    await page.keyboard.press("Enter")
    await expect(message).to_contain_text("lunch at 12:30? (edited)")
    await message.focus()
    await message.press("r")
    await page.get_by_role("searchbox", name="Find an emoji").fill("taco")
    await page.keyboard.press("Enter")
    await expect_mark(message, "taco")
    await message.focus()
    await message.press("Delete")
    await page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    await expect(message).to_have_count(0)


async def test_trouble_at_the_carrier_shows_on_the_wire_and_on_the_message(page: Page) -> None:
    await text_in(page, "Call me?")
    await open_thread(page, "Call me?")
    await page.get_by_role("switch", name="Refuses texts").check(force=True)
    await expect_mark(await reply(page, "Right away."), "x")
    refused = page.locator(".exchange.poor, .exchange.bad").filter(has_text="POST /messages")
    await expect(refused.first).to_contain_text("400")
    await page.get_by_role("button", name="All well again").click()
    await expect(page.get_by_role("switch", name="Refuses texts")).not_to_be_checked()
    await expect_mark(await reply(page, "Now then."), "white_check_mark")


async def test_a_text_that_fails_on_its_way_is_marked_and_only_that_one(page: Page) -> None:
    await text_in(page, "Ready?")
    await open_thread(page, "Ready?")
    await page.get_by_role("switch", name="Next text undelivered").check(force=True)
    await expect_mark(await reply(page, "Almost."), "x")
    await expect(page.get_by_role("switch", name="Next text undelivered")).not_to_be_checked()
    await expect_mark(await reply(page, "Now it is."), "white_check_mark")


async def test_stories_play_and_everything_said_between_the_parties_is_listed(page: Page) -> None:
    await page.get_by_role("button", name="Play a story").click()
    await page.get_by_role("menuitem", name="A conversation").click()
    await expect(phone(page).locator(".theirs .bubble")).to_have_text("Of course, we'll look at it today.")
    wire = page.get_by_role("region", name="Requests between phone, Telnyx, bot and Slack")
    for operation in ("message.received", "chat.postMessage", "POST /messages", "message.finalized", "reactions.add"):
        await expect(wire.locator("tr").filter(has_text=operation).first).to_contain_text("200")


@pytest.mark.parametrize(
    ("story", "words", "pictures"),
    [
        ("Pictures both ways", "We do, $35 a day. And this is the view from the top:", 2),
        ("A long text", re.compile(r"^Thanks, Noor! .* Shall we start with numbers 101 to 110\?$"), 0),
        ("A group", "Saturday from 10 it is, for both of you.", 0),
    ],
)
async def test_a_storys_answer_arrives_on_the_phone_that_it_is_about(
    page: Page, story: str, words: str | re.Pattern[str], pictures: int
) -> None:
    await page.get_by_role("button", name="Play a story").click()
    await page.get_by_role("menuitem", name=story).click()
    await expect(phone(page).locator(".theirs .bubble").last).to_have_text(words)
    await expect(phone(page).locator("img")).to_have_count(pictures)


async def test_the_page_is_whole_again_after_it_is_loaded_anew(page: Page) -> None:
    await text_in(page, "Remember me")
    await expect(channel(page).get_by_role("article")).to_have_count(1)
    await page.reload()
    await page.wait_for_selector("#ready", state="attached")
    await expect(phone(page).locator(".mine .bubble")).to_have_text("Remember me")
    await expect(channel(page).get_by_role("article")).to_have_count(1)
