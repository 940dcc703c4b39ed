"""What came and what went, byte for byte: kept for a while after it was read or settled, and then no longer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.chance import SeededChance
from bot.domain.carrier_lanes import inbound_lane
from bot.domain.ids import ChannelId, ConversationId, MessageId
from bot.domain.job import Kind, Pool
from bot.domain.message import State
from bot.domain.schedule import ScheduleState
from bot.ports import CarrierRequest
from storage.erasure import erase, plan_erasure
from storage.raw import KEEP_RAW, RawUpkeep
from storage.shelf import FileShelf
from tests.storage.rig import Rig, open_rig
from tests.storage.samples import ANA, PAIR, make_job, make_message, make_schedule

RAW = "wombat, as it came"
LATER = KEEP_RAW + timedelta(minutes=1)


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with open_rig(tmp_path / "bridge.db") as rig:
        await rig.tell_writer("PRAGMA secure_delete = OFF")
        async with rig.store.transaction("set up") as tx:
            await tx.conversations.get_or_create(
                PAIR, new_id=ConversationId("pair"), channel_id=ChannelId("C1"), now=rig.clock.now()
            )
        yield rig


async def sweep(rig: Rig) -> int:
    return await RawUpkeep(rig.database, rig.clock).sweep()


async def do(rig: Rig, *keys: str, kind: Kind = Kind.CARRIER_EVENT) -> None:
    """Enqueue jobs and have them done."""
    async with rig.store.transaction("set up") as tx:
        for key in keys:
            await tx.queue.enqueue(make_job(key, kind=kind, pool=Pool.CARRIER_IN, body=RAW))
    jobs = await rig.workbench.claim(Pool.CARRIER_IN, len(keys))
    async with rig.store.transaction("done") as tx:
        for job in jobs:
            await tx.queue.finish(job)


async def send(rig: Rig, name: str, state: State, *, is_open: bool = False) -> None:
    """Store a send that is in *state*; *is_open*: its outcome is not known."""
    async with rig.store.transaction("set up") as tx:
        await tx.messages.add(make_message(name, state=state))
        await tx.deliveries.add_request(
            CarrierRequest(
                message_id=MessageId(name),
                path="/messages",
                idempotency_key=f"key-{name}",
                body=RAW.encode(),
                created_at=rig.clock.now(),
            )
        )
        if is_open:
            await tx.deliveries.open_attempt(MessageId(name), rig.clock.now())


def list_sends(rig: Rig) -> set[str]:
    return {name for (name,) in rig.look("SELECT id FROM requests JOIN messages ON number = message")}


@pytest.mark.parametrize("kind", [Kind.CARRIER_EVENT, Kind.SLACK_EVENT])
async def test_an_event_stays_as_it_came_until_its_time_is_over_and_its_key_for_longer(rig: Rig, kind: Kind) -> None:
    await do(rig, "event:1", kind=kind)
    await rig.clock.advance(KEEP_RAW - timedelta(minutes=1))
    assert await sweep(rig) == 0
    assert rig.look("SELECT status, body FROM jobs") == [("done", RAW)]

    await rig.clock.advance(timedelta(minutes=2))
    assert await sweep(rig) == 1

    assert rig.look("SELECT key, status, body FROM jobs") == [("event:1", "done", "")]
    rig.look("PRAGMA wal_checkpoint(TRUNCATE)")
    assert RAW.encode() not in rig.database.path.read_bytes()


async def test_jobs_of_our_own_are_emptied_when_they_are_done(rig: Rig) -> None:
    await do(rig, "post:1", kind=Kind.POST_TEXT)

    assert rig.look("SELECT status, body FROM jobs") == [("done", "")]


async def test_what_is_too_old_goes_in_steps_and_each_event_once(rig: Rig) -> None:
    await do(rig, *(f"event:{number}" for number in range(450)))
    await rig.clock.advance(LATER)
    await do(rig, "event:young")

    assert await sweep(rig) == 450
    assert await sweep(rig) == 0

    assert rig.look("SELECT key FROM jobs WHERE body <> ''") == [("event:young",)]
    await rig.clock.advance(LATER)
    assert await sweep(rig) == 1


async def test_a_parked_event_stays_for_a_person(rig: Rig) -> None:
    async with rig.store.transaction("set up") as tx:
        await tx.queue.enqueue(make_job("event:1", kind=Kind.CARRIER_EVENT, body=RAW))
        assert await tx.queue.set_aside(1)
    await rig.clock.advance(LATER)

    assert await sweep(rig) == 0
    assert rig.look("SELECT status, body FROM jobs") == [("parked", RAW)]


async def test_the_bytes_of_a_send_go_when_it_was_settled_long_enough_ago(rig: Rig) -> None:
    for state in (State.ACCEPTED, State.REFUSED, State.CANCELLED, State.UNDER_WAY, State.UNSETTLED, State.WAITING):
        await send(rig, state, state)
    await send(rig, "open", State.ACCEPTED, is_open=True)
    assert await sweep(rig) == 0

    await rig.clock.advance(LATER)
    await send(rig, "young", State.ACCEPTED)
    assert await sweep(rig) == 3

    assert list_sends(rig) == {"under_way", "unsettled", "waiting", "open", "young"}


async def test_the_bytes_of_a_text_that_the_carrier_holds_stay_until_it_has_gone(rig: Rig) -> None:
    await send(rig, "held", State.ACCEPTED)
    async with rig.store.transaction("set up") as tx:
        await tx.schedules.add(make_schedule("s1", "held", state=ScheduleState.AT_CARRIER))
    await rig.clock.advance(LATER)
    assert await sweep(rig) == 0

    async with rig.store.transaction("gone") as tx:
        await tx.schedules.set_state(make_schedule("s1", "held").id, ScheduleState.SENT)
    assert await sweep(rig) == 1


async def test_erasing_a_number_takes_what_came_from_it_too(rig: Rig, tmp_path: Path) -> None:
    async with rig.store.transaction("set up") as tx:
        for number, lane in enumerate((inbound_lane(ANA), "inbound:+15555550123")):
            await tx.queue.enqueue(make_job(f"event:{number}", kind=Kind.CARRIER_EVENT, lane=lane, body=RAW))
    for job in await rig.workbench.claim(Pool.POST, 2):
        async with rig.store.transaction("done") as tx:
            await tx.queue.finish(job)
    plan = await plan_erasure(rig.database, ANA)
    assert (plan.events, plan.jobs, plan.is_empty) == (1, 0, False)

    await erase(rig.database, ANA, FileShelf(tmp_path / "media", SeededChance(1)), rig.clock)

    assert rig.look("SELECT key, body FROM jobs ORDER BY key") == [("event:0", ""), ("event:1", RAW)]


async def test_what_was_read_too_early_or_refused_by_slack_is_forgotten_and_other_facts_stay(rig: Rig) -> None:
    names = (
        "changed:C1:1.1",
        "crossed:C1:1.1",
        "deleted:C1:1.1",
        "noted:C1:1.1",
        "apart:conversation",
        "plain:text",
        "edit:message",
    )
    async with rig.store.transaction("set up") as tx:
        for name in names:
            await tx.facts.set_fact(name, f"{rig.clock.now().timestamp():.6f} slack:Ev1")

    await sweep(rig)
    async with rig.store.reading() as view:
        assert all([await view.facts.find_fact(name) for name in names])
    await rig.clock.advance(LATER)
    await sweep(rig)
    async with rig.store.reading() as view:
        assert [name for name in names if await view.facts.find_fact(name)] == ["edit:message"]
