"""Who the Home tab says is waiting for an answer, and since when."""

from __future__ import annotations

import pytest

from bot.sandbox.telnyx_sim import Outcome, OutcomeKind
from tests.bridge.harness import ANA, BEN, Bench


async def read_home(bench: Bench) -> str:
    """Return what Alice sees on her Home tab."""
    await bench.settle()
    await bench.slack.open_home(bench.alice)
    await bench.settle()
    return str(bench.slack.home(bench.alice))


async def test_who_wrote_last_waits_since_a_moment_by_the_readers_own_clock(bench: Bench) -> None:
    await bench.open_thread("Hello?")

    assert "*(415) 555-0101* since Fri 20 Nov 2026, 9:00 AM CST" in await read_home(bench)


async def test_who_was_answered_waits_no_more_and_a_note_is_no_answer(bench: Bench) -> None:
    root = await bench.open_thread("Hello?")
    await bench.reply("note: call her", root)
    assert "555-0101" in await read_home(bench)

    await bench.reply("Hello!", root)
    assert "Nobody waits" in await read_home(bench)


@pytest.mark.parametrize(
    "outcome",
    [
        Outcome(kind=OutcomeKind.REFUSED, code="40312", http_status=403),
        Outcome(kind=OutcomeKind.DELIVERY_FAILED, code="40008"),
    ],
    ids=lambda outcome: outcome.kind,
)
async def test_whom_no_answer_reached_still_waits(outcome: Outcome, bench: Bench) -> None:
    root = await bench.open_thread("Hello?")
    bench.telnyx.set_outcome(ANA, outcome)
    ts = await bench.reply("Hello!", root)
    await bench.settle()
    assert bench.marks(ts) == {"x"}

    assert "555-0101" in await read_home(bench)


async def test_who_may_not_be_texted_waits_for_nothing(bench: Bench) -> None:
    await bench.open_thread("STOP")
    await bench.text_in("Hello?", from_=BEN)
    assert "555-0102" in await read_home(bench)
    assert "555-0101" not in await read_home(bench)

    await bench.command("/optouts", f"add {BEN} asked on the phone")
    assert "Nobody waits" in await read_home(bench)
