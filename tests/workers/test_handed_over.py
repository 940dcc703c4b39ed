"""Workers that are given jobs by the transactions that make them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from bot.domain.job import Job, Pool
from tests.storage.rig import Rig
from tests.storage.samples import make_job
from tests.workers.worker_bench import Bench, hold, until


@pytest.fixture
def bench(rig: Rig) -> Bench:
    return Bench(rig)


async def test_what_is_made_for_a_running_worker_is_begun_without_being_claimed(bench: Bench) -> None:
    claims = 0
    claim = bench.rig.workbench.claim

    async def count(pool: Pool, limit: int, **how: Any) -> Sequence[Job]:
        nonlocal claims
        claims += 1
        return await claim(pool, limit, **how)

    bench.rig.workbench.claim = count  # type: ignore[method-assign]
    async with bench.running():
        await until(lambda: bool(bench.rig.clock._sleepers))
        before = claims
        await bench.add(make_job("a", lane="ana"), make_job("b"))
        await until(lambda: bench.count("done") == 2)
        assert claims == before
        await bench.add(make_job("c", lane="ana"))
        await until(lambda: bench.count("done") == 3)
    assert [job.key for job in bench.seen] == ["a", "b", "c"]


async def test_with_what_is_handed_to_it_a_worker_has_no_more_than_its_limit(rig: Rig) -> None:
    bench = Bench(rig, limit=3)
    go_on, bench.flow = hold(bench)
    async with bench.running():
        await until(lambda: bool(rig.clock._sleepers))
        for number in range(5):
            await bench.add(make_job(str(number)))
        await until(lambda: len(bench.seen) == 3)
        for _ in range(100):
            await asyncio.sleep(0)
        assert rig.look("SELECT status, COUNT(*) FROM jobs GROUP BY status") == [("ready", 2), ("running", 3)]
        go_on.set()
        await until(lambda: bench.count("done") == 5)


async def test_nothing_is_handed_over_before_a_worker_has_found_that_nothing_older_waits(rig: Rig) -> None:
    bench = Bench(rig, limit=5)
    go_on, bench.flow = hold(bench)
    bench.worker.open()
    await bench.add(make_job("a"))
    assert bench.status("a") == "ready"
    assert await bench.worker._claim_and_start() == 1
    await bench.add(make_job("b"))
    assert bench.status("b") == "ready"
    assert await bench.worker._claim_and_start() == 1
    assert await bench.worker._claim_and_start() == 0
    await bench.add(make_job("c"))
    assert bench.status("c") == "running"
    go_on.set()
    await bench.worker.rest()
    assert [job.key for job in bench.seen] == ["a", "b", "c"]
    bench.worker.close()


async def test_a_job_that_is_being_made_when_its_worker_stops_is_still_done(bench: Bench) -> None:
    async with bench.running() as task:
        await until(lambda: bool(bench.rig.clock._sleepers))
        async with bench.rig.store.transaction("add") as kept:
            await kept.queue.enqueue(make_job("a"))
            task.cancel()
            await asyncio.sleep(0)
        with pytest.raises(asyncio.CancelledError):
            await task
    assert bench.status("a") == "done"
    await bench.add(make_job("b"))
    assert bench.status("b") == "ready"
