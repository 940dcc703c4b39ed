"""The disk fills up, the token is replaced, the channel is renamed: nothing is lost, it is told, and work goes on when it can."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from bot.sandbox.faults import FaultKind
from bot.settings import Secret
from tests.bridge.events import make_text
from tests.bridge.harness import ANA, CHANNEL, Bench, read_words


@asynccontextmanager
async def full_disk(bench: Bench) -> AsyncIterator[None]:
    """Let the database file grow no more; whatever asks for another page is told that the disk is full."""
    ((pages,),) = await tell_writer(bench, "PRAGMA page_count")
    await tell_writer(bench, f"PRAGMA max_page_count = {pages}")
    ((free,),) = await tell_writer(bench, "PRAGMA freelist_count")
    for number in range(free + 1):
        await tell_writer(bench, f"CREATE TABLE ballast_{number} (filler TEXT)", may_fail=True)
    try:
        yield
    finally:
        await tell_writer(bench, "PRAGMA max_page_count = 1073741823")


@asynccontextmanager
async def failing_disk(bench: Bench) -> AsyncIterator[None]:
    """Let every write fail, as on a disk that the system has made read-only after an error."""
    await tell_writer(bench, "PRAGMA query_only = ON")
    try:
        yield
    finally:
        await tell_writer(bench, "PRAGMA query_only = OFF")


@asynccontextmanager
async def replaced_file(bench: Bench) -> AsyncIterator[None]:
    """Put a copy in the place of the database file: whatever is written goes into one that the next start does not open."""
    path = bench.bridge.ground.database.path
    aside, copy = path.with_name("aside.db"), path.with_name("copy.db")
    copy.write_bytes(path.read_bytes())
    path.rename(aside)
    copy.rename(path)
    try:
        yield
    finally:
        aside.rename(path)


async def tell_writer(bench: Bench, sql: str, *, may_fail: bool = False) -> list[tuple[int, ...]]:
    """Say *sql* on the connection that the bridge writes with, when nothing else is under way on it."""
    database = bench.bridge.ground.database
    async with database._lock:
        try:
            return [tuple(row) for row in await database._writer.execute_fetchall(sql)]
        except Exception:
            if not may_fail:
                raise
            return []


async def read_readiness(bench: Bench) -> dict[str, str]:
    """Return what `/readyz` says of each part, some seconds after whatever it said last."""
    bench.clock.leap(timedelta(seconds=3))
    async with bench.http.get(f"{bench.url}/readyz") as response:
        said: dict[str, str] = (await response.json())["parts"]
        return said


@pytest.mark.parametrize("trouble", [full_disk, failing_disk, replaced_file])
async def test_what_cannot_be_stored_is_answered_503_told_by_readiness_and_taken_when_it_can(
    bench: Bench, trouble: object
) -> None:
    root = await bench.open_thread()
    await bench.settle()
    big = make_text("Second " + "x" * 6_000)
    async with trouble(bench):  # type: ignore[operator]
        statuses = {await bench.post_signed_by_telnyx(big) for _ in range(3)}
        readiness = await read_readiness(bench)
        async with bench.http.get(f"{bench.url}/healthz") as response:
            assert response.status == 200
    assert statuses == {503}
    if trouble is not full_disk:  # which takes a little yet
        assert "database" in readiness["database"]

    assert await bench.post_signed_by_telnyx(big) == 200
    ts = await bench.reply("Got it", root)
    await bench.wait_mark(ts, "white_check_mark")
    await bench.settle()
    assert len(bench.shown("Second")) >= 1
    assert bench.phone(ANA) == ["Got it"]
    assert (await read_readiness(bench))["database"] == "ok"


async def test_a_disk_that_fails_between_a_post_and_its_record_costs_no_second_post(bench: Bench) -> None:
    root = await bench.open_thread()
    bench.fail(bench.slack, FaultKind.SLOW, "chat.postMessage", times=1, seconds=0.4)
    await bench.text_in("Once")
    await bench.wait_until(lambda: bench.query("SELECT 1 FROM jobs WHERE kind = 'post_text' AND status = 'running'"))
    async with failing_disk(bench):
        await bench.wait_until(lambda: len(bench.thread(root)) == 2)
    bench.clock.set_rate(50)
    await bench.finish()

    assert bench.thread(root)[1:] == ["Once"]


async def test_readiness_tells_of_texts_that_slack_does_not_take_for_long_though_it_knows_us(bench: Bench) -> None:
    await bench.open_thread()
    refusing = bench.fail(bench.slack, FaultKind.REFUSE, "chat.postMessage", status=503)
    await bench.text_in("Held up")
    await bench.pass_time(timedelta(minutes=4))
    early = await read_readiness(bench)
    await bench.pass_time(timedelta(minutes=2))
    late = await read_readiness(bench)
    bench.slack.faults.lift(refusing)
    bench.clock.set_rate(50)
    await bench.finish()

    assert early["database"] == early["slack"] == "ok"
    assert "due for" in late["database"]
    assert late["slack"] == "ok"
    assert (await read_readiness(bench))["database"] == "ok"


async def test_a_token_that_is_replaced_goes_on_after_a_restart_and_nothing_is_lost(bench: Bench) -> None:
    root = await bench.open_thread()
    bench.slack.auth_error = "token_revoked"
    await bench.text_in("While it was revoked")
    await bench.settle()
    assert "token_revoked" in (await read_readiness(bench))["slack"]

    await bench.crash()
    bench.slack.auth_error = None
    bench.slack.workspace.bot_token = "xoxb-another-token"
    bench.settings = dataclasses.replace(bench.settings, slack_bot_token=Secret("xoxb-another-token"))
    await bench.start()
    bench.clock.set_rate(20)
    await bench.wait_until(lambda: len(bench.thread(root)) == 2)
    assert bench.thread(root)[1:] == ["While it was revoked"]


async def test_a_channel_that_is_renamed_is_the_same_channel(bench: Bench) -> None:
    root = await bench.open_thread()
    await bench.slack.rename(bench.alice, CHANNEL, "customers")
    await bench.text_in("After")
    await bench.settle()
    ts = await bench.reply("Hi", root)
    await bench.wait_mark(ts, "white_check_mark")

    assert bench.thread(root)[1:2] == ["After"]
    assert "Hello" in read_words(bench.slack.message(CHANNEL, root))
