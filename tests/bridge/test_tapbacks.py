"""`Liked “…”` and its kin become a reaction on the one message that they quote, and otherwise stay what they are: text."""

from __future__ import annotations

import pytest

from bot.sandbox.faults import FaultKind
from tests.bridge.harness import CHANNEL, Bench


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


@pytest.mark.parametrize("word", ["message_not_found", "too_many_reactions", "missing_scope"])
async def test_a_tapback_that_slack_does_not_take_stays_text(bench: Bench, word: str) -> None:
    root = await bench.open_thread("Hello")
    await bench.text_in("I am outside")
    await bench.settle()
    bench.fail(bench.slack, FaultKind.REFUSE, "reactions.add", code=word)
    await bench.text_in("Loved “I am outside”")
    await bench.settle()

    assert bench.thread(root)[1:] == ["I am outside", "Loved “I am outside”"]


async def test_a_tapback_that_quotes_a_note_stays_text(bench: Bench) -> None:
    root = await bench.open_thread("Hello")
    await bench.reply("note: difficult", root)
    await bench.settle()
    await bench.text_in("Liked “note: difficult”")
    await bench.settle()

    assert bench.thread(root)[-1] == "Liked “note: difficult”"
