"""What a person does before the demo's page, and where things are seen there."""

from __future__ import annotations

from playwright.async_api import Locator, Page, expect


def channel(page: Page) -> Locator:
    return page.get_by_role("log", name="Messages in the channel")


def thread(page: Page) -> Locator:
    return page.get_by_role("log", name="Messages in the thread")


def phone(page: Page) -> Locator:
    return page.get_by_role("log", name="Texts on the phone")


async def text_in(page: Page, text: str) -> None:
    """Text as the customer whose phone is shown."""
    field = page.get_by_role("textbox", name="Text message")
    await field.fill(text)
    await field.press("Enter")
    await expect(phone(page).locator(".mine .bubble").last).to_have_text(text)


async def open_thread(page: Page, words: str) -> None:
    card = channel(page).get_by_role("article").filter(has_text=words).first
    await card.focus()
    await card.press("t")
    await expect(thread(page)).to_be_visible()


async def reply(page: Page, text: str) -> Locator:
    """Write into the open thread and return the message."""
    field = page.get_by_role("combobox", name="Reply…")
    await field.fill(text)
    await field.press("Enter")
    message = thread(page).get_by_role("article").filter(has_text=text).last
    await expect(message).to_be_visible()
    return message


async def type_command(page: Page, text: str) -> None:
    field = page.get_by_role("combobox", name="Message #customer-texts")
    await field.fill(text)
    await field.press("Enter")
