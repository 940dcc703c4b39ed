"""What people see in a thread: the card, notices, notes, edits, deletions, modes, holds, tapbacks."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta

import pytest

from bot.sandbox.faults import FaultKind
from bot.sandbox.telnyx_sim import CcStyle
from tests.bridge.harness import (
    ANA,
    BEN,
    CAT,
    CHANNEL,
    OURS,
    OURS_TOO,
    Bench,
    find_button,
    list_buttons,
    open_bench,
    read_words,
)

# ------------------------------------------------------------------------------------------------------- the card


async def test_the_card_says_who_it_is_in_both_forms_and_what_they_wrote(bench: Bench) -> None:
    root = await bench.open_thread("Is it ready?")
    card = bench.slack.message(CHANNEL, root)

    for words in (card["text"], json.dumps(card["blocks"], ensure_ascii=False)):
        assert "(415) 555-0101" in words
        assert ANA in words
        assert "Is it ready?" in words
        assert OURS not in words  # there is only one of ours


async def test_the_card_says_which_of_our_numbers_it_is_where_there_are_several() -> None:
    async with open_bench(number_channels=f"{OURS_TOO}=C0SALES") as bench:
        bench.slack.add_channel("sales", id="C0SALES")
        first = await bench.open_thread(to=OURS)
        second = await bench.open_thread(to=OURS_TOO, channel="C0SALES")

        assert OURS in read_words(bench.slack.message(CHANNEL, first))
        assert OURS_TOO in read_words(bench.slack.message("C0SALES", second))


async def test_a_number_from_abroad_is_named_in_its_own_form(bench: Bench) -> None:
    root = await bench.open_thread(from_="+442071838750")

    assert "+442071838750" in bench.slack.message(CHANNEL, root)["text"]


async def test_a_text_into_a_quiet_thread_is_shown_in_the_channel_too(bench: Bench) -> None:
    root = await bench.open_thread("First")
    await bench.pass_time(timedelta(minutes=9))
    await bench.text_in("Soon after")
    await bench.settle()
    await bench.pass_time(timedelta(minutes=11))
    await bench.text_in("Much later")
    await bench.settle()
    await bench.text_in("And more")
    await bench.settle()

    assert [message["text"] for message in bench.slack.messages(CHANNEL)][1:] == ["Much later"]
    assert len(bench.thread(root)) == 4


async def test_our_own_reply_breaks_the_silence_as_well(bench: Bench) -> None:
    root = await bench.open_thread("First")
    await bench.pass_time(timedelta(minutes=20))
    await bench.reply("Hello", root)
    await bench.settle()
    await bench.text_in("Thanks")
    await bench.settle()

    assert len(bench.slack.messages(CHANNEL)) == 1


async def test_only_the_first_part_of_a_long_text_is_shown_in_the_channel() -> None:
    async with open_bench(notice_after_minutes=0) as bench:
        await bench.open_thread("First")
        await bench.text_in("x" * 7000)
        await bench.settle()

        assert len(bench.slack.messages(CHANNEL)) == 2


async def test_a_group_text_has_one_thread_that_names_everybody_and_who_wrote_what(bench: Bench) -> None:
    for style in (CcStyle.OBJECTS, CcStyle.STRINGS):
        bench.telnyx.switches.cc_style = style
        await bench.text_in(f"From Ana, {style}", from_=ANA, cc=[BEN, CAT])
        await bench.text_in(f"From Ben, {style}", from_=BEN, cc=[CAT, ANA])
        await bench.settle()

    (root,) = bench.slack.messages(CHANNEL)
    assert all(number in read_words(root) for number in (ANA, BEN, CAT))
    assert [text.partition(": ")[0] for text in bench.thread(root["ts"])[1:]] == [
        "(415) 555-0102", "(415) 555-0101", "(415) 555-0102",
    ]  # fmt: skip
    await bench.reply("Hello all", root["ts"])
    await bench.settle()
    assert [bench.phone(number) for number in (ANA, BEN, CAT)] == [["Hello all"]] * 3
    assert len(bench.telnyx.sends) == 1


# ---------------------------------------------------------------------------------------------------------- notes

_NOTES = [
    "note: call back", "NOTE: call back", "  Note : call", "private: x", "Internal: x", "// x", ";; x", "🔇 x",
    ":mute: x", "*note:* bold", "_note:_ x", "~private:~ x", "`note:` x", "> note: quoted", "• note: listed",
    "\n\nnote: after lines",
]  # fmt: skip


@pytest.mark.parametrize("mode", ["reply", "prefix", "confirm"])
async def test_notes_are_never_sent_in_any_mode(mode: str) -> None:
    async with open_bench(thread_mode=mode) as bench:
        root = await bench.open_thread()
        bob = bench.slack.add_user("bob")
        group = bench.slack.add_usergroup("sales", [bob])
        mentions = [f"<@{bob}> can you?", f"<!subteam^{group}> can you?", f"*<@{bob}>* please", "<!here> look"]
        marked = [await bench.reply(words, root) for words in [*_NOTES, *mentions]]
        await bench.settle()
        await bench.pass_time(timedelta(minutes=5))

        assert [bench.marks(ts) for ts in marked] == [{"memo"}] * len(marked)
        assert bench.telnyx.sends == []
        assert bench.slack.ephemerals(bench.alice) == []


async def test_a_sentence_that_only_mentions_notes_is_sent(bench: Bench) -> None:
    root = await bench.open_thread()
    for words in ("Take note: it is ready", "Your note arrived", "See http://x.example//y"):
        await bench.reply(words, root)
    await bench.settle()

    assert len(bench.phone()) == 3


# ---------------------------------------------------------------------------------------------- edits and deletions


async def test_an_edit_within_the_hold_changes_what_goes_out() -> None:
    async with open_bench(send_hold_seconds=20) as bench:
        root = await bench.open_thread()
        ts = await bench.reply("Helo", root)
        await bench.pass_time(timedelta(seconds=5))
        assert bench.marks(ts) == {"hourglass_flowing_sand"}
        await bench.slack.edit(bench.alice, CHANNEL, ts, "Hello")
        await bench.pass_time(timedelta(seconds=20))

        assert bench.phone() == ["Hello"]
        assert bench.marks(ts) == {"white_check_mark"}
        assert bench.slack.ephemerals(bench.alice) == []


async def test_an_edit_into_a_note_within_the_hold_stops_it() -> None:
    async with open_bench(send_hold_seconds=20) as bench:
        root = await bench.open_thread()
        ts = await bench.reply("He is difficult", root)
        await bench.settle()
        await bench.slack.edit(bench.alice, CHANNEL, ts, "note: He is difficult")
        await bench.pass_time(timedelta(minutes=1))

        assert bench.phone() == []
        assert bench.marks(ts) == {"memo"}


async def test_a_deletion_within_the_hold_stops_it() -> None:
    async with open_bench(send_hold_seconds=20) as bench:
        root = await bench.open_thread()
        ts = await bench.reply("Oops", root)
        await bench.settle()
        await bench.slack.delete(bench.alice, CHANNEL, ts)
        await bench.pass_time(timedelta(minutes=1))

        assert bench.send_requests == []


async def test_the_authors_cross_within_the_hold_takes_it_back_and_anothers_does_not() -> None:
    async with open_bench(send_hold_seconds=20) as bench:
        root = await bench.open_thread()
        bob = bench.slack.add_user("bob")
        first, second = await bench.reply("Mine", root), await bench.reply("Also mine", root)
        await bench.settle()
        await bench.slack.react(bench.alice, CHANNEL, first, "x")
        await bench.slack.react(bob, CHANNEL, second, "x")
        await bench.pass_time(timedelta(minutes=1))

        assert bench.phone() == ["Also mine"]
        assert bench.marks(first) == set()
        assert bench.whispers("Taken back")


async def test_a_later_edit_tells_its_author_privately_and_offers_a_correction(bench: Bench) -> None:
    root = await bench.open_thread()
    ts = await bench.reply("At 5pm", root)
    await bench.settle()
    await bench.slack.edit(bench.alice, CHANNEL, ts, "At 6pm")
    await bench.settle()
    (line,) = bench.whispers("still has the original")
    assert list_buttons(line) == ["Send correction"]
    assert bench.phone() == ["At 5pm"]

    await bench.click(line, "Send correction")

    assert bench.phone() == ["At 5pm", "At 6pm"]
    assert "At 6pm" in bench.thread(root)[-1]


async def test_two_edits_and_two_corrections_are_two_texts(bench: Bench) -> None:
    root = await bench.open_thread()
    ts = await bench.reply("At 5pm", root)
    await bench.settle()
    for words in ("At 6pm", "At 7pm"):
        await bench.slack.edit(bench.alice, CHANNEL, ts, words)
        await bench.settle()
        await bench.click(bench.whispers("still has the original")[-1], "Send correction")

    assert bench.phone() == ["At 5pm", "At 6pm", "At 7pm"]


async def test_a_correction_asked_for_twice_is_one_text_and_the_same_words_may_come_back_later(bench: Bench) -> None:
    root = await bench.open_thread()
    ts = await bench.reply("At 5pm", root)
    await bench.settle()
    for words in ("At 6pm", "At 7pm", "At 6pm"):
        await bench.slack.edit(bench.alice, CHANNEL, ts, words)
        await bench.settle()
        line = bench.whispers("still has the original")[-1]
        action = find_button(line, "Send correction")["action_id"]
        await asyncio.gather(*[bench.slack.click(bench.alice, CHANNEL, line["ts"], action) for _ in range(2)])
        await bench.settle()

    assert bench.phone() == ["At 5pm", "At 6pm", "At 7pm", "At 6pm"]


async def test_a_reply_to_somebody_who_texts_from_a_name_is_not_sent_and_its_author_told(bench: Bench) -> None:
    await bench.text_in("Sale!", from_="ACME")
    await bench.settle()
    (card,) = bench.slack.messages(CHANNEL)
    ts = await bench.reply("Thanks", card["ts"])
    await bench.settle()

    assert "cannot be texted back" in str(card["blocks"])
    assert bench.marks(ts) == {"no_entry"}
    assert bench.whispers("ACME is a sender name")
    assert bench.send_requests == []


async def test_a_later_deletion_tells_its_author_privately(bench: Bench) -> None:
    root = await bench.open_thread()
    ts = await bench.reply("Oops", root)
    await bench.settle()
    await bench.slack.delete(bench.alice, CHANNEL, ts)
    await bench.settle()

    assert bench.whispers("still has the original")
    assert bench.phone() == ["Oops"]


async def test_a_link_that_unfolds_is_no_edit(bench: Bench) -> None:
    root = await bench.open_thread()
    ts = await bench.reply("See https://example.com/x", root)
    await bench.settle()
    await bench.slack.unfurl(CHANNEL, ts)
    await bench.settle()

    assert bench.slack.ephemerals(bench.alice) == []
    assert len(bench.phone()) == 1


# ---------------------------------------------------------------------------------------------------------- modes


async def test_in_prefix_mode_only_what_begins_with_sms_is_sent() -> None:
    async with open_bench(thread_mode="prefix") as bench:
        root = await bench.open_thread()
        note = await bench.reply("What do we tell them?", root)
        for words in ("sms: It is ready", "SMS : Come by", "*sms:* Bold"):
            await bench.reply(words, root)
        await bench.settle()

        assert bench.phone() == ["It is ready", "Come by", "Bold"]
        assert bench.marks(note) == {"memo"}


async def test_in_prefix_mode_sms_alone_is_not_sent() -> None:
    async with open_bench(thread_mode="prefix") as bench:
        root = await bench.open_thread()
        ts = await bench.reply("sms:", root)
        await bench.settle()

        assert bench.send_requests == []
        assert bench.marks(ts) == {"no_entry"}


async def test_in_confirm_mode_nothing_goes_out_before_its_author_says_so() -> None:
    async with open_bench(thread_mode="confirm") as bench:
        root = await bench.open_thread()
        first, second = await bench.reply("To them", root), await bench.reply("Among us", root)
        await bench.pass_time(timedelta(hours=1))
        assert bench.send_requests == []
        ask_first, ask_second = bench.whispers("Send this")
        assert list_buttons(ask_first) == ["Send", "Keep as note"]

        await bench.click(ask_first, "Send")
        await bench.click(ask_second, "Keep as note")

        assert bench.phone() == ["To them"]
        assert (bench.marks(first), bench.marks(second)) == ({"white_check_mark"}, {"memo"})
        assert bench.whispers("Send this") == []  # each question gave way to its answer


async def test_in_confirm_mode_what_was_edited_meanwhile_is_what_goes_out() -> None:
    async with open_bench(thread_mode="confirm") as bench:
        root = await bench.open_thread()
        ts = await bench.reply("Helo", root)
        await bench.settle()
        await bench.slack.edit(bench.alice, CHANNEL, ts, "Hello")
        await bench.settle()

        await bench.click(bench.whispers("Send this")[-1], "Send")

        assert bench.phone() == ["Hello"]


# ---------------------------------------------------------------------------------------------------- quiet hours


async def test_in_quiet_hours_a_reply_waits_for_the_recipients_morning() -> None:
    """It is seven in the morning where they are, and nine where the teammate is."""
    async with open_bench(quiet_hours="21:00-08:00") as bench:
        root = await bench.open_thread()
        ts = await bench.reply("Good morning", root)
        await bench.pass_time(timedelta(seconds=10))

        assert bench.marks(ts) == {"hourglass_flowing_sand"}
        (line,) = bench.whispers("waits until")
        assert "08:00 on Friday" in line["text"]
        await bench.pass_time(timedelta(minutes=58))
        assert bench.phone() == []
        await bench.pass_time(timedelta(minutes=3))
        assert bench.phone() == ["Good morning"]
        assert bench.marks(ts) == {"white_check_mark"}


async def test_send_now_lifts_the_quiet_hours_for_one_text() -> None:
    async with open_bench(quiet_hours="21:00-08:00") as bench:
        root = await bench.open_thread()
        await bench.reply("Urgent", root)
        await bench.settle()
        await bench.click(bench.whispers("waits until")[0], "Send now")

        assert bench.phone() == ["Urgent"]


async def test_commands_wait_for_the_morning_too() -> None:
    async with open_bench(quiet_hours="21:00-08:00") as bench:
        answer = await bench.command("/sms", "4155550101 Good morning")
        await bench.settle()
        assert "Waiting for the end of the quiet hours of (415) 555-0101" in answer
        assert "On its way" not in answer
        assert bench.phone() == []
        assert bench.whispers("waits until")

        await bench.pass_time(timedelta(hours=2))
        assert bench.phone() == ["Good morning"]


async def test_nobody_waits_by_day() -> None:
    async with open_bench(quiet_hours="21:00-08:00") as bench:
        root = await bench.open_thread(from_="+12125550101")  # ten in the morning in New York
        await bench.reply("Hello", root)
        await bench.settle()

        assert bench.phone("+12125550101") == ["Hello"]


# --------------------------------------------------------------------------------------------------- not sendable


async def test_a_text_of_more_than_ten_parts_is_not_sent_and_its_author_is_told_the_numbers(bench: Bench) -> None:
    root = await bench.open_thread()
    ts = await bench.reply("x" * 1600, root)
    await bench.settle()

    assert bench.send_requests == []
    assert bench.marks(ts) == {"no_entry"}
    (line,) = bench.whispers("Not sent")
    assert "11 parts" in line["text"]


async def test_a_text_that_a_phone_cannot_show_is_not_sent(bench: Bench) -> None:
    bench.slack.add_emoji("parrot", "https://example.com/parrot.gif")
    root = await bench.open_thread()
    ts = await bench.reply("   ", root, blocks=[])
    await bench.settle()

    assert bench.send_requests == []
    assert bench.marks(ts) == {"no_entry"}


async def test_what_is_typed_in_slack_arrives_as_plain_words(bench: Bench) -> None:
    root = await bench.open_thread()
    bob = bench.slack.add_user("bob", "Bob Ray")
    await bench.reply(f"Ask <@{bob}> & see *this* :tada: at https://x.example <3", root)
    await bench.settle()

    (text,) = bench.phone()
    assert text is not None
    assert "bob" in text.lower()
    assert "🎉" in text
    assert "&" in text
    assert "&amp;" not in text
    assert "https://x.example" in text
    assert "<@" not in text


async def test_also_send_to_channel_is_one_text(bench: Bench) -> None:
    root = await bench.open_thread()
    await bench.reply("Hello", root, broadcast=True)
    await bench.settle()

    assert bench.phone() == ["Hello"]


async def test_a_private_line_that_cannot_be_shown_holds_nothing_up(bench: Bench) -> None:
    root = await bench.open_thread()
    bench.fail(bench.slack, FaultKind.REFUSE, "chat.postEphemeral", code="user_not_in_channel", times=1)
    await bench.reply("x" * 1600, root)
    await bench.reply("Short", root)
    await bench.settle()

    assert bench.phone() == ["Short"]


# -------------------------------------------------------------------------------------------------------- tapbacks


async def test_a_tapback_becomes_a_reaction_on_the_message_that_it_quotes_and_can_be_taken_off(bench: Bench) -> None:
    root = await bench.open_thread("Hello")
    ts = await bench.reply("See you at 5", root)
    await bench.settle()
    await bench.text_in("Liked “See you at 5”")
    await bench.settle()

    assert bench.marks(ts) == {"white_check_mark", "+1"}
    assert len(bench.thread(root)) == 2

    await bench.text_in("Removed a like from “See you at 5”")
    await bench.settle()
    assert bench.marks(ts) == {"white_check_mark"}
    assert len(bench.thread(root)) == 2


async def test_a_tapback_on_their_own_text_is_put_there(bench: Bench) -> None:
    root = await bench.open_thread("Hello")
    await bench.text_in("I am outside")
    await bench.settle()
    await bench.text_in("Loved “I am outside”")
    await bench.settle()

    assert bench.marks(bench.slack.thread(CHANNEL, root)[1]["ts"]) == {"heart"}


async def test_a_tapback_that_fits_two_messages_stays_text(bench: Bench) -> None:
    root = await bench.open_thread("Hello")
    for _ in range(2):
        await bench.reply("See you", root)
    await bench.settle()
    await bench.text_in("Liked “See you”")
    await bench.settle()

    assert bench.thread(root)[-1] == "Liked “See you”"


async def test_a_tapback_that_fits_nothing_stays_text(bench: Bench) -> None:
    root = await bench.open_thread("Hello")
    await bench.text_in("Liked “What nobody said”")
    await bench.settle()

    assert bench.thread(root)[-1] == "Liked “What nobody said”"


async def test_a_tapback_that_quotes_a_note_stays_text(bench: Bench) -> None:
    root = await bench.open_thread("Hello")
    await bench.reply("note: difficult", root)
    await bench.settle()
    await bench.text_in("Liked “note: difficult”")
    await bench.settle()

    assert bench.thread(root)[-1] == "Liked “note: difficult”"
