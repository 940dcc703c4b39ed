"""Jobs that are begun where they are made: claimed by their INSERT, and handed over once they are on disk, or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.job import LEASE, Job, NewJob, Pool
from bot.errors import NotStored
from tests.storage.interrupt import interrupt_everywhere
from tests.storage.rig import Rig
from tests.storage.samples import make_job


class Taker:
    """A worker with some places, which notes what it is given, and how that stands in the file just then."""

    def __init__(self, rig: Rig, places: int = 5) -> None:
        self._rig = rig
        self.places = places
        self.taken: list[Job] = []
        self.stood: list[str] = []

    def reserve(self) -> str | None:
        if self.places == 0:
            return None
        self.places -= 1
        return f"token {self.places}"

    def release(self) -> None:
        self.places += 1

    def take(self, job: Job) -> None:
        self.taken.append(job)
        ((status,),) = self._rig.look("SELECT status FROM jobs WHERE key = ?", job.key)
        self.stood.append(status)

    @property
    def keys(self) -> list[str]:
        return [job.key for job in self.taken]


@pytest.fixture
def taker(rig: Rig) -> Taker:
    found = Taker(rig)
    rig.workbench.hand_to(Pool.POST, found)
    return found


async def _add(rig: Rig, *jobs: NewJob, in_hand: object = None) -> list[bool]:
    async with rig.store.transaction("add") as kept:
        return [await kept.queue.enqueue(job, in_hand=in_hand) for job in jobs]


async def test_a_job_is_handed_over_as_a_claim_would_give_it_when_it_is_on_disk(rig: Rig, taker: Taker) -> None:
    async with rig.store.transaction("add") as kept:
        assert await kept.queue.enqueue(make_job("a", lane="ana"), in_hand="the text")
        assert taker.taken == []
    (job,) = taker.taken
    assert taker.stood == ["running"]
    assert job.in_hand == "the text"

    rig.workbench.hand_to(Pool.POST, None)
    await _add(rig, make_job("b", lane="bob"))
    (claimed,) = await rig.workbench.claim(Pool.POST, 5)
    assert replace(job, in_hand=None) == replace(
        claimed, id=job.id, key="a", lane="ana", body="body of a", token=job.token
    )
    async with rig.store.transaction("finish") as kept:
        await kept.queue.finish(job)
    assert rig.look("SELECT status FROM jobs WHERE key = 'a'") == [("done",)]


async def test_what_was_handed_over_and_never_heard_of_again_comes_back_when_its_lease_ends(
    rig: Rig, taker: Taker
) -> None:
    await _add(rig, make_job("a"))
    await rig.clock.advance(LEASE)
    assert await rig.workbench.sweep(everything=False) == 0
    await rig.clock.advance(timedelta(seconds=1))
    assert await rig.workbench.sweep(everything=False) == 1
    (job,) = await rig.workbench.claim(Pool.POST, 5)
    assert (job.unsettled, job.attempts, job.started_at) == (True, 2, taker.taken[0].started_at)


async def test_only_the_first_of_a_lane_is_handed_over_and_the_others_come_up_after_it(rig: Rig, taker: Taker) -> None:
    await _add(rig, make_job("a", lane="ana"), make_job("b", lane="ana"), make_job("c", lane="bob"))
    assert (taker.keys, taker.places) == (["a", "c"], 3)
    assert rig.look("SELECT status FROM jobs ORDER BY id") == [("running",), ("waiting",), ("running",)]
    async with rig.store.transaction("finish") as kept:
        await kept.queue.finish(taker.taken[0])
    assert [job.key for job in await rig.workbench.claim(Pool.POST, 5)] == ["b"]


async def test_a_key_that_was_ever_enqueued_is_not_handed_over_again(rig: Rig, taker: Taker) -> None:
    assert await _add(rig, make_job("a"), make_job("a")) == [True, False]
    assert (taker.keys, taker.places) == (["a"], 4)


async def test_what_is_due_later_or_anothers_waits_to_be_claimed(rig: Rig, taker: Taker) -> None:
    later = rig.clock.now() + timedelta(seconds=1)
    await _add(rig, make_job("later", due_at=later), make_job("other", pool=Pool.SEND))
    assert (taker.taken, taker.places) == ([], 5)
    assert rig.bell.heard == {Pool.POST, Pool.SEND}


async def test_without_a_place_a_job_waits_to_be_claimed(rig: Rig, taker: Taker) -> None:
    taker.places = 1
    await _add(rig, make_job("a"), make_job("b"))
    assert taker.keys == ["a"]
    assert [job.key for job in await rig.workbench.claim(Pool.POST, 5)] == ["b"]
    assert rig.bell.heard == {Pool.POST}


async def test_nothing_is_handed_over_by_a_transaction_that_fails(rig: Rig, taker: Taker) -> None:
    with pytest.raises(KeyError):  # noqa: PT012 - what fails is the block
        async with rig.store.transaction("add") as kept:
            await kept.queue.enqueue(make_job("a"))
            raise KeyError
    assert (taker.taken, taker.places) == ([], 5)


async def test_nothing_is_handed_over_by_a_commit_that_fails(rig: Rig, taker: Taker) -> None:
    async def refuse() -> None:
        raise OSError("the disk is gone")

    commit, rig.database._writer.commit = rig.database._writer.commit, refuse  # type: ignore[method-assign]
    with pytest.raises(NotStored):
        await _add(rig, make_job("a"))
    rig.database._writer.commit = commit  # type: ignore[method-assign]
    assert (taker.taken, taker.places) == ([], 5)
    await _add(rig, make_job("a"))
    assert taker.keys == ["a"]


async def test_wherever_its_maker_is_cancelled_a_job_is_on_disk_and_handed_over_or_neither(
    rig: Rig, taker: Taker
) -> None:
    runs = 0

    async def prepare() -> Callable[[], Coroutine[Any, Any, None]]:
        nonlocal runs
        runs += 1
        taker.taken.clear()
        taker.places = 5

        async def enqueue() -> None:
            async with rig.store.transaction("test") as kept:
                await kept.queue.enqueue(make_job(str(runs)))

        return enqueue

    async for strike, _ in interrupt_everywhere(prepare, twice=True):
        await asyncio.sleep(0)
        stored = [key for (key,) in rig.look("SELECT key FROM jobs WHERE key = ?", str(runs))]
        assert (taker.keys, taker.places) == (stored, 5 - len(stored)), strike
