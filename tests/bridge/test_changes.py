"""What an author changes counts until it has left; what was not sent is never sent by an edit alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bot.sandbox.faults import FaultKind
from bot.sandbox.slack_files import remove_file
from bot.sandbox.slack_people import Upload
from bot.sandbox.telnyx_sim import Outcome, OutcomeKind
from tests.bridge.events import make_event, make_reply
from tests.bridge.harness import ANA, CHANNEL, Bench, list_buttons, open_bench, read_words
from tests.media.kinds import make_jpeg

MODES = ["reply", "prefix", "confirm"]
SENDING = "POST /messages"
MINUTE = timedelta(minutes=1)


async def edit(bench: Bench, ts: str, words: str, **more: Any) -> None:
    await bench.slack.edit(bench.alice, CHANNEL, ts, words, **more)
    await bench.settle()


async def use_shortcut(bench: Bench, ts: str, name: str, *, user: str = "") -> str:
    """Choose a message shortcut; returns what was then said privately."""
    answer = await bench.slack.shortcut(user or bench.alice, CHANNEL, ts, name)
    assert answer.status == 200
    await bench.settle()
    return str(bench.slack.ephemerals(user or bench.alice)[-1]["text"])


# -------------------------------------------------------------------------------------- a note becomes a reply


@pytest.mark.parametrize("mode", MODES)
async def test_a_note_that_is_edited_into_a_reply_is_not_sent_but_its_author_is_asked(mode: str) -> None:
    async with open_bench(thread_mode=mode) as bench:
        root = await bench.open_thread()
        ts = await bench.reply("note: call her", root)
        await bench.settle()
        await edit(bench, ts, "sms: We call you" if mode == "prefix" else "We call you")
        await bench.pass_time(timedelta(minutes=5))

        assert bench.phone() == []
        assert bench.marks(ts) == {"memo"}
        (question,) = bench.whispers("it still has not")
        assert "(415) 555-0101" in question["text"]
        assert list_buttons(question) == ["Send", "Keep as note"]

        await bench.click(question, "Send")
        assert bench.phone() == ["We call you"]
        assert bench.marks(ts) == {"white_check_mark"}


async def test_a_note_that_is_edited_stays_one_and_nobody_is_asked(bench: Bench) -> None:
    root = await bench.open_thread()
    ts = await bench.reply("note: call her", root)
    await bench.settle()
    await edit(bench, ts, "// call them")

    assert bench.marks(ts) == {"memo"}
    assert bench.slack.ephemerals(bench.alice) == []


async def test_a_question_after_which_it_became_a_note_again_sends_nothing(bench: Bench) -> None:
    root = await bench.open_thread()
    ts = await bench.reply("note: he is difficult", root)
    await bench.settle()
    await edit(bench, ts, "he is difficult")
    (question,) = bench.whispers("it still has not")
    await edit(bench, ts, "note: he is difficult")

    assert "it is a note now" in await bench.click(question, "Send")
    assert bench.phone() == []


async def test_what_was_too_long_and_is_shortened_is_asked_about_and_goes_out(bench: Bench) -> None:
    root = await bench.open_thread()
    ts = await bench.reply("x" * 1600, root)
    await bench.settle()
    assert bench.marks(ts) == {"no_entry"}
    await edit(bench, ts, "Short")

    await bench.click(bench.whispers("it still has not")[0], "Send")
    assert bench.phone() == ["Short"]
    assert bench.marks(ts) == {"white_check_mark"}


async def test_a_guest_who_edits_what_was_not_sent_is_not_asked(bench: Bench) -> None:
    root = await bench.open_thread()
    guest = bench.slack.add_user("gus", restricted=True)
    ts = await bench.reply("note: x", root, user=guest)
    await bench.settle()
    await bench.slack.edit(guest, CHANNEL, ts, "x")
    await bench.settle()

    assert bench.whispers("it still has not", user=guest) == []
    assert bench.whispers("Only full members", user=guest)


async def test_nobody_who_opted_out_is_asked_about(bench: Bench) -> None:
    root = await bench.open_thread()
    ts = await bench.reply("note: x", root)
    await bench.text_in("STOP")
    await bench.settle()
    await edit(bench, ts, "x")

    assert bench.whispers("it still has not") == []
    assert bench.whispers("opted out")


# -------------------------------------------------------------------------------------- a reply becomes a note


@pytest.mark.parametrize(
    ("mode", "before", "after"),
    [
        ("reply", "He is difficult", "note: He is difficult"),
        ("reply", "He is difficult", "*Private:* He is difficult"),
        ("reply", "He is difficult", "🔇 He is difficult"),
        ("prefix", "sms: He is difficult", "He is difficult"),
        ("prefix", "sms: He is difficult", "sms: note: He is difficult"),
        ("confirm", "He is difficult", "// He is difficult"),
    ],
)
async def test_a_reply_that_is_edited_into_a_note_in_time_is_not_sent(mode: str, before: str, after: str) -> None:
    async with open_bench(thread_mode=mode, send_hold_seconds=20) as bench:
        root = await bench.open_thread()
        ts = await bench.reply(before, root)
        await bench.settle()
        await edit(bench, ts, after)
        await bench.pass_time(MINUTE)

        assert bench.send_requests == []
        assert bench.marks(ts) == {"memo"}
        assert bench.whispers("This is a note now")


async def test_a_reply_that_is_edited_into_a_note_too_late_is_told_without_a_button(bench: Bench) -> None:
    root = await bench.open_thread()
    ts = await bench.reply("He is difficult", root)
    await bench.settle()
    await edit(bench, ts, "note: He is difficult")

    (line,) = bench.whispers("still has the original")
    assert list_buttons(line) == []
    assert bench.phone() == ["He is difficult"]


async def test_a_reply_may_become_a_note_and_a_reply_again_and_is_sent_once() -> None:
    async with open_bench(send_hold_seconds=20) as bench:
        root = await bench.open_thread()
        ts = await bench.reply("Hello", root)
        await bench.settle()
        for _ in range(3):
            await edit(bench, ts, "note: Hello")
            await edit(bench, ts, "Hello")
        await bench.pass_time(MINUTE)
        assert bench.phone() == []

        for question in bench.whispers("it still has not"):
            await bench.click(question, "Send")
        await bench.pass_time(MINUTE)
        assert bench.phone() == ["Hello"]
        assert bench.marks(ts) == {"white_check_mark"}


async def test_mark_as_note_in_the_hold_keeps_a_reply_here_and_send_as_text_brings_it_back() -> None:
    async with open_bench(send_hold_seconds=20) as bench:
        root = await bench.open_thread()
        ts = await bench.reply("Hello", root)
        await bench.settle()

        assert "This is a note now" in await use_shortcut(bench, ts, "mark_as_note")
        await bench.pass_time(MINUTE)
        assert bench.phone() == []
        assert bench.marks(ts) == {"memo"}

        assert "On its way" in await use_shortcut(bench, ts, "send_as_text")
        await bench.pass_time(MINUTE)
        assert bench.phone() == ["Hello"]
        assert bench.marks(ts) == {"white_check_mark"}


async def test_mark_as_note_after_it_has_gone_says_so(bench: Bench) -> None:
    root = await bench.open_thread()
    ts = await bench.reply("Hello", root)
    await bench.settle()

    assert "Too late" in await use_shortcut(bench, ts, "mark_as_note")
    assert bench.marks(ts) == {"white_check_mark"}


async def test_nobody_marks_or_sends_anothers_reply() -> None:
    async with open_bench(send_hold_seconds=20) as bench:
        root = await bench.open_thread()
        bob = bench.slack.add_user("bob")
        ts, note = await bench.reply("Hello", root), await bench.reply("note: x", root)
        await bench.settle()

        assert "Only its author" in await use_shortcut(bench, ts, "mark_as_note", user=bob)
        assert "Only its author" in await use_shortcut(bench, note, "send_as_text", user=bob)
        await bench.pass_time(MINUTE)
        assert bench.phone() == ["Hello"]


async def test_a_long_hold_is_told_with_what_can_be_done_meanwhile() -> None:
    async with open_bench(send_hold_seconds=120) as bench:
        root = await bench.open_thread()
        first, second = await bench.reply("One", root), await bench.reply("Two", root)
        await bench.settle()
        lines = bench.whispers("in 2 minutes")
        assert [list_buttons(line) for line in lines] == [["Send now", "Mark as note"]] * 2

        await bench.click(lines[0], "Mark as note")
        await bench.click(lines[1], "Send now")
        assert bench.phone() == ["Two"]
        assert (bench.marks(first), bench.marks(second)) == ({"memo"}, {"white_check_mark"})


@pytest.mark.parametrize("words", ["note: see here", "@bob see here"])
async def test_a_note_with_a_file_that_is_sent_after_all_takes_its_file_along(words: str) -> None:
    async with open_bench(media_allow_private_hosts=True) as bench:
        bob = bench.slack.add_user("bob")
        root = await bench.open_thread()
        text = words.replace("@bob", f"<@{bob}>")
        ts = await bench.reply(text, root, files=[Upload(name="a.jpg", content=make_jpeg())])
        await bench.settle()
        await use_shortcut(bench, ts, "send_as_text")
        await bench.wait_mark(ts, "white_check_mark")

        (request,) = bench.telnyx.sends
        assert len(request.media_urls) == 1


# --------------------------------------------------------------------------------------------- the question


async def test_the_question_shows_whom_and_what_exactly_as_it_goes_out() -> None:
    async with open_bench(thread_mode="confirm") as bench:
        root = await bench.open_thread()
        await bench.reply("Hello *there*\n\nTom & Co :tada:", root)
        await bench.settle()
        (question,) = bench.whispers("Send this")

        assert "(415) 555-0101" in question["text"]
        (shown,) = [block for block in question["blocks"] if block["type"] == "rich_text"]
        (element,) = shown["elements"][0]["elements"]
        await bench.click(question, "Send")
        assert bench.phone() == [element["text"]]
        assert element["text"] == "Hello there\n\nTom & Co 🎉"


async def test_after_an_edit_a_new_question_shows_the_new_words_and_the_old_one_no_longer_sends() -> None:
    async with open_bench(thread_mode="confirm") as bench:
        root = await bench.open_thread()
        ts = await bench.reply("Helo", root)
        await bench.settle()
        (old,) = bench.whispers("Send this")
        await edit(bench, ts, "Hello")
        new = bench.whispers("Send this")[-1]
        assert "Hello" in read_words(new)
        assert "Helo" not in read_words(new)

        assert "Hello" in await bench.click(old, "Send")
        assert bench.phone() == []
        await bench.click(new, "Send")
        assert bench.phone() == ["Hello"]


async def test_a_question_that_was_answered_in_quiet_hours_says_until_when_it_waits() -> None:
    async with open_bench(thread_mode="confirm", quiet_hours="21:00-08:00") as bench:
        root = await bench.open_thread()
        await bench.reply("Good morning", root)
        await bench.settle()

        assert "waits until 08:00 on Friday" in await bench.click(bench.whispers("Send this")[0], "Send")
        assert bench.phone() == []
        await bench.click(bench.whispers("waits until")[0], "Send now")
        assert bench.phone() == ["Good morning"]


# ------------------------------------------------------------------------------------------ before it has left


@pytest.mark.parametrize("change", ["edit", "note", "delete", "cross", "shortcut"])
async def test_what_the_carrier_could_not_take_yet_can_still_be_changed(change: str) -> None:
    async with open_bench() as bench:
        root = await bench.open_thread()
        bench.fail(bench.telnyx, FaultKind.RATE_LIMIT, SENDING, retry_after=30, times=1)
        ts = await bench.reply("Helo", root)
        await bench.settle()
        match change:
            case "edit":
                await edit(bench, ts, "Hello")
            case "note":
                await edit(bench, ts, "note: Hello")
            case "delete":
                await bench.slack.delete(bench.alice, CHANNEL, ts)
            case "cross":
                await bench.slack.react(bench.alice, CHANNEL, ts, "x")
            case _:
                await use_shortcut(bench, ts, "mark_as_note")
        await bench.pass_time(timedelta(minutes=2))

        assert bench.phone() == (["Hello"] if change == "edit" else [])
        assert bench.whispers("still has the original") == []


async def test_a_cross_that_is_read_before_the_reply_stops_it_all_the_same(bench: Bench) -> None:
    root = await bench.open_thread()
    reply = make_reply(bench.alice, "Oops", root) | {"ts": "1795186801.000100"}
    item = {"type": "message", "channel": CHANNEL, "ts": reply["ts"]}
    cross = {"type": "reaction_added", "user": bench.alice, "item_user": bench.alice, "reaction": "x", "item": item}
    await bench.post_signed_by_slack(make_event(cross, event_id="Ev1"))
    await bench.settle()
    await bench.post_signed_by_slack(make_event(reply, event_id="Ev2"))
    await bench.settle()

    assert bench.telnyx.sends == []
    assert bench.whispers("Taken back")


@pytest.mark.parametrize("mode", ["reply", "confirm"])
async def test_a_reply_whose_deletion_is_read_before_it_is_not_sent_and_nobody_is_asked(mode: str) -> None:
    """Slack repeats an event that was not answered minutes later: the author may have deleted the message by then."""
    async with open_bench(thread_mode=mode) as bench:
        root = await bench.open_thread()
        reply = make_reply(bench.alice, "Oops", root) | {"ts": "1795186801.000100"}
        later = make_reply(bench.alice, "Hello", root) | {"ts": "1795186802.000100"}
        deleted = {"type": "message", "subtype": "message_deleted", "channel": CHANNEL, "ts": "1795186803.000100"}
        deletion = deleted | {"deleted_ts": reply["ts"], "previous_message": reply}
        for number, event in enumerate((deletion, reply, later)):
            assert await bench.post_signed_by_slack(make_event(event, event_id=f"Ev{number}")) == 200
            await bench.settle()

        assert bench.phone() == (["Hello"] if mode == "reply" else [])
        assert len(bench.whispers("Send this to")) == (1 if mode == "confirm" else 0)


async def test_anothers_early_cross_stops_nothing(bench: Bench) -> None:
    root = await bench.open_thread()
    bob = bench.slack.add_user("bob")
    reply = make_reply(bench.alice, "Hello", root) | {"ts": "1795186801.000100"}
    item = {"type": "message", "channel": CHANNEL, "ts": reply["ts"]}
    cross = {"type": "reaction_added", "user": bob, "item_user": bench.alice, "reaction": "x", "item": item}
    await bench.post_signed_by_slack(make_event(cross, event_id="Ev1"))
    await bench.settle()
    await bench.post_signed_by_slack(make_event(reply, event_id="Ev2"))
    await bench.settle()

    assert bench.phone() == ["Hello"]


async def test_a_late_cross_is_told_and_changes_nothing(bench: Bench) -> None:
    root = await bench.open_thread()
    ts = await bench.reply("Hello", root)
    await bench.settle()
    await bench.slack.react(bench.alice, CHANNEL, ts, "x")
    await bench.settle()

    assert bench.whispers("came too late")
    assert bench.marks(ts) == {"white_check_mark"}


# --------------------------------------------------------------------------------------------------- files


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


# ----------------------------------------------------------------------------------------------- corrections


async def test_a_correction_is_only_ever_what_stands_above_its_button(bench: Bench) -> None:
    root = await bench.open_thread()
    ts = await bench.reply("At 5pm", root)
    await bench.settle()
    await edit(bench, ts, "At 6pm")
    (first,) = bench.whispers("still has the original")
    assert "At 6pm" in read_words(first)
    await edit(bench, ts, "At 7pm")

    assert "At 7pm" in await bench.click(first, "Send correction")
    assert bench.phone() == ["At 5pm"]


@pytest.mark.parametrize("last", ["note: At 6pm, maybe", "At 5pm"], ids=["a note", "the original"])
async def test_no_correction_goes_out_once_the_message_is(last: str, bench: Bench) -> None:
    root = await bench.open_thread()
    ts = await bench.reply("At 5pm", root)
    await bench.settle()
    await edit(bench, ts, "At 6pm")
    (line,) = [each for each in bench.whispers("still has the original") if list_buttons(each)]
    await edit(bench, ts, last)

    assert "nothing to correct" in await bench.click(line, "Send correction")
    assert bench.phone() == ["At 5pm"]


async def test_an_edit_of_what_did_not_arrive_offers_to_send_it_as_it_is_now(bench: Bench) -> None:
    bench.telnyx.set_outcome(ANA, Outcome(kind=OutcomeKind.REFUSED))
    root = await bench.open_thread()
    ts = await bench.reply("At 5pm", root)
    await bench.settle()
    bench.telnyx.set_outcome(ANA, Outcome(kind=OutcomeKind.DELIVERED))
    await edit(bench, ts, "At 6pm")

    await bench.click(bench.whispers("did not reach them")[0], "Send it again")
    assert bench.phone() == ["At 6pm"]


# --------------------------------------------------------------------------------------------- no edits at all

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
