"""Tasks that must live as long as the process does."""

from __future__ import annotations

import asyncio
import itertools
from datetime import timedelta

import pytest

from bot.clock import ManualClock
from bot.errors import NotStored
from bot.workers.supervise import Supervisor


async def _turns(count: int = 5) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_what_fails_is_started_again_at_growing_intervals() -> None:
    clock = ManualClock()
    supervisor = Supervisor(clock)
    starts: list[float] = []

    async def fail() -> None:
        starts.append(clock.monotonic())
        raise ValueError

    supervisor.start("part", fail)
    for _ in range(400):
        await _turns(2)
        await clock.advance(timedelta(seconds=0.5))
    await supervisor.stop()

    pauses = [after - before for before, after in itertools.pairwise(starts)]
    assert len(starts) >= 8
    assert pauses[0] == 0.5
    assert pauses == sorted(pauses)
    assert max(pauses) == 30


async def test_what_the_database_does_not_take_is_told_in_a_line_and_tried_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = ManualClock()
    supervisor = Supervisor(clock)
    starts = 0

    async def fail_once() -> None:
        nonlocal starts
        starts += 1
        if starts == 1:
            raise NotStored("the database refuses: database is locked")

    supervisor.start("part", fail_once)
    await _turns()
    await clock.advance(timedelta(seconds=1))
    await _turns()
    await supervisor.stop()

    assert starts == 2
    (told,) = caplog.records
    assert (told.levelname, told.exc_info) == ("WARNING", None)
    assert "database is locked" in str(vars(told).values())


async def test_one_that_fails_disturbs_no_other() -> None:
    supervisor = Supervisor(ManualClock())
    alive = asyncio.Event()
    turns = 0

    async def fail() -> None:
        raise ValueError

    async def live() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)
            alive.set()

    supervisor.start("bad", fail)
    supervisor.start("good", live)
    await asyncio.wait_for(alive.wait(), 1)
    before = turns
    await _turns()
    assert turns > before
    await supervisor.stop()


async def test_what_returns_is_done_and_not_started_again() -> None:
    clock = ManualClock()
    supervisor = Supervisor(clock)
    starts = 0

    async def work() -> None:
        nonlocal starts
        starts += 1

    supervisor.start("part", work)
    await _turns()
    await clock.advance(timedelta(hours=1))
    assert starts == 1
    await supervisor.stop()


@pytest.mark.parametrize("fails_at_the_end", [False, True])
async def test_stopping_waits_until_each_has_ended_however_it_ends(*, fails_at_the_end: bool) -> None:
    supervisor = Supervisor(ManualClock())
    ended: list[str] = []

    async def work(name: str) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await _turns(3)  # it has something to put away
            ended.append(name)
            if fails_at_the_end:
                raise ValueError

    for name in "abc":
        supervisor.start(name, lambda name=name: work(name))  # type: ignore[misc]
    await _turns()
    stopping = asyncio.ensure_future(supervisor.stop())
    await asyncio.wait_for(stopping, 1)
    assert sorted(ended) == ["a", "b", "c"]


async def test_stopping_ends_one_that_waits_to_be_started_again() -> None:
    supervisor = Supervisor(ManualClock())

    async def fail() -> None:
        raise ValueError

    supervisor.start("part", fail)
    await _turns()
    await asyncio.wait_for(supervisor.stop(), 1)
