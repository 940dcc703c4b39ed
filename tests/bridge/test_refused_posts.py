"""Texts that Slack refuses, posts that stand twice for a while, and searches that take long: nothing of it is lost."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from bot.clock import ManualClock
from bot.domain.ids import ChannelId
from bot.errors import Paced
from bot.gateways.slack import METADATA_TYPE, SlackGateway
from bot.observe import Metrics
from bot.ports import Post, Posted
from bot.sandbox.faults import FaultKind
from bot.workers.pacing import Pacer
from tests.bridge.harness import ANA, CHANNEL, Bench, read_words

if TYPE_CHECKING:
    from slack_sdk.web.async_client import AsyncWebClient


def refuse(bench: Bench, word: str, times: int | None = None) -> int:
    """Let Slack refuse posts with *word*."""
    return bench.fail(bench.slack, FaultKind.REFUSE, "chat.postMessage", code=word, times=times)


async def test_a_word_that_we_do_not_know_is_tried_again_and_the_text_appears(bench: Bench) -> None:
    root = await bench.open_thread()
    refuse(bench, "a_word_of_next_year", times=3)
    await bench.text_in("Here I am")
    for _ in range(4):
        await bench.pass_time(timedelta(seconds=31))

    assert bench.thread(root)[1:] == ["Here I am"]


async def test_a_text_whose_form_is_refused_is_shown_plainly_and_as_sent(bench: Bench) -> None:
    root = await bench.open_thread()
    refuse(bench, "invalid_blocks", times=1)
    await bench.text_in("<!channel> *look* & see")
    await bench.settle()
    (shown,) = bench.slack.thread(CHANNEL, root)[1:]

    assert shown["blocks"][0]["text"] == {"type": "plain_text", "text": "<!channel> *look* & see", "emoji": False}


async def test_a_text_that_slack_never_takes_is_told_in_its_thread_and_holds_up_nothing_for_long(bench: Bench) -> None:
    root = await bench.open_thread()
    fault = refuse(bench, "a_word_of_next_year")
    await bench.text_in("Refused")
    for _ in range(22):
        await bench.pass_time(timedelta(seconds=31))
    bench.slack.faults.lift(fault)
    await bench.text_in("Taken")
    await bench.pass_time(timedelta(seconds=31))

    line, taken = bench.thread(root)[1:]
    assert "a_word_of_next_year" in line
    assert "queue retry" in line
    assert taken == "Taken"
    assert [
        tuple(row)[2] for row in await bench.query("SELECT kind, key, status FROM jobs WHERE status = 'parked'")
    ] == ["parked"]


async def test_what_is_written_under_a_second_root_before_it_goes_reaches_the_phone(bench: Bench) -> None:
    """The first answer is lost and Slack's search lags, so two cards stand for twenty seconds; people answer under either."""
    bench.slack.workspace.history_lag = timedelta(seconds=10)
    bench.fail(bench.slack, FaultKind.DROP_ANSWER, "chat.postMessage", times=1)
    await bench.text_in("Hello")
    await bench.wait_until(lambda: len(bench.slack.messages(CHANNEL)) == 2)
    first, second = (message["ts"] for message in bench.slack.messages(CHANNEL))
    await bench.settle()
    await bench.reply("Under the first", first)
    await bench.reply("Under the second", second)
    await bench.settle()
    await bench.pass_time(timedelta(seconds=21))
    await bench.pass_time(timedelta(seconds=21))

    assert sorted(filter(None, bench.phone(ANA))) == ["Under the first", "Under the second"]
    standing = [message for message in bench.slack.messages(CHANNEL) if "Hello" in read_words(message)]
    assert len(standing) == 1


class _ManyPages:
    """A Slack whose history has fifty pages, the post on the last."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    async def conversations_history(self, *, cursor: str | None, **_: object) -> Any:
        page = int(cursor or 0)
        self.asked.append(page)
        metadata = {"event_type": METADATA_TYPE, "event_payload": {"key": "the key"}}
        message = {"ts": f"{page}.000000", "metadata": metadata if page == 49 else {}}
        answer = {"messages": [message], "response_metadata": {"next_cursor": str(page + 1) if page < 49 else ""}}
        return SimpleNamespace(data=answer)


async def test_a_search_that_slacks_pace_interrupts_goes_on_where_it_was() -> None:
    client, clock = _ManyPages(), ManualClock()
    gateway = SlackGateway(client=cast("AsyncWebClient", client), pace=Pacer(clock), metrics=Metrics())
    post = Post(channel_id=ChannelId(CHANNEL), text="", blocks=(), key="the key")
    interruptions = 0
    found: Sequence[Posted] = ()
    while not found:
        try:
            found = await gateway.find_post(post, since=clock.now())
        except Paced as paced:
            interruptions += 1
            await clock.advance(paced.after or timedelta(seconds=1))

    assert found[0].ts == "49.000000"
    assert client.asked == [0, *range(50)]  # the newest page first, by itself
    assert interruptions > 10


class _AnotherClock:
    """A Slack whose clock stands at the year 2023: what was posted shows in no search from today on."""

    async def conversations_history(self, *, oldest: str = "0", **_: object) -> Any:
        metadata = {"event_type": METADATA_TYPE, "event_payload": {"key": "the key"}}
        is_old = float(oldest) > 1_700_000_000
        return SimpleNamespace(data={"messages": [] if is_old else [{"ts": "1700000000.000001", "metadata": metadata}]})


async def test_a_post_is_found_however_far_slacks_clock_is_from_ours() -> None:
    client, clock = _AnotherClock(), ManualClock()
    gateway = SlackGateway(client=cast("AsyncWebClient", client), pace=Pacer(clock), metrics=Metrics())
    post = Post(channel_id=ChannelId(CHANNEL), text="", blocks=(), key="the key")

    assert [each.ts for each in await gateway.find_post(post, since=clock.now())] == ["1700000000.000001"]


@pytest.mark.parametrize("word", ["thread_not_found", "message_not_found", "cannot_reply_to_message"])
async def test_a_thread_that_slack_says_is_gone_is_replaced_at_once_by_a_linked_one(bench: Bench, word: str) -> None:
    root = await bench.open_thread("First")
    refuse(bench, word, times=1)
    await bench.text_in("Second")
    await bench.settle()
    await bench.text_in("Third")
    await bench.settle()

    (card,) = bench.shown("Second")
    assert "Continues" in read_words(card)
    assert root.replace(".", "") in read_words(card)
    assert bench.thread(card["ts"])[1:] == ["Third"]
