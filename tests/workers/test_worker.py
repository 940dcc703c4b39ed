"""Workers on a real queue: what becomes of a job, however the work at it ends."""

from __future__ import annotations

import asyncio
import gc
import weakref
from contextlib import suppress
from datetime import timedelta

import pytest

from bot.domain.job import LEASE, MOST_SURPRISES, Job, Kind, Pool, choose_wait
from bot.errors import Broken, ChannelUnusable, NotAllowed, NotStored, OutcomeUnknown, RetryLater
from bot.workers.worker import MOST_AT_ONCE, MOST_IN_A_TURN
from tests.storage.rig import Rig, locked_by_another
from tests.storage.samples import make_job
from tests.workers.worker_bench import Bench, hold, until


@pytest.fixture
def bench(rig: Rig) -> Bench:
    return Bench(rig)


# ------------------------------------------------------------------------------------------------ how an attempt ends


async def test_what_is_done_is_done_once(bench: Bench) -> None:
    await bench.add(make_job("a"), make_job("b"))
    assert await bench.worker.drain() == 2
    assert await bench.worker.drain() == 0
    assert [job.key for job in bench.seen] == ["a", "b"]
    assert (bench.status("a"), bench.count("done")) == ("done", 2)


async def test_draining_does_what_comes_of_the_work_too(bench: Bench) -> None:
    async def flow(job: Job) -> None:
        async with bench.rig.store.transaction("finish") as kept:
            await kept.queue.finish(job)
            if job.key == "a":
                await kept.queue.enqueue(make_job("b"))

    bench.flow = flow
    await bench.add(make_job("a"))
    assert await bench.worker.drain() == 2


async def test_nothing_happened_means_again_after_a_growing_wait_and_settled(bench: Bench) -> None:
    bench.fail(RetryLater("busy"))
    await bench.add(make_job("a"))
    waits = []
    for attempt in range(1, 6):
        assert await bench.worker.drain() == 1
        wait = await bench.wait_of_next()
        assert choose_wait(attempt, 0) <= wait <= choose_wait(attempt, 1)
        waits.append(wait)
        await bench.rig.clock.advance(wait)
    assert waits == sorted(waits)
    assert [job.attempts for job in bench.seen] == [1, 2, 3, 4, 5]
    assert not any(job.unsettled or job.surprises for job in bench.seen)
    assert bench.count("retry") == 5


class Kept:
    """What a call had in its hands when it failed."""


def fail_in_a_circle(kept: list[weakref.ref[Kept]]) -> None:
    """Fail as libraries do that keep the error at hand: it knows the call, and the call knows it."""
    held = Kept()
    kept.append(weakref.ref(held))
    refused = ConnectionRefusedError()
    try:
        raise refused
    except ConnectionRefusedError as error:
        judged = RetryLater("refused")
        raise judged from error


async def test_a_failed_attempt_lets_go_of_all_it_held_and_leaves_nothing_for_the_collector(bench: Bench) -> None:
    kept: list[weakref.ref[Kept]] = []

    async def flow(_job: Job) -> None:
        fail_in_a_circle(kept)

    bench.flow = flow
    await bench.add(make_job("a"))
    gc.disable()
    try:
        await bench.worker.drain()
        assert [each() for each in kept] == [None]
    finally:
        gc.enable()


async def test_a_wait_that_was_asked_for_is_kept_to(bench: Bench) -> None:
    bench.fail(RetryLater("429", after=timedelta(seconds=17)))
    await bench.add(make_job("a"))
    await bench.worker.drain()
    assert timedelta(seconds=17) <= await bench.wait_of_next() < timedelta(seconds=18)


@pytest.mark.parametrize("after", [timedelta(0), timedelta(seconds=-5)])
async def test_being_asked_for_no_wait_at_all_does_not_make_it_run_hot(bench: Bench, after: timedelta) -> None:
    bench.fail(RetryLater("429", after=after))
    await bench.add(make_job("a"))
    assert await asyncio.wait_for(bench.worker.drain(), 10) == 1
    assert await bench.wait_of_next() > timedelta(0)


@pytest.mark.parametrize(
    ("error", "outcome"), [(OutcomeUnknown("no answer"), "unknown"), (NotStored("locked"), "not_stored")]
)
async def test_what_may_have_happened_is_told_to_the_next_attempt(bench: Bench, error: Exception, outcome: str) -> None:
    began_at = bench.rig.clock.now()
    bench.fail(error)
    await bench.add(make_job("a"))
    await bench.worker.drain()
    assert bench.count(outcome) == 1
    await bench.rig.clock.advance(await bench.wait_of_next())
    bench.flow = bench.finish
    await bench.worker.drain()
    assert [(job.unsettled, job.started_at) for job in bench.seen] == [(False, began_at), (True, began_at)]
    assert bench.status() == "done"


@pytest.mark.parametrize(
    "error",
    [Broken("defect"), NotAllowed("no"), ChannelUnusable(method="chat.postMessage", error="is_archived")],
)
async def test_what_no_repetition_mends_is_parked_and_the_next_of_its_lane_passes(
    bench: Bench, error: Exception
) -> None:
    async def flow(job: Job) -> None:
        if job.key == "a":
            raise error
        await bench.finish(job)

    bench.flow = flow
    await bench.add(make_job("a", lane="ana"), make_job("b", lane="ana"))
    await bench.worker.drain()
    assert (bench.status("a"), bench.status("b")) == ("parked", "done")
    assert bench.count("parked") == 1


async def test_a_defect_is_tried_again_unsettled_a_few_times_and_then_parked(bench: Bench) -> None:
    bench.fail(ZeroDivisionError("Ana owes 17 dollars"))
    await bench.add(make_job("a"))
    for _ in range(MOST_SURPRISES + 3):
        await bench.worker.drain()
        await bench.rig.clock.advance(timedelta(minutes=1))
    assert bench.status() == "parked"
    assert [job.surprises for job in bench.seen] == list(range(MOST_SURPRISES))
    assert [job.unsettled for job in bench.seen] == [False] + [True] * (MOST_SURPRISES - 1)
    assert bench.rig.look("SELECT trouble FROM jobs") == [("ZeroDivisionError",)]  # the kind, not what it quotes


async def test_ordinary_trouble_is_never_given_up(bench: Bench) -> None:
    bench.fail(RetryLater("Slack is down for a day"))
    await bench.add(make_job("a"))
    for _ in range(MOST_SURPRISES * 3):
        await bench.worker.drain()
        await bench.rig.clock.advance(timedelta(minutes=1))
    assert (bench.status(), len(bench.seen)) == ("ready", MOST_SURPRISES * 3)


async def test_a_kind_that_nobody_knows_is_parked_in_the_end_and_stops_no_other(bench: Bench) -> None:
    await bench.add(make_job("a", kind=Kind.REACT), make_job("b"))
    for _ in range(MOST_SURPRISES):
        await bench.worker.drain()
        await bench.rig.clock.advance(timedelta(minutes=1))
    assert (bench.status("a"), bench.status("b")) == ("parked", "done")


async def test_a_job_taken_over_meanwhile_is_left_to_whoever_has_it(bench: Bench) -> None:
    async def lose(job: Job) -> None:
        if not job.unsettled:
            await bench.rig.clock.advance(LEASE + timedelta(seconds=1))
            await bench.rig.workbench.sweep(everything=False)
        await bench.finish(job)

    bench.flow = lose
    await bench.add(make_job("a"))
    await bench.worker.drain()
    assert bench.count("lease_lost") == 1
    assert [job.unsettled for job in bench.seen] == [False, True]
    assert bench.status() == "done"


async def test_a_failure_of_a_job_taken_over_meanwhile_does_not_touch_it(bench: Bench) -> None:
    claimed: list[Job] = []

    async def lose(job: Job) -> None:
        await bench.rig.workbench.sweep(everything=True)
        claimed.extend(await bench.rig.workbench.claim(Pool.POST, 1))
        raise Broken("too late to say so")

    bench.flow = lose
    await bench.add(make_job("a"))
    await bench.worker.drain()
    assert (bench.status(), bench.count("lease_lost")) == ("running", 1)
    await bench.finish(claimed[0])


async def test_a_result_that_cannot_be_written_is_taken_up_again_when_the_lease_ends(bench: Bench) -> None:
    await bench.add(make_job("a"))
    (job,) = await bench.rig.workbench.claim(Pool.POST, 1)
    bench.fail(OutcomeUnknown("no answer"))
    async with locked_by_another(bench.rig.database.path):
        await bench.worker._work(job)  # neither the result nor that there is none can be written
    assert (bench.status(), bench.count("not_written")) == ("running", 1)

    bench.flow = bench.finish
    await bench.rig.clock.advance(LEASE + timedelta(seconds=1))
    assert await bench.rig.workbench.sweep(everything=False) == 1
    await bench.worker.drain()
    assert bench.seen[-1].unsettled
    assert bench.status() == "done"


# ------------------------------------------------------------------------------------------------------- running


async def test_a_running_worker_is_woken_by_the_bell_and_by_the_clock(bench: Bench) -> None:
    async with bench.running():
        await bench.add(make_job("now"))
        await until(lambda: bench.count("done") == 1)
        await bench.add(make_job("later", due_at=bench.rig.clock.now() + timedelta(hours=1)))
        await until(lambda: bool(bench.rig.clock._sleepers))
        assert bench.count("done") == 1
        await bench.rig.clock.advance(timedelta(hours=1))
        await until(lambda: bench.count("done") == 2)


async def test_never_more_than_the_limit_are_under_way_and_all_get_done(rig: Rig) -> None:
    bench = Bench(rig, limit=3)
    under_way = most = 0

    async def flow(job: Job) -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        for _ in range(3):
            await asyncio.sleep(0)
        await bench.finish(job)
        under_way -= 1

    bench.flow = flow
    await bench.add(*(make_job(str(number)) for number in range(20)))
    async with bench.running():
        await until(lambda: bench.count("done") == 20)
    assert most == 3


async def test_a_full_worker_claims_no_more_than_it_can_do(rig: Rig) -> None:
    bench = Bench(rig, limit=2)
    go_on, bench.flow = hold(bench)
    await bench.add(*(make_job(str(number)) for number in range(5)))
    async with bench.running():
        await until(lambda: len(bench.seen) == 2)
        for _ in range(100):
            await asyncio.sleep(0)
        assert rig.look("SELECT COUNT(*) FROM jobs WHERE status = 'running'") == [(2,)]
        go_on.set()
        await until(lambda: bench.count("done") == 5)


async def test_what_is_claimed_together_begins_a_few_at_a_time_and_shares_few_commits(rig: Rig) -> None:
    bench = Bench(rig, limit=1_000)
    begun: list[int] = []  # in each turn of the loop
    commits: list[str] = []

    async def count_turns() -> None:
        while True:
            begun.append(len(bench.seen) - sum(begun))
            await asyncio.sleep(0)

    await bench.add(*(make_job(str(number)) for number in range(MOST_AT_ONCE + 8)))
    await rig.database._writer.set_trace_callback(lambda sql: commits.append(sql) if sql == "COMMIT" else None)
    counting = asyncio.create_task(count_turns())
    async with bench.running():
        await until(lambda: bench.count("done") == MOST_AT_ONCE + 8)
    counting.cancel()
    await rig.database._writer.set_trace_callback(lambda _: None)

    assert max(begun) <= MOST_IN_A_TURN
    # Two for what is claimed, and some for what is done: not one for each.
    assert len(commits) <= 12


async def test_one_jobs_trouble_does_not_hold_another_up(rig: Rig) -> None:
    bench = Bench(rig, limit=2)
    go_on = asyncio.Event()

    async def flow(job: Job) -> None:
        if job.key == "stuck":
            await go_on.wait()
        await bench.finish(job)

    bench.flow = flow
    await bench.add(make_job("stuck", lane="ana"), *(make_job(str(number), lane="bob") for number in range(5)))
    async with bench.running():
        await until(lambda: bench.count("done") == 5)
        go_on.set()


async def test_a_worker_outlives_a_locked_file(bench: Bench) -> None:
    await bench.add(make_job("a"))
    async with bench.running():
        pass
    async with locked_by_another(bench.rig.database.path):
        task = asyncio.create_task(bench.worker.run())
        await until(lambda: bool(bench.rig.clock._sleepers))
    try:
        await bench.rig.clock.advance(timedelta(seconds=1))
        await until(lambda: bench.count("done") == 1)
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_a_worker_that_cannot_ask_when_the_next_job_is_due_lets_its_work_finish(bench: Bench) -> None:
    go_on, bench.flow = hold(bench)
    await bench.add(make_job("a"))
    asked = 0
    ask = bench.rig.workbench.next_due

    async def refuse_once(pool: Pool) -> object:
        nonlocal asked
        asked += 1
        if asked == 1:
            raise NotStored("the disk coughed")
        return await ask(pool)

    bench.rig.workbench.next_due = refuse_once  # type: ignore[method-assign, assignment]
    async with bench.running() as task:
        await until(lambda: asked > 0)
        await until(lambda: bool(bench.rig.clock._sleepers))
        assert not task.done()
        await bench.rig.clock.advance(timedelta(seconds=1))
        await until(lambda: asked > 1)
        go_on.set()
        await until(lambda: bench.count("done") == 1)


async def test_stopping_lets_work_in_hand_finish_and_takes_up_no_more(rig: Rig) -> None:
    bench = Bench(rig, limit=1)
    go_on, bench.flow = hold(bench)
    await bench.add(make_job("a"), make_job("b"))
    async with bench.running() as task:
        await until(lambda: bool(bench.seen))
        task.cancel()
        await asyncio.sleep(0)
        go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert (bench.status("a"), bench.status("b")) == ("done", "ready")


async def test_work_that_does_not_end_when_told_is_left_to_the_next_process_as_unsettled(bench: Bench) -> None:
    _, bench.flow = hold(bench)
    await bench.add(make_job("a"))
    async with bench.running() as task:
        await until(lambda: bool(bench.seen))
        task.cancel()
        for _ in range(10):  # it now waits for its work to end
            await asyncio.sleep(0)
        assert not task.done()
        task.cancel()  # whoever stops us has no more patience
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not bench.worker._running
    assert bench.status() == "running"

    # The next process.
    assert await bench.rig.workbench.sweep(everything=True) == 1
    bench.flow = bench.finish
    await bench.worker.drain()
    assert [job.unsettled for job in bench.seen] == [False, True]
    assert bench.status() == "done"
