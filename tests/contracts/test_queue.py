"""
What every implementation of `bot.ports.Queue`, `bot.ports.Workbench` and `bot.ports.Inbox` promises.

Each promise once, in its plainest form; `tests/machines` holds SQLite's to all of them at once, in any order.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest

from bot.clock import ManualClock
from bot.domain.job import LEASE, Job, Kind, Pool
from bot.errors import LeaseLost
from bot.ports import Inbox, Store, Workbench
from tests.storage.samples import make_job


async def _enqueue(store: Store, *keys: str, lane: str | None = None, wait: timedelta | None = None) -> None:
    async with store.transaction("test") as kept:
        for key in keys:
            due_at = None if wait is None else _START + wait
            assert await kept.queue.enqueue(make_job(key, lane=lane, due_at=due_at))


_START = ManualClock().now()


async def _claim(workbench: Workbench, limit: int = 10) -> Sequence[Job]:
    return await workbench.claim(Pool.POST, limit)


async def _claim_keys(workbench: Workbench, limit: int = 10) -> list[str]:
    return [job.key for job in await _claim(workbench, limit)]


async def _finish(store: Store, job: Job) -> None:
    async with store.transaction("test") as kept:
        await kept.queue.finish(job)


async def _retry(workbench: Workbench, job: Job, *, unsettled: bool = False, wait: timedelta = timedelta(0)) -> None:
    await workbench.retry(job, due_at=_START + wait, unsettled=unsettled, surprise=False, trouble="none")


async def test_a_key_is_enqueued_once_even_after_it_was_done(store: Store, workbench: Workbench) -> None:
    await _enqueue(store, "a")
    (job,) = await _claim(workbench)
    await _finish(store, job)
    async with store.transaction("test") as kept:
        assert not await kept.queue.enqueue(make_job("a"))
        assert not await kept.queue.note_once("a")
        assert await kept.queue.note_once("noted")
        assert not await kept.queue.note_once("noted")
        assert not await kept.queue.enqueue(make_job("noted"))
    assert await _claim_keys(workbench) == []


async def test_a_claimed_job_says_what_it_is(store: Store, workbench: Workbench, clock: ManualClock) -> None:
    await _enqueue(store, "a", lane="ana")
    await clock.advance(timedelta(seconds=5))
    (job,) = await _claim(workbench)
    assert (job.key, job.body, job.lane, job.pool) == ("a", "body of a", "ana", Pool.POST)
    assert (job.attempts, job.surprises, job.unsettled) == (1, 0, False)
    assert (job.created_at, job.started_at) == (_START, _START + timedelta(seconds=5))
    assert job.token


async def test_a_job_is_claimed_by_one_only_when_it_is_due_oldest_first_within_the_limit(
    store: Store, workbench: Workbench, clock: ManualClock
) -> None:
    await _enqueue(store, "later", wait=timedelta(minutes=1))
    await _enqueue(store, "a", "b", "c")
    claims = await asyncio.gather(*(_claim_keys(workbench, 1) for _ in range(5)))
    assert sorted(key for keys in claims for key in keys) == ["a", "b", "c"]
    assert await workbench.next_due(Pool.POST) == _START + timedelta(minutes=1)
    await clock.advance(timedelta(minutes=1))
    assert await _claim_keys(workbench) == ["later"]
    assert await workbench.next_due(Pool.POST) is None


async def test_another_pools_jobs_are_left_alone(store: Store, workbench: Workbench) -> None:
    await _enqueue(store, "a")
    assert await workbench.claim(Pool.SEND, 5) == []
    assert await workbench.next_due(Pool.SEND) is None


async def test_a_lane_goes_one_by_one_and_holds_no_other_lane_up(store: Store, workbench: Workbench) -> None:
    await _enqueue(store, "a1", "a2", "a3", lane="ana")
    await _enqueue(store, "b1", "b2", lane="bob")
    first = await _claim(workbench)
    assert [job.key for job in first] == ["a1", "b1"]
    assert await _claim_keys(workbench) == []
    await _finish(store, first[0])
    assert await _claim_keys(workbench) == ["a2"]


async def test_a_job_that_is_tried_again_keeps_its_place(
    store: Store, workbench: Workbench, clock: ManualClock
) -> None:
    await _enqueue(store, "a1", "a2", lane="ana")
    (job,) = await _claim(workbench)
    await _retry(workbench, job, wait=timedelta(seconds=10))
    assert await _claim_keys(workbench) == []
    await clock.advance(timedelta(seconds=10))
    (again,) = await _claim(workbench)
    assert (again.key, again.attempts, again.unsettled) == ("a1", 2, False)
    assert again.started_at == _START + timedelta(seconds=10)


async def test_what_may_have_been_done_stays_unsettled_from_its_first_attempt_on(
    store: Store, workbench: Workbench, clock: ManualClock
) -> None:
    await _enqueue(store, "a")
    for number in range(3):
        (job,) = await _claim(workbench)
        assert job.unsettled is (number > 0)
        assert job.started_at == _START
        await clock.advance(timedelta(seconds=1))
        await _retry(workbench, job, unsettled=number == 0)


async def test_surprises_are_counted(store: Store, workbench: Workbench) -> None:
    await _enqueue(store, "a")
    for number in range(3):
        (job,) = await _claim(workbench)
        assert job.surprises == number
        await workbench.retry(job, due_at=_START, unsettled=True, surprise=True, trouble="x")


async def test_a_parked_job_lets_the_next_of_its_lane_pass(store: Store, workbench: Workbench) -> None:
    await _enqueue(store, "a1", "a2", lane="ana")
    (job,) = await _claim(workbench)
    await workbench.park(job, trouble="broken")
    assert await _claim_keys(workbench) == ["a2"]


@pytest.mark.parametrize("lost_by", ["lease", "restart", "finish"])
async def test_whoever_lost_a_job_can_do_nothing_more_for_it(
    store: Store, workbench: Workbench, clock: ManualClock, lost_by: str
) -> None:
    await _enqueue(store, "a", lane="ana")
    (old,) = await _claim(workbench)
    if lost_by == "lease":
        await clock.advance(LEASE)
        assert await workbench.sweep(everything=False) == 0  # not yet
        await clock.advance(timedelta(microseconds=1))
        assert await workbench.sweep(everything=False) == 1
        (new,) = await _claim(workbench)
        assert (new.unsettled, new.started_at, new.attempts) == (True, _START, 2)
    elif lost_by == "restart":
        assert await workbench.sweep(everything=True) == 1
    else:
        await _finish(store, old)

    for attempt in (_finish(store, old), _retry(workbench, old), workbench.park(old, trouble="x")):
        with pytest.raises(LeaseLost):
            await attempt


async def test_a_job_nobody_claimed_can_be_hastened_or_dropped_and_a_claimed_one_cannot(
    store: Store, workbench: Workbench
) -> None:
    await _enqueue(store, "held", wait=timedelta(hours=1))
    await _enqueue(store, "a1", "a2", "a3", lane="ana")
    async with store.transaction("test") as kept:
        assert await kept.queue.hasten("held", _START)
        assert await kept.queue.drop("a1")
        assert await kept.queue.drop("a3")
        assert not await kept.queue.drop("a1")
        assert not await kept.queue.drop("nobody")
        assert not await kept.queue.hasten("nobody", _START)
    assert sorted(await _claim_keys(workbench)) == ["a2", "held"]
    async with store.transaction("test") as kept:
        assert not await kept.queue.hasten("held", _START)
        assert not await kept.queue.drop("held")


async def test_a_lane_is_busy_while_anything_in_it_is_unfinished(store: Store, workbench: Workbench) -> None:
    async def is_busy() -> bool:
        async with store.reading() as kept:
            return await kept.queue.is_busy("ana")

    assert not await is_busy()
    await _enqueue(store, "a1", "a2", lane="ana")
    for _ in range(2):
        assert await is_busy()
        (job,) = await _claim(workbench)
        assert await is_busy()
        await _finish(store, job)
    assert not await is_busy()


async def test_what_comes_of_a_job_is_there_exactly_if_the_job_is_done(store: Store, workbench: Workbench) -> None:
    await _enqueue(store, "a", lane="ana")
    (job,) = await _claim(workbench)
    with pytest.raises(KeyError):  # noqa: PT012 - what fails is the block
        async with store.transaction("test") as kept:
            await kept.queue.finish(job)
            await kept.queue.enqueue(make_job("b", lane="ana"))
            raise KeyError
    async with store.transaction("test") as kept:
        await kept.queue.enqueue(make_job("b", lane="ana"))
        await kept.queue.finish(job)
    assert await _claim_keys(workbench) == ["b"]


async def test_what_is_put_in_the_inbox_is_there_to_be_claimed_once(inbox: Inbox, workbench: Workbench) -> None:
    answers = await asyncio.gather(*(inbox.put(make_job("event")) for _ in range(5)))
    assert sorted(answers) == [False] * 4 + [True]
    await asyncio.wait_for(workbench.wait(Pool.POST), 1)
    assert await _claim_keys(workbench) == ["event"]
    assert not await inbox.put(make_job("event"))


async def test_a_wait_ends_when_a_job_becomes_ready(store: Store, workbench: Workbench) -> None:
    waiting = asyncio.ensure_future(workbench.wait(Pool.POST))
    await asyncio.sleep(0)
    assert not waiting.done()
    await _enqueue(store, "a")
    await asyncio.wait_for(waiting, 1)


async def test_what_an_event_came_with_is_there_after_it_was_read_and_what_we_asked_of_ourselves_is_not(
    store: Store, workbench: Workbench
) -> None:
    async with store.transaction("test") as kept:
        await kept.queue.enqueue(make_job("event", kind=Kind.SLACK_EVENT))
        await kept.queue.enqueue(make_job("ours"))
        assert await kept.queue.find_body("event") == "body of event"
        assert await kept.queue.find_body("nothing") is None
    for job in await _claim(workbench):
        await _finish(store, job)
    async with store.reading() as view:
        assert await view.queue.find_body("event") == "body of event"
        assert await view.queue.find_body("ours") is None
