"""Jobs that a worker does together: in one transaction, all or none, and each alone when that goes wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from bot.domain.job import LEASE, Job, Kind, Pool
from bot.errors import Broken, NotStored, RetryLater
from bot.workers.worker import MOST_AT_ONCE, MOST_IN_A_TURN
from tests.storage.rig import Rig, locked_by_another
from tests.storage.samples import make_job
from tests.workers.worker_bench import Bench, until


class JointBench(Bench):
    """A bench whose worker does several jobs together; one of those in *bad* fails, together or alone."""

    def __init__(self, rig: Rig, *, limit: int = MOST_AT_ONCE) -> None:
        self.parts: list[list[str]] = []  #: The keys of each try to do some together.
        self.bad: dict[str, Exception] = {}
        super().__init__(rig, limit=limit, together=self.finish_together)
        self.flow = self.finish_unless_bad

    async def finish_unless_bad(self, job: Job) -> None:
        if job.key in self.bad:
            raise self.bad[job.key]
        await self.finish(job)

    async def finish_together(self, jobs: Sequence[Job]) -> None:
        self.parts.append([job.key for job in jobs])
        async with self.rig.store.transaction("finish together") as kept:
            for job in jobs:
                await kept.facts.set_fact(f"{job.key} was done", "together")
                await kept.queue.finish(job)
                if job.key in self.bad:
                    raise self.bad[job.key]

    def list_alone(self) -> list[str]:
        """Return the keys of those that were tried alone."""
        return [job.key for job in self.seen]

    def list_kept(self) -> list[tuple[object, ...]]:
        """Return what doing some together left in the file."""
        return self.rig.look("SELECT name FROM facts ORDER BY name")


@pytest.fixture
def bench(rig: Rig) -> JointBench:
    return JointBench(rig)


async def test_what_was_claimed_together_is_done_together(bench: JointBench) -> None:
    await bench.add(*(make_job(key) for key in "abc"))
    async with bench.running():
        await until(lambda: bench.count("done") == 3)
    assert (bench.parts, bench.list_alone()) == ([["a", "b", "c"]], [])
    assert [bench.status(key) for key in "abc"] == ["done"] * 3
    assert bench.metrics.job_seconds.labels(bench.KIND).list_buckets()[-1] == ("+Inf", 3)


async def test_one_job_is_done_alone_and_so_is_one_of_a_kind_that_is_not_done_together(bench: JointBench) -> None:
    await bench.add(make_job("a"), make_job("other", kind=Kind.POST_LINE), make_job("b"))
    bench.worker._flows = {**bench.worker._flows, Kind.POST_LINE: bench.finish}
    async with bench.running():
        await until(lambda: [bench.status(key) for key in ("a", "other", "b")] == ["done"] * 3)
    assert (bench.parts, bench.list_alone()) == ([], ["a", "b"])


async def test_a_lane_keeps_its_order_for_only_its_head_is_claimed(bench: JointBench) -> None:
    await bench.add(*(make_job(f"{lane}{number}", lane=lane) for number in range(3) for lane in ("ana", "bob")))
    async with bench.running():
        await until(lambda: bench.count("done") == 6)
    assert bench.parts == [[f"{lane}{number}" for lane in ("ana", "bob")] for number in range(3)]


async def test_no_more_are_done_together_than_may_begin_in_one_turn_of_the_loop(bench: JointBench) -> None:
    await bench.add(*(make_job(f"{number:02}") for number in range(2 * MOST_IN_A_TURN + 3)))
    turns: list[int] = []
    begin = bench.worker._begin

    def count(jobs: Sequence[Job]) -> asyncio.Task[None]:
        turns.append(len(jobs))
        return begin(jobs)

    bench.worker._begin = count  # type: ignore[method-assign]
    assert await bench.worker._claim_and_start() == 2 * MOST_IN_A_TURN + 3
    for turn in range(1, 4):
        await asyncio.sleep(0)
        assert len(turns) == turn
    assert turns == [MOST_IN_A_TURN, MOST_IN_A_TURN, 3]
    await bench.worker.rest()
    assert [len(keys) for keys in bench.parts] == turns
    assert bench.count("done") == 2 * MOST_IN_A_TURN + 3


async def test_those_that_are_done_together_take_a_place_each(rig: Rig) -> None:
    bench = JointBench(rig, limit=5)
    counted = "SELECT status, COUNT(*) FROM jobs GROUP BY status"
    go_on = asyncio.Event()
    finish_together = bench.finish_together

    async def wait(jobs: Sequence[Job]) -> None:
        await go_on.wait()
        await finish_together(jobs)

    bench.worker._joint_flows = {bench.KIND: wait}
    await bench.add(*(make_job(str(number)) for number in range(9)))
    async with bench.running():
        await until(lambda: rig.look(counted) == [("ready", 4), ("running", 5)])
        for _ in range(100):
            await asyncio.sleep(0)
        assert rig.look(counted) == [("ready", 4), ("running", 5)]
        go_on.set()
        await until(lambda: bench.count("done") == 9)
    assert bench.worker._count_taken() == 0


# -------------------------------------------------------------------------------------------- when one of them goes wrong


@pytest.mark.parametrize(
    ("error", "outcome", "status"),
    [
        (Broken("nonsense"), "parked", "parked"),
        (RetryLater("busy"), "retry", "ready"),
        (NotStored("full"), "not_stored", "ready"),
        (ZeroDivisionError(), "surprise", "ready"),
    ],
)
async def test_one_that_goes_wrong_does_not_take_its_neighbours_with_it(
    bench: JointBench, error: Exception, outcome: str, status: str
) -> None:
    bench.bad["b"] = error
    await bench.add(*(make_job(key) for key in "abc"))
    assert await bench.worker.drain() == 3
    assert [bench.status(key) for key in "abc"] == ["done", status, "done"]
    assert (bench.count("done"), bench.count(outcome)) == (2, 1)
    assert (bench.parts, bench.list_alone()) == ([["a", "b", "c"]], ["a", "b", "c"])
    assert bench.list_kept() == [], "what the common transaction had written is taken back"
    assert bench.rig.look("SELECT attempts FROM jobs") == [(1,)] * 3, "to be done together first was no attempt"


async def test_one_whose_claim_was_lost_is_left_to_whoever_has_it_now(bench: JointBench) -> None:
    await bench.add(*(make_job(key) for key in "abc"))
    mine = await bench.rig.workbench.claim(Pool.POST, 3)
    await bench.rig.tell_writer("UPDATE jobs SET token = 'theirs' WHERE key = 'b'")
    await bench.worker._work_some(mine)
    assert [bench.status(key) for key in "abc"] == ["done", "running", "done"]
    assert (bench.count("done"), bench.count("lease_lost")) == (2, 1)
    assert bench.rig.look("SELECT token FROM jobs WHERE key = 'b'") == [("theirs",)]


async def test_while_the_file_is_locked_none_is_done_and_none_is_lost(bench: JointBench) -> None:
    await bench.add(*(make_job(key) for key in "abc"))
    mine = await bench.rig.workbench.claim(Pool.POST, 3)
    async with locked_by_another(bench.rig.database.path):
        await bench.worker._work_some(mine)
    assert bench.count("not_written") == 3
    assert [bench.status(key) for key in "abc"] == ["running"] * 3
    await bench.rig.clock.advance(LEASE * 2)
    assert await bench.rig.workbench.sweep(everything=False) == 3
    assert await bench.worker.drain() == 3
    assert [bench.status(key) for key in "abc"] == ["done"] * 3
    assert bench.parts == [["a", "b", "c"]] * 2


async def test_those_that_are_under_way_when_the_worker_is_killed_are_all_there_again_and_none_is_half_done(
    bench: JointBench,
) -> None:
    reached = asyncio.Event()

    async def stop_half_way(jobs: Sequence[Job]) -> None:
        async with bench.rig.store.transaction("finish together") as kept:
            await kept.facts.set_fact("half", "done")
            await kept.queue.finish(jobs[0])
            reached.set()
            await asyncio.Event().wait()

    bench.worker._joint_flows = {bench.KIND: stop_half_way}
    await bench.add(*(make_job(key) for key in "abc"))
    async with bench.running():
        await asyncio.wait_for(reached.wait(), 10)
        for task in bench.worker._running:
            task.cancel()
        await until(lambda: not bench.worker._running)
    assert ([bench.status(key) for key in "abc"], bench.list_kept()) == (["running"] * 3, [])
    assert bench.seen == [], "whoever was cancelled tries nothing any more"
    assert await bench.rig.workbench.sweep(everything=True) == 3
    bench.worker._joint_flows = {bench.KIND: bench.finish_together}
    assert await bench.worker.drain() == 3
    assert (bench.parts, bench.count("done")) == ([["a", "b", "c"]], 3)
