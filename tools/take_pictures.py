"""
Take the pictures of the documentation anew.

    .venv/bin/python tools/take_pictures.py [--chromium PATH] [name ...]

Starts the demo, plays in its page with a headless Chromium, and photographs it: docs/pictures/<name>.png, 1440 x 900.
Needs the .venv of `make test`. Look at each picture before it is committed.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Locator, Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "docs" / "pictures"
#: README.md loads all of them: none may be larger, in bytes.
LARGEST = 300_000

_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
#: What is drawn softly, such as a message that slides in, must have come to rest.
_REST_MILLISECONDS = 1200


@contextmanager
def run_demo() -> Iterator[str]:
    """Run the demo and lend the address of its page."""
    command = [sys.executable, "-u", "-m", "bot", "demo", "--port", "0", "--no-open"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - all our own
        try:
            said = process.stdout or ()
            found = next((match for line in said if (match := re.search(r"http://\S+", line))), None)
            if found is None:
                sys.exit("The demo ended without telling its page's address; start it by hand: make demo")
            yield found[0]
        finally:
            process.terminate()


def find_browser() -> str:
    """Return the path of a Chromium."""
    found = next((path for name in _BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        sys.exit("No Chromium here. Install one (apt install chromium), or say where it is: --chromium PATH")
    return found


# ---------------------------------------------------------------------------------------------------- the page's parts


def text_in(page: Page, words: str) -> None:
    """Text as the customer whose phone is shown."""
    field = page.get_by_role("textbox", name="Text message")
    field.fill(words)
    field.press("Enter")
    expect(page.get_by_role("log", name="Texts on the phone").locator(".mine .bubble").last).to_have_text(words)


def add_picture(page: Page) -> None:
    """Put a picture to the next text."""
    page.get_by_role("button", name="Add a picture").click()
    page.get_by_role("menuitem", name="Sunset photo").click()


def choose_phone(page: Page, name: str) -> None:
    """Look at the phone of *name*."""
    page.get_by_role("tab", name=name).click()


def open_thread(page: Page, words: str) -> Locator:
    """Open the thread whose card holds *words* and return it."""
    card = page.get_by_role("log", name="Messages in the channel").get_by_role("article").filter(has_text=words).first
    card.focus()
    card.press("t")
    thread = page.get_by_role("log", name="Messages in the thread")
    expect(thread).to_be_visible()
    return thread


def reply(page: Page, words: str, mark: str) -> None:
    """Write into the open thread and wait until the message bears *mark*."""
    field = page.get_by_role("combobox", name="Reply…")
    field.fill(words)
    field.press("Enter")
    thread = page.get_by_role("log", name="Messages in the thread")
    message = thread.get_by_role("article").filter(has_text=words).last
    expect(message.locator(f".reaction[data-name='{mark}']")).to_be_visible()


def type_command(page: Page, line: str) -> None:
    """Type a slash command into the channel."""
    field = page.get_by_role("combobox", name="Message #customer-texts")
    field.fill(line)
    field.press("Enter")


# -------------------------------------------------------------------------------------------------------- the pictures


def play_conversation(page: Page) -> None:
    """Play a text in, a note, a reply with its tick, a picture, and a liked text."""
    text_in(page, "Hi! Is my bike ready? I dropped it off on Tuesday.")
    thread = open_thread(page, "Is my bike ready?")
    reply(page, "// regular customer, no charge for the brake", "memo")
    reply(page, "Hi Sam! Yes, since this morning. We also adjusted the rear brake.", "white_check_mark")
    add_picture(page)
    text_in(page, "Great! 🎉 Does this rack fit it?")
    expect(thread).to_contain_text("Does this rack fit it?")
    expect(thread.locator(".picture img")).to_be_visible()
    reply(page, "It does. Bring it along and we'll put it on while you wait.", "white_check_mark")
    text_in(page, "Liked “It does. Bring it along and we'll put it on while you wait.”")
    expect(thread.locator(".reaction[data-name='+1'], .reaction[data-name='thumbsup']").first).to_be_visible()


def play_stop(page: Page) -> None:
    """Let somebody opt out, and write them a reply, which is refused."""
    choose_phone(page, "Jordan")
    text_in(page, "How much is a tune-up?")
    thread = open_thread(page, "How much is a tune-up?")
    reply(page, "It is $85, and takes two days.", "white_check_mark")
    text_in(page, "STOP")
    expect(thread).to_contain_text("opted out")
    reply(page, "We have a special this week!", "no_entry")
    expect(page.locator(".message.ephemeral").first).to_contain_text("Not sent")


def play_schedule(page: Page) -> None:
    """Schedule a text and one that repeats, and look at the list."""
    text_in(page, "Can you remind me about the pick-up?")
    expect(page.get_by_role("log", name="Messages in the channel")).to_contain_text("remind me")
    type_command(
        page, "/schedule (415) 555-0101 tomorrow 9:30am unless they reply: Good morning Sam! Your bike is ready."
    )
    expect(page.locator(".message.ephemeral")).to_contain_text("Scheduled for")
    type_command(
        page, "/schedule (312) 555-0102 every monday 9am Good morning Alex! Anything for the workshop this week?"
    )
    expect(page.locator(".message.ephemeral").last).to_contain_text("every Monday")
    type_command(page, "/schedule list")
    expect(page.locator(".message.ephemeral").last).to_contain_text("2 scheduled texts")


def play_form(page: Page) -> None:
    """Type into the form behind `/sms`, which counts."""
    text_in(page, "Do you fix tubes?")
    expect(page.get_by_role("log", name="Messages in the channel")).to_contain_text("tubes")
    type_command(page, "/sms")
    form = page.get_by_role("dialog")
    form.get_by_label(re.compile("^To")).first.fill("(415) 555-0101")
    form.get_by_label(re.compile("^Text")).first.press_sequentially(
        "We do, while you wait \u2013 it\u2019s $12.", delay=20
    )
    expect(form).to_contain_text("Replace them")


def play_trouble(page: Page) -> None:
    """Have the carrier refuse a text, which the thread explains."""
    text_in(page, "Call me?")
    thread = open_thread(page, "Call me?")
    page.get_by_role("switch", name="Refuses texts").check(force=True)
    reply(page, "Right away.", "x")
    expect(thread).to_contain_text("Not delivered")
    page.get_by_role("button", name="All well again").click()
    reply(page, "Calling you now.", "white_check_mark")


def play_account(page: Page) -> None:
    """Look at the Home tab as an administrator, after some texts that arrived and one that did not."""
    for number in ("(212) 555-0123", "(303) 555-0147", "(415) 555-0101"):
        type_command(page, f"/sms {number} Your bike is ready.")
    channel = page.get_by_role("log", name="Messages in the channel")
    expect(channel.locator(".reaction[data-name='white_check_mark']")).to_have_count(3)
    page.get_by_role("switch", name="Refuses texts").check(force=True)
    type_command(page, "/sms (617) 555-0166 Your bike is ready.")
    expect(channel.locator(".reaction[data-name='x']")).to_be_visible()
    page.get_by_role("button", name="All well again").click()
    page.get_by_role("button", name=re.compile("Dana Whitfield")).first.click()
    page.get_by_text("Priya Shah").first.click()
    page.locator("nav, aside").get_by_text("Textbridge").last.click()
    buttons = page.get_by_role("button", name="Profile settings")
    expect(buttons).to_be_visible()
    buttons.scroll_into_view_if_needed()


SCENES: dict[str, Callable[[Page], None]] = {
    "conversation": play_conversation,
    "stop": play_stop,
    "schedule": play_schedule,
    "form": play_form,
    "trouble": play_trouble,
    "account": play_account,
}


def main() -> int:
    """Take the pictures named on the command line, all where none is; return the exit status."""
    parser = argparse.ArgumentParser(description="Take the pictures of the documentation anew.")
    parser.add_argument("names", nargs="*", metavar="name", help=f"one of {', '.join(SCENES)} (default: all)")
    parser.add_argument("--chromium", help="where Chromium is, if not on the path under one of its names")
    options = parser.parse_args()
    if unknown := set(options.names) - SCENES.keys():
        parser.error(f"there is no picture {', '.join(sorted(unknown))}; there are {', '.join(SCENES)}")
    PICTURES.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=options.chromium or find_browser(), args=_ARGUMENTS)
        for name in options.names or SCENES:
            path = PICTURES / f"{name}.png"
            with run_demo() as address:
                page = browser.new_page(viewport={"width": 1440, "height": 900}, locale="en-US")
                page.goto(address)
                page.wait_for_selector("#ready", state="attached")
                SCENES[name](page)
                page.wait_for_timeout(_REST_MILLISECONDS)
                page.screenshot(path=path)
                page.close()
            size = path.stat().st_size
            print(f"{path.relative_to(ROOT)}: {size // 1000} kB{'' if size <= LARGEST else ', too large'}")
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
