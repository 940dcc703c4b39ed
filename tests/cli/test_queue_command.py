"""`queue` beside a running bridge: what could not be done is seen, brought back and noticed; and who may run twice."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

import aiohttp
import pytest

from bot.sandbox.world import World
from tests.cli.rig import (
    LONGEST,
    SAM,
    Done,
    Running,
    build_settings,
    eventually,
    list_posts,
    main_channel,
    open_world,
    run_bot,
    run_bridge,
    start_bot,
)

WORDS = "my card number is 4111"
#: Signed, and of a shape that nobody can read: there is no sender.
UNREADABLE = {
    "data": {
        "id": "e0000000-0000-4000-8000-000000000001",
        "event_type": "message.received",
        "payload": {"id": "m1", "text": WORDS, "from": {"phone_number": None}, "to": [{"phone_number": SAM}]},
    }
}


async def send_unreadable(world: World, bridge: Running) -> None:
    body = json.dumps(UNREADABLE).encode()
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{bridge.url}/webhooks/telnyx", data=body, headers=world.telnyx.sign(body)) as response,
    ):
        assert response.status == 200


def count_parkings(bridge: Running) -> int:
    return sum("is parked." in line for line in bridge.err)


@pytest.mark.timeout(150)
async def test_what_could_not_be_done_is_seen_and_brought_back_beside_a_running_bridge(tmp_path: Path) -> None:
    async with open_world() as world, run_bridge(world, tmp_path) as bridge:
        settings = build_settings(world, tmp_path)
        await send_unreadable(world, bridge)
        await eventually(lambda: count_parkings(bridge) == 1, what="the webhook is parked")

        async def queue(*arguments: str) -> Done:
            # Of the settings, it needs to know only where the database is.
            return await run_bot(
                "queue", *arguments, folder=tmp_path, environment={"DATABASE_URL": settings["DATABASE_URL"]}
            )

        listed = await queue()
        assert listed.status == 0, listed.err
        (row,) = [line for line in listed.out.splitlines() if "carrier_event" in line]
        number = row.split()[0]
        assert re.match(rf"{number} +carrier_event +parked +1 +- +\d+ (s|min) ", row), row

        shown, unknown, with_body, other_pool = await asyncio.gather(
            queue("show", number),
            queue("show", "999"),
            queue("show", number, "--body"),
            queue("list", "--pool", "send", "--status", "parked"),
        )
        assert re.search(r"^status +parked$", shown.out, re.MULTILINE)
        assert re.search(r"^trouble +\S", shown.out, re.MULTILINE)
        assert WORDS in with_body.out
        for told in (listed, shown):
            assert WORDS not in told.out
            assert SAM not in told.out
        assert (unknown.status, unknown.out) == (1, "")
        assert "no job 999" in unknown.err
        assert "nothing to be done" in other_pool.out

        brought = await queue("retry", number)
        assert brought.status == 0, brought.err
        # The bridge tries again, by itself and soon, and it is parked anew.
        await eventually(lambda: count_parkings(bridge) == 2, what="the running bridge notices")
        brought = await queue("retry", "all")
        assert brought.out == "1 brought back.\n"
        await eventually(lambda: count_parkings(bridge) == 3, what="the running bridge notices again")
        assert await bridge.stop() == 0


@pytest.mark.timeout(150)
async def test_a_job_can_be_set_aside_and_a_second_bridge_cannot_run_meanwhile(tmp_path: Path) -> None:
    async with open_world() as world, run_bridge(world, tmp_path, SEND_HOLD_SECONDS="3600") as bridge:
        settings = build_settings(world, tmp_path)
        # It waits some seconds for the first to be gone, which a restart needs; what follows goes on beside it.
        async with start_bot(folder=tmp_path, environment=settings) as second:
            await world.telnyx.text_in(from_=SAM, to=world.cast.lines[0].number, text="hello")
            (root,) = await eventually(lambda: list_posts(world), what="the text is in Slack")
            dana = world.seats.users["dana"]
            await world.slack.post(dana, main_channel(world), "on hold for an hour", thread_ts=root["ts"])

            async def list_sends(*more: str) -> list[str]:
                done = await run_bot("queue", "list", "--pool", "send", *more, folder=tmp_path, environment=settings)
                assert done.status == 0, done.err
                return [line for line in done.out.splitlines() if "send_text" in line]

            try:
                async with asyncio.timeout(LONGEST):
                    while not (waiting := await list_sends()):
                        pass
            except TimeoutError:
                pytest.fail(f"the reply never came into the queue: {bridge.err}")
            number = waiting[0].split()[0]
            assert re.match(rf"{number} +send_text +ready +0 +in (59 min|1 h) ", waiting[0]), waiting

            parked = await run_bot("queue", "park", number, folder=tmp_path, environment=settings)
            assert parked.status == 0, parked.err
            assert [line.split()[2] for line in await list_sends("--status", "parked")] == ["parked"]
            again = await run_bot("queue", "park", number, folder=tmp_path, environment=settings)
            assert (again.status, again.err) == (
                1,
                f"Job {number} is parked. Only one that waits or is ready can be parked.\n",
            )
            assert world.telnyx.sends == []

            async with asyncio.timeout(30):
                assert await second.process.wait() == 1
        told = [line for line in second.err if not line.startswith("{")]
        assert len(told) == 1
        assert f"process {bridge.process.pid}" in told[0]
        assert await bridge.stop() == 0
        assert "Traceback" not in "\n".join(bridge.err + second.err)
