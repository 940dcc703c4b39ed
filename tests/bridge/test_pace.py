"""What the platforms allow is kept before they have to say so, and nobody waits for another's backlog."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bot.flows.backlog_wording import BACKLOG_BLOCK
from bot.sandbox.faults import FaultKind
from tests.bridge.harness import ANA, BEN, CHANNEL, OURS, Bench, Json, open_bench


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    """Return the bridge with the platforms' limits kept, and a Slack that enforces them."""
    async with open_bench(pacing="documented") as opened:
        opened.slack.limits.enforced = True
        yield opened


def count_refusals(bench: Bench, method: str = "chat.postMessage") -> int:
    """Return how often Slack had to answer 429."""
    return sum(
        1
        for each in bench.journal.exchanges
        if each.target == "slack" and each.operation == method and each.status == 429
    )


async def test_a_burst_of_a_hundred_customers_is_posted_with_hardly_a_429(bench: Bench) -> None:
    for number in range(100):
        await bench.text_in(f"Text {number}", from_=f"+1415555{number:04d}")
    await bench.telnyx.settle()
    bench.clock.set_rate(15)
    await bench.wait_until(lambda: len(bench.slack.messages(CHANNEL)) >= 100, 40)

    posted = Counter(message["text"].rpartition(": ")[2] for message in bench.slack.messages(CHANNEL))
    assert posted == {f"Text {number}": 1 for number in range(100)}
    assert count_refusals(bench) <= 5


async def test_a_customer_with_much_to_say_does_not_hold_another_up(bench: Bench) -> None:
    await bench.open_thread("Hi")
    await bench.open_thread("Hello", from_=BEN)
    for number in range(80):
        await bench.text_in(f"Ana {number} " + "and so on " * 150)  # too long for two to stand in one message
    await bench.telnyx.settle()
    bench.clock.set_rate(10)
    await bench.wait_until(lambda: bench.shown("Ana 5 "))
    bench.clock.set_rate(1)
    await bench.text_in("Ben is short", from_=BEN)
    await bench.telnyx.settle()
    bench.clock.set_rate(10)
    await bench.wait_until(lambda: bench.shown("Ben is short"))

    assert not bench.shown("Ana 79 ")


async def test_marks_wait_for_what_slack_allows_and_all_come(bench: Bench) -> None:
    root = await bench.open_thread("Hi")
    replies = [await bench.reply(f"Reply {number}", root) for number in range(60)]
    await bench.slack.settle()
    bench.clock.set_rate(30)
    for ts in replies:
        await bench.wait_until(lambda ts=ts: bench.marks(ts) == {"white_check_mark"}, 40)

    assert count_refusals(bench, "reactions.add") <= 3


async def test_a_full_queue_at_the_carrier_makes_that_sender_wait_and_nothing_is_lost(bench: Bench) -> None:
    root = await bench.open_thread("Hi")
    bench.fail(bench.telnyx, FaultKind.REFUSE, "POST /messages", times=1, status=429, code="40318")
    bench.clock.set_rate(10)
    ts = await bench.reply("Still there?", root)
    await bench.wait_mark(ts, "white_check_mark")

    assert bench.phone(ANA) == ["Still there?"]
    assert len(bench.send_requests) == 2


@pytest.mark.parametrize(("granted", "at_once"), [("0.1", 1), ("50", 4)])
async def test_a_sender_texts_as_often_as_its_number_is_granted(granted: str, at_once: int) -> None:
    async with open_bench(pacing="documented", send_rates=f"{OURS}={granted}") as bench:
        root = await bench.open_thread("Hi")
        other = await bench.open_thread("Hi", from_=BEN)
        for number in range(2):
            await bench.reply(f"Reply {number}", root)
            await bench.reply(f"Reply {number}", other)
        await bench.settle()
        assert len(bench.send_requests) == at_once
        for _ in range(3):
            await bench.pass_time(timedelta(seconds=10))
        assert bench.phone(ANA) == bench.phone(BEN) == ["Reply 0", "Reply 1"]


async def test_a_reached_spending_limit_is_told_with_what_to_do_and_not_tried_again(bench: Bench) -> None:
    root = await bench.open_thread("Hi")
    bench.telnyx.switches.spend_limit_reached = True
    ts = await bench.reply("Hello", root)
    await bench.wait_mark(ts, "x")
    (line,) = await bench.wait_until(lambda: bench.shown("40333"))

    assert "spending limit" in line["text"]
    assert "raise it" in line["text"]
    assert len(bench.send_requests) == 1


def read_texts(message: Json) -> list[str]:
    """Return each text that stands in a message, as its blocks show it."""
    return [
        "".join(piece["text"] for section in block["elements"] for piece in section["elements"])
        for block in message["blocks"]
        if block["type"] == "rich_text"
    ]


async def test_texts_that_wait_for_one_conversation_are_posted_together_and_the_card_says_how_many(
    bench: Bench,
) -> None:
    root = await bench.open_thread("Hi")
    texts = [f"Text {number} <b>" for number in range(60)]
    for text in texts:
        await bench.text_in(text)
    await bench.telnyx.settle()
    bench.clock.set_rate(10)
    card = await bench.wait_until(lambda: find_line(bench, root))
    await bench.finish()

    _, *posts = bench.slack.thread(CHANNEL, root)
    assert [text for post in posts for text in read_texts(post)] == texts
    assert len(posts) < len(texts) / 2
    assert max(len(read_texts(post)) for post in posts) > 5
    assert "texts are waiting" in card["elements"][0]["text"]
    assert find_line(bench, root) is None
    assert read_texts(bench.slack.message(CHANNEL, root)) == ["Hi"]


def find_line(bench: Bench, root: str) -> Json | None:
    """Return the line of a card that says that texts wait."""
    blocks = bench.slack.message(CHANNEL, root)["blocks"]
    return next((block for block in blocks if block.get("block_id") == BACKLOG_BLOCK), None)


async def test_a_tapback_to_a_text_that_stands_with_others_is_shown_on_their_message(bench: Bench) -> None:
    await bench.open_thread("Hi")
    for number in range(30):
        await bench.text_in(f"Text number {number}")
    await bench.telnyx.settle()
    bench.clock.set_rate(20)
    await bench.finish()
    await bench.text_in("Loved “Text number 17”")
    await bench.finish()

    (shown,) = bench.shown("Text number 17")
    assert "heart" in bench.marks(shown["ts"])


async def test_a_few_texts_in_a_hurry_each_have_a_message_of_their_own(bench: Bench) -> None:
    root = await bench.open_thread("Hi")
    for number in range(14):
        await bench.text_in(f"Text {number}")
    await bench.telnyx.settle()
    bench.clock.set_rate(10)
    await bench.finish()

    assert bench.thread(root)[1:] == [f"Text {number}" for number in range(14)]
