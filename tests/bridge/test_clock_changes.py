"""The machine's clock is set, forth or back, while everything is under way: nothing is lost, late or done twice."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.sandbox.faults import FaultKind
from bot.sandbox.telnyx_sim import Outcome, OutcomeKind
from tests.bridge.harness import ANA, Bench, open_bench

HOUR = timedelta(hours=1)
JUMPS = pytest.mark.parametrize("jump", [HOUR, -HOUR, timedelta(days=30), -timedelta(days=30)], ids=str)


@JUMPS
async def test_texts_and_replies_go_on_when_the_clock_was_set(bench: Bench, jump: timedelta) -> None:
    root = await bench.open_thread()
    await bench.text_in("Before")
    bench.clock.set_by(jump)
    await bench.text_in("After")
    await bench.settle()
    ts = await bench.reply("Hi", root)
    await bench.wait_mark(ts, "white_check_mark")

    assert bench.thread(root)[1:3] == ["Before", "After"]
    assert bench.phone(ANA) == ["Hi"]


@JUMPS
async def test_what_is_to_be_tried_again_in_a_moment_is_tried_in_a_moment(bench: Bench, jump: timedelta) -> None:
    root = await bench.open_thread()
    bench.fail(bench.slack, FaultKind.RATE_LIMIT, "chat.postMessage", times=1, retry_after=20)
    await bench.text_in("Waiting")
    await bench.settle()
    bench.clock.set_by(jump)
    bench.clock.set_rate(10)
    await bench.wait_until(lambda: len(bench.thread(root)) == 2, 6)


@JUMPS
async def test_a_call_that_is_under_way_keeps_its_lease(bench: Bench, jump: timedelta) -> None:
    root = await bench.open_thread()
    bench.fail(bench.slack, FaultKind.SLOW, "chat.postMessage", times=1, seconds=1.5)
    await bench.text_in("Slow")
    await bench.wait_until(lambda: bench.query("SELECT 1 FROM jobs WHERE kind = 'post_text' AND status = 'running'"))
    bench.clock.set_by(jump)
    bench.clock.set_rate(20)
    await bench.wait_until(lambda: len(bench.thread(root)) == 2)
    await bench.finish()

    assert bench.thread(root)[1:] == ["Slow"]
    assert bench.slack.count_calls()["chat.postMessage"] == 2


@pytest.mark.parametrize("jump", [HOUR, -HOUR, -timedelta(days=30)], ids=str)
@pytest.mark.parametrize("is_down", [False, True], ids=["", "while the program was down"])
async def test_a_send_of_which_nobody_knows_is_settled_as_soon_as_ever_when_the_clock_was_set(
    bench: Bench, jump: timedelta, *, is_down: bool
) -> None:
    root = await bench.open_thread()
    bench.telnyx.set_outcome(ANA, Outcome(kind=OutcomeKind.SILENT, times=1))
    bench.fail(bench.telnyx, FaultKind.DROP_ANSWER, "POST /messages", times=1)
    ts = await bench.reply("Hi", root)
    await bench.wait_until(lambda: bench.send_requests)
    await bench.settle()
    if is_down:
        await bench.crash()
    bench.clock.set_by(jump)
    if is_down:
        await bench.start()
    bench.clock.set_rate(10)
    await bench.wait_until(lambda: len(bench.send_requests) == 2, 6)
    await bench.settle()

    assert bench.phone(ANA) == ["Hi"]
    assert len({request.headers["Idempotency-Key"] for request in bench.send_requests}) == 1
    assert bench.marks(ts) != {"warning"}


async def test_after_days_of_sleep_a_send_of_which_nobody_knows_is_not_repeated_under_a_key_that_is_forgotten(
    bench: Bench,
) -> None:
    """The clock of a machine that sleeps goes on, and nothing tells that from one that was set."""
    root = await bench.open_thread()
    bench.telnyx.set_outcome(ANA, Outcome(kind=OutcomeKind.SILENT, times=1))
    bench.fail(bench.telnyx, FaultKind.DROP_ANSWER, "POST /messages", times=1)
    ts = await bench.reply("Hi", root)
    await bench.wait_until(lambda: bench.send_requests)
    await bench.settle()
    bench.clock.set_by(timedelta(days=2))
    await bench.wait_until(bench.works.clock_changes.follow)
    bench.clock.set_rate(10)
    await bench.wait_mark(ts, "warning")
    await bench.pass_time(timedelta(minutes=2))

    assert len(bench.send_requests) == 1


async def test_a_clock_that_went_back_while_the_program_was_down_holds_nothing_up(bench: Bench) -> None:
    root = await bench.open_thread()
    bench.fail(bench.slack, FaultKind.RATE_LIMIT, "chat.postMessage", times=1, retry_after=5)
    await bench.text_in("Waiting")
    await bench.settle()
    await bench.crash()
    bench.clock.set_by(-HOUR)
    await bench.start()
    bench.clock.set_rate(10)

    await bench.wait_until(lambda: len(bench.thread(root)) == 2, 6)


@pytest.mark.parametrize("jump", [HOUR, -HOUR], ids=str)
async def test_a_reply_is_held_no_longer_when_the_clock_was_set(jump: timedelta) -> None:
    async with open_bench(send_hold_seconds=600) as bench:
        root = await bench.open_thread()
        await bench.reply("Hi", root)
        await bench.settle()
        bench.clock.set_by(jump)
        await bench.pass_time(timedelta(minutes=2))
        bench.clock.set_rate(200)
        await bench.wait_until(lambda: bench.phone(ANA) == ["Hi"], 6)


async def test_a_scheduled_text_keeps_its_time_of_day_when_the_clock_is_set(bench: Bench) -> None:
    await bench.command("/schedule", f"{ANA} in 3 minutes See you")
    await bench.settle()
    bench.clock.set_by(timedelta(hours=-1))
    await bench.pass_time(timedelta(minutes=10))
    early = list(bench.phone(ANA))
    await bench.pass_time(timedelta(minutes=56))

    assert (early, bench.phone(ANA)) == ([], ["See you"])
