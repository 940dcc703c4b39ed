"""Texts that Slack refuses, posts that stand twice for a while, and searches that take long: nothing of it is lost."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

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
    assert client.asked == list(range(50))
    assert interruptions > 10
