"""Jobs that change nothing outside the database begin before their claim is on disk; all others wait for it."""

from __future__ import annotations

import asyncio
import sqlite3
from datetime import timedelta

import pytest

from bot.domain.job import INSIDE, Job, Pool
from tests.storage.rig import Rig
from tests.storage.samples import make_job
from tests.workers.worker_bench import Bench, until

_CLAIMED = "SELECT COUNT(*) FROM jobs WHERE status = 'running'"


def open_bench(rig: Rig, pool: Pool) -> Bench:
    return Bench(rig, limit=8, pool=pool)


def test_only_what_the_carrier_sent_is_done_without_touching_anything_outside() -> None:
    assert {Pool.CARRIER_IN} == INSIDE


@pytest.mark.parametrize(("pool", "seen_on_disk"), [(Pool.CARRIER_IN, 0), (Pool.POST, 3), (Pool.SEND, 3)])
async def test_whose_work_is_seen_outside_begins_when_its_claim_is_on_disk(
    rig: Rig, pool: Pool, seen_on_disk: int
) -> None:
    bench = open_bench(rig, pool)
    looks: list[int] = []

    async def look(job: Job) -> None:
        ((claimed,),) = rig.look(_CLAIMED)
        looks.append(claimed)
        await bench.finish(job)

    bench.flow = look
    await bench.add(*(make_job(key, pool=pool) for key in "abc"))
    async with bench.running():
        await until(lambda: bench.count("done") == 3)
    assert looks == [seen_on_disk] * 3


async def test_a_claim_and_what_is_done_of_it_share_a_commit(rig: Rig) -> None:
    bench = open_bench(rig, Pool.CARRIER_IN)
    await bench.add(*(make_job(key, pool=Pool.CARRIER_IN) for key in "abc"))
    commits: list[str] = []
    await rig.database._writer.set_trace_callback(lambda sql: commits.append(sql) if sql == "COMMIT" else None)
    async with bench.running():
        await until(lambda: bench.count("done") == 3)
    assert len(commits) == 1


async def test_when_the_claim_cannot_be_stored_what_was_done_of_it_is_not_either_and_is_done_once_later(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = open_bench(rig, Pool.CARRIER_IN)
    writer, left = rig.database._writer, [2]
    commit = writer.commit

    async def fail_twice() -> None:
        if left[0]:
            left[0] -= 1
            raise sqlite3.OperationalError("disk I/O error")
        await commit()

    await bench.add(*(make_job(key, pool=Pool.CARRIER_IN) for key in "abc"))
    monkeypatch.setattr(writer, "commit", fail_twice)
    async with bench.running():
        await until(lambda: len(bench.seen) == 3 and bool(rig.clock._sleepers) and not bench.worker._running)
        assert [bench.status(key) for key in "abc"] == ["ready"] * 3
        assert rig.look("SELECT attempts FROM jobs") == [(0,)] * 3, "a claim that was not stored was no attempt"
        while bench.count("done") < 3:
            await rig.clock.advance(timedelta(seconds=1))
            await asyncio.sleep(0)
    assert [bench.status(key) for key in "abc"] == ["done"] * 3
    assert rig.look("SELECT attempts FROM jobs") == [(1,)] * 3
