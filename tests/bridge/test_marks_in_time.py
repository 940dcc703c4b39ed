"""A mark on a reply comes when there is something to tell, and only then."""

from __future__ import annotations

from datetime import timedelta

from bot.sandbox.faults import FaultKind
from tests.bridge.harness import CHANNEL, Bench, open_bench

FAST = 40
SENDING = "POST /messages"


async def test_the_hourglass_comes_after_a_few_seconds_and_goes_when_the_end_is_known(bench: Bench) -> None:
    root = await bench.open_thread()
    bench.fail(bench.telnyx, FaultKind.RATE_LIMIT, SENDING, retry_after=10, times=1)
    ts = await bench.reply("Hello", root)
    await bench.settle()
    assert bench.marks(ts) == set()

    await bench.pass_time(timedelta(seconds=5))
    assert bench.marks(ts) == {"hourglass_flowing_sand"}

    await bench.pass_time(timedelta(seconds=10))
    assert bench.marks(ts) == {"white_check_mark"}


async def test_a_carrier_that_is_down_shows_the_hourglass_and_gets_the_text_when_it_is_back() -> None:
    async with open_bench() as bench:
        root = await bench.open_thread()
        await bench.telnyx.stop()
        ts = await bench.reply("Hello", root)
        await bench.slack.settle()
        bench.clock.set_rate(FAST)
        await bench.wait_mark(ts, "hourglass_flowing_sand")
        port = int(bench.telnyx._inbound.origin.rpartition(":")[2])
        await bench.telnyx.start(port=port)

        await bench.wait_mark(ts, "white_check_mark")
        assert bench.phone() == ["Hello"]


async def test_a_text_that_is_quickly_delivered_never_wears_an_hourglass(bench: Bench) -> None:
    root = await bench.open_thread()
    await bench.reply("Hello", root)
    await bench.pass_time(timedelta(minutes=1))

    names = [call.params["name"] for call in bench.slack.calls if call.method == "reactions.add"]
    assert names == ["white_check_mark"]


async def test_of_a_text_that_is_quickly_delivered_one_mark_is_made_and_nothing_looked_at_later(bench: Bench) -> None:
    root = await bench.open_thread()
    await bench.reply("Hello", root)
    await bench.settle()

    marks = await bench.query("SELECT status FROM jobs WHERE kind = 'show_mark' AND trouble IS NOT 'dropped'")
    assert [row["status"] for row in marks] == ["done"]
    assert not await bench.query("SELECT 1 FROM jobs WHERE status <> 'done'")


async def test_a_mark_that_slack_would_not_take_at_once_comes_later() -> None:
    async with open_bench(rate=FAST) as bench:
        root = await bench.open_thread()
        bench.fail(bench.slack, FaultKind.RATE_LIMIT, "reactions.add", times=1, retry_after=3)
        ts = await bench.reply("Hello", root)

        await bench.wait_mark(ts, "white_check_mark")


async def test_there_is_one_mark_after_a_crash_between_two() -> None:
    async with open_bench(rate=FAST) as bench:
        root = await bench.open_thread()
        bench.fail(bench.telnyx, FaultKind.RATE_LIMIT, SENDING, retry_after=20, times=1)
        bench.fail(bench.slack, FaultKind.DROP_ANSWER, "reactions.add", times=1)
        ts = await bench.reply("Hello", root)
        await bench.wait_until(lambda: bench.marks(ts))
        await bench.restart()
        await bench.finish()

        assert bench.marks(ts) == {"white_check_mark"}


async def test_a_mark_waits_for_a_channel_that_is_archived_for_a_while(bench: Bench) -> None:
    root = await bench.open_thread()
    bench.fail(bench.telnyx, FaultKind.RATE_LIMIT, SENDING, retry_after=10, times=1)
    ts = await bench.reply("Hello", root)
    await bench.pass_time(timedelta(seconds=5))
    assert bench.marks(ts) == {"hourglass_flowing_sand"}
    await bench.slack.archive(bench.alice, CHANNEL)
    await bench.pass_time(timedelta(hours=1))
    assert bench.marks(ts) == {"hourglass_flowing_sand"}
    await bench.slack.unarchive(bench.alice, CHANNEL)

    await bench.pass_time(timedelta(minutes=5))
    assert bench.phone() == ["Hello"]
    assert bench.marks(ts) == {"white_check_mark"}


async def test_a_mark_waits_for_a_scope_that_the_app_has_lost(bench: Bench) -> None:
    root = await bench.open_thread()
    bench.slack.workspace.scopes.discard("reactions:write")
    ts = await bench.reply("Hello", root)
    await bench.pass_time(timedelta(minutes=1))
    assert bench.marks(ts) == set()
    bench.slack.workspace.scopes.add("reactions:write")

    await bench.pass_time(timedelta(seconds=20))
    assert bench.marks(ts) == {"white_check_mark"}


async def test_a_mark_is_given_up_where_the_channel_stays_archived_for_a_day(bench: Bench) -> None:
    root = await bench.open_thread()
    bench.fail(bench.telnyx, FaultKind.RATE_LIMIT, SENDING, retry_after=10, times=1)
    await bench.reply("Hello", root)
    await bench.settle()
    await bench.slack.archive(bench.alice, CHANNEL)
    await bench.pass_time(timedelta(minutes=1))
    unfinished = "SELECT 1 FROM jobs WHERE kind = 'show_mark' AND status <> 'done'"
    assert await bench.query(unfinished)

    await bench.pass_time(timedelta(days=1))
    assert not await bench.query(unfinished)


async def test_a_mark_on_a_message_that_was_deleted_is_not_waited_for(bench: Bench) -> None:
    root = await bench.open_thread()
    bench.fail(bench.slack, FaultKind.REFUSE, "reactions.add", code="message_not_found")
    await bench.reply("Hello", root)
    await bench.pass_time(timedelta(minutes=1))

    assert bench.phone() == ["Hello"]
    assert not await bench.query("SELECT 1 FROM jobs WHERE status <> 'done'")
