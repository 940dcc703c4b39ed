"""What people see in a thread: the card, whom it names, and what is shown in the channel as well."""

from __future__ import annotations

import json
from datetime import timedelta

from bot.sandbox.telnyx_sim import CcStyle
from tests.bridge.harness import ANA, BEN, CAT, CHANNEL, OURS, OURS_TOO, Bench, open_bench, read_words


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
