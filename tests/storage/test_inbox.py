"""Group commit: what arrives together shares one commit, and shares no trouble."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.job import NewJob, Pool
from bot.errors import NotStored
from storage.inbox import GroupedInbox
from storage.rush import FEW, LOOKS, PAUSE
from tests.storage.interrupt import interrupt_everywhere
from tests.storage.rig import Rig, locked_by_another, running
from tests.storage.samples import make_job

_KEYS = "SELECT key FROM jobs ORDER BY key"
#: Half of a surrogate pair cannot be written as UTF-8, so SQLite's driver refuses it.
_BAD = "\ud83d"


def _put_all(rig: Rig, jobs: Sequence[NewJob]) -> list[asyncio.Task[bool]]:
    return [asyncio.create_task(rig.inbox.put(job)) for job in jobs]


@asynccontextmanager
async def _count(rig: Rig, word: str) -> AsyncIterator[list[str]]:
    """Collect the statements that begin with *word* while the block runs."""
    seen: list[str] = []
    await rig.database._writer.set_trace_callback(lambda sql: seen.append(sql) if sql.startswith(word) else None)
    yield seen
    await rig.database._writer.set_trace_callback(lambda _: None)


async def test_the_same_event_five_times_at_once_is_stored_once_and_new_to_one(rig: Rig) -> None:
    async with running(rig.inbox):
        answers = await asyncio.gather(*_put_all(rig, [make_job("event")] * 5))

    assert sorted(answers) == [False, False, False, False, True]
    assert rig.look(_KEYS) == [("event",)]


async def test_an_event_that_was_there_before_is_not_new(rig: Rig) -> None:
    async with running(rig.inbox):
        assert await rig.inbox.put(make_job("event", body="first"))
        assert not await rig.inbox.put(make_job("event", body="second"))

    assert rig.look("SELECT body FROM jobs") == [("first",)]


async def test_what_arrives_while_a_commit_runs_shares_the_next_one(rig: Rig) -> None:
    async with _count(rig, "COMMIT") as commits, running(rig.inbox):
        first = _put_all(rig, [make_job("first")])
        await asyncio.sleep(0)
        await asyncio.sleep(0)  # its commit is under way
        rest = _put_all(rig, [make_job(f"{number:02}") for number in range(50)])
        await asyncio.gather(*first, *rest)

    assert len(rig.look(_KEYS)) == 51
    assert len(commits) == 2


async def test_each_request_is_answered_only_after_its_own_commit(rig: Rig) -> None:
    async def put_and_look(number: int) -> list[tuple[Any, ...]]:
        await rig.inbox.put(make_job(str(number)))
        return rig.look("SELECT key FROM jobs WHERE key = ?", str(number))

    async with running(rig.inbox):
        seen = await asyncio.gather(*(put_and_look(number) for number in range(20)))
    assert seen == [[(str(number),)] for number in range(20)]


async def test_what_arrived_first_stands_first_in_its_lane(rig: Rig) -> None:
    async with running(rig.inbox):
        await asyncio.gather(*_put_all(rig, [make_job(f"{number:02}", lane="from:ana") for number in range(10)]))

    assert rig.look("SELECT key, status FROM jobs ORDER BY id") == [
        ("00", "ready"),
        *((f"{number:02}", "waiting") for number in range(1, 10)),
    ]


async def test_a_row_that_cannot_be_stored_does_not_refuse_its_neighbours(rig: Rig) -> None:
    async with running(rig.inbox):
        puts = _put_all(rig, [make_job("a"), make_job("b", body=_BAD), make_job("c")])
        answers = await asyncio.gather(*puts, return_exceptions=True)

    assert answers[0] is True
    assert isinstance(answers[1], NotStored)
    assert answers[2] is True
    assert rig.look(_KEYS) == [("a",), ("c",)]


async def test_what_was_refused_is_not_quoted_for_the_log(rig: Rig) -> None:
    async with running(rig.inbox):
        with pytest.raises(NotStored) as told:
            await rig.inbox.put(make_job("a", body=f"my name is Ana {_BAD}"))
    assert "Ana" not in told.value.log


async def test_a_locked_file_refuses_all_at_once_instead_of_each_after_its_own_wait(rig: Rig) -> None:
    async with _count(rig, "BEGIN") as begun, running(rig.inbox):
        async with locked_by_another(rig.database.path):
            puts = _put_all(rig, [make_job(str(number)) for number in range(20)])
            answers = await asyncio.gather(*puts, return_exceptions=True)
        assert all(isinstance(answer, NotStored) for answer in answers)
        # SQLite waits seconds for each: one by one, twenty rows would hold the next ones up for minutes.
        assert len(begun) <= 2
        assert await rig.inbox.put(make_job("after"))
    assert rig.look(_KEYS) == [("after",)]


async def test_a_full_disk_is_told_to_every_sender_and_mends_itself(rig: Rig) -> None:
    await rig.tell_writer(f"PRAGMA max_page_count = {(await rig.tell_writer('PRAGMA page_count'))[0][0]}")
    async with running(rig.inbox):
        puts = _put_all(rig, [make_job(str(number), body="x" * 100_000) for number in range(3)])
        answers = await asyncio.gather(*puts, return_exceptions=True)
        assert all(isinstance(answer, NotStored) for answer in answers)
        await rig.tell_writer("PRAGMA max_page_count = 1073741823")
        assert await rig.inbox.put(make_job("0"))
    assert rig.look(_KEYS) == [("0",)]


async def test_a_request_that_goes_away_hurts_no_other(rig: Rig) -> None:
    async with running(rig.inbox):
        puts = _put_all(rig, [make_job(str(number)) for number in range(5)])
        await asyncio.sleep(0)
        puts[2].cancel()
        answers = await asyncio.gather(*puts, return_exceptions=True)
        assert isinstance(answers.pop(2), asyncio.CancelledError)
        assert answers == [True] * 4
        assert await rig.inbox.put(make_job("after"))


async def test_stopping_refuses_what_is_pending_so_that_its_sender_tries_again(rig: Rig) -> None:
    async with running(rig.inbox) as task:
        await asyncio.sleep(0)
        pending = _put_all(rig, [make_job(str(number)) for number in range(3)])
        await asyncio.sleep(0)
        task.cancel()
    answers = await asyncio.gather(*pending, return_exceptions=True)

    assert all(isinstance(answer, NotStored) for answer in answers)
    assert rig.look(_KEYS) == []


async def test_a_request_that_comes_after_the_stop_is_refused_instead_of_waiting_for_ever(rig: Rig) -> None:
    async with running(rig.inbox):
        await asyncio.sleep(0)
    with pytest.raises(NotStored):
        await asyncio.wait_for(rig.inbox.put(make_job("late")), 1)
    async with running(rig.inbox):  # started again, it takes what comes
        await asyncio.sleep(0)
        assert await rig.inbox.put(make_job("later"))


@pytest.mark.parametrize("bodies", [("a", "b", "c"), ("a", _BAD, "c")])
async def test_wherever_it_is_stopped_every_request_is_answered_and_none_is_told_a_lie(
    rig: Rig, bodies: tuple[str, ...]
) -> None:
    runs = 0
    puts: list[asyncio.Task[bool]] = []

    async def stop_once_all_are_answered() -> None:
        work = asyncio.gather(*puts, return_exceptions=True)
        task = asyncio.ensure_future(work)
        await asyncio.wait([task])

    async def prepare() -> Callable[[], Coroutine[Any, Any, None]]:
        nonlocal runs, puts
        runs += 1
        puts = _put_all(rig, [make_job(f"{runs} {number}", body=body) for number, body in enumerate(bodies)])
        await asyncio.sleep(0)

        async def run() -> None:
            waiter = asyncio.ensure_future(stop_once_all_are_answered())
            runner = asyncio.current_task()
            assert runner is not None
            waiter.add_done_callback(lambda _: runner.cancel())
            await rig.inbox.run()

        return run

    async for strike, outcome in interrupt_everywhere(prepare):
        assert isinstance(outcome, asyncio.CancelledError), strike
        for _ in range(3):
            await asyncio.sleep(0)
        assert all(put.done() for put in puts), strike
        stored = {key for (key,) in rig.look("SELECT key FROM jobs WHERE key LIKE ?", f"{runs} %")}
        for number, put in enumerate(puts):
            if put.exception() is None:
                assert put.result(), strike
                assert f"{runs} {number}" in stored, strike
            else:
                assert isinstance(put.exception(), NotStored), strike
        assert rig.writer_is_idle, strike
        if strike.at > 30:  # it struck only after everything was answered
            break


async def test_who_waits_too_long_is_refused_in_time_and_finds_its_key_taken_later(rig: Rig) -> None:
    inbox = GroupedInbox(rig.database, rig.bell, rig.clock, patience_seconds=0.1)
    async with running(inbox):
        async with rig.database.write():
            puts = [asyncio.create_task(inbox.put(make_job(name))) for name in "ab"]
            await asyncio.wait(puts[:1])
            puts.append(asyncio.create_task(inbox.put(make_job("c"))))
            answers = await asyncio.gather(*puts[:2], return_exceptions=True)
            assert [type(answer) for answer in answers] == [NotStored] * 2
            assert not puts[2].done()
        assert await puts[2]
        assert [await inbox.put(make_job(name)) for name in "abcd"] == [False, False, False, True]


async def test_a_crowd_is_written_in_batches_so_that_none_takes_long(rig: Rig) -> None:
    async with _count(rig, "COMMIT") as commits, running(rig.inbox):
        await asyncio.gather(*_put_all(rig, [make_job(f"{number:03}") for number in range(450)]))

    assert len(rig.look(_KEYS)) == 450
    assert len(commits) == 3


async def test_in_a_rush_jobs_are_taken_up_one_by_one_after_some_pauses_and_never_not_at_all(rig: Rig) -> None:
    async with running(rig.inbox):
        await asyncio.gather(*_put_all(rig, [make_job(f"{number:02}") for number in range(60)]))
        claiming = asyncio.create_task(rig.workbench.claim(Pool.POST, 5))
        await asyncio.sleep(0)
        for look in range(LOOKS):
            await rig.clock.advance(PAUSE / 2)
            await asyncio.gather(*_put_all(rig, [make_job(f"{look} {number:02}") for number in range(60)]))
            assert not claiming.done()
            await rig.clock.advance(0.51 * PAUSE)
        assert len(await claiming) == FEW
    await rig.clock.advance(timedelta(seconds=1))  # nobody came any more
    assert len(await rig.workbench.claim(Pool.POST, 5)) == 5


async def test_as_soon_as_a_rush_is_over_as_many_are_taken_up_as_ever(rig: Rig) -> None:
    async with running(rig.inbox):
        await asyncio.gather(*_put_all(rig, [make_job(f"{number:02}") for number in range(60)]))
        claiming = asyncio.create_task(rig.workbench.claim(Pool.POST, 5))
        await asyncio.sleep(0)
        await rig.clock.advance(2 * PAUSE)  # nobody came any more
        assert len(await claiming) == 5


async def test_workers_are_woken_for_what_was_stored(rig: Rig) -> None:
    async with running(rig.inbox):
        await rig.inbox.put(make_job("a", pool=Pool.CARRIER_IN))
    assert Pool.CARRIER_IN in rig.bell.heard
    await asyncio.wait_for(rig.workbench.wait(Pool.CARRIER_IN), 1)
