"""Rate limits and faults of the simulated Web API."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError

from bot.sandbox.faults import Fault, FaultKind
from tests.sandbox.slack_receiver import Bench, open_bench


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with open_bench() as opened:
        yield opened


async def test_a_rate_limit_names_its_method_and_its_wait(bench: Bench) -> None:
    bench.sim.faults.add(Fault(kind=FaultKind.RATE_LIMIT, operation="chat.postMessage", retry_after=7, times=1))
    with pytest.raises(SlackApiError) as refused:
        await bench.say()
    assert refused.value.response.status_code == 429
    assert refused.value.response.headers["Retry-After"] == "7"
    assert refused.value.response["error"] == "ratelimited"
    assert bench.sim.messages(bench.channel) == []
    assert (await bench.client.auth_test())["ok"]
    assert await bench.say()


async def test_a_refusal_with_a_code_is_slacks_own_and_does_nothing(bench: Bench) -> None:
    bench.sim.faults.add(Fault(kind=FaultKind.REFUSE, operation="chat.postMessage", code="fatal_error", times=1))
    assert await bench.get_error(bench.client.chat_postMessage(channel=bench.channel, text="x")) == "fatal_error"
    assert bench.sim.messages(bench.channel) == []
    [call] = bench.sim.calls
    assert (call.error, call.done) == ("fatal_error", False)


async def test_a_refusal_without_a_code_comes_from_before_slack(bench: Bench) -> None:
    bench.sim.faults.add(Fault(kind=FaultKind.REFUSE, operation="chat.postMessage", status=503, times=1))
    with pytest.raises(SlackApiError) as refused:
        await bench.say()
    assert refused.value.response.status_code == 503


@pytest.mark.parametrize("kind", [FaultKind.DROP_ANSWER, FaultKind.FAIL_AFTER])
async def test_the_work_may_be_done_though_the_answer_says_otherwise(bench: Bench, kind: FaultKind) -> None:
    bench.sim.faults.add(Fault(kind=kind, operation="chat.postMessage", times=1))
    with pytest.raises((SlackApiError, aiohttp.ClientError)):
        await bench.say("done all the same")
    assert [each["text"] for each in bench.sim.messages(bench.channel)] == ["done all the same"]
    [call] = bench.sim.calls
    assert call.done
    broken = kind is FaultKind.DROP_ANSWER
    assert [each.status for each in bench.sim.journal.exchanges if each.source == "bot"] == [None if broken else 500]


async def test_a_dropped_request_does_nothing(bench: Bench) -> None:
    bench.sim.faults.add(Fault(kind=FaultKind.DROP_REQUEST, operation="chat.postMessage", times=1))
    with pytest.raises(aiohttp.ClientError):
        await bench.say()
    assert bench.sim.messages(bench.channel) == []


async def count_until_refused(bench: Bench, method: str, **params: str) -> int:
    """Return how many calls went well before the first 429."""
    for number in range(200):
        try:
            await bench.client.api_call(method, params=params)
        except SlackApiError as error:
            return number if error.response.status_code == 429 else -1
    return -1


async def test_realistic_limits_follow_each_methods_tier(bench: Bench) -> None:
    bench.sim.limits.enforced = True
    assert await count_until_refused(bench, "users.list") == 20
    assert await count_until_refused(bench, "team.info") == 50
    assert await count_until_refused(bench, "users.info", user=bench.ana) == 100
    await bench.clock.advance(timedelta(seconds=60))
    assert (await bench.client.users_list())["ok"]


async def test_realistic_limits_give_each_channel_a_post_a_second_after_a_burst(bench: Bench) -> None:
    bench.sim.limits.enforced = True
    other = bench.sim.add_channel("other")
    assert await count_until_refused(bench, "chat.postMessage", channel=bench.channel, text="x") == 5
    assert await count_until_refused(bench, "chat.postMessage", channel=other, text="x") == 5
    await bench.clock.advance(timedelta(seconds=2))
    assert await count_until_refused(bench, "chat.postMessage", channel=bench.channel, text="x") == 2
    await bench.clock.advance(timedelta(seconds=30))
    assert await count_until_refused(bench, "chat.postMessage", channel=bench.channel, text="x") == 5


async def test_without_being_told_nothing_is_limited(bench: Bench) -> None:
    for _ in range(30):
        await bench.say()
    assert len(bench.sim.messages(bench.channel)) == 30
