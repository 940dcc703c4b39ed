"""Texts that are sent beside the bridge, from the shell: STOP counts for them as for all."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from bot.chance import SeededChance
from bot.domain.audit import name_operator
from bot.domain.carrier_api.messages import SCHEDULE, SEND
from bot.errors import NotAllowed
from bot.flows.account_calls import AccountCalls
from bot.gateways.telnyx import TelnyxGateway
from bot.observe import Metrics
from bot.sandbox.faults import FaultKind
from storage.queue import Bell
from storage.store import SqliteStore
from tests.bridge.harness import ANA, OURS, Bench

ACTOR = name_operator("ann")


@asynccontextmanager
async def open_calls(bench: Bench) -> AsyncIterator[AccountCalls]:
    """Lend what the shell calls, on the bridge's database."""
    gateway = TelnyxGateway(
        url=bench.settings.telnyx_api_url,
        api_key=bench.settings.telnyx_api_key.get_secret_value(),
        profile_id=None,
        metrics=Metrics(),
    )
    store = SqliteStore(bench.bridge.ground.database, Bell(), bench.clock)
    try:
        yield AccountCalls(account=gateway, store=store, clock=bench.clock, chance=SeededChance(7))
    finally:
        await gateway.close()


async def schedule(bench: Bench, wait: timedelta) -> str:
    async with open_calls(bench) as calls:
        given = {"from": OURS, "to": ANA, "text": "See you.", "send_at": bench.clock.now() + wait}
        return str((await calls.call(SCHEDULE, given, actor=ACTOR))["id"])


async def list_deeds(bench: Bench) -> list[str]:
    return [str(row[0]) for row in await bench.query("SELECT action FROM audit WHERE numbers <> '' ORDER BY id")]


async def test_a_text_for_later_goes_at_its_time(bench: Bench) -> None:
    await schedule(bench, timedelta(hours=1))
    await bench.pass_time(timedelta(minutes=58))
    await bench.pass_time(timedelta(minutes=3))
    assert bench.phone() == ["See you."]


async def test_it_is_taken_back_if_they_say_stop_before_its_time(bench: Bench) -> None:
    carrier_id = await schedule(bench, timedelta(hours=1))
    await bench.pass_time(timedelta(minutes=30))
    bench.telnyx.switches.check_optouts_when_due = False  # whatever the carrier does by itself
    await bench.text_in("STOP")
    await bench.settle()
    await bench.pass_time(timedelta(minutes=28, seconds=5))
    await bench.wait_until(lambda: bench.telnyx.account.messages[carrier_id].recipients[0].status == "cancelled")
    await bench.pass_time(timedelta(minutes=5))
    assert bench.phone() == []
    # The carrier's list of opt-outs may be read at the same time, and is evidence of its own.
    assert list(dict.fromkeys(await list_deeds(bench))) == ["sent", "opted_out", "taken_back"]


async def test_it_is_taken_back_once_even_if_the_carriers_answer_is_lost(bench: Bench) -> None:
    carrier_id = await schedule(bench, timedelta(hours=1))
    bench.telnyx.switches.check_optouts_when_due = False
    await bench.text_in("STOP")
    await bench.settle()
    bench.fail(bench.telnyx, FaultKind.DROP_ANSWER, "DELETE /messages/{id}", times=1)
    await bench.pass_time(timedelta(minutes=58, seconds=5))
    for _ in range(3):
        await bench.pass_time(timedelta(seconds=20))
    await bench.pass_time(timedelta(minutes=5))
    assert bench.telnyx.account.messages[carrier_id].recipients[0].status == "cancelled"
    assert bench.phone() == []
    assert (await list_deeds(bench)).count("taken_back") == 1


async def test_who_said_stop_a_moment_ago_is_not_texted_from_the_shell(bench: Bench) -> None:
    await bench.text_in("STOP")
    await bench.settle()
    async with open_calls(bench) as calls:
        with pytest.raises(NotAllowed) as refused:
            await calls.call(SEND, {"from": OURS, "to": ANA, "text": "hello"}, actor=ACTOR)
    assert "opted out" in refused.value.person
    assert ANA not in refused.value.person
    assert bench.phone() == []
