"""What of a thread goes to the customer, and in which words: by the channel's mode, and only what a phone can show."""

from __future__ import annotations

from datetime import timedelta

from bot.sandbox.faults import FaultKind
from tests.bridge.harness import CHANNEL, Bench, list_buttons, open_bench

# -------------------------------------------------------------------------------------------------------------- modes


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


# -------------------------------------------------------------------------------------------------------------- words


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
