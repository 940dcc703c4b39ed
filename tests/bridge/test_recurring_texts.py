"""Texts that repeat: each time once, by the author's clock, through restarts, until somebody ends them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.sandbox.faults import FaultKind
from bot.sandbox.telnyx_sim import Outcome, OutcomeKind
from tests.bridge.harness import ANA, CHANNEL, Bench, list_buttons, open_bench, read_words
from tests.bridge.moving_clock import START
from tests.bridge.test_schedule_changes import in_time, open_edit, save

_DAY = timedelta(days=1)


async def schedule(bench: Bench, words: str) -> str:
    """Schedule a text to Ana and return its id."""
    answer = await bench.command("/schedule", f"4155550101 {words}")
    assert "🔁" in answer, answer
    (row,) = await bench.query("SELECT id FROM recurrences ORDER BY created_at DESC LIMIT 1")
    return str(row["id"])


async def pass_until(bench: Bench, moment: str) -> None:
    """Let time pass until *moment* (UTC), in steps short enough for every hand-over."""
    end = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    await bench.settle()
    while (left := end - bench.clock.now()) > timedelta(0):
        await bench.pass_time(min(left, timedelta(hours=12)))


def sent_at(bench: Bench) -> list[str]:
    """Return for when each text that reached Ana was meant, to the minute: the clock here moves by leaps."""
    asked = {send.message_id: send.send_at for send in bench.telnyx.sends}
    return [
        f"{asked[text.message_id] or text.at:%m-%d %H:%M}"
        for text in bench.telnyx.phone(ANA)
        if text.message_id in asked
    ]


async def count_pending(bench: Bench) -> int:
    """Return how many times of what repeats are to come: never more than one."""
    return len(await bench.query("SELECT 1 FROM schedules WHERE state IN ('waiting', 'at_carrier')"))


# It is Friday 20 November 2026, nine in the morning in Chicago (UTC-6).


async def test_each_time_is_a_text_of_its_own_in_the_thread_with_its_mark(bench: Bench) -> None:
    root = await bench.open_thread()
    await schedule(bench, "every day at 5pm Hello")
    await pass_until(bench, "2026-11-22T23:01")

    assert bench.phone() == ["Hello"] * 3
    assert sent_at(bench)[-3:] == ["11-20 23:00", "11-21 23:00", "11-22 23:00"]
    shown = [message for message in bench.slack.thread(CHANNEL, root)[1:] if "alice" in message["text"]]
    assert len(shown) == 3
    assert all(bench.marks(message["ts"]) == {"white_check_mark"} for message in shown)
    assert len({each.headers["Idempotency-Key"] for each in bench.send_requests}) == len(bench.send_requests)


async def test_the_answer_says_the_rule_the_first_time_and_the_text(bench: Bench) -> None:
    answer = await bench.command("/schedule", "4155550101 every weekday at 17:00 See you")
    for part in ("every weekday at 5:00 PM", "Fri 20 Nov 2026, 5:00 PM CST", "3:00 PM PST for them", "See you"):
        assert part in answer
    assert list_buttons(bench.whispers("every weekday")[0]) == ["Edit", "Skip next", "Cancel"]


async def test_it_keeps_the_authors_clock_when_the_clocks_change() -> None:
    async with open_bench() as bench:
        # From summer time (UTC-5) to winter time (UTC-6) in Chicago, early on Sunday 1 November.
        bench.clock.leap(datetime(2027, 10, 29, 13, 0, tzinfo=UTC) - START)
        bench.clock.leap(timedelta(days=8))  # 2027: the clocks change on 7 November
        await schedule(bench, "every day at 9am Hello")
        await pass_until(bench, "2027-11-08T16:00")
        assert sent_at(bench) == ["11-06 14:00", "11-07 15:00", "11-08 15:00"]


async def test_the_list_shows_it_once_with_its_next_time(bench: Bench) -> None:
    name = await schedule(bench, "every monday and thursday at 9am Hello")
    await bench.command("/schedule", "4155550102 in 2 hours Near")
    shown = await bench.command("/schedule", "list")
    assert "2 scheduled texts" in shown
    assert "every Monday and Thursday at 9:00 AM" in shown
    assert "next *Mon 23 Nov 2026, 9:00 AM CST*" in shown
    assert shown.index("Near") < shown.index(name)


@pytest.mark.parametrize("way", ["typed", "pressed", "pressed in the list"])
async def test_cancel_ends_it(way: str, bench: Bench) -> None:
    name = await schedule(bench, "every day at 5pm Hello")
    await pass_until(bench, "2026-11-21T01:00")
    if way == "typed":
        said = await bench.command("/schedule", f"cancel {name}")
    elif way == "pressed":
        await bench.click(bench.whispers("The first goes on")[0], "Cancel")
        (said,) = map(read_words, bench.whispers("has ended"))
    else:
        await bench.command("/schedule", "list")
        await bench.click(bench.whispers("1 scheduled text")[0], "Cancel")
        (said,) = map(read_words, bench.whispers("has ended"))
    assert name in said
    await bench.settle()
    assert bench.whispers("was taken back at the carrier")
    await pass_until(bench, "2026-11-24T00:00")
    assert bench.phone() == ["Hello"]
    assert "Nothing is scheduled" in await bench.command("/schedule", "list")


@pytest.mark.parametrize("way", ["typed", "pressed in the list"])
async def test_skip_leaves_one_out(way: str, bench: Bench) -> None:
    name = await schedule(bench, "every day at 5pm Hello")
    await bench.settle()
    if way == "typed":
        said = await bench.command("/schedule", f"skip {name}")
    else:
        await bench.command("/schedule", "list")
        await bench.click(bench.whispers("1 scheduled text")[0], "Skip next")
        (said,) = map(read_words, bench.whispers("is skipped"))
    assert "Fri 20 Nov 2026, 5:00 PM CST" in said
    assert "Sat 21 Nov 2026, 5:00 PM CST" in said
    await pass_until(bench, "2026-11-21T12:00")
    assert await count_pending(bench) == 1
    await pass_until(bench, "2026-11-23T00:00")
    assert sent_at(bench) == ["11-21 23:00", "11-22 23:00"]
    assert await count_pending(bench) == 1


async def test_skipping_what_does_not_repeat_is_refused(bench: Bench) -> None:
    await bench.command("/schedule", "4155550101 in 2 hours Hello")
    (row,) = await bench.query("SELECT id FROM schedules")
    assert "does not repeat" in await bench.command("/schedule", f"skip {row['id']}")


async def test_it_ends_by_itself_after_its_last_time(bench: Bench) -> None:
    await schedule(bench, "every day at 5pm for 2 times Hello")
    await pass_until(bench, "2026-11-25T00:00")
    assert bench.phone() == ["Hello"] * 2
    assert "Nothing is scheduled" in await bench.command("/schedule", "list")


async def test_stop_ends_it_and_tells_its_author(bench: Bench) -> None:
    await schedule(bench, "every day at 5pm Hello")
    await bench.settle()
    await bench.text_in("STOP")
    await bench.settle()
    assert bench.whispers("does not repeat any more")
    await bench.text_in("START")
    await pass_until(bench, "2026-11-23T00:00")
    assert bench.phone() == []


async def test_a_reply_ends_one_that_goes_unless_they_reply(bench: Bench) -> None:
    await schedule(bench, "every day at 5pm unless they reply: Hello?")
    await pass_until(bench, "2026-11-21T01:00")
    await bench.text_in("Here I am")
    await bench.settle()
    assert bench.whispers("has ended")
    await pass_until(bench, "2026-11-24T00:00")
    assert bench.phone() == ["Hello?"]


async def test_time_and_text_are_changed_in_the_form_from_the_next_time_on(bench: Bench) -> None:
    await schedule(bench, "every day at 5pm Old")
    await pass_until(bench, "2026-11-21T01:00")
    await bench.command("/schedule", "list")
    view = await open_edit(bench, bench.whispers("1 scheduled text")[0])
    assert "every day at 5:00 PM" in read_words(view)
    answer = await save(bench, view, text0="New", edit_rule="every day at 6pm")
    assert "every day at 6:00 PM" in read_words(answer.body["view"])
    await pass_until(bench, "2026-11-23T01:00")
    assert bench.phone() == ["Old", "New", "New"]
    assert sent_at(bench) == ["11-20 23:00", "11-22 00:00", "11-23 00:00"]


async def test_a_changed_text_keeps_its_times(bench: Bench) -> None:
    await schedule(bench, "every day at 5pm Old")
    await bench.settle()
    view = await open_edit(bench, bench.whispers("The first goes on")[0])
    await save(bench, view, text0="New")
    await pass_until(bench, "2026-11-22T00:00")
    assert bench.phone() == ["New", "New"]
    assert sent_at(bench) == ["11-20 23:00", "11-21 23:00"]
    assert await count_pending(bench) == 1


async def test_a_rule_that_cannot_be_read_is_told_beside_its_field(bench: Bench) -> None:
    await schedule(bench, "every day at 5pm Old")
    view = await open_edit(bench, bench.whispers("The first goes on")[0])
    answer = await save(bench, view, edit_rule="now and then")
    assert "repeats" in answer.errors["edit_rule"]


async def test_no_restart_sends_a_time_twice_or_leaves_one_out(bench: Bench) -> None:
    await schedule(bench, "every day at 5pm Hello")
    for _ in range(6):
        await bench.pass_time(timedelta(hours=12))
        await bench.restart()
        await bench.settle()
    assert sent_at(bench) == ["11-20 23:00", "11-21 23:00", "11-22 23:00"]


async def test_what_repeats_goes_on_while_slack_does_not_let_the_app_see_who_its_author_is(bench: Bench) -> None:
    await schedule(bench, "every day at 5pm Hello")
    bench.fail(bench.slack, FaultKind.REFUSE, "users.info", status=200, code="missing_scope")
    for _ in range(4):
        await bench.pass_time(timedelta(hours=12))
    assert sent_at(bench) == ["11-20 23:00", "11-21 23:00"]


async def test_what_was_missed_by_less_than_an_hour_is_sent_and_the_rest_skipped_and_told(bench: Bench) -> None:
    await schedule(bench, "every day at 9:04am Hello")  # in four minutes: the carrier cannot hold it
    await bench.settle()
    await bench.crash()
    bench.clock.leap(timedelta(minutes=40))
    await bench.start()
    await bench.wait_until(lambda: bench.phone() == ["Hello"])
    await bench.settle()

    await bench.crash()  # the carrier holds tomorrow's; what comes after it is not made while nothing runs
    bench.clock.leap(4 * _DAY)
    await bench.start()
    await bench.wait_until(lambda: bench.whispers("Skipped"))
    await bench.settle()
    assert bench.phone() == ["Hello", "Hello", "Hello"]  # the last of the four was half an hour ago
    (told,) = bench.whispers("Skipped")
    assert "Sun 22 Nov" in read_words(told)
    assert "Mon 23 Nov" in read_words(told)
    assert "Tue 24 Nov" not in read_words(told)


async def test_a_refused_time_is_told_and_the_next_is_tried_all_the_same(bench: Bench) -> None:
    bench.telnyx.set_outcome(ANA, Outcome(kind=OutcomeKind.REFUSED, code="40312", http_status=403))
    await schedule(bench, "every day at 5pm Hello")
    await bench.settle()
    assert bench.whispers("will not go out")
    bench.telnyx.set_outcome(ANA, Outcome(kind=OutcomeKind.DELIVERED))
    await pass_until(bench, "2026-11-22T00:00")
    assert sent_at(bench) == ["11-21 23:00"]


@pytest.mark.parametrize(
    ("repeats", "times"),
    [
        ("never", ["11-21 15:00"]),
        ("day", ["11-21 15:00", "11-22 15:00", "11-23 15:00", "11-24 15:00"]),
        ("weekday", ["11-23 15:00", "11-24 15:00"]),
        ("week", ["11-21 15:00"]),
    ],
)
async def test_the_form_makes_one_that_repeats(repeats: str, times: list[str], bench: Bench) -> None:
    await bench.command("/schedule")
    (view,) = bench.slack.views(bench.alice)
    answer = await save(bench, view, to=ANA, text0="Hello", when=in_time(bench, _DAY), repeats=repeats)
    assert not answer.errors
    await pass_until(bench, "2026-11-24T16:00")
    assert sent_at(bench) == times


async def test_it_ends_when_its_author_may_no_longer_text_and_the_thread_is_told(bench: Bench) -> None:
    root = await bench.open_thread()
    await schedule(bench, "every day at 9:04am Hello")
    await bench.pass_time(timedelta(minutes=6))
    bench.slack.workspace.users[bench.alice].deleted = True
    await pass_until(bench, "2026-11-24T00:00")
    assert bench.phone() == ["Hello", "Hello"]  # tomorrow's was there already
    assert any("can no longer text customers" in line for line in bench.thread(root))
    assert await count_pending(bench) == 0
