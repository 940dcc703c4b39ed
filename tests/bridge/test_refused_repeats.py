"""What a repeat is refused for may say nothing of the attempt before it, whose answer was lost."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.sandbox.faults import FaultKind
from tests.bridge.harness import Bench

SENDING = "POST /messages"


async def reply_and_have_the_repeat_refused(bench: Bench, *, status: int, code: str, times: int = 1) -> str:
    """Reply; the answer is lost, no receipt comes, and the repeats are refused *times* over. Returns the reply's ts."""
    bench.clock.set_rate(200)
    bench.lose_receipts()
    root = await bench.open_thread()
    bench.fail(bench.telnyx, FaultKind.DROP_ANSWER, SENDING, times=1)
    ts = await bench.reply("Once", root)
    await bench.wait_until(lambda: bench.telnyx.sends)
    bench.fail(bench.telnyx, FaultKind.REFUSE, SENDING, status=status, code=code, times=times)
    return ts


@pytest.mark.parametrize(("status", "code"), [(401, "10009"), (402, "20100"), (403, "10010")])
async def test_a_key_that_is_refused_at_the_repeat_does_not_make_it_undelivered(
    status: int, code: str, bench: Bench
) -> None:
    ts = await reply_and_have_the_repeat_refused(bench, status=status, code=code, times=2)
    await bench.wait_until(lambda: len(bench.send_requests) == 4)
    await bench.pass_time(timedelta(minutes=5))

    assert bench.phone() == ["Once"]
    assert len({(request.body, request.headers["Idempotency-Key"]) for request in bench.send_requests}) == 1
    assert bench.shown("Not delivered") == []
    assert not bench.marks(ts) & {"x", "warning"}


async def test_where_the_key_stays_refused_people_are_told_that_nobody_knows(bench: Bench) -> None:
    ts = await reply_and_have_the_repeat_refused(bench, status=401, code="10009", times=50)
    await bench.wait_mark(ts, "warning")

    assert bench.shown("Not delivered") == []
    assert bench.shown("not known whether")


async def test_a_text_that_is_refused_for_itself_would_have_been_refused_before(bench: Bench) -> None:
    ts = await reply_and_have_the_repeat_refused(bench, status=400, code="40310")
    await bench.wait_mark(ts, "x")

    assert bench.shown("40310")


async def test_attempts_that_the_carrier_had_no_time_for_do_not_count_as_unanswered(bench: Bench) -> None:
    bench.clock.set_rate(200)
    bench.lose_receipts()
    root = await bench.open_thread()
    bench.fail(bench.telnyx, FaultKind.RATE_LIMIT, SENDING, times=8)
    ts = await bench.reply("Once", root)
    await bench.wait_until(lambda: len(bench.send_requests) == 8)
    bench.fail(bench.telnyx, FaultKind.DROP_ANSWER, SENDING, times=1)
    await bench.wait_until(lambda: len(bench.send_requests) == 10)
    await bench.settle()

    assert bench.phone() == ["Once"]
    assert bench.shown("not known whether") == []
    assert "warning" not in bench.marks(ts)
