"""Transactions of the store: what they promise beyond what the database does, and the bell that follows them."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Coroutine
from typing import Any

import aiosqlite
import pytest

from bot.domain.ids import ChannelId, ConversationId, MessageId
from bot.domain.job import Pool
from bot.domain.message import State
from bot.domain.phone import Address
from bot.errors import LeaseLost, NotStored
from storage.queue import QueueRows
from storage.store import SqliteStore
from tests.storage.interrupt import interrupt_everywhere
from tests.storage.rig import Rig
from tests.storage.samples import NOW, make_job, make_message, pair_of


async def test_a_lost_lease_takes_back_all_that_was_done_for_the_job(rig: Rig) -> None:
    async with rig.store.transaction("prepare") as kept:
        await kept.queue.enqueue(make_job("a"))
    (job,) = await rig.workbench.claim(Pool.POST, 1)
    await rig.workbench.sweep(everything=True)

    with pytest.raises(LeaseLost):  # noqa: PT012 - what fails is the block
        async with rig.store.transaction("result") as kept:
            await kept.facts.set_fact("result", "x")
            await kept.queue.enqueue(make_job("next"))
            await kept.queue.finish(job)

    assert rig.look("SELECT * FROM facts") == []
    assert rig.look("SELECT key, status FROM jobs") == [("a", "ready")]


async def test_no_job_is_on_disk_without_a_bell_wherever_its_maker_was_cancelled(rig: Rig) -> None:
    runs = 0

    async def prepare() -> Callable[[], Coroutine[Any, Any, None]]:
        nonlocal runs
        runs += 1
        rig.bell.heard.clear()

        async def enqueue() -> None:
            async with rig.store.transaction("test") as kept:
                await kept.queue.enqueue(make_job(str(runs)))

        return enqueue

    async for strike, _ in interrupt_everywhere(prepare, twice=True):
        if rig.look("SELECT 1 FROM jobs WHERE key = ?", str(runs)):
            assert rig.bell.heard == {Pool.POST}, strike


async def test_the_bell_rings_for_the_pool_of_the_job_that_comes_up_next(rig: Rig) -> None:
    async with rig.store.transaction("test") as kept:
        await kept.queue.enqueue(make_job("a", lane="l", pool=Pool.POST))
        await kept.queue.enqueue(make_job("b", lane="l", pool=Pool.SEND))
    (job,) = await rig.workbench.claim(Pool.POST, 1)
    rig.bell.heard.clear()

    async with rig.store.transaction("test") as kept:
        await kept.queue.finish(job)

    assert rig.bell.heard == {Pool.SEND}


async def test_the_bell_rings_for_what_a_person_or_an_edit_brings_forward(rig: Rig) -> None:
    async with rig.store.transaction("test") as kept:
        for key in ("held", "parked", "dropped"):
            await kept.queue.enqueue(make_job(key, lane=key))
        await kept.queue.enqueue(make_job("next", lane="dropped", pool=Pool.SEND))
        await kept.queue.enqueue(make_job("after", lane="held", pool=Pool.MARK))
    (job_id,) = [row[0] for row in rig.look("SELECT id FROM jobs WHERE key = 'parked'")]
    acts: list[tuple[Callable[[QueueRows], Coroutine[Any, Any, bool]], set[Pool]]] = [
        (lambda queue: queue.hasten("held", rig.clock.now()), {Pool.POST}),
        (lambda queue: queue.drop("dropped"), {Pool.SEND}),
        (lambda queue: queue.set_aside(job_id), set()),
        (lambda queue: queue.try_again(job_id), {Pool.POST}),
    ]
    for act, pools in acts:
        rig.bell.heard.clear()
        async with rig.store.transaction("test") as kept:
            assert await act(kept.queue)
        assert rig.bell.heard == pools


async def test_a_bell_rung_before_anybody_waits_is_heard_once(rig: Rig) -> None:
    rig.bell.ring([Pool.POST])
    await asyncio.wait_for(rig.bell.wait(Pool.POST), 1)

    second = asyncio.ensure_future(rig.bell.wait(Pool.POST))
    for _ in range(3):
        await asyncio.sleep(0)
    assert not second.done()
    rig.bell.ring([Pool.SEND])
    await asyncio.sleep(0)
    assert not second.done()
    rig.bell.ring([Pool.POST])
    await asyncio.wait_for(second, 1)


async def test_reading_refuses_to_write_and_sees_the_newest_that_is_committed(rig: Rig) -> None:
    async with rig.store.reading() as seen:
        assert await seen.facts.find_fact("a") is None
        async with rig.store.transaction("test") as kept:
            await kept.facts.set_fact("a", "1")
            assert await seen.facts.find_fact("a") is None
        assert await seen.facts.find_fact("a") == "1"
    with pytest.raises(NotStored, match="readonly"):
        async with rig.store.reading() as seen:
            await seen.facts.set_fact("a", "2")


async def test_a_reading_that_finds_the_file_locked_is_told_to_come_back(rig: Rig) -> None:
    await rig.database.close()
    other = sqlite3.connect(rig.database.path, isolation_level=None)
    try:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("INSERT INTO facts VALUES ('theirs', 'x')")
        reader = await aiosqlite.connect(rig.database.path, isolation_level=None)
        try:
            await reader.execute_fetchall("PRAGMA busy_timeout = 0")
            rig.database.reader = reader
            store = SqliteStore(rig.database, rig.bell, rig.clock)
            with pytest.raises(NotStored, match="locked"):
                async with store.reading() as seen:
                    await seen.facts.find_fact("a")
        finally:
            await reader.close()
    finally:
        other.close()


async def test_an_address_with_a_placeholder_of_sql_in_it_is_only_itself(rig: Rig) -> None:
    async with rig.store.transaction("test") as kept:
        for name in ("A_B", "AxB", "a_b", "100%", "1000"):
            await kept.conversations.get_or_create(
                pair_of("+13125550142", name), new_id=ConversationId(name), channel_id=ChannelId("C"), now=NOW
            )
            await kept.messages.add(make_message(f"to {name}", conversation_id=ConversationId(name)))
        for name in ("A_B", "AxB", "a_b", "100%", "1000"):
            found = await kept.messages.find_outbound_to(Address(name), [State.WAITING])
            assert [message.id for message in found] == [MessageId(f"to {name}")]
