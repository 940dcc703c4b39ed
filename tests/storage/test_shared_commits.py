"""Those who wait to write share a commit, and nothing else: each keeps its own fate until the disk decides for all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from bot.errors import NotStored
from storage.database import Database
from tests.storage.interrupt import Moment, interrupt_everywhere
from tests.storage.rig import Rig

_ADD = "INSERT INTO facts VALUES (?, ?)"
_NAMES = "SELECT name FROM facts ORDER BY name"


async def _add(database: Database, *names: str) -> None:
    async with database.write() as connection:
        for name in names:
            await connection.execute_fetchall(_ADD, (name, "x"))


def _add_all(rig: Rig, names: str) -> list[asyncio.Task[None]]:
    return [asyncio.create_task(_add(rig.database, name)) for name in names]


@asynccontextmanager
async def _count_commits(rig: Rig) -> AsyncIterator[list[str]]:
    seen: list[str] = []
    await rig.database._writer.set_trace_callback(lambda sql: seen.append(sql) if sql == "COMMIT" else None)
    yield seen
    await rig.database._writer.set_trace_callback(lambda _: None)


async def test_whoever_waits_while_another_writes_shares_its_commit(rig: Rig) -> None:
    async with _count_commits(rig) as commits:
        await asyncio.gather(*_add_all(rig, "abcdefghij"))

    assert rig.look(_NAMES) == [(name,) for name in "abcdefghij"]
    assert len(commits) == 1
    assert rig.writer_is_idle


async def test_who_comes_while_a_commit_runs_is_stored_by_the_next(rig: Rig) -> None:
    async with _count_commits(rig) as commits:
        first = _add_all(rig, "a")
        while not commits:  # noqa: ASYNC110 - it is noted by the database's thread
            await asyncio.sleep(0)
        await asyncio.gather(*first, *_add_all(rig, "bcd"))

    assert rig.look(_NAMES) == [("a",), ("b",), ("c",), ("d",)]
    assert len(commits) == 2


async def test_what_somebody_outside_waits_for_is_committed_without_leaving_time_to_join(rig: Rig) -> None:
    async def count_turns_until_committed(*, is_urgent: bool) -> int:
        async def add() -> None:
            async with rig.database.write(is_urgent=is_urgent) as connection:
                await connection.execute_fetchall(_ADD, (f"urgent {is_urgent}", "x"))

        asked = len(asked_for)
        adding = asyncio.create_task(add())
        turns = 0
        while len(asked_for) == asked:
            await asyncio.sleep(0)
            turns += 1
        await adding
        return turns

    asked_for: list[object] = []
    writer, commit = rig.database._writer, rig.database._writer.commit

    async def note_commit() -> None:
        asked_for.append(None)
        await commit()

    writer.commit = note_commit  # type: ignore[method-assign]
    assert await count_turns_until_committed(is_urgent=True) < await count_turns_until_committed(is_urgent=False)


async def test_each_is_answered_only_when_it_is_on_disk(rig: Rig) -> None:
    async def add_and_look(name: str) -> list[tuple[Any, ...]]:
        await _add(rig.database, name)
        return rig.look("SELECT name FROM facts WHERE name = ?", name)

    seen = await asyncio.gather(*(add_and_look(name) for name in "abcdefghij"))

    assert seen == [[(name,)] for name in "abcdefghij"]


@pytest.mark.parametrize("failing", "abc")
async def test_one_that_fails_takes_back_its_own_part_and_nobody_elses(rig: Rig, failing: str) -> None:
    async def add(name: str) -> None:
        async with rig.database.write() as connection:
            await connection.execute_fetchall(_ADD, (name, "x"))
            await connection.execute_fetchall(_ADD, (f"{name}{name}", "x"))
            if name == failing:
                raise KeyError(name)

    outcomes = await asyncio.gather(*(add(name) for name in "abc"), return_exceptions=True)

    assert [type(outcome) for outcome in outcomes] == [KeyError if name == failing else type(None) for name in "abc"]
    assert rig.look(_NAMES) == [(name * times,) for name in "abc" for times in (1, 2) if name != failing]
    assert rig.writer_is_idle


async def test_a_commit_that_fails_has_failed_for_all_who_shared_it(rig: Rig) -> None:
    async def add_orphan() -> None:
        async with rig.database.write() as connection:
            # Noticed at the commit and not before.
            await connection.execute_fetchall("PRAGMA defer_foreign_keys = ON")
            await connection.execute_fetchall("INSERT INTO requests VALUES (99, '/', 'k', x'00', 0, NULL, 0)")

    orphan = asyncio.create_task(add_orphan())
    outcomes = await asyncio.gather(*_add_all(rig, "a"), orphan, *_add_all(rig, "b"), return_exceptions=True)

    assert [type(outcome) for outcome in outcomes] == [NotStored] * 3
    assert rig.look(_NAMES) == []
    assert rig.writer_is_idle
    await _add(rig.database, "after")
    assert rig.look(_NAMES) == [("after",)]


async def test_what_sqlite_takes_back_by_itself_is_told_to_all_whose_it_was(rig: Rig) -> None:
    async def spoil() -> None:
        async with rig.database.write() as connection:
            await connection.execute_fetchall("INSERT OR ROLLBACK INTO facts VALUES ('a', 'again')")

    outcomes = await asyncio.gather(
        *_add_all(rig, "a"), asyncio.create_task(spoil()), *_add_all(rig, "b"), return_exceptions=True
    )

    assert isinstance(outcomes[0], NotStored)
    assert isinstance(outcomes[1], Exception)
    assert outcomes[2] is None  # it came after, and began anew
    assert rig.look(_NAMES) == [("b",)]
    assert rig.writer_is_idle


@pytest.mark.parametrize("place", [0, 1, 2])
async def test_wherever_one_is_cancelled_the_others_are_stored_and_it_is_all_or_nothing(rig: Rig, place: int) -> None:
    runs = stored = 0
    others: list[asyncio.Task[None]] = []

    async def prepare() -> Callable[[], Coroutine[Any, Any, None]]:
        nonlocal runs
        runs += 1
        others[:] = [asyncio.create_task(_add(rig.database, f"{runs} other {number}")) for number in range(place)]

        async def work() -> None:
            others.extend(asyncio.create_task(_add(rig.database, f"{runs} later {number}")) for number in range(2))
            await _add(rig.database, f"{runs} a", f"{runs} b")

        return work

    async for strike, outcome in interrupt_everywhere(prepare, twice=True):
        assert isinstance(outcome, asyncio.CancelledError), strike
        assert strike.moment in Moment
        await asyncio.gather(*others)
        assert rig.writer_is_idle, strike
        names = {name for (name,) in rig.look("SELECT name FROM facts WHERE name LIKE ?", f"{runs} %")}
        mine = {f"{runs} a", f"{runs} b"} & names
        assert len(mine) in (0, 2), strike
        assert len(names - mine) == place + 2, strike
        stored += len(mine) == 2

    assert 0 < stored < runs - 1


async def test_when_all_tasks_are_cancelled_at_once_none_waits_for_a_commit_that_never_comes(rig: Rig) -> None:
    """The commit is a task of its own, and may be cancelled before it has begun: as at the end of a loop."""
    others = asyncio.all_tasks()
    for turns in range(40):
        adding = _add_all(rig, "abc")
        for _ in range(turns):
            await asyncio.sleep(0)
        for task in asyncio.all_tasks() - others:
            task.cancel()
        await asyncio.wait(adding, timeout=5)

        assert all(task.done() and (task.cancelled() or not task.exception()) for task in adding), turns
        with suppress(NotStored):  # the transaction that was left open
            await _add(rig.database, f"after {turns}")
        await _add(rig.database, f"and again {turns}")  # but not for ever
        assert rig.writer_is_idle, turns
        await rig.tell_writer("DELETE FROM facts")


async def test_those_who_shared_a_commit_go_on_a_few_at_a_time_and_whoever_answers_a_request_first(rig: Rig) -> None:
    turn, went_on, answered_in = 0, [], []

    async def add(number: int) -> None:
        async with rig.database.write(is_urgent=number == 39) as connection:
            await connection.execute_fetchall(_ADD, (f"n{number}", "x"))
        went_on.append(turn)
        if number == 39:
            answered_in.append(turn)

    everybody = asyncio.gather(*(add(number) for number in range(40)))
    while not everybody.done():
        await asyncio.sleep(0)
        turn += 1

    assert len(went_on) == 40
    assert max(went_on.count(each) for each in set(went_on)) <= 16
    assert answered_in == [min(went_on)]
