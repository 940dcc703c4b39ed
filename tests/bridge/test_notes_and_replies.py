"""A reply that becomes a note does not go out; a note that becomes a reply is never sent by an edit alone."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.sandbox.slack_people import Upload
from tests.bridge.harness import CHANNEL, Bench, list_buttons, open_bench, read_words
from tests.media.kinds import make_jpeg

MODES = ["reply", "prefix", "confirm"]
MINUTE = timedelta(minutes=1)

# --------------------------------------------------------------------------------------------- a note becomes a reply


@pytest.mark.parametrize("mode", MODES)
async def test_a_note_that_is_edited_into_a_reply_is_not_sent_but_its_author_is_asked(mode: str) -> None:
    async with open_bench(thread_mode=mode) as bench:
        root = await bench.open_thread()
        ts = await bench.reply("note: call her", root)
        await bench.settle()
        await bench.edit(ts, "sms: We call you" if mode == "prefix" else "We call you")
        await bench.pass_time(timedelta(minutes=5))

        assert bench.phone() == []
        assert bench.marks(ts) == {"memo"}
        (question,) = bench.whispers("it still has not")
        assert "(415) 555-0101" in question["text"]
        assert list_buttons(question) == ["Send", "Keep as note"]

        await bench.click(question, "Send")
        assert bench.phone() == ["We call you"]
        assert bench.marks(ts) == {"white_check_mark"}


async def test_the_forgotten_sign_put_before_the_same_words_makes_its_author_be_asked() -> None:
    async with open_bench(thread_mode="prefix") as bench:
        root = await bench.open_thread()
        ts = await bench.reply("We call you", root)
        await bench.settle()
        await bench.edit(ts, "sms: We call you")

        assert bench.phone() == []
        (question,) = bench.whispers("it still has not")
        await bench.click(question, "Keep as note")
        await bench.edit(ts, "We call you")
        assert bench.whispers("it still has not") == []

        await bench.edit(ts, "sms: We call you")
        (question,) = bench.whispers("it still has not")
        await bench.click(question, "Send")
        assert bench.phone() == ["We call you"]


async def test_a_note_that_is_edited_stays_one_and_nobody_is_asked(bench: Bench) -> None:
    root = await bench.open_thread()
    ts = await bench.reply("note: call her", root)
    await bench.settle()
    await bench.edit(ts, "// call them")

    assert bench.marks(ts) == {"memo"}
    assert bench.slack.ephemerals(bench.alice) == []


async def test_a_question_after_which_it_became_a_note_again_sends_nothing(bench: Bench) -> None:
    root = await bench.open_thread()
    ts = await bench.reply("note: he is difficult", root)
    await bench.settle()
    await bench.edit(ts, "he is difficult")
    (question,) = bench.whispers("it still has not")
    await bench.edit(ts, "note: he is difficult")

    assert "it is a note now" in await bench.click(question, "Send")
    assert bench.phone() == []


async def test_what_was_too_long_and_is_shortened_is_asked_about_and_goes_out(bench: Bench) -> None:
    root = await bench.open_thread()
    ts = await bench.reply("x" * 1600, root)
    await bench.settle()
    assert bench.marks(ts) == {"no_entry"}
    await bench.edit(ts, "Short")

    await bench.click(bench.whispers("it still has not")[0], "Send")
    assert bench.phone() == ["Short"]
    assert bench.marks(ts) == {"white_check_mark"}


async def test_a_guest_who_edits_what_was_not_sent_is_not_asked(bench: Bench) -> None:
    root = await bench.open_thread()
    guest = bench.slack.add_user("gus", restricted=True)
    ts = await bench.reply("note: x", root, user=guest)
    await bench.settle()
    await bench.slack.edit(guest, CHANNEL, ts, "x")
    await bench.settle()

    assert bench.whispers("it still has not", user=guest) == []
    assert bench.whispers("Only full members", user=guest)


async def test_nobody_who_opted_out_is_asked_about(bench: Bench) -> None:
    root = await bench.open_thread()
    ts = await bench.reply("note: x", root)
    await bench.text_in("STOP")
    await bench.settle()
    await bench.edit(ts, "x")

    assert bench.whispers("it still has not") == []
    assert bench.whispers("opted out")


# --------------------------------------------------------------------------------------------- a reply becomes a note


@pytest.mark.parametrize(
    ("mode", "before", "after"),
    [
        ("reply", "He is difficult", "note: He is difficult"),
        ("reply", "He is difficult", "*Private:* He is difficult"),
        ("reply", "He is difficult", "🔇 He is difficult"),
        ("prefix", "sms: He is difficult", "He is difficult"),
        ("prefix", "sms: He is difficult", "sms: note: He is difficult"),
        ("confirm", "He is difficult", "// He is difficult"),
    ],
)
async def test_a_reply_that_is_edited_into_a_note_in_time_is_not_sent(mode: str, before: str, after: str) -> None:
    async with open_bench(thread_mode=mode, send_hold_seconds=20) as bench:
        root = await bench.open_thread()
        ts = await bench.reply(before, root)
        await bench.settle()
        await bench.edit(ts, after)
        await bench.pass_time(MINUTE)

        assert bench.send_requests == []
        assert bench.marks(ts) == {"memo"}
        assert bench.whispers("This is a note now")


async def test_a_reply_that_is_edited_into_a_note_too_late_is_told_without_a_button(bench: Bench) -> None:
    root = await bench.open_thread()
    ts = await bench.reply("He is difficult", root)
    await bench.settle()
    await bench.edit(ts, "note: He is difficult")

    (line,) = bench.whispers("still has the original")
    assert list_buttons(line) == []
    assert bench.phone() == ["He is difficult"]


async def test_a_reply_may_become_a_note_and_a_reply_again_and_is_sent_once() -> None:
    async with open_bench(send_hold_seconds=20) as bench:
        root = await bench.open_thread()
        ts = await bench.reply("Hello", root)
        await bench.settle()
        for _ in range(3):
            await bench.edit(ts, "note: Hello")
            await bench.edit(ts, "Hello")
        await bench.pass_time(MINUTE)
        assert bench.phone() == []

        for question in bench.whispers("it still has not"):
            await bench.click(question, "Send")
        await bench.pass_time(MINUTE)
        assert bench.phone() == ["Hello"]
        assert bench.marks(ts) == {"white_check_mark"}


async def test_mark_as_note_in_the_hold_keeps_a_reply_here_and_send_as_text_brings_it_back() -> None:
    async with open_bench(send_hold_seconds=20) as bench:
        root = await bench.open_thread()
        ts = await bench.reply("Hello", root)
        await bench.settle()

        assert "This is a note now" in await bench.use_shortcut(ts, "mark_as_note")
        await bench.pass_time(MINUTE)
        assert bench.phone() == []
        assert bench.marks(ts) == {"memo"}

        assert "On its way" in await bench.use_shortcut(ts, "send_as_text")
        await bench.pass_time(MINUTE)
        assert bench.phone() == ["Hello"]
        assert bench.marks(ts) == {"white_check_mark"}


async def test_mark_as_note_after_it_has_gone_says_so(bench: Bench) -> None:
    root = await bench.open_thread()
    ts = await bench.reply("Hello", root)
    await bench.settle()

    assert "Too late" in await bench.use_shortcut(ts, "mark_as_note")
    assert bench.marks(ts) == {"white_check_mark"}


async def test_nobody_marks_or_sends_anothers_reply() -> None:
    async with open_bench(send_hold_seconds=20) as bench:
        root = await bench.open_thread()
        bob = bench.slack.add_user("bob")
        ts, note = await bench.reply("Hello", root), await bench.reply("note: x", root)
        await bench.settle()

        assert "Only its author" in await bench.use_shortcut(ts, "mark_as_note", user=bob)
        assert "Only its author" in await bench.use_shortcut(note, "send_as_text", user=bob)
        await bench.pass_time(MINUTE)
        assert bench.phone() == ["Hello"]


async def test_a_long_hold_is_told_with_what_can_be_done_meanwhile() -> None:
    async with open_bench(send_hold_seconds=120) as bench:
        root = await bench.open_thread()
        first, second = await bench.reply("One", root), await bench.reply("Two", root)
        await bench.settle()
        lines = bench.whispers("in 2 minutes")
        assert [list_buttons(line) for line in lines] == [["Send now", "Mark as note"]] * 2

        await bench.click(lines[0], "Mark as note")
        await bench.click(lines[1], "Send now")
        assert bench.phone() == ["Two"]
        assert (bench.marks(first), bench.marks(second)) == ({"memo"}, {"white_check_mark"})


@pytest.mark.parametrize("words", ["note: see here", "@bob see here"])
async def test_a_note_with_a_file_that_is_sent_after_all_takes_its_file_along(words: str) -> None:
    async with open_bench(media_allow_private_hosts=True) as bench:
        bob = bench.slack.add_user("bob")
        root = await bench.open_thread()
        text = words.replace("@bob", f"<@{bob}>")
        ts = await bench.reply(text, root, files=[Upload(name="a.jpg", content=make_jpeg())])
        await bench.settle()
        await bench.use_shortcut(ts, "send_as_text")
        await bench.wait_mark(ts, "white_check_mark")

        (request,) = bench.telnyx.sends
        assert len(request.media_urls) == 1


# ------------------------------------------------------------------------------------------------------- the question


async def test_the_question_shows_whom_and_what_exactly_as_it_goes_out() -> None:
    async with open_bench(thread_mode="confirm") as bench:
        root = await bench.open_thread()
        await bench.reply("Hello *there*\n\nTom & Co :tada:", root)
        await bench.settle()
        (question,) = bench.whispers("Send this")

        assert "(415) 555-0101" in question["text"]
        (shown,) = [block for block in question["blocks"] if block["type"] == "rich_text"]
        (element,) = shown["elements"][0]["elements"]
        await bench.click(question, "Send")
        assert bench.phone() == [element["text"]]
        assert element["text"] == "Hello there\n\nTom & Co 🎉"


async def test_after_an_edit_a_new_question_shows_the_new_words_and_the_old_one_no_longer_sends() -> None:
    async with open_bench(thread_mode="confirm") as bench:
        root = await bench.open_thread()
        ts = await bench.reply("Helo", root)
        await bench.settle()
        (old,) = bench.whispers("Send this")
        await bench.edit(ts, "Hello")
        new = bench.whispers("Send this")[-1]
        assert "Hello" in read_words(new)
        assert "Helo" not in read_words(new)

        assert "Hello" in await bench.click(old, "Send")
        assert bench.phone() == []
        await bench.click(new, "Send")
        assert bench.phone() == ["Hello"]


async def test_a_question_that_was_answered_in_quiet_hours_says_until_when_it_waits() -> None:
    async with open_bench(thread_mode="confirm", quiet_hours="21:00-08:00") as bench:
        root = await bench.open_thread()
        await bench.reply("Good morning", root)
        await bench.settle()

        assert "waits until 08:00 on Friday" in await bench.click(bench.whispers("Send this")[0], "Send")
        assert bench.phone() == []
        await bench.click(bench.whispers("waits until")[0], "Send now")
        assert bench.phone() == ["Good morning"]
