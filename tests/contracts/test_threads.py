"""What `Threads` and `Directory` promise, of the real gateway and of the double that stands in for it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.ids import ChannelId, SlackTs, UserId
from bot.errors import ChannelUnusable, OutcomeUnknown, RetryLater, SlackRefused
from bot.ports import Post, Standing
from tests.contracts.platforms import WORKPLACES, Workplace
from tests.doubles.border import Trouble


@pytest.fixture(params=sorted(WORKPLACES))
async def place(request: pytest.FixtureRequest) -> AsyncIterator[Workplace]:
    async with WORKPLACES[request.param]() as opened:
        yield opened


def make_post(place: Workplace, text: str, **changes: object) -> Post:
    blocks = [{"type": "section", "text": {"type": "plain_text", "text": text}}]
    post = Post(channel_id=place.channel, text=text, blocks=blocks, key=f"key of {text}")
    return replace(post, **changes)  # type: ignore[arg-type]


async def test_a_post_stands_in_the_channel_or_in_its_thread(place: Workplace) -> None:
    root = await place.threads.post(make_post(place, "root"))
    reply = await place.threads.post(make_post(place, "reply", thread_ts=root.ts))
    shown = await place.threads.post(make_post(place, "shown", thread_ts=root.ts, broadcast=True))
    assert (root.thread_ts, reply.thread_ts, shown.thread_ts) == (None, root.ts, root.ts)
    assert root.ts < reply.ts < shown.ts
    assert place.list_posts() == [("root", None), ("reply", root.ts), ("shown", root.ts)]


@pytest.mark.parametrize("with_replies", [True, False])
async def test_a_post_into_a_thread_without_its_root_stands_in_the_channel(
    place: Workplace, with_replies: bool
) -> None:
    root = await place.threads.post(make_post(place, "root"))
    if with_replies:
        await place.threads.post(make_post(place, "reply", thread_ts=root.ts))
    await place.delete_by_hand(root.ts)
    stray = await place.threads.post(make_post(place, "stray", thread_ts=root.ts))
    assert stray.thread_ts is None
    assert place.list_posts()[-1] == ("stray", None)


async def test_a_post_is_found_by_its_key_where_it_stands(place: Workplace) -> None:
    since = place.clock.now()
    post = make_post(place, "root")
    root = await place.threads.post(post)
    other = await place.threads.post(make_post(place, "other root"))
    into_thread = make_post(place, "reply", thread_ts=root.ts)
    first = await place.threads.post(into_thread)
    second = await place.threads.post(into_thread)
    await place.threads.post(make_post(place, "another reply", thread_ts=root.ts))
    assert await place.threads.find_post(post, since=since) == [root]
    assert await place.threads.find_post(into_thread, since=since) == [first, second]
    assert await place.threads.find_post(replace(into_thread, thread_ts=other.ts), since=since) == []
    assert await place.threads.find_post(make_post(place, "never posted"), since=since) == []
    assert len(place.list_posts()) == 5


async def test_a_post_from_long_before_is_not_found(place: Workplace) -> None:
    post = make_post(place, "root")
    await place.threads.post(post)
    await place.clock.advance(timedelta(hours=1))
    await place.threads.post(make_post(place, "another"))  # by which Slack's clock is seen to go with ours
    assert await place.threads.find_post(post, since=place.clock.now()) == []


async def test_a_stray_is_found_by_the_thread_into_which_it_was_meant(place: Workplace) -> None:
    since = place.clock.now()
    root = await place.threads.post(make_post(place, "root"))
    await place.delete_by_hand(root.ts)
    post = make_post(place, "stray", thread_ts=root.ts)
    stray = await place.threads.post(post)
    assert await place.threads.find_post(post, since=since) == [stray]


async def test_what_stood_in_a_thread_is_found_after_its_root_is_gone(place: Workplace) -> None:
    since = place.clock.now()
    root = await place.threads.post(make_post(place, "root"))
    post = make_post(place, "reply", thread_ts=root.ts)
    reply = await place.threads.post(post)
    await place.delete_by_hand(root.ts)
    assert await place.threads.find_post(post, since=since) == [reply]


async def test_a_deleted_post_is_not_found_and_may_be_deleted_again(place: Workplace) -> None:
    since = place.clock.now()
    post = make_post(place, "root")
    root = await place.threads.post(post)
    await place.threads.delete(place.channel, root.ts)
    assert place.list_posts() == []
    assert await place.threads.find_post(post, since=since) == []
    await place.threads.delete(place.channel, root.ts)


async def test_a_thread_lists_what_was_said_in_it_lately(place: Workplace) -> None:
    long_ago = place.clock.now()
    root = await place.threads.post(make_post(place, "root"))
    early = await place.threads.post(make_post(place, "early", thread_ts=root.ts))
    await place.threads.post(make_post(place, "elsewhere"))
    await place.clock.advance(timedelta(hours=1))
    since = place.clock.now()
    await place.clock.advance(timedelta(seconds=1))
    late = await place.threads.post(make_post(place, "late", thread_ts=root.ts))
    listed = await place.threads.list_replies(place.channel, root.ts, since=long_ago)
    assert [each["ts"] for each in listed] == [root.ts, early.ts, late.ts]
    assert [each["text"] for each in listed] == ["root", "early", "late"]
    lately = await place.threads.list_replies(place.channel, root.ts, since=since)
    assert [each["ts"] for each in lately][-1:] == [late.ts]
    assert early.ts not in [each["ts"] for each in lately]
    assert await place.threads.list_replies(place.channel, SlackTs("1500000000.000000"), since=long_ago) == []


async def test_reactions_come_and_go_once(place: Workplace) -> None:
    root = await place.threads.post(make_post(place, "root"))
    await place.threads.add_reaction(place.channel, root.ts, "x")
    await place.threads.add_reaction(place.channel, root.ts, "x")
    assert place.list_reactions(root.ts) == {"x"}
    await place.threads.remove_reaction(place.channel, root.ts, "x")
    await place.threads.remove_reaction(place.channel, root.ts, "x")
    assert place.list_reactions(root.ts) == set()


async def test_a_deleted_message_takes_no_reaction(place: Workplace) -> None:
    root = await place.threads.post(make_post(place, "root"))
    await place.threads.delete(place.channel, root.ts)
    with pytest.raises(SlackRefused) as refused:
        await place.threads.add_reaction(place.channel, root.ts, "x")
    assert refused.value.error == "message_not_found"


async def test_a_whisper_is_for_one_person(place: Workplace) -> None:
    await place.threads.whisper(place.channel, place.teammate, "psst", [], None)
    assert place.list_whispers(place.teammate) == ["psst"]
    assert place.list_whispers(place.guest) == []
    assert place.list_posts() == []


async def test_an_archived_channel_is_unusable(place: Workplace) -> None:
    root = await place.threads.post(make_post(place, "root"))
    await place.archive()
    with pytest.raises(ChannelUnusable):
        await place.threads.post(make_post(place, "late"))
    with pytest.raises(ChannelUnusable):
        await place.threads.whisper(place.channel, place.teammate, "psst", [], None)
    with pytest.raises(ChannelUnusable):
        await place.threads.add_reaction(place.channel, root.ts, "x")
    with pytest.raises(ChannelUnusable):
        await place.threads.join(place.channel)
    assert place.list_posts() == [("root", None)]


async def test_an_unknown_channel_is_unusable(place: Workplace) -> None:
    with pytest.raises(ChannelUnusable):
        await place.threads.post(make_post(place, "lost", channel_id=ChannelId("C0NOWHERE")))


@pytest.mark.parametrize(
    ("trouble", "error", "stands"),
    [
        (Trouble.UNREACHABLE, RetryLater, False),
        (Trouble.LOST_REQUEST, OutcomeUnknown, False),
        (Trouble.LOST_ANSWER, OutcomeUnknown, True),
    ],
)
async def test_a_failed_post_says_whether_it_may_stand(
    place: Workplace, trouble: Trouble, error: type[Exception], stands: bool
) -> None:
    since = place.clock.now()
    post = make_post(place, "root")
    place.strike("post", trouble)
    with pytest.raises(error):
        await place.threads.post(post)
    assert len(place.list_posts()) == stands
    assert len(await place.threads.find_post(post, since=since)) == stands


@pytest.mark.parametrize("trouble", Trouble)
async def test_what_may_be_repeated_asks_for_it(place: Workplace, trouble: Trouble) -> None:
    root = await place.threads.post(make_post(place, "root"))
    place.strike("add_reaction", trouble)
    with pytest.raises(RetryLater):
        await place.threads.add_reaction(place.channel, root.ts, "x")
    await place.clock.advance(timedelta(seconds=2))
    await place.threads.add_reaction(place.channel, root.ts, "x")
    assert place.list_reactions(root.ts) == {"x"}


async def test_people_are_who_they_are(place: Workplace) -> None:
    teammate = await place.directory.get_person(place.teammate)
    assert (teammate.id, teammate.standing) == (place.teammate, Standing.MEMBER)
    assert (await place.directory.get_person(place.guest)).standing is Standing.GUEST
    assert (await place.directory.get_person(UserId("U0NOBODY"))).standing is Standing.GONE
    assert await place.directory.name_channel(place.channel) == "texts"
    assert await place.directory.name_channel(ChannelId("C0NOWHERE")) is None
    assert await place.directory.name_group("S0NOBODY") is None
    ourselves = await place.directory.get_ourselves()
    assert (await place.directory.get_ourselves()) == ourselves
    assert ourselves.workspace_url.endswith("/")


async def test_nobody_is_taken_for_gone_because_slack_is(place: Workplace) -> None:
    place.strike("get_person", Trouble.UNREACHABLE)
    with pytest.raises(RetryLater):
        await place.directory.get_person(place.teammate)


async def test_timestamps_sort_as_they_were_given(place: Workplace) -> None:
    given: list[SlackTs] = []
    for number in range(12):
        given.append((await place.threads.post(make_post(place, f"text {number}"))).ts)
        await place.clock.advance(timedelta(milliseconds=number))
    assert given == sorted(set(given))
