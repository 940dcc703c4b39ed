"""
Texts that Slack's pace or an outage holds up: shown together rather than late, each once, in order, as it was sent.

What is shown soon anyway has a message of its own; see `bot.domain.joining`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.ids import ConversationId, MessageId
from bot.domain.message import Direction, Message, Origin, State
from bot.flows.jobs import enqueue_text
from bot.sandbox.faults import FaultKind
from bot.sandbox.telnyx_sim import Media
from tests.bridge.harness import ANA, BEN, CHANNEL, Bench, Json, open_bench
from tests.media.kinds import make_jpeg

_OUTAGE = timedelta(minutes=2)
_PLACES = """
SELECT text, slack_ts FROM messages WHERE direction = 'inbound' AND text LIKE 'Text %' ORDER BY created_at, id"""


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    """Return the bridge with the platforms' limits kept, and a Slack that enforces them."""
    async with open_bench(pacing="documented", media_allow_private_hosts=True) as opened:
        opened.slack.limits.enforced = True
        yield opened


def read_texts(message: Json) -> list[str]:
    """Return each text that stands in a message, as its blocks show it."""
    return [
        "".join(piece["text"] for section in block["elements"] for piece in section["elements"])
        for block in message.get("blocks", [])
        if block["type"] == "rich_text"
    ]


def list_texts(bench: Bench, root: str) -> list[list[str]]:
    """Return for each message of a thread, its root aside, the texts that stand in it."""
    return [texts for message in bench.slack.thread(CHANNEL, root)[1:] if (texts := read_texts(message))]


async def hold_up(bench: Bench, texts: Sequence[str]) -> None:
    """Let *texts* of Ana's come while Slack asks for half a minute's patience, and the first be shown after that."""
    bench.fail(bench.slack, FaultKind.RATE_LIMIT, "chat.postMessage", times=1, retry_after=30)
    for text in texts:
        await bench.text_in(text)
    await bench.telnyx.settle()
    await bench.pass_time(timedelta(seconds=31))
    assert bench.shown(texts[0])


async def let_all_come(bench: Bench) -> None:
    bench.clock.set_rate(20)
    await bench.finish()


async def test_after_an_outage_three_texts_of_each_of_many_customers_take_hardly_more_than_a_message_each(
    bench: Bench,
) -> None:
    customers = [f"+1415555{number:04d}" for number in range(200, 230)]
    for customer in customers:
        await bench.text_in("Hi", from_=customer)
    await bench.telnyx.settle()
    await let_all_come(bench)
    bench.clock.set_rate(1)
    outage = bench.fail(bench.slack, FaultKind.REFUSE, "chat.postMessage", status=503)
    for number in range(3):
        for customer in customers:
            await bench.text_in(f"Text {number} of {customer}", from_=customer)
    await bench.pass_time(_OUTAGE)
    bench.slack.faults.lift(outage)
    await let_all_come(bench)

    threads = [list_texts(bench, message["ts"]) for message in bench.slack.messages(CHANNEL) if "Hi" in message["text"]]
    shown = [[text for message in messages for text in message] for messages in threads]
    assert sorted(shown) == [[f"Text {number} of {customer}" for number in range(3)] for customer in customers]
    assert sum(len(messages) for messages in threads) < 2 * len(customers)


async def test_texts_that_slack_held_up_for_long_are_shown_together_once_the_first_is_there(bench: Bench) -> None:
    root = await bench.open_thread("Hi")
    await hold_up(bench, [f"Text {number}" for number in range(12)])
    await let_all_come(bench)

    first, *others = list_texts(bench, root)
    assert first == ["Text 0"]
    assert [text for texts in others for text in texts] == [f"Text {number}" for number in range(1, 12)]
    assert len(others) < 4


async def test_a_few_texts_that_slack_held_up_for_long_are_shown_one_by_one_for_that_is_soon(bench: Bench) -> None:
    root = await bench.open_thread("Hi")
    await hold_up(bench, [f"Text {number}" for number in range(4)])
    await let_all_come(bench)

    assert list_texts(bench, root) == [[f"Text {number}"] for number in range(4)]


async def test_a_text_with_a_picture_stands_by_itself_and_parts_those_before_it_from_those_behind(bench: Bench) -> None:
    root = await bench.open_thread("Hi")
    texts = [f"Text {number}" for number in range(24)]
    picture = Media(filename="a.jpg", content_type="image/jpeg", content=make_jpeg())
    bench.fail(bench.slack, FaultKind.RATE_LIMIT, "chat.postMessage", times=1, retry_after=30)
    for text in texts:
        await bench.text_in(text, media=[picture] if text == "Text 6" else [])
    await bench.telnyx.settle()
    await let_all_come(bench)

    shown = list_texts(bench, root)
    assert [text for message in shown for text in message] == texts
    assert ["Text 6"] in shown
    assert len(shown) < 12


@pytest.mark.parametrize(
    ("special", "begins"), [({"recovered": True}, False), ({"has_media": True}, False), ({"broadcast": True}, True)]
)
async def test_what_has_something_about_it_stands_behind_no_other_text(
    bench: Bench, special: dict[str, Any], *, begins: bool
) -> None:
    """What is shown in the channel as well may have others behind it; what is explained, or has files, may not."""
    root = await bench.open_thread("Hi")
    outage = bench.fail(bench.slack, FaultKind.REFUSE, "chat.postMessage", status=503)
    (conversation,) = await bench.query("SELECT id FROM conversations")
    async with bench.works.store.transaction("let texts wait") as tx:
        for number in range(26):
            message = Message(
                id=MessageId(f"text-{number}"),
                conversation_id=ConversationId(conversation["id"]),
                direction=Direction.INBOUND,
                origin=Origin.PHONE,
                state=State.RECEIVED,
                text=f"Text {number}",
                created_at=bench.clock.now(),
            )
            await tx.messages.add(message)
            more = special if number == 9 else {}
            await enqueue_text(tx, message.conversation_id, message.id, message.text, **more)
    await bench.pass_time(timedelta(minutes=1))
    bench.slack.faults.lift(outage)
    await let_all_come(bench)

    shown = list_texts(bench, root)
    assert [text for texts in shown for text in texts] == [f"Text {number}" for number in range(26)]
    (place,) = [place for place, texts in enumerate(shown) if "Text 9" in texts]
    assert shown[place][0] == "Text 9"
    assert (len(shown[place]) > 1) is begins
    assert len(shown[place - 1]) > 2


async def test_who_of_a_group_said_what_stands_above_each(bench: Bench) -> None:
    for number in range(24):
        await bench.text_in(f"Text {number}", from_=(ANA, BEN)[number % 2], cc=[(BEN, ANA)[number % 2]])
    await bench.telnyx.settle()
    await let_all_come(bench)
    (root,) = [message for message in bench.slack.messages(CHANNEL) if "Text 0" in message["text"]]
    joint = next(message for message in bench.slack.thread(CHANNEL, root["ts"])[1:] if len(read_texts(message)) > 2)

    heads = [block["elements"][0]["text"] for block in joint["blocks"] if block["type"] == "context"]
    for text, head in zip(read_texts(joint), heads, strict=True):
        assert ("(415) 555-0101" if int(text.split()[1]) % 2 == 0 else "(415) 555-0102") in head
        assert "<!date^" in head


async def test_each_has_its_time_above_and_its_day_as_well_where_that_may_be_another(bench: Bench) -> None:
    root = await bench.open_thread("Hi")
    outage = bench.fail(bench.slack, FaultKind.REFUSE, "chat.postMessage", status=503)
    for number in range(8):
        await bench.text_in(f"Yesterday {number}")
    await bench.telnyx.settle()
    await bench.pass_time(timedelta(hours=20))
    for number in range(10):
        await bench.text_in(f"Today {number}")
    await bench.telnyx.settle()
    await bench.pass_time(timedelta(minutes=1))
    bench.slack.faults.lift(outage)
    await let_all_come(bench)

    heads = [
        (text, block["elements"][0]["text"])
        for message in bench.slack.thread(CHANNEL, root)[1:]
        if len(texts := read_texts(message)) > 1
        for text, block in zip(texts, [each for each in message["blocks"] if each["type"] == "context"], strict=True)
    ]
    assert {"{date_short_pretty} at {time_secs}|" in head for text, head in heads if "Yesterday" in text} == {True}
    assert {"{date" in head for text, head in heads if "Today" in text} == {False}


async def test_stop_among_texts_that_are_held_up_counts_at_once_and_the_thread_is_told_in_its_place(
    bench: Bench,
) -> None:
    root = await bench.open_thread("Hi")
    await hold_up(bench, [*(f"Text {number}" for number in range(6)), "STOP", *(f"Text {n}" for n in range(6, 14))])
    await bench.reply("Are you there?", root)
    await bench.settle()
    assert not bench.shown("STOP")
    await let_all_come(bench)

    assert bench.telnyx.sends == []
    stop = next(texts for texts in list_texts(bench, root) if "STOP" in texts)
    assert stop[-2:] == ["Text 5", "STOP"]
    thread = bench.slack.thread(CHANNEL, root)
    told = next(place for place, message in enumerate(thread) if "opted out" in message["text"])
    assert "STOP" in read_texts(thread[told - 1])


async def test_a_tapback_among_texts_that_are_held_up_is_shown_on_the_message_in_which_its_text_stands(
    bench: Bench,
) -> None:
    root = await bench.open_thread("Hi")
    await hold_up(bench, [*(f"Text number {n}" for n in range(12)), "Loved “Text number 7”", "Text number 12"])
    await let_all_come(bench)

    (shown,) = bench.shown("Text number 7")
    assert len(read_texts(shown)) > 2
    assert bench.marks(shown["ts"]) == {"heart"}
    assert [text for texts in list_texts(bench, root) for text in texts] == [f"Text number {n}" for n in range(13)]


@pytest.mark.parametrize("kind", [FaultKind.DROP_ANSWER, FaultKind.FAIL_AFTER])
@pytest.mark.parametrize("dies", [False, True])
async def test_texts_that_stand_together_are_known_to_stand_there_when_the_answer_is_lost(
    bench: Bench, kind: FaultKind, *, dies: bool
) -> None:
    root = await bench.open_thread("Hi")
    await hold_up(bench, [f"Text {number}" for number in range(12)])
    bench.fail(bench.slack, kind, "chat.postMessage", times=1, status=503)
    bench.clock.set_rate(20)
    await bench.wait_until(lambda: bench.shown("Text 11"))
    if dies:
        await bench.restart()
    await bench.finish()

    assert [text for texts in list_texts(bench, root) for text in texts] == [f"Text {number}" for number in range(12)]
    places = {text: message["ts"] for message in bench.slack.thread(CHANNEL, root)[1:] for text in read_texts(message)}
    assert {row["text"]: row["slack_ts"] for row in await bench.query(_PLACES)} == places
    assert max(Counter(places.values()).values()) > 2


async def test_what_slack_refuses_to_show_together_is_shown_one_by_one(bench: Bench) -> None:
    root = await bench.open_thread("Hi")
    await hold_up(bench, [f"Text {number}" for number in range(12)])
    bench.fail(bench.slack, FaultKind.REFUSE, "chat.postMessage", times=1, code="invalid_blocks")
    await let_all_come(bench)

    assert list_texts(bench, root) == [[f"Text {number}"] for number in range(12)]


async def test_what_slack_refuses_in_its_form_is_shown_plainly_though_it_has_to_wait_for_another_turn(
    bench: Bench,
) -> None:
    """With its next turn it must not try again what was refused: then it would never be shown."""
    root = await bench.open_thread("Hi")
    await hold_up(bench, ["Text 0", "Text 1", "Text 2"])
    bench.fail(bench.slack, FaultKind.REFUSE, "chat.postMessage", times=1, code="invalid_blocks")
    await let_all_come(bench)

    _, first, second, third = bench.slack.thread(CHANNEL, root)
    assert second["blocks"][0]["text"] == {"type": "plain_text", "text": "Text 1", "emoji": False}
    assert read_texts(first) + read_texts(third) == ["Text 0", "Text 2"]
