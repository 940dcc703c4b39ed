"""`every monday 9am`, `unless they reply`: what people say of times that come again, and where the text begins."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.recurrence import Rule, describe_rule
from bot.domain.when import NotATime, TimeInPast
from bot.domain.when_recurring import make_rule, parse_rule, split_plan

CHICAGO = ZoneInfo("America/Chicago")
#: A Friday, nine in the morning in Chicago.
NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)

_MONTH_END = "BYMONTHDAY=28,29,30,31;BYSETPOS=-1"

SAID = [
    ("every day at 9am", "FREQ=DAILY", "2026-11-21 09:00"),
    ("every day at 5pm", "FREQ=DAILY", "2026-11-20 17:00"),
    ("daily at noon", "FREQ=DAILY", "2026-11-20 12:00"),
    ("9am every day", "FREQ=DAILY", "2026-11-21 09:00"),
    ("at 9 daily", "FREQ=DAILY", "2026-11-21 09:00"),
    ("each day 14:00", "FREQ=DAILY", "2026-11-20 14:00"),
    ("every 3 days at 5pm", "FREQ=DAILY;INTERVAL=3", "2026-11-20 17:00"),
    ("every other day at 8am", "FREQ=DAILY;INTERVAL=2", "2026-11-21 08:00"),
    ("every monday 9am", "FREQ=WEEKLY;BYDAY=MO", "2026-11-23 09:00"),
    ("Every Mondays at 9am", "FREQ=WEEKLY;BYDAY=MO", "2026-11-23 09:00"),
    ("9am every monday", "FREQ=WEEKLY;BYDAY=MO", "2026-11-23 09:00"),
    ("every friday 8am", "FREQ=WEEKLY;BYDAY=FR", "2026-11-27 08:00"),
    ("every mon, wed and fri 9am", "FREQ=WEEKLY;BYDAY=MO,WE,FR", "2026-11-23 09:00"),
    ("every tue & thu at 4:30 pm", "FREQ=WEEKLY;BYDAY=TU,TH", "2026-11-24 16:30"),
    ("every weekday at 17:00", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "2026-11-20 17:00"),
    ("every business day at 8am", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "2026-11-23 08:00"),
    ("every week at 10am", "FREQ=WEEKLY;BYDAY=FR", "2026-11-20 10:00"),
    ("every week on tuesday at 10am", "FREQ=WEEKLY;BYDAY=TU", "2026-11-24 10:00"),
    ("every other friday at 4pm", "FREQ=WEEKLY;INTERVAL=2;BYDAY=FR", "2026-11-20 16:00"),
    ("every other friday at 8am", "FREQ=WEEKLY;INTERVAL=2;BYDAY=FR", "2026-11-27 08:00"),
    ("every 2 weeks on monday 9am", "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO", "2026-11-23 09:00"),
    ("every month on the 1st at 9am", "FREQ=MONTHLY;BYMONTHDAY=1", "2026-12-01 09:00"),
    ("every month on the 1 at 9am", "FREQ=MONTHLY;BYMONTHDAY=1", "2026-12-01 09:00"),
    ("every 15th at noon", "FREQ=MONTHLY;BYMONTHDAY=15", "2026-12-15 12:00"),
    ("every 1st of the month at 9am", "FREQ=MONTHLY;BYMONTHDAY=1", "2026-12-01 09:00"),
    ("every month on the 31st at 9am", f"FREQ=MONTHLY;{_MONTH_END}", "2026-11-30 09:00"),
    ("every month on the last day at 5pm", "FREQ=MONTHLY;BYMONTHDAY=-1", "2026-11-30 17:00"),
    ("every last day of the month at 5pm", "FREQ=MONTHLY;BYMONTHDAY=-1", "2026-11-30 17:00"),
    ("every month on the first monday at 9am", "FREQ=MONTHLY;BYDAY=1MO", "2026-12-07 09:00"),
    ("every last friday of the month at 4pm", "FREQ=MONTHLY;BYDAY=-1FR", "2026-11-27 16:00"),
    ("every 3 months on the 1st at 9am", "FREQ=MONTHLY;INTERVAL=3;BYMONTHDAY=1", "2026-12-01 09:00"),
    ("every month at 9:30am", "FREQ=MONTHLY;BYMONTHDAY=20", "2026-11-20 09:30"),
    ("every year on dec 25 at 9am", "FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=25", "2026-12-25 09:00"),
    ("every dec 25 at 9am", "FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=25", "2026-12-25 09:00"),
    ("every monday 9am until dec 31", "FREQ=WEEKLY;BYDAY=MO;UNTIL=20261231T235959", "2026-11-23 09:00"),
    ("every monday 9am for 5 times", "FREQ=WEEKLY;BYDAY=MO;COUNT=5", "2026-11-23 09:00"),
    ("every monday 9am, 5 times", "FREQ=WEEKLY;BYDAY=MO;COUNT=5", "2026-11-23 09:00"),
    ("every day 9am starting dec 1", "FREQ=DAILY", "2026-12-01 09:00"),
]


@pytest.mark.parametrize(("said", "rrule", "first"), SAID)
@pytest.mark.parametrize("text", ["", " Good morning", ": 2 boxes are ready", ", monday is off"])
def test_what_people_say_is_understood_and_the_text_after_it_is_left_alone(
    said: str, rrule: str, first: str, text: str
) -> None:
    plan = split_plan(said + text, NOW, CHICAGO)
    assert plan.rule is not None
    assert plan.rule.rrule == rrule
    assert plan.at.astimezone(CHICAGO).strftime("%Y-%m-%d %H:%M") == first
    assert plan.rule.began_on.strftime("%Y-%m-%d %H:%M") == first
    assert plan.text == text.lstrip(" ,:")


@pytest.mark.parametrize("said", [said for said, _, _ in SAID if "starting" not in said])
def test_a_rule_written_out_is_read_back(said: str) -> None:
    rule = parse_rule(said, NOW, CHICAGO).rule
    assert rule is not None
    assert parse_rule(describe_rule(rule), NOW, CHICAGO).rule == rule


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("every monday Hello", "At what time"),
        ("every hour Hello", "daily at most"),
        ("every 5 minutes Hello", "daily at most"),
        ("every blue moon 9am Hello", "when it repeats"),
        ("every 99 days at 9am Hello", "weeks at most"),
        ("every month on the 45th at 9am Hello", "No month has a day 45"),
        ("every year on feb 29 at 9am Hello", "Not every year"),
        ("every day 9am until 2020-01-01 Hello", "over before its first time"),
        ("every day 9am for 501 times Hello", "500 times at most"),
    ],
)
def test_what_says_no_rule_is_refused_with_the_reason(line: str, told: str) -> None:
    with pytest.raises(NotATime, match=told):
        split_plan(line, NOW, CHICAGO)


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("9am every one of you is welcome", "every one of you is welcome"),
        ("tomorrow 9am every day counts", "every day counts"),
        ("tomorrow 9am, every monday we close", "every monday we close"),
        ("9am Every.", "Every."),
    ],
)
def test_every_in_the_text_is_text(line: str, text: str) -> None:
    plan = split_plan(line, NOW, CHICAGO)
    assert plan.rule is None
    assert plan.text == text


def test_a_day_that_some_months_lack_is_their_last_and_that_is_said() -> None:
    plan = split_plan("every month on the 31st at 9am Rent", NOW, CHICAGO)
    assert "last day" in (plan.note or "")


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("tomorrow 9am unless they reply Hello", "Hello"),
        ("tomorrow 9am unless they reply: Hello", "Hello"),
        ("tomorrow 9am, unless they reply first: Hello", "Hello"),
        ("tomorrow 9am unless she answers - Hello", "Hello"),
        ("tomorrow 9am if they don't reply: Hello", "Hello"),
        ("tomorrow 9am if they haven\u2019t replied by then: Hello", "Hello"),
        ("tomorrow 9am if no reply: Hello", "Hello"),
        ("every monday 9am unless they respond: Hello", "Hello"),
        ("tomorrow 9am Hello unless they reply", "Hello"),
        ("tomorrow 9am Hello, unless they write back first", "Hello"),
        ("tomorrow 9am Hello (unless they reply)", "Hello"),
        ("in 2 hours Are you in?\nunless they reply", "Are you in?"),
    ],
)
def test_the_condition_stands_after_the_time_or_ends_the_line(line: str, text: str) -> None:
    plan = split_plan(line, NOW, CHICAGO)
    assert plan.unless_reply
    assert plan.text == text


@pytest.mark.parametrize(
    "text",
    [
        "We cancel unless they reply.",
        "unless they replyx Hello",
        "Tell me, unless they reply, what to do",
        "I go unless you reply",
        "Hello",
    ],
)
def test_what_is_a_sentence_of_the_text_is_sent(text: str) -> None:
    plan = split_plan(f"tomorrow 9am {text}", NOW, CHICAGO)
    assert not plan.unless_reply
    assert plan.text == text


def test_a_condition_taken_from_the_end_is_told_since_it_might_have_been_text() -> None:
    plan = split_plan("tomorrow 9am We close unless they reply", NOW, CHICAGO)
    assert "is not sent" in (plan.note or "")


@given(st.text(max_size=60))
def test_any_line_gives_a_plan_or_a_sentence(line: str) -> None:
    for led in ("", "every ", "every monday 9am ", "9am every "):
        with suppress(NotATime, TimeInPast):
            plan = split_plan(led + line, NOW, CHICAGO)
            assert plan.at > NOW
            assert plan.text in led + line


@pytest.mark.parametrize(
    ("repeats", "rrule"),
    [
        ("day", "FREQ=DAILY"),
        ("weekday", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"),
        ("week", "FREQ=WEEKLY;BYDAY=SA"),
        ("2 weeks", "FREQ=WEEKLY;INTERVAL=2;BYDAY=SA"),
        ("month", "FREQ=MONTHLY;BYMONTHDAY=21"),
    ],
)
def test_the_forms_choices_are_rules_from_the_chosen_time_on(repeats: str, rrule: str) -> None:
    first = datetime(2026, 11, 21, 9, 0)  # noqa: DTZ001 - what the wall shows
    assert make_rule(repeats, first) == Rule(rrule=rrule, began_on=first)
