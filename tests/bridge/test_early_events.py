"""
Slack's events out of order: what is said of a message before the message itself, or before what came earlier.

Slack repeats an event that was not answered a minute later, then five, then an hour; what its author did meanwhile may
have been read long before.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from bot.sandbox.faults import FaultKind
from bot.sandbox.slack_people import Upload
from tests.bridge.events import make_event, make_reply
from tests.bridge.harness import CHANNEL, Bench, open_bench
from tests.media.kinds import make_jpeg

FIRST = "1795186801.000100"
MINUTE = timedelta(minutes=1)
_FACTS = "SELECT name, value FROM facts WHERE name LIKE '%:C0TEXTS:%'"

Json = dict[str, Any]


def write(bench: Bench, text: str, root: str, **more: Any) -> Json:
    """Return the event of a reply as it was first written."""
    return make_reply(bench.alice, text, root) | {"ts": FIRST} | more


def change(reply: Json, text: str, *, second: int, **more: Any) -> Json:
    """Return the event of a change of *reply*, so many seconds later."""
    at = f"17951868{second:02}.000200"
    edited = {"user": reply["user"], "ts": f"{at[:10]}.000000"}
    message = {**reply, "text": text, "edited": edited, **more}
    return {
        "type": "message",
        "subtype": "message_changed",
        "channel": CHANNEL,
        "ts": at,
        "event_ts": at,
        "message": message,
        "previous_message": reply,
    }


def cross(bench: Bench, reply: Json) -> Json:
    """Return the event of its author's ❌ on *reply*."""
    item = {"type": "message", "channel": CHANNEL, "ts": reply["ts"]}
    return {"type": "reaction_added", "user": bench.alice, "item_user": bench.alice, "reaction": "x", "item": item}


def deletion(reply: Json) -> Json:
    """Return the event of the deletion of *reply*."""
    deleted = {"type": "message", "subtype": "message_deleted", "channel": CHANNEL, "ts": "1795186805.000100"}
    return deleted | {"deleted_ts": reply["ts"], "previous_message": reply}


async def tell(bench: Bench, *events: Json) -> None:
    """Let Slack bring *events*, one after the other."""
    for number, event in enumerate(events):
        name = f"Ev{event.get('subtype')}{event.get('event_ts')}{number}"
        assert await bench.post_signed_by_slack(make_event(event, event_id=name)) == 200
        await bench.settle()


async def test_of_a_reply_whose_edit_is_read_before_it_the_newest_words_go_out(bench: Bench) -> None:
    root = await bench.open_thread()
    reply = write(bench, "At 5pm", root)
    await tell(bench, change(reply, "At 6pm", second=3), reply)

    assert bench.phone() == ["At 6pm"]
    assert bench.whispers("still has the original") == []


async def test_the_newest_of_several_early_edits_counts_in_whichever_order_they_are_read(bench: Bench) -> None:
    root = await bench.open_thread()
    reply = write(bench, "At 5pm", root)
    await tell(bench, change(reply, "At 7pm", second=5), change(reply, "At 6pm", second=3), reply)

    assert bench.phone() == ["At 7pm"]


async def test_an_early_edit_is_remembered_through_a_restart(bench: Bench) -> None:
    root = await bench.open_thread()
    reply = write(bench, "At 5pm", root)
    await tell(bench, change(reply, "At 6pm", second=3))
    await bench.restart()
    await tell(bench, reply)

    assert bench.phone() == ["At 6pm"]


async def test_an_older_edit_that_is_read_later_does_not_bring_its_words_back() -> None:
    async with open_bench(send_hold_seconds=20) as bench:
        root = await bench.open_thread()
        reply = write(bench, "At 5pm", root)
        await tell(bench, reply, change(reply, "At 7pm", second=5), change(reply, "At 6pm", second=3))
        await bench.pass_time(MINUTE)

        assert bench.phone() == ["At 7pm"]


async def test_an_early_edit_is_read_by_the_rules_of_the_channel() -> None:
    async with open_bench(thread_mode="prefix") as bench:
        root = await bench.open_thread()
        reply = write(bench, "sms: At 5pm", root)
        await tell(bench, change(reply, "sms: At 6pm", second=3), reply)

        assert bench.phone() == ["At 6pm"]


async def test_the_question_whether_to_send_shows_the_words_of_an_early_edit() -> None:
    async with open_bench(thread_mode="confirm") as bench:
        root = await bench.open_thread()
        reply = write(bench, "At 5pm", root)
        await tell(bench, change(reply, "At 6pm", second=3), reply)
        (question,) = bench.whispers("Send this to")

        await bench.click(question, "Send")
        assert bench.phone() == ["At 6pm"]


async def test_what_an_early_edit_made_a_note_of_is_not_sent(bench: Bench) -> None:
    root = await bench.open_thread()
    reply = write(bench, "She is difficult", root)
    await tell(bench, change(reply, "note: She is difficult", second=3), reply)

    assert bench.telnyx.sends == []


@pytest.mark.parametrize(
    "words",
    [
        ("note: She is difficult", "See you at 5pm"),
        ("At 5pm", "note: She is difficult", "See you at 5pm"),
        ("note: She is difficult", "// Very", "See you at 5pm"),
    ],
)
@pytest.mark.parametrize("are_turned", [False, True])
async def test_what_was_a_note_is_not_sent_by_edits_that_are_read_before_it_and_its_author_is_asked(
    bench: Bench, words: Sequence[str], *, are_turned: bool
) -> None:
    root = await bench.open_thread()
    reply = write(bench, words[0], root)
    edits = [change(reply, each, second=3 + n) for n, each in enumerate(words[1:])]
    await tell(bench, *(reversed(edits) if are_turned else edits), reply)

    assert bench.telnyx.sends == []
    (question,) = bench.whispers("See you at 5pm")
    await bench.click(question, "Send")
    assert bench.phone() == ["See you at 5pm"]


async def test_what_was_not_meant_for_the_customer_is_not_sent_when_an_early_edit_puts_the_prefix_before_it() -> None:
    async with open_bench(thread_mode="prefix") as bench:
        root = await bench.open_thread()
        reply = write(bench, "Who takes this one?", root)
        await tell(bench, change(reply, "sms: I take this one", second=3), reply)

        assert bench.telnyx.sends == []
        assert len(bench.whispers("I take this one")) == 1


async def test_an_edit_alone_sends_nothing(bench: Bench) -> None:
    """Of a message that was there before us, or never comes."""
    root = await bench.open_thread()
    await tell(bench, change(write(bench, "At 5pm", root), "At 6pm", second=3))

    assert bench.telnyx.sends == []


async def test_what_was_edited_and_then_deleted_before_it_is_read_is_not_sent(bench: Bench) -> None:
    root = await bench.open_thread()
    reply = write(bench, "At 5pm", root)
    await tell(bench, change(reply, "At 6pm", second=3), deletion(reply), reply)

    assert bench.telnyx.sends == []


@pytest.mark.parametrize("mode", ["reply", "confirm"])
async def test_a_reply_whose_deletion_is_read_before_it_is_not_sent_and_nobody_is_asked(mode: str) -> None:
    async with open_bench(thread_mode=mode) as bench:
        root = await bench.open_thread()
        reply, later = write(bench, "Oops", root), write(bench, "Hello", root, ts="1795186802.000100")
        await tell(bench, deletion(reply), reply, later)

        assert bench.phone() == (["Hello"] if mode == "reply" else [])
        assert len(bench.whispers("Send this to")) == (1 if mode == "confirm" else 0)


@pytest.mark.parametrize("words", ["Look", "Look!"])
async def test_a_file_that_was_taken_off_before_the_reply_is_read_does_not_go_out(words: str) -> None:
    async with open_bench(media_allow_private_hosts=True) as bench:
        root = await bench.open_thread()
        uploads = [Upload(name=name, content=make_jpeg()) for name in ("a.jpg", "b.jpg")]
        await bench.slack.post(bench.alice, CHANNEL, "Mine", files=uploads)
        files = [{"id": key, "name": file.name, "mode": "hosted"} for key, file in bench.slack.files.items()]
        reply = write(bench, "Look", root, files=files, subtype="file_share")
        changed = change(reply, words, second=3, files=files[1:])
        if words == "Look":
            del changed["message"]["edited"]
        await tell(bench, changed, reply)
        await bench.wait_until(lambda: bench.telnyx.sends)

        (sent,) = bench.telnyx.sends
        assert sent.text == words
        assert len(sent.media_urls) == 1
        assert "b.jpg" in sent.media_urls[0]


async def test_words_found_in_the_thread_that_are_newer_than_an_early_edit_go_out_as_found(bench: Bench) -> None:
    root = await bench.open_thread()
    reply = write(bench, "At 5pm", root)
    found = change(reply, "At 7pm", second=5)["message"]
    await tell(bench, change(reply, "At 6pm", second=3), found)

    assert bench.phone() == ["At 7pm"]


@asynccontextmanager
async def card_being_posted(bench: Bench) -> AsyncIterator[str]:
    """
    Give the root of a thread of which we do not know yet: Slack's answer was lost, and its search does not answer.

    In the end it does, and so what is waiting for it is read.
    """
    bench.fail(bench.slack, FaultKind.DROP_ANSWER, "chat.postMessage", times=1)
    searching = bench.fail(bench.slack, FaultKind.REFUSE, "conversations.history", status=503)
    await bench.text_in("Hello")
    (card,) = await bench.wait_until(lambda: bench.slack.messages(CHANNEL))
    yield str(card["ts"])
    await bench.settle()
    assert await bench.query("SELECT 1 FROM threads") == []
    bench.slack.faults.lift(searching)
    for _ in range(3):
        await bench.pass_time(MINUTE)
    assert len(bench.slack.messages(CHANNEL)) == 1


async def test_of_a_reply_to_a_card_that_is_being_posted_the_newest_words_go_out_whenever_they_are_read(
    bench: Bench,
) -> None:
    async with card_being_posted(bench) as root:
        reply = write(bench, "At 5pm", root)
        await tell(bench, change(reply, "At 7pm", second=5), change(reply, "At 6pm", second=3), reply)

    assert bench.phone() == ["At 7pm"]
    assert bench.whispers() == []


async def test_what_its_author_changes_while_a_reply_waits_for_its_card_counts(bench: Bench) -> None:
    async with card_being_posted(bench) as root:
        reply = write(bench, "At 5pm", root)
        await tell(bench, change(reply, "At 6pm", second=3), reply, change(reply, "At 7pm", second=5))

    assert bench.phone() == ["At 7pm"]
    assert bench.whispers() == []


@pytest.mark.parametrize("words", [("note: Rude", "At 6pm"), ("At 5pm", "note: Rude", "At 6pm")])
async def test_what_was_a_note_while_it_waited_for_its_card_is_not_sent_and_its_author_is_asked(
    bench: Bench, words: Sequence[str]
) -> None:
    async with card_being_posted(bench) as root:
        reply = write(bench, words[0], root)
        await tell(bench, reply, *(change(reply, each, second=3 + n) for n, each in enumerate(words[1:])))

    assert bench.telnyx.sends == []
    assert bench.whispers("At 6pm")
    await bench.click(bench.whispers("At 6pm")[-1], "Send")
    assert bench.phone() == ["At 6pm"]


async def test_a_reply_that_is_deleted_while_it_waits_for_its_card_is_not_sent(bench: Bench) -> None:
    async with card_being_posted(bench) as root:
        reply = write(bench, "At 5pm", root)
        after = make_reply(bench.alice, "Come any time", root) | {"ts": "1795186803.000100"}
        await tell(bench, reply, change(reply, "At 6pm", second=3), after, deletion(reply))

    assert bench.phone() == ["Come any time"]
    assert bench.whispers() == []


@pytest.mark.parametrize("says_where", [True, False])
async def test_a_reply_to_a_card_that_is_being_posted_is_not_sent_when_its_deletion_is_read_before_it(
    bench: Bench, *, says_where: bool
) -> None:
    async with card_being_posted(bench) as root:
        reply = write(bench, "At 5pm", root)
        told = deletion(reply)
        if not says_where:
            del told["previous_message"]
        await tell(bench, change(reply, "At 6pm", second=3), told, reply)

    assert bench.telnyx.sends == []


async def test_a_deletion_that_does_not_say_where_counts_for_a_reply_that_is_read_after_it(bench: Bench) -> None:
    """Slack's own example of the event has no `previous_message`."""
    root = await bench.open_thread()
    reply = write(bench, "At 5pm", root)
    told = deletion(reply)
    del told["previous_message"]
    await tell(bench, told, reply)

    assert bench.telnyx.sends == []


async def test_what_is_changed_in_a_thread_of_nobodys_is_not_remembered(bench: Bench) -> None:
    await bench.open_thread()
    reply = write(bench, "Lunch?", "1795186700.000100")
    await tell(bench, change(reply, "Lunch at 12?", second=3), deletion(reply))

    assert await bench.query(_FACTS) == []


@pytest.mark.parametrize(("mode", "hold"), [("reply", 0), ("reply", 120), ("prefix", 0), ("confirm", 0)])
async def test_a_cross_that_is_read_before_its_reply_stops_it_and_nobody_is_asked_or_told_to_wait(
    mode: str, hold: int
) -> None:
    async with open_bench(thread_mode=mode, send_hold_seconds=hold) as bench:
        root = await bench.open_thread()
        reply = write(bench, "sms: Oops" if mode == "prefix" else "Oops", root)
        await tell(bench, cross(bench, reply), reply)
        await bench.pass_time(timedelta(minutes=5))

        assert bench.telnyx.sends == []
        (line,) = bench.whispers()
        assert "Taken back" in line["text"]


async def test_anothers_early_cross_stops_nothing(bench: Bench) -> None:
    root = await bench.open_thread()
    reply = write(bench, "Hello", root)
    await tell(bench, cross(bench, reply) | {"user": bench.slack.add_user("bob")}, reply)

    assert bench.phone() == ["Hello"]


async def test_what_is_remembered_of_early_events_holds_nobodys_words(bench: Bench) -> None:
    root = await bench.open_thread()
    reply = write(bench, "wombat at 5pm", root)
    await tell(bench, change(reply, "wombat at 6pm", second=3), cross(bench, reply))

    facts = await bench.query(_FACTS)
    assert len(facts) == 2
    assert "wombat" not in str([tuple(fact) for fact in facts])
