"""Scheduled texts are changed, taken back by a reply, and told of when the carrier does not take them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.sandbox.faults import FaultKind
from bot.sandbox.telnyx_sim import Outcome, OutcomeKind
from tests.bridge.harness import ANA, CHANNEL, Bench, list_buttons, open_bench, read_words
from tests.bridge.test_contacts import save as save_contact
from tests.bridge.test_schedule_command import find_id

Json = dict[str, Any]

#: Held by us until it is due, by the carrier, and by us until the carrier's window opens.
_WHERE = pytest.mark.parametrize("when", ["in 3 minutes", "in 2 hours", "in 20 days"])


async def open_edit(bench: Bench, shown: Json, *, user: str = "") -> Json:
    """Press [Edit] and return the form."""
    await bench.click(shown, "Edit", user=user)
    return bench.slack.views(user or bench.alice)[-1]


async def save(bench: Bench, view: Json, *, user: str = "", **values: Any) -> Any:
    """Fill in and submit the form; returns the answer with what the form then shows."""
    return await bench.slack.submit_view(user or bench.alice, view["id"], values)


def in_time(bench: Bench, span: timedelta) -> int:
    """Return a moment as a form's field holds it."""
    return int((bench.clock.now() + span).timestamp())


async def pass_days(bench: Bench, days: int = 26) -> None:
    for _ in range(0, days, 2):
        await bench.pass_time(timedelta(days=2))


# ------------------------------------------------------------------------------------------------------------ editing


@_WHERE
@pytest.mark.parametrize("way", ["the answer", "the list"])
async def test_text_and_time_are_changed_wherever_it_waits_and_only_the_new_one_goes(
    when: str, way: str, bench: Bench
) -> None:
    schedule_id = find_id(await bench.command("/schedule", f"4155550101 {when} Old words"))
    await bench.settle()
    if way == "the list":
        await bench.command("/schedule", "list")
    shown = bench.whispers("Scheduled for" if way == "the answer" else "1 scheduled text")[0]
    view = await open_edit(bench, shown)
    assert "Old words" in read_words(view)

    answer = await save(bench, view, text0="New words", edit_when=in_time(bench, timedelta(hours=4)))
    await bench.settle()

    assert not answer.errors
    assert "Changed" in read_words(answer.body["view"])
    assert "New words" in await bench.command("/schedule", "list")
    await bench.pass_time(timedelta(hours=3, minutes=59))
    assert bench.phone() == []
    await bench.pass_time(timedelta(minutes=2))
    assert bench.phone() == ["New words"]
    await pass_days(bench)
    assert bench.phone() == ["New words"]
    assert "has gone out already" in await bench.command("/schedule", f"cancel {schedule_id}")


async def test_at_the_carrier_the_old_one_is_cancelled_before_the_new_one_is_handed_over(bench: Bench) -> None:
    await bench.command("/schedule", "4155550101 in 2 hours Old words")
    await bench.settle()
    view = await open_edit(bench, bench.whispers("Scheduled for")[0])
    answer = await save(bench, view, text0="New words")
    await bench.settle()

    assert "asked to give it back" in read_words(answer.body["view"])
    asked = [(each.method, each.path.split("?")[0]) for each in bench.telnyx.requests if "/messages" in each.path]
    assert [method for method, _ in asked] == ["POST", "DELETE", "POST"]
    keys = {each.headers["Idempotency-Key"] for each in bench.send_requests}
    assert len(keys) == 2
    assert bench.whispers("the changed text goes in its stead")


async def test_a_carrier_that_does_not_give_it_back_sends_the_old_one_alone_and_the_author_is_told(
    bench: Bench,
) -> None:
    await bench.command("/schedule", "4155550101 in 2 hours Old words")
    await bench.settle()
    bench.telnyx.switches.cancel_margin = timedelta(hours=3)
    view = await open_edit(bench, bench.whispers("Scheduled for")[0])
    await save(bench, view, text0="New words")
    await bench.settle()

    assert bench.whispers("could not be changed")
    assert "Old words" in await bench.command("/schedule", "list")
    await pass_days(bench, 4)
    assert bench.phone() == ["Old words"]


async def test_in_the_last_minute_a_change_is_refused_and_the_old_one_goes(bench: Bench) -> None:
    await bench.command("/schedule", "4155550101 in 2 hours Old words")
    await bench.pass_time(timedelta(hours=1, minutes=59, seconds=20))
    view = await open_edit(bench, bench.whispers("Scheduled for")[0])
    answer = await save(bench, view, text0="New words", edit_when=in_time(bench, timedelta(hours=4)))

    assert "within the minute" in answer.errors["text0"]
    await bench.pass_time(timedelta(hours=5))
    assert bench.phone() == ["Old words"]


async def test_a_change_whose_hand_over_is_under_way_sends_one_of_the_two() -> None:
    async with open_bench(rate=20) as bench:
        bench.fail(bench.telnyx, FaultKind.DROP_ANSWER, "POST /messages", times=1)
        await bench.command("/schedule", "4155550101 in 2 hours Old words")
        await bench.wait_until(lambda: len(bench.send_requests) == 1)
        view = await open_edit(bench, bench.whispers("Scheduled for")[0])
        await save(bench, view, text0="New words")
        await bench.wait_until(lambda: bench.whispers("goes in its stead"))
        await bench.settle()
        bench.clock.leap(timedelta(hours=3))
        await bench.wait_until(lambda: bench.phone() == ["New words"])
        await bench.settle()
        assert bench.phone() == ["New words"]


async def test_two_changes_in_a_row_leave_the_last(bench: Bench) -> None:
    await bench.command("/schedule", "4155550101 in 2 hours One")
    await bench.settle()
    bench.fail(bench.telnyx, FaultKind.REFUSE, "DELETE /messages/{id}", times=1, status=503)
    for words in ("Two", "Three"):
        view = await open_edit(bench, bench.whispers("Scheduled for")[0])
        await save(bench, view, text0=words)
    await bench.pass_time(timedelta(minutes=5))
    await bench.pass_time(timedelta(hours=2))
    assert bench.phone() == ["Three"]


async def test_a_form_sent_twice_changes_it_once(bench: Bench) -> None:
    await bench.command("/schedule", "4155550101 in 20 days One")
    view = await open_edit(bench, bench.whispers("Scheduled for")[0])
    await save(bench, view, text0="Two")
    before = await bench.query("SELECT COUNT(*) AS n FROM messages")
    await bench.slack.submit_view(bench.alice, view["id"], {})
    assert [tuple(row) for row in await bench.query("SELECT COUNT(*) AS n FROM messages")] == [
        tuple(row) for row in before
    ]


@pytest.mark.parametrize(
    ("values", "field"),
    [({"text0": ""}, "text0"), ({"text0": "x" * 1600}, "text0"), ({"edit_when": 1_600_000_000}, "edit_when")],
)
async def test_a_mistake_in_the_form_is_told_beside_it_and_nothing_changes(
    values: Json, field: str, bench: Bench
) -> None:
    await bench.command("/schedule", "4155550101 in 20 days One")
    view = await open_edit(bench, bench.whispers("Scheduled for")[0])
    answer = await save(bench, view, **values)
    assert field in answer.errors
    assert "One" in await bench.command("/schedule", "list")


async def test_what_a_teammate_changes_or_takes_back_its_author_is_told(bench: Bench) -> None:
    bob = bench.slack.add_user("bob", tz="America/Chicago")
    schedule_id = find_id(await bench.command("/schedule", "4155550101 in 20 days One"))
    await bench.command("/schedule", "list", user=bob)
    view = await open_edit(bench, bench.whispers("1 scheduled text", user=bob)[0], user=bob)
    await save(bench, view, user=bob, text0="Two")
    await bench.settle()
    assert bench.whispers(f"<@{bob}> changed your scheduled text")
    await bench.command("/schedule", f"cancel {schedule_id}", user=bob)
    await bench.settle()
    assert bench.whispers(f"<@{bob}> took back your scheduled text")


async def test_who_may_not_text_can_neither_schedule_nor_change_nor_cancel(bench: Bench) -> None:
    guest = bench.slack.add_user("guest")
    schedule_id = find_id(await bench.command("/schedule", "4155550101 in 20 days One"))
    await bench.command("/schedule", "list", user=guest)
    shown = bench.whispers("1 scheduled text", user=guest)[0]
    bench.slack.workspace.users[guest].restricted = True
    bench.clock.leap(timedelta(minutes=6))  # longer than Slack's word on somebody is remembered
    assert "guest" in await bench.command("/schedule", "4155550101 in 2 hours Hi", user=guest)
    assert "guest" in await bench.command("/schedule", f"cancel {schedule_id}", user=guest)
    assert "guest" in await bench.click(shown, "Edit", user=guest)
    assert "guest" in await bench.command("/schedule", "list", user=guest)
    assert bench.slack.views(guest) == []


async def test_stop_reaches_a_text_that_is_just_being_changed(bench: Bench) -> None:
    await bench.command("/schedule", "4155550101 in 2 hours One")
    await bench.settle()
    fault = bench.fail(bench.telnyx, FaultKind.REFUSE, "DELETE /messages/{id}", status=503)
    view = await open_edit(bench, bench.whispers("Scheduled for")[0])
    await save(bench, view, text0="Two")
    await bench.text_in("STOP")
    await bench.settle()
    bench.telnyx.faults.lift(fault)
    await bench.pass_time(timedelta(minutes=2))
    await bench.pass_time(timedelta(hours=3))
    assert bench.phone() == []


# ------------------------------------------------------------------------------------------------- unless they reply


@_WHERE
@pytest.mark.parametrize("typed", ["{when} unless they reply: Hello", "{when} Hello unless they reply"])
async def test_a_reply_takes_it_back_wherever_it_waits_and_the_author_is_told(
    when: str, typed: str, bench: Bench
) -> None:
    root = await bench.open_thread()
    answer = await bench.command("/schedule", f"4155550101 {typed.format(when=when)}")
    assert "unless they reply first" in answer
    assert "Hello" in answer
    await bench.settle()

    await bench.text_in("Here I am")
    await bench.settle()

    (told,) = bench.whispers("replied, so your scheduled text")
    assert told["thread_ts"] == root
    assert "Nothing is scheduled" in await bench.command("/schedule", "list")
    await pass_days(bench)
    assert bench.phone() == []


async def test_without_the_condition_a_reply_changes_nothing(bench: Bench) -> None:
    await bench.command("/schedule", "4155550101 in 2 hours Hello")
    await bench.settle()
    await bench.text_in("Here I am")
    await bench.pass_time(timedelta(hours=3))
    assert bench.phone() == ["Hello"]


async def test_somebody_elses_text_and_a_tapback_are_no_reply(bench: Bench) -> None:
    root = await bench.open_thread()
    await bench.reply("See you", root)
    await bench.settle()
    await bench.command("/schedule", "4155550101 in 2 hours unless they reply: Hello")
    await bench.settle()
    await bench.text_in("Hi", from_="+14155550177")
    await bench.text_in("Liked “See you”")
    await bench.settle()
    await bench.pass_time(timedelta(hours=3))
    assert bench.phone() == ["See you", "Hello"]


async def test_a_reply_in_the_last_minute_is_too_late_and_that_is_said(bench: Bench) -> None:
    await bench.command("/schedule", "4155550101 in 2 hours unless they reply: Hello")
    await bench.pass_time(timedelta(hours=1, minutes=59, seconds=20))
    await bench.text_in("Here I am")
    await bench.settle()
    assert bench.whispers("replied, but")
    await bench.pass_time(timedelta(minutes=2))
    assert bench.phone() == ["Hello"]


async def test_the_condition_is_set_and_lifted_in_the_form(bench: Bench) -> None:
    await bench.command("/schedule", "4155550101 in 2 hours Hello")
    await bench.settle()
    view = await open_edit(bench, bench.whispers("Scheduled for")[0])
    await save(bench, view, unless_reply=["unless_reply"])
    assert "unless they reply first" in await bench.command("/schedule", "list")
    assert len(bench.send_requests) == 1  # the carrier need not know
    await bench.text_in("Here I am")
    await bench.pass_time(timedelta(hours=3))
    assert bench.phone() == []


# -------------------------------------------------------------------------------------------- when it cannot be done


async def test_a_refused_hand_over_is_told_privately_with_what_can_be_done_and_tried_again(bench: Bench) -> None:
    bench.telnyx.set_outcome(ANA, Outcome(kind=OutcomeKind.REFUSED, code="40312", http_status=403))
    root = await bench.open_thread()
    await bench.command("/schedule", "4155550101 in 2 hours Hello")
    await bench.settle()

    (told,) = bench.whispers("will not go out")
    assert list_buttons(told) == ["Try again", "Edit"]
    assert any("40312" in line for line in bench.thread(root))

    bench.telnyx.set_outcome(ANA, Outcome(kind=OutcomeKind.DELIVERED))
    await bench.click(told, "Try again")
    await bench.pass_time(timedelta(hours=2, minutes=1))
    assert bench.phone() == ["Hello"]


async def test_a_refused_text_may_be_changed_instead(bench: Bench) -> None:
    bench.telnyx.set_outcome(ANA, Outcome(kind=OutcomeKind.REFUSED, code="40310", http_status=400))
    await bench.command("/schedule", "4155550101 in 2 hours Hello")
    await bench.settle()
    bench.telnyx.set_outcome(ANA, Outcome(kind=OutcomeKind.DELIVERED))
    view = await open_edit(bench, bench.whispers("will not go out")[0])
    await save(bench, view, text0="Hello again", edit_when=in_time(bench, timedelta(hours=3)))
    await bench.pass_time(timedelta(hours=3, minutes=1))
    assert bench.phone() == ["Hello again"]


async def test_a_carrier_out_of_reach_is_told_in_time_and_the_text_goes_from_here_when_due() -> None:
    async with open_bench(rate=50) as bench:
        fault = bench.fail(bench.telnyx, FaultKind.RATE_LIMIT, "POST /messages")
        await bench.command("/schedule", "4155550101 in 2 hours Hello")
        await bench.wait_until(lambda: bench.send_requests)
        bench.clock.leap(timedelta(minutes=20))
        await bench.wait_until(lambda: bench.whispers("has not been handed over yet"))
        bench.clock.leap(timedelta(hours=1, minutes=37))
        await bench.wait_until(lambda: _has_dropped(bench))
        bench.telnyx.faults.lift(fault)
        bench.clock.leap(timedelta(minutes=4))
        await bench.wait_until(lambda: bench.phone() == ["Hello"])
        told = await bench.query("SELECT 1 FROM jobs WHERE key LIKE 'whisper:schedule:%:unreached:%'")
        assert len(told) == 1


async def test_a_hand_over_that_nobody_knows_the_end_of_is_told_privately_too() -> None:
    async with open_bench(rate=100) as bench:
        bench.fail(bench.telnyx, FaultKind.DROP_REQUEST, "POST /messages")
        await bench.command("/schedule", "4155550101 in 5 hours Hello")
        await bench.wait_until(lambda: bench.whispers("It is not known whether the carrier has taken"))


async def _has_dropped(bench: Bench) -> bool:
    (job,) = await bench.query("SELECT trouble FROM jobs WHERE kind = 'send_text'")
    return bool(job["trouble"] == "not its time yet")


async def test_what_is_more_than_a_day_late_is_not_sent_unless_its_author_says_so(bench: Bench) -> None:
    await bench.command("/schedule", "4155550101 in 3 minutes See you at noon")
    await bench.settle()
    await bench.crash()
    bench.clock.leap(timedelta(hours=25))
    await bench.start()
    (told,) = await bench.wait_until(lambda: bench.whispers("Not sent"))
    assert bench.phone() == []

    await bench.click(told, "Send now")
    await bench.settle()
    assert bench.phone() == ["See you at noon"]


async def test_a_receipt_that_was_lost_is_asked_for_however_long_ago_the_text_was_scheduled(bench: Bench) -> None:
    root = await bench.open_thread()
    await bench.command("/schedule", "4155550101 in 20 days Hello")
    for _ in range(9):
        await bench.pass_time(timedelta(days=2))
    bench.lose_receipts()
    await bench.pass_time(timedelta(days=2, minutes=1))
    (shown,) = [
        message for message in bench.slack.thread(CHANNEL, root) if "scheduled this text" in read_words(message)
    ]
    assert bench.marks(shown["ts"]) == set()
    await bench.pass_time(timedelta(hours=2))
    await bench.wait_mark(shown["ts"], "white_check_mark")


# ------------------------------------------------------------------------------------------------ two clocks, and nights


async def test_a_zone_that_is_set_for_them_counts_more_than_their_number(bench: Bench) -> None:
    await bench.open_thread()
    await save_contact(bench, name="Ana", zone="Europe/Berlin")
    answer = await bench.command("/schedule", "4155550101 tomorrow 9:30am Hello")
    assert "4:30 PM CET for them" in answer or "4:30 PM UTC+1 for them" in answer
    assert "Ana" in answer


@pytest.mark.parametrize(
    ("day", "typed", "told"),
    [
        ("2027-03-13T15:00", "tomorrow 2:30am", "Clocks skip 2:30 AM on Sun 14 Mar, so it is 3:30 AM."),
        ("2027-11-06T15:00", "tomorrow 1:30am", "1:30 AM comes twice on Sun 7 Nov; the first (CDT) is meant."),
        ("2027-03-13T15:00", "every day at 2:30am", "Clocks skip 2:30 AM on Sun 14 Mar, so it is 3:30 AM."),
    ],
)
async def test_where_the_clocks_change_the_answer_says_what_that_means(
    day: str, typed: str, told: str, bench: Bench
) -> None:
    bench.clock.leap(datetime.fromisoformat(f"{day}+00:00") - bench.clock.now())
    assert told in await bench.command("/schedule", f"3125550177 {typed} Hello")


async def test_the_customers_clock_stands_beside_the_authors_in_answer_list_and_form(bench: Bench) -> None:
    answer = await bench.command("/schedule", "4155550101 tomorrow 9:30am Hello")
    assert "9:30 AM CST" in answer
    assert "7:30 AM PST for them" in answer
    assert "7:30 AM PST for them" in await bench.command("/schedule", "list")
    assert "7:30 AM PST for them" in read_words(await open_edit(bench, bench.whispers("Scheduled for")[0]))


async def test_where_both_clocks_show_the_same_it_is_said_once(bench: Bench) -> None:
    assert "for them" not in await bench.command("/schedule", "3125550177 tomorrow 9:30am Hello")


async def test_the_form_shows_the_customers_clock_as_soon_as_a_time_is_chosen(bench: Bench) -> None:
    await bench.command("/schedule")
    (view,) = bench.slack.views(bench.alice)
    tomorrow = bench.clock.now() + timedelta(days=1)
    await bench.slack.click_in_view(bench.alice, view["id"], "to", value=ANA)
    await bench.slack.click_in_view(bench.alice, view["id"], "when", value=int(tomorrow.timestamp()))
    await bench.settle()
    assert "7:00 AM PST for them" in read_words(bench.slack.views(bench.alice)[-1])


async def test_what_falls_into_quiet_hours_is_warned_of_and_goes_all_the_same() -> None:
    async with open_bench(quiet_hours="21:00-08:00") as bench:
        answer = await bench.command("/schedule", "4155550101 tomorrow 9:30am Hello")
        assert "quiet hours" in answer
        assert "7:30 AM" in answer
        assert "quiet hours" not in await bench.command("/schedule", "4155550101 tomorrow noon Hello")
        await bench.pass_time(timedelta(hours=24, minutes=31))
        assert bench.phone() == ["Hello"]


# ----------------------------------------------------------------------------------------------------------- the list


async def test_a_long_list_has_pages_and_stays_one_message(bench: Bench) -> None:
    for number in range(25):
        await bench.command("/schedule", f"41555502{number:02} in {number + 6} days Text {number}")
    await bench.command("/schedule", "list")
    (shown,) = bench.whispers("25 scheduled texts")
    assert "page 1 of 3" in read_words(shown)
    assert "Text 9" in read_words(shown)
    assert "Text 10" not in read_words(shown)
    await bench.click(shown, "Later")
    (shown,) = bench.whispers("25 scheduled texts")
    assert "page 2 of 3" in read_words(shown)
    assert "Text 10" in read_words(shown)
    await bench.click(shown, "Sooner")
    (shown,) = bench.whispers("25 scheduled texts")
    assert "page 1 of 3" in read_words(shown)


async def test_after_a_click_in_the_list_the_list_is_up_to_date(bench: Bench) -> None:
    await bench.command("/schedule", "4155550101 in 20 days One")
    await bench.command("/schedule", "4155550101 in 21 days Two")
    await bench.command("/schedule", "list")
    said = await bench.click(bench.whispers("2 scheduled texts")[0], "Cancel")
    assert "taken back" in said
    assert "1 scheduled text" in said
    assert bench.whispers("2 scheduled texts") == []


async def test_the_buttons_in_a_forms_answer_work_there(bench: Bench) -> None:
    await bench.command("/schedule")
    (view,) = bench.slack.views(bench.alice)
    await save(bench, view, to=ANA, text0="Hello", when=in_time(bench, timedelta(days=20)))
    await bench.slack.click_in_view(bench.alice, view["id"], "edit_schedule")
    await save(bench, bench.slack.views(bench.alice)[-1], text0="Hello again")
    assert "Hello again" in await bench.command("/schedule", "list")
    await bench.slack.click_in_view(bench.alice, bench.slack.views(bench.alice)[-1]["id"], "cancel_schedule")
    assert "taken back" in read_words(bench.slack.views(bench.alice)[-1])
    assert "Nothing is scheduled" in await bench.command("/schedule", "list")


# ----------------------------------------------------------------------------------------------------- its last place


async def test_a_changed_text_is_shown_once_in_the_thread_with_its_mark(bench: Bench) -> None:
    root = await bench.open_thread()
    await bench.command("/schedule", "4155550101 in 2 hours Old words")
    await bench.settle()
    view = await open_edit(bench, bench.whispers("Scheduled for")[0])
    await save(bench, view, text0="New words")
    await bench.settle()
    await bench.pass_time(timedelta(hours=2, seconds=5))
    shown = [message for message in bench.slack.thread(CHANNEL, root) if "words" in message["text"]]
    assert len(shown) == 1
    assert "New words" in shown[0]["text"]
    assert bench.marks(shown[0]["ts"]) == {"white_check_mark"}
