"""What an author edits, deletes, crosses out or takes off counts until it has left; later there is a correction."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from bot.sandbox.faults import FaultKind
from bot.sandbox.slack_files import remove_file
from bot.sandbox.slack_people import Upload
from bot.sandbox.telnyx_sim import Outcome, OutcomeKind
from tests.bridge.events import make_event
from tests.bridge.harness import ANA, CHANNEL, Bench, find_button, list_buttons, open_bench, read_words
from tests.media.kinds import make_jpeg

SENDING = "POST /messages"
MINUTE = timedelta(minutes=1)

# ------------------------------------------------------------------------------------------------- before it has left


async def test_an_edit_within_the_hold_changes_what_goes_out() -> None:
    async with open_bench(send_hold_seconds=20) as bench:
        root = await bench.open_thread()
        ts = await bench.reply("Helo", root)
        await bench.pass_time(timedelta(seconds=5))
        assert bench.marks(ts) == {"hourglass_flowing_sand"}
        await bench.slack.edit(bench.alice, CHANNEL, ts, "Hello")
        await bench.pass_time(timedelta(seconds=20))

        assert bench.phone() == ["Hello"]
        assert bench.marks(ts) == {"white_check_mark"}
        assert bench.slack.ephemerals(bench.alice) == []


async def test_a_deletion_within_the_hold_stops_it() -> None:
    async with open_bench(send_hold_seconds=20) as bench:
        root = await bench.open_thread()
        ts = await bench.reply("Oops", root)
        await bench.settle()
        await bench.slack.delete(bench.alice, CHANNEL, ts)
        await bench.pass_time(timedelta(minutes=1))

        assert bench.send_requests == []


async def test_what_was_deleted_while_its_author_was_asked_is_not_sent_by_the_question_that_is_left() -> None:
    async with open_bench(thread_mode="confirm") as bench:
        root = await bench.open_thread()
        ts = await bench.reply("Oops", root)
        await bench.settle()
        (question,) = bench.whispers("Send this")
        await bench.slack.delete(bench.alice, CHANNEL, ts)
        await bench.settle()

        said = await bench.click(question, "Send")
        await bench.settle()

        assert "deleted" in said
        assert bench.send_requests == []


async def test_the_authors_cross_within_the_hold_takes_it_back_and_anothers_does_not() -> None:
    async with open_bench(send_hold_seconds=20) as bench:
        root = await bench.open_thread()
        bob = bench.slack.add_user("bob")
        first, second = await bench.reply("Mine", root), await bench.reply("Also mine", root)
        await bench.settle()
        await bench.slack.react(bench.alice, CHANNEL, first, "x")
        await bench.slack.react(bob, CHANNEL, second, "x")
        await bench.pass_time(timedelta(minutes=1))

        assert bench.phone() == ["Also mine"]
        assert bench.marks(first) == set()
        assert bench.whispers("Taken back")


@pytest.mark.parametrize("change", ["edit", "note", "delete", "cross", "shortcut"])
async def test_what_the_carrier_could_not_take_yet_can_still_be_changed(change: str) -> None:
    async with open_bench() as bench:
        root = await bench.open_thread()
        bench.fail(bench.telnyx, FaultKind.RATE_LIMIT, SENDING, retry_after=30, times=1)
        ts = await bench.reply("Helo", root)
        await bench.settle()
        match change:
            case "edit":
                await bench.edit(ts, "Hello")
            case "note":
                await bench.edit(ts, "note: Hello")
            case "delete":
                await bench.slack.delete(bench.alice, CHANNEL, ts)
            case "cross":
                await bench.slack.react(bench.alice, CHANNEL, ts, "x")
            case _:
                await bench.use_shortcut(ts, "mark_as_note")
        await bench.pass_time(timedelta(minutes=2))

        assert bench.phone() == (["Hello"] if change == "edit" else [])
        assert bench.whispers("still has the original") == []


# --------------------------------------------------------------------------------------------------------- afterwards


async def test_a_later_deletion_tells_its_author_privately(bench: Bench) -> None:
    root = await bench.open_thread()
    ts = await bench.reply("Oops", root)
    await bench.settle()
    await bench.slack.delete(bench.alice, CHANNEL, ts)
    await bench.settle()

    assert bench.whispers("still has the original")
    assert bench.phone() == ["Oops"]


async def test_a_late_cross_is_told_and_changes_nothing(bench: Bench) -> None:
    root = await bench.open_thread()
    ts = await bench.reply("Hello", root)
    await bench.settle()
    await bench.slack.react(bench.alice, CHANNEL, ts, "x")
    await bench.settle()

    assert bench.whispers("came too late")
    assert bench.marks(ts) == {"white_check_mark"}


# -------------------------------------------------------------------------------------------------------------- files


async def test_a_file_that_is_removed_in_the_hold_is_not_sent() -> None:
    async with open_bench(send_hold_seconds=20, media_allow_private_hosts=True) as bench:
        root = await bench.open_thread()
        uploads = [Upload(name=name, content=make_jpeg()) for name in ("a.jpg", "b.jpg")]
        ts = await bench.reply("Look", root, files=uploads)
        await bench.settle()
        gone = next(file for file in bench.slack.files.values() if file.name == "a.jpg")
        remove_file(bench.slack.workspace, gone)
        await bench.pass_time(MINUTE)
        await bench.wait_mark(ts, "white_check_mark")

        (request,) = bench.telnyx.sends
        assert len(request.media_urls) == 1
        assert "b.jpg" in request.media_urls[0]


async def test_a_reply_of_nothing_but_a_file_that_is_removed_is_taken_back() -> None:
    async with open_bench(send_hold_seconds=20, media_allow_private_hosts=True) as bench:
        root = await bench.open_thread()
        ts = await bench.reply("", root, files=[Upload(name="a.jpg", content=make_jpeg())])
        await bench.settle()
        remove_file(bench.slack.workspace, next(iter(bench.slack.files.values())))
        await bench.pass_time(MINUTE)

        assert bench.telnyx.sends == []
        assert bench.marks(ts) == set()
        assert bench.whispers("Taken back")


async def test_a_file_that_is_removed_too_late_is_told() -> None:
    async with open_bench(media_allow_private_hosts=True) as bench:
        root = await bench.open_thread()
        ts = await bench.reply("Look", root, files=[Upload(name="a.jpg", content=make_jpeg())])
        await bench.wait_mark(ts, "white_check_mark")
        remove_file(bench.slack.workspace, next(iter(bench.slack.files.values())))
        await bench.settle()

        assert bench.whispers("removed a file")
        assert len(bench.telnyx.sends) == 1


# -------------------------------------------------------------------------------------------------------- corrections


async def test_a_later_edit_tells_its_author_privately_and_offers_a_correction(bench: Bench) -> None:
    root = await bench.open_thread()
    ts = await bench.reply("At 5pm", root)
    await bench.settle()
    await bench.edit(ts, "At 6pm")
    (line,) = bench.whispers("still has the original")
    assert list_buttons(line) == ["Send correction"]
    assert bench.phone() == ["At 5pm"]

    await bench.click(line, "Send correction")

    assert bench.phone() == ["At 5pm", "At 6pm"]
    assert "At 6pm" in bench.thread(root)[-1]


async def test_two_edits_and_two_corrections_are_two_texts(bench: Bench) -> None:
    root = await bench.open_thread()
    ts = await bench.reply("At 5pm", root)
    await bench.settle()
    for words in ("At 6pm", "At 7pm"):
        await bench.edit(ts, words)
        await bench.click(bench.whispers("still has the original")[-1], "Send correction")

    assert bench.phone() == ["At 5pm", "At 6pm", "At 7pm"]


async def test_a_correction_asked_for_twice_is_one_text_and_the_same_words_may_come_back_later(bench: Bench) -> None:
    root = await bench.open_thread()
    ts = await bench.reply("At 5pm", root)
    await bench.settle()
    for words in ("At 6pm", "At 7pm", "At 6pm"):
        await bench.edit(ts, words)
        line = bench.whispers("still has the original")[-1]
        action = find_button(line, "Send correction")["action_id"]
        await asyncio.gather(*[bench.slack.click(bench.alice, CHANNEL, line["ts"], action) for _ in range(2)])
        await bench.settle()

    assert bench.phone() == ["At 5pm", "At 6pm", "At 7pm", "At 6pm"]


async def test_a_correction_is_only_ever_what_stands_above_its_button(bench: Bench) -> None:
    root = await bench.open_thread()
    ts = await bench.reply("At 5pm", root)
    await bench.settle()
    await bench.edit(ts, "At 6pm")
    (first,) = bench.whispers("still has the original")
    assert "At 6pm" in read_words(first)
    await bench.edit(ts, "At 7pm")

    assert "At 7pm" in await bench.click(first, "Send correction")
    assert bench.phone() == ["At 5pm"]


@pytest.mark.parametrize("last", ["note: At 6pm, maybe", "At 5pm"], ids=["a note", "the original"])
async def test_no_correction_goes_out_once_the_message_is(last: str, bench: Bench) -> None:
    root = await bench.open_thread()
    ts = await bench.reply("At 5pm", root)
    await bench.settle()
    await bench.edit(ts, "At 6pm")
    (line,) = [each for each in bench.whispers("still has the original") if list_buttons(each)]
    await bench.edit(ts, last)

    assert "nothing to correct" in await bench.click(line, "Send correction")
    assert bench.phone() == ["At 5pm"]


async def test_an_edit_of_what_did_not_arrive_offers_to_send_it_as_it_is_now(bench: Bench) -> None:
    bench.telnyx.set_outcome(ANA, Outcome(kind=OutcomeKind.REFUSED))
    root = await bench.open_thread()
    ts = await bench.reply("At 5pm", root)
    await bench.settle()
    bench.telnyx.set_outcome(ANA, Outcome(kind=OutcomeKind.DELIVERED))
    await bench.edit(ts, "At 6pm")

    await bench.click(bench.whispers("did not reach them")[0], "Send it again")
    assert bench.phone() == ["At 6pm"]


# ---------------------------------------------------------------------------------------------------- no edits at all


async def test_a_link_that_unfolds_is_no_edit(bench: Bench) -> None:
    root = await bench.open_thread()
    ts = await bench.reply("See https://example.com/x", root)
    await bench.settle()
    await bench.slack.unfurl(CHANNEL, ts)
    await bench.settle()

    assert bench.slack.ephemerals(bench.alice) == []
    assert len(bench.phone()) == 1


_NOISE: dict[str, dict[str, Any]] = {
    "an unfurl": {"attachments": [{"title": "A page"}]},
    "metadata": {"metadata": {"event_type": "x", "event_payload": {}}},
    "a file that is still looked at": {"files": [{"id": "F1", "mode": "hosted", "mimetype": "image/png"}]},
    "a thread's count": {"reply_count": 2, "latest_reply": "9.9"},
    "an old edit and an unfurl": {"edited": {"user": "ALICE", "ts": "6.0"}, "attachments": [{"title": "A page"}]},
    "a pin": {"pinned_to": [CHANNEL]},
    "a subscription": {"subscribed": True, "last_read": "9.9"},
}


@pytest.mark.parametrize("change", _NOISE.values(), ids=_NOISE.keys())
@pytest.mark.parametrize("hold", [0, 20])
async def test_nothing_is_told_or_changed_by(change: dict[str, Any], hold: int) -> None:
    async with open_bench(send_hold_seconds=hold) as bench:
        root = await bench.open_thread()
        ts = await bench.reply("See https://example.com/x", root)
        await bench.settle()
        before = {key: value for key, value in bench.slack.message(CHANNEL, ts).items() if key != "reactions"}
        edited = {"edited": {**change["edited"], "user": bench.alice}} if "edited" in change else {}
        event = {
            "type": "message",
            "subtype": "message_changed",
            "hidden": True,
            "channel": CHANNEL,
            "ts": "9.000001",
            "message": {**before, **change, **edited},
            "previous_message": {**before, **edited},
        }
        assert await bench.post_signed_by_slack(make_event(event)) == 200
        await bench.pass_time(MINUTE)

        assert bench.phone() == ["See https://example.com/x"]
        assert bench.slack.ephemerals(bench.alice) == []
