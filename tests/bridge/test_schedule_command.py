"""`/schedule`: said as people say it, held by whoever can, taken back wherever it waits."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.sandbox.faults import FaultKind
from bot.sandbox.telnyx_sim import Outcome, OutcomeKind
from tests.bridge.harness import ANA, BEN, CHANNEL, Bench, list_buttons, open_bench, read_words


def find_id(answer: str) -> str:
    found = re.search(r"as `([a-z0-9]+)`", answer)
    assert found, answer
    return found[1]


def at(text: str) -> datetime:
    """Return the moment *text* (UTC)."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# It is Friday 20 November 2026, nine in the morning in Chicago (UTC-6).
_WHEN = {
    "tomorrow 9:30am": "2026-11-21T15:30",
    "friday at 14:00": "2026-11-20T20:00",
    "monday 9am": "2026-11-23T15:00",
    "in 2 hours": "2026-11-20T17:00",
    "in 45 minutes": "2026-11-20T15:45",
    "2026-12-01 09:00": "2026-12-01T15:00",
    "today at 5pm": "2026-11-20T23:00",
}


@pytest.mark.parametrize(("when", "moment"), _WHEN.items(), ids=_WHEN.keys())
async def test_a_time_is_understood_by_the_authors_clock_and_repeated_with_zone_and_text(
    when: str, moment: str, bench: Bench
) -> None:
    answer = await bench.command("/schedule", f"(415) 555-0101 {when} See you at noon")
    await bench.settle()

    (row,) = await bench.query("SELECT due_at FROM schedules")
    due = datetime.fromtimestamp(row["due_at"] / 1_000_000, UTC)
    assert abs(due - at(moment)) < timedelta(seconds=10)
    assert "CST" in answer
    assert "See you at noon" in answer
    assert "(415) 555-0101" in answer
    (shown,) = bench.whispers("Scheduled for")
    assert list_buttons(shown) == ["Edit", "Cancel"]


async def test_another_authors_clock_is_another(bench: Bench) -> None:
    bob = bench.slack.add_user("bob", tz="Europe/London")
    answer = await bench.command("/schedule", "4155550101 tomorrow 9:30am Hello", user=bob)

    (row,) = await bench.query("SELECT due_at FROM schedules")
    assert datetime.fromtimestamp(row["due_at"] / 1_000_000, UTC) == at("2026-11-21T09:30")
    assert "GMT" in answer


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("4155550101 Hello", ""),
        ("4155550101 tomorrow 9:30am", "The text is missing"),
        ("4155550101 yesterday 9am Hello", ""),
        ("4155550101 2020-01-01 09:00 Hello", ""),
        ("4155550101 in 500 days Hello", "more than a year"),
        ("415555 in 2 hours Hello", "415555"),
        ("4155550101, 4155550102 in 2 hours Hello", "one number at a time"),
        ("cancel", "The id is missing"),
        ("cancel zzzzz", "There is no scheduled text"),
        ("list all", "Nothing may follow"),
        ("4155550101 in 2 hours " + "x" * 1600, "11 parts"),
    ],
)
async def test_a_mistake_is_told_privately_and_nothing_is_scheduled(typed: str, told: str, bench: Bench) -> None:
    answer = await bench.command("/schedule", typed)
    await bench.settle()

    assert told in answer
    assert len(answer) > 20
    assert bench.send_requests == []
    assert await bench.query("SELECT * FROM schedules") == []


async def test_help_shows_each_form_with_an_example(bench: Bench) -> None:
    answer = await bench.command("/schedule", "help")

    for form in ("/schedule &lt;number&gt; &lt;when&gt; &lt;text&gt;", "/schedule", "/schedule list",
                 "/schedule cancel &lt;id&gt;", "/schedule skip &lt;id&gt;",
                 "/schedule from:&lt;number or name&gt; &lt;number&gt; &lt;when&gt; &lt;text&gt;"):  # fmt: skip
        assert f"`{form}`" in answer
    assert answer.count("_e.g._") == 8


async def test_alone_it_opens_a_form_that_asks_for_the_time(bench: Bench) -> None:
    await bench.command("/schedule")
    (view,) = bench.slack.views(bench.alice)
    due = int((bench.clock.now() + timedelta(hours=2)).timestamp())
    answer = await bench.slack.submit_view(bench.alice, view["id"], {"to": ANA, "text0": "Hello"})
    assert list(answer.errors) == ["when"]

    await bench.slack.submit_view(bench.alice, view["id"], {"to": ANA, "text0": "Hello", "when": due})
    await bench.settle()

    assert bench.telnyx.sends[0].send_at is not None


# ------------------------------------------------------------------------------------------------------- who holds it


async def test_within_its_window_the_carrier_holds_it_and_sends_it_even_if_we_are_down(bench: Bench) -> None:
    await bench.command("/schedule", "4155550101 in 2 hours Hello")
    await bench.settle()
    (send,) = bench.telnyx.sends
    assert send.send_at is not None

    await bench.crash()
    bench.clock.leap(timedelta(hours=2, minutes=1))
    await bench.wait_until(lambda: bench.phone() == ["Hello"])


async def test_too_soon_for_the_carrier_it_waits_here_and_goes_out_in_time(bench: Bench) -> None:
    await bench.command("/schedule", "4155550101 in 3 minutes Hello")
    await bench.settle()
    assert bench.telnyx.sends == []

    await bench.pass_time(timedelta(minutes=2))
    assert bench.telnyx.sends == []
    await bench.pass_time(timedelta(minutes=1, seconds=1))
    assert bench.phone() == ["Hello"]


async def test_too_far_for_the_carrier_it_waits_here_and_is_handed_over_in_time(bench: Bench) -> None:
    await bench.command("/schedule", "4155550101 in 20 days Hello")
    await bench.pass_time(timedelta(days=14))
    assert bench.telnyx.sends == []

    await bench.pass_time(timedelta(days=1, hours=2))
    (send,) = bench.telnyx.sends
    assert send.send_at is not None
    await bench.pass_time(timedelta(days=5))
    assert bench.phone() == ["Hello"]


async def test_what_falls_due_while_we_are_down_goes_out_when_we_are_back(bench: Bench) -> None:
    await bench.command("/schedule", "4155550101 in 3 minutes Hello")
    await bench.settle()
    await bench.crash()
    bench.clock.leap(timedelta(hours=1))
    await bench.start()

    await bench.wait_until(lambda: bench.phone() == ["Hello"])


async def test_at_its_time_it_is_shown_in_the_thread_and_gets_its_mark(bench: Bench) -> None:
    root = await bench.open_thread()
    await bench.command("/schedule", "4155550101 in 2 hours Hello")
    await bench.settle()
    assert len(bench.thread(root)) == 1

    await bench.pass_time(timedelta(hours=2, seconds=5))

    message = bench.slack.thread(CHANNEL, root)[-1]
    assert "Hello" in message["text"]
    assert "alice" in message["text"]
    assert bench.marks(message["ts"]) == {"white_check_mark"}


async def test_todays_replies_do_not_wait_for_tomorrows(bench: Bench) -> None:
    root = await bench.open_thread()
    await bench.command("/schedule", "4155550101 in 3 minutes Later")
    await bench.reply("Now", root)
    await bench.settle()

    assert bench.phone() == ["Now"]


async def test_a_hand_over_whose_answer_was_lost_schedules_nothing_twice() -> None:
    async with open_bench(rate=40) as bench:
        bench.fail(bench.telnyx, FaultKind.DROP_ANSWER, "POST /messages", times=1)
        await bench.command("/schedule", "4155550101 in 2 hours Hello")
        await bench.wait_until(lambda: len(bench.send_requests) == 2)
        await bench.settle()

        assert len(bench.telnyx.sends) == 1
        bench.clock.leap(timedelta(hours=3))
        await bench.wait_until(lambda: bench.phone() == ["Hello"])


async def test_a_scheduled_text_that_the_carrier_refuses_is_told_in_the_thread(bench: Bench) -> None:
    bench.telnyx.set_outcome(ANA, Outcome(kind=OutcomeKind.REFUSED, code="40310", http_status=400))
    root = await bench.open_thread()
    await bench.command("/schedule", "4155550101 in 2 hours Hello")
    await bench.settle()

    assert any("40310" in line for line in bench.thread(root))
    assert "Nothing is scheduled" in await bench.command("/schedule", "list")


# --------------------------------------------------------------------------------------------------- list and cancel


async def test_the_list_shows_what_waits_soonest_first_with_id_time_and_author(bench: Bench) -> None:
    assert "Nothing is scheduled" in await bench.command("/schedule", "list")
    far = find_id(await bench.command("/schedule", "4155550101 in 20 days Far"))
    near = find_id(await bench.command("/schedule", "4155550102 in 2 hours Near"))
    await bench.settle()

    shown = await bench.command("/schedule", "list")

    assert "2 scheduled texts" in shown
    assert shown.index(near) < shown.index(far)
    for part in ("(415) 555-0102", "11:00 AM CST", f"<@{bench.alice}>", "Near"):
        assert part in shown


@pytest.mark.parametrize("when", ["in 3 minutes", "in 2 hours", "in 20 days"])
@pytest.mark.parametrize("way", ["typed", "pressed", "pressed in the list"])
async def test_cancel_takes_it_back_wherever_it_waits(when: str, way: str, bench: Bench) -> None:
    schedule_id = find_id(await bench.command("/schedule", f"4155550101 {when} Hello"))
    await bench.settle()

    if way == "typed":
        said = await bench.command("/schedule", f"cancel {schedule_id.upper()}")
    elif way == "pressed":
        said = await bench.click(bench.whispers("Scheduled for")[0], "Cancel")
    else:
        await bench.command("/schedule", "list")
        said = await bench.click(bench.whispers("1 scheduled text")[0], "Cancel")
    await bench.settle()

    assert "taken back" in said
    assert "Nothing is scheduled" in await bench.command("/schedule", "list")
    for _ in range(5):
        await bench.pass_time(timedelta(days=5))
    assert bench.phone() == []


async def test_a_cancellation_at_the_carrier_is_confirmed_privately(bench: Bench) -> None:
    schedule_id = find_id(await bench.command("/schedule", "4155550101 in 2 hours Hello"))
    await bench.settle()
    await bench.command("/schedule", f"cancel {schedule_id}")
    await bench.settle()

    assert bench.whispers("was taken back at the carrier")


async def test_a_cancellation_that_comes_too_late_says_so_and_the_text_goes_out(bench: Bench) -> None:
    schedule_id = find_id(await bench.command("/schedule", "4155550101 in 2 hours Hello"))
    await bench.settle()
    await bench.pass_time(timedelta(hours=1, minutes=59, seconds=30))

    assert "no longer" in await bench.command("/schedule", f"cancel {schedule_id}")
    await bench.pass_time(timedelta(minutes=2))
    assert bench.phone() == ["Hello"]
    assert "has gone out already" in await bench.command("/schedule", f"cancel {schedule_id}")


async def test_a_cancellation_that_the_carrier_refuses_is_told(bench: Bench) -> None:
    schedule_id = find_id(await bench.command("/schedule", "4155550101 in 2 hours Hello"))
    await bench.settle()
    bench.telnyx.switches.cancel_margin = timedelta(hours=3)
    await bench.command("/schedule", f"cancel {schedule_id}")
    await bench.settle()

    assert bench.whispers("could not be taken back")
    assert schedule_id in await bench.command("/schedule", "list")


async def test_cancelling_twice_is_no_harm(bench: Bench) -> None:
    schedule_id = find_id(await bench.command("/schedule", "4155550101 in 3 minutes Hello"))
    await bench.command("/schedule", f"cancel {schedule_id}")

    assert "taken back already" in await bench.command("/schedule", f"cancel {schedule_id}")


async def test_a_cancellation_whose_answer_was_lost_is_told_as_done() -> None:
    async with open_bench(rate=20) as bench:
        schedule_id = find_id(await bench.command("/schedule", "4155550101 in 2 hours Hello"))
        await bench.settle()
        bench.fail(bench.telnyx, FaultKind.DROP_ANSWER, "DELETE /messages/{id}", times=1)
        await bench.command("/schedule", f"cancel {schedule_id}")

        await bench.wait_until(lambda: bench.whispers("was taken back at the carrier"))


async def test_a_long_list_fits_into_one_answer(bench: Bench) -> None:
    for number in range(45):
        await bench.command("/schedule", f"41555502{number:02} in 20 days Text {number}")
    answer: Any = await bench.slack.command(bench.alice, CHANNEL, "/schedule", "list")

    assert answer.status == 200
    assert len(answer.body["blocks"]) <= 50
    assert "45 scheduled texts" in read_words(answer.body)
    assert BEN not in read_words(answer.body)
