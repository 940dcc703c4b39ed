from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from bot.domain.when import LONGEST_WAIT, NotATime, TimeInPast, format_when, parse_when, split_when

CHICAGO = ZoneInfo("America/Chicago")
BERLIN = ZoneInfo("Europe/Berlin")
#: A Friday, nine in the morning in Chicago.
NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)


def local(at: datetime, zone: ZoneInfo = CHICAGO) -> str:
    return at.astimezone(zone).strftime("%Y-%m-%d %H:%M")


# -------------------------------------------------------------------------------------------------- what people say

SAID = [
    # The coming days.
    ("tomorrow 9:30am", "2026-11-21 09:30"),
    ("Tomorrow 9:30AM", "2026-11-21 09:30"),
    ("tomorrow at 9:30 am", "2026-11-21 09:30"),
    ("tomorrow, 9am", "2026-11-21 09:00"),
    ("tomorrow 9 a.m.", "2026-11-21 09:00"),
    ("tomorrow at 9", "2026-11-21 09:00"),
    ("tomorrow @ 9am", "2026-11-21 09:00"),
    ("tomorrow 5p", "2026-11-21 17:00"),
    ("tomorrow 12am", "2026-11-21 00:00"),
    ("tomorrow 12pm", "2026-11-21 12:00"),
    ("tmrw 9am", "2026-11-21 09:00"),
    ("tommorow 9am", "2026-11-21 09:00"),
    ("day after tomorrow 9am", "2026-11-22 09:00"),
    ("today 5pm", "2026-11-20 17:00"),
    ("today at noon", "2026-11-20 12:00"),
    ("at noon tomorrow", "2026-11-21 12:00"),
    ("tomorrow at noon", "2026-11-21 12:00"),
    ("9am tomorrow", "2026-11-21 09:00"),
    ("at 9 tomorrow", "2026-11-21 09:00"),
    ("5pm today", "2026-11-20 17:00"),
    # Weekdays.
    ("friday at 14:00", "2026-11-20 14:00"),
    ("friday 8am", "2026-11-27 08:00"),
    ("this friday 2pm", "2026-11-20 14:00"),
    ("next friday 2pm", "2026-11-27 14:00"),
    ("next tuesday 8am", "2026-11-24 08:00"),
    ("tuesday 8am", "2026-11-24 08:00"),
    ("Tue 8am", "2026-11-24 08:00"),
    ("thurs. 8am", "2026-11-26 08:00"),
    ("on monday at 9 o'clock", "2026-11-23 09:00"),
    ("2pm Sunday", "2026-11-22 14:00"),
    ("14:00 on sunday", "2026-11-22 14:00"),
    # A time alone: the next such moment.
    ("noon", "2026-11-20 12:00"),
    ("at noon", "2026-11-20 12:00"),
    ("midnight", "2026-11-21 00:00"),
    ("5pm", "2026-11-20 17:00"),
    ("5 pm", "2026-11-20 17:00"),
    ("5.15pm", "2026-11-20 17:15"),
    ("8am", "2026-11-21 08:00"),
    ("9:30", "2026-11-20 09:30"),
    ("9:00", "2026-11-21 09:00"),
    ("14:00", "2026-11-20 14:00"),
    ("at 14", "2026-11-20 14:00"),
    ("at 6", "2026-11-20 18:00"),
    ("at 7", "2026-11-21 07:00"),
    ("at 11:45", "2026-11-20 11:45"),
    ("12:30", "2026-11-20 12:30"),
    ("00:15", "2026-11-21 00:15"),
    ("03:30", "2026-11-21 03:30"),
    # Parts of the day.
    ("tonight at 8", "2026-11-20 20:00"),
    ("tonight 9:30", "2026-11-20 21:30"),
    ("tonight at 1am", "2026-11-21 01:00"),
    ("tonight at 12", "2026-11-21 00:00"),
    ("this afternoon at 3", "2026-11-20 15:00"),
    ("tomorrow evening at 7", "2026-11-21 19:00"),
    ("tomorrow morning 8:15", "2026-11-21 08:15"),
    ("at 9 tomorrow evening", "2026-11-21 21:00"),
    ("at 9 in the evening", "2026-11-20 21:00"),
    ("tomorrow at 6 in the morning", "2026-11-21 06:00"),
    # Dates.
    ("2026-12-01 09:00", "2026-12-01 09:00"),
    ("2026-12-01T09:00", "2026-12-01 09:00"),
    ("2026-12-01 9am", "2026-12-01 09:00"),
    ("2026-12-01 at 9am", "2026-12-01 09:00"),
    ("2026/12/01 09:00", "2026-12-01 09:00"),
    ("12/1 9am", "2026-12-01 09:00"),
    ("12/1/26 9am", "2026-12-01 09:00"),
    ("12/01/2026 09:00", "2026-12-01 09:00"),
    ("25/12 9am", "2026-12-25 09:00"),
    ("9am on 12/1", "2026-12-01 09:00"),
    ("dec 1 at 9", "2026-12-01 09:00"),
    ("Dec. 1, 9am", "2026-12-01 09:00"),
    ("december 1st 9:30 pm", "2026-12-01 21:30"),
    ("December 1, 2026 at 9:30pm", "2026-12-01 21:30"),
    ("1 dec 9am", "2026-12-01 09:00"),
    ("the 1st of december at noon", "2026-12-01 12:00"),
    ("tue dec 1 9am", "2026-12-01 09:00"),
    ("Tuesday, December 1st, 9am", "2026-12-01 09:00"),
    ("the 5th at 9am", "2026-12-05 09:00"),
    ("on the 20th at 5pm", "2026-11-20 17:00"),
    ("jan 15 9am", "2027-01-15 09:00"),
    ("feb 29 9am", "2028-02-29 09:00"),
    # With an offset.
    ("2026-12-01T09:00:00Z", "2026-12-01 03:00"),
    ("2026-12-01T09:00+01:00", "2026-12-01 02:00"),
    ("2026-12-01 09:00 -0500", "2026-12-01 08:00"),
    # From now.
    ("in 2 hours", "2026-11-20 11:00"),
    ("in 45 min", "2026-11-20 09:45"),
    ("in 45 minutes", "2026-11-20 09:45"),
    ("in 3 days", "2026-11-23 09:00"),
    ("in an hour", "2026-11-20 10:00"),
    ("in half an hour", "2026-11-20 09:30"),
    ("in an hour and a half", "2026-11-20 10:30"),
    ("in 1.5 hours", "2026-11-20 10:30"),
    ("in 1h30m", "2026-11-20 10:30"),
    ("in 2h", "2026-11-20 11:00"),
    ("in 1 hour and 15 minutes", "2026-11-20 10:15"),
    ("in twenty minutes", "2026-11-20 09:20"),
    ("in a couple of hours", "2026-11-20 11:00"),
    ("2 hours from now", "2026-11-20 11:00"),
    ("in a week", "2026-11-27 09:00"),
    ("in 2 weeks at 9:30", "2026-12-04 09:30"),
    ("in 3 days at noon", "2026-11-23 12:00"),
    ("in a month", "2026-12-20 09:00"),
    ("in 1 day 2 hours", "2026-11-21 11:00"),
    # With a narrow or non-breaking blank, as some systems write times.
    ("tomorrow 9:30\u202fAM", "2026-11-21 09:30"),
    ("tomorrow\u00a09:30am", "2026-11-21 09:30"),
]


@pytest.mark.parametrize(("said", "meant"), SAID)
@pytest.mark.parametrize("text", ["Hi", "2 boxes are ready", "May I call you?", "I'm here", "10 people confirmed"])
def test_what_people_say_is_understood_and_the_text_after_it_is_left_alone(said: str, meant: str, text: str) -> None:
    when = split_when(f"{said} {text}", NOW, CHICAGO)
    assert (local(when.at), when.text, when.matched) == (meant, text, said)
    assert when.at.tzinfo is UTC


@pytest.mark.parametrize(("said", "meant"), SAID)
def test_a_form_takes_the_same_times(said: str, meant: str) -> None:
    assert local(parse_when(f" {said} ", NOW, CHICAGO).at) == meant


@pytest.mark.parametrize(
    ("line", "matched", "text"),
    [
        ("friday at 14:00 Sunday special starts", "friday at 14:00", "Sunday special starts"),
        ("in 2 hours May I call you?", "in 2 hours", "May I call you?"),
        ("in 2 hours 1 day passes go on sale", "in 2 hours", "1 day passes go on sale"),
        ("in 2 hours a day begins", "in 2 hours", "a day begins"),
        ("5pm 10 people confirmed", "5pm", "10 people confirmed"),
        ("5pm -5 degrees", "5pm", "-5 degrees"),
        ("9:30 PM me", "9:30 PM", "me"),
        ("5pm at 10 Main St", "5pm", "at 10 Main St"),
        ("tomorrow 9am, EST is our zone", "tomorrow 9am", "EST is our zone"),
        ("tomorrow 9am on your way bring it", "tomorrow 9am", "on your way bring it"),
        ("noon may be late", "noon", "may be late"),
        ("dec 1 9am 2026 will be good", "dec 1 9am", "2026 will be good"),
        ("5pm\n10 dec is the day", "5pm", "10 dec is the day"),
        ("tomorrow 9am\nLine 1\n\n  Line 2", "tomorrow 9am", "Line 1\n\n  Line 2"),
        ("tomorrow 9am - Hi", "tomorrow 9am", "Hi"),
        ("tomorrow 9am: Hi", "tomorrow 9am", "Hi"),
        ("tomorrow 9am | Hi", "tomorrow 9am", "Hi"),
        ("tomorrow 9am | | Hi", "tomorrow 9am", "| Hi"),
        ("tomorrow 9 am. Hi", "tomorrow 9 am", "Hi"),
        ('"tomorrow 9am" 5 dec', "tomorrow 9am", "5 dec"),
        ("\u201ctomorrow 9am\u201d Hi", "tomorrow 9am", "Hi"),
        ("'9am': 12/1", "9am", "12/1"),
        ("9am, 12/1 is the day", "9am", "12/1 is the day"),
        ("2pm, Sunday special starts", "2pm", "Sunday special starts"),
        ("5pm", "5pm", ""),
    ],
)
def test_the_text_is_never_eaten_nor_the_time_cut_short(line: str, matched: str, text: str) -> None:
    when = split_when(line, NOW, CHICAGO)
    assert (when.matched, when.text) == (matched, text)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("", "time is missing"),
        ("hello world", "cannot tell a time from \u201chello world\u201d"),
        ("yesterday 9am x", "cannot tell a time"),
        ("next week x", "cannot tell a time"),
        ("9 x", "cannot tell a time"),
        ("25:00 x", "cannot tell a time"),
        ("9:75am x", "cannot tell a time"),
        ("in 0.5 months x", "cannot tell a time"),
        ("in 99999 days x", "cannot tell a time"),
        ("in a few hours x", "cannot tell a time"),
        ("in 2h30 x", "cannot tell a time"),
        ("tomorrow9am x", "cannot tell a time"),
        ("sunny weather tomorrow", "cannot tell a time"),
        ("may I call", "cannot tell a time"),
        ("1/2 off today", "names a day only"),
        ("monday x", "`monday 9am` or `monday at 14:00`"),
        ("tomorrow 9 boxes", "`tomorrow 9am`"),
        ("tomorrow at 9-11 we are closed", "names a day only"),
        ("friday 15:00pm x", "names a day only"),
        ("2026-12-01 x", "names a day only"),
        ("9am 12/1 x", "Is 12/1 the day"),
        ("5pm 1/2 off", "Is 1/2 the day"),
        ("tomorrow 9am EST hi", "Leave EST out"),
        ("at 9 PT hi", "Leave PT out"),
        ("14:00 utc hi", "Leave utc out"),
        ("mon dec 1 9am x", "is a Tuesday, not a Monday"),
        ("feb 30 9am x", "no day 30 in February"),
        ("2027-02-29 9am x", "no day 29 in February 2027"),
        ("13/13 9am x", "There is no day 13"),
        ("the 32nd at 9am x", "No month has a day 32"),
        ("in 9999 days x", "more than three years"),
        ("2099-01-01 9am x", "more than three years"),
        ("in 9999 months x", "more than three years"),
        ('"tomorrow" x', "names a day only"),
        ('"tomorrow 9am hello" x', "cannot tell a time"),
    ],
)
def test_what_says_no_time_or_two_is_refused_with_the_reason(line: str, told: str) -> None:
    with pytest.raises(NotATime) as raised:
        split_when(line, NOW, CHICAGO)
    assert told in str(raised.value)
    assert "`" in str(raised.value) or "comma" in str(raised.value) or "Which" in str(raised.value)


@pytest.mark.parametrize(
    "line",
    [
        *("today 8am x", "today at 9:00 x", "nov 20 8am x", "11/1/2026 9am x", "2026-11-20 08:59 x"),
        *("this morning at 8 x", "2025-12-01T09:00Z x", "in 0 minutes x", "the 20th at 8am x"),
    ],
)
def test_what_is_over_is_refused_and_named(line: str) -> None:
    with pytest.raises(TimeInPast, match=r"is over: it was \w{3} \d+ \w{3} 202[56], .* CST"):
        split_when(line, NOW, CHICAGO)


@pytest.mark.parametrize(
    ("line", "note"),
    [
        ("tonight x", "\u201ctonight\u201d was read as 8:00 PM."),
        ("tomorrow morning x", "\u201ctomorrow morning\u201d was read as 9:00 AM."),
        ("friday afternoon x", "\u201cfriday afternoon\u201d was read as 2:00 PM."),
        ("this evening x", "\u201cthis evening\u201d was read as 6:00 PM."),
        ("at 3 x", "The afternoon was assumed: 3:00 PM. For the morning write 3:00am."),
        ("tomorrow 3:30 x", "The afternoon was assumed: 3:30 PM. For the morning write 3:30am."),
        ("8am x", "8:00 AM today is over, so it is tomorrow's."),
        ("friday 8am x", "8:00 AM today is over, so it is next week's."),
        ("nov 1 9am x", "The next one is in 2027."),
        ("friday midnight x", "Midnight is taken as the end of Fri 20 Nov."),
        ("tomorrow 9am x", None),
        ("friday at 14:00 x", None),
        ("next tuesday 8am x", None),
        ("03:30 x", None),
    ],
)
def test_what_was_assumed_is_told(line: str, note: str | None) -> None:
    found = split_when(line, NOW, CHICAGO).note
    if note is None and line.startswith("03:30"):
        assert found == "3:30 AM today is over, so it is tomorrow's."
    else:
        assert found == note


def test_next_friday_said_on_a_monday_is_next_weeks_and_says_so() -> None:
    monday = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
    when = split_when("next friday 9am x", monday, CHICAGO)
    assert local(when.at) == "2026-12-04 09:00"
    assert when.note == "\u201cnext Friday\u201d was read as Fri 4 Dec, not Fri 27 Nov."


def test_the_day_is_the_authors_not_the_servers() -> None:
    late = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)  # still Friday evening in Chicago
    assert local(split_when("tomorrow 9am x", late, CHICAGO).at) == "2026-11-21 09:00"
    assert local(split_when("tomorrow 9am x", late, BERLIN).at, BERLIN) == "2026-11-22 09:00"
    in_another_zone = late.astimezone(BERLIN)
    assert split_when("tomorrow 9am x", in_another_zone, CHICAGO).at == split_when("tomorrow 9am x", late, CHICAGO).at


# ------------------------------------------------------------------------------------------------- clocks that change

EVE_OF_SPRING = datetime(2027, 3, 13, 18, 0, tzinfo=UTC)
EVE_OF_AUTUMN = datetime(2026, 10, 31, 18, 0, tzinfo=UTC)


def test_an_hour_that_clocks_skip_moves_on_and_says_so() -> None:
    when = split_when("tomorrow 2:30am x", EVE_OF_SPRING, CHICAGO)
    assert local(when.at) == "2027-03-14 03:30"
    assert when.note == "Clocks skip 2:30 AM on Sun 14 Mar, so it is 3:30 AM."


def test_of_an_hour_that_comes_twice_the_first_is_meant_and_it_says_so() -> None:
    when = split_when("tomorrow 1:30am x", EVE_OF_AUTUMN, CHICAGO)
    assert when.at == datetime(2026, 11, 1, 6, 30, tzinfo=UTC)
    assert when.note == "1:30 AM comes twice on Sun 1 Nov; the first (CDT) is meant."


def test_of_an_hour_that_comes_twice_the_second_is_meant_once_the_first_is_over() -> None:
    between = datetime(2026, 11, 1, 6, 45, tzinfo=UTC)
    for line in ("1:30am x", "today 1:30am x"):
        when = split_when(line, between, CHICAGO)
        assert when.at == datetime(2026, 11, 1, 7, 30, tzinfo=UTC)
        assert when.note == "1:30 AM comes twice on Sun 1 Nov; the second (CST) is meant."


def test_nine_tomorrow_is_nine_on_the_wall_though_the_clocks_change_tonight() -> None:
    assert local(split_when("tomorrow 9am x", EVE_OF_SPRING, CHICAGO).at) == "2027-03-14 09:00"
    assert local(split_when("in 1 day x", EVE_OF_SPRING, CHICAGO).at) == "2027-03-14 12:00"
    assert split_when("in 24 hours x", EVE_OF_SPRING, CHICAGO).at - EVE_OF_SPRING == timedelta(hours=24)


def test_half_an_hour_is_skipped_on_lord_howe() -> None:
    when = split_when("2026-10-04 02:15 x", datetime(2026, 10, 1, tzinfo=UTC), ZoneInfo("Australia/Lord_Howe"))
    assert when.note == "Clocks skip 2:15 AM on Sun 4 Oct, so it is 2:45 AM."
    assert when.at == datetime(2026, 10, 3, 15, 45, tzinfo=UTC)


def test_a_day_that_samoa_skipped_is_the_day_after() -> None:
    when = split_when("2011-12-30 09:00 x", datetime(2011, 12, 28, tzinfo=UTC), ZoneInfo("Pacific/Apia"))
    assert when.at == datetime(2011, 12, 30, 19, 0, tzinfo=UTC)
    assert when.note == "Clocks skip 9:00 AM on Fri 30 Dec, so it is Sat 31 Dec, 9:00 AM."


def wall(*parts: int) -> datetime:
    """Make a time without a zone, as a clock on a wall shows it."""
    year, month, day, hour, minute = (*parts, 0, 0)[:5]
    return datetime(year, month, day, hour, minute, tzinfo=UTC).replace(tzinfo=None)


ZONES = st.sampled_from(
    [ZoneInfo(name) for name in ("America/Chicago", "Europe/Berlin", "Australia/Lord_Howe", "Pacific/Apia", "UTC")]
)
#: Around the days on which one of the zones changes its clocks, and any other time.
NOWS = st.one_of(
    st.datetimes(wall(2010, 1, 1), wall(2030, 1, 1)),
    *(
        st.datetimes(day - timedelta(days=2), day + timedelta(days=2))
        for day in (
            *(wall(2026, 3, 8), wall(2026, 11, 1), wall(2026, 3, 29), wall(2026, 10, 25)),
            *(wall(2026, 10, 4), wall(2026, 4, 5), wall(2011, 12, 30), wall(2011, 9, 24)),
        )
    ),
).map(lambda naive: naive.replace(tzinfo=UTC))
HOURS, MINUTES = st.integers(0, 23), st.integers(0, 59)


@given(NOWS, ZONES, HOURS, MINUTES)
@example(datetime(2011, 12, 29, 10, 0, tzinfo=UTC), ZoneInfo("Pacific/Apia"), 0, 0)
@example(datetime(2026, 11, 1, 6, 30, tzinfo=UTC), CHICAGO, 1, 30)
@example(datetime(2026, 3, 8, 7, 59, tzinfo=UTC), CHICAGO, 2, 30)
def test_a_time_alone_is_the_very_next_moment_at_which_the_clock_shows_it(
    now: datetime, zone: ZoneInfo, hour: int, minute: int
) -> None:
    when = split_when(f"{hour:02}:{minute:02} x", now, zone)
    start = now.replace(second=0, microsecond=0)
    shown = [
        moment
        for ahead in range(1, 3 * 24 * 60)
        if (moment := start + timedelta(minutes=ahead)).minute % 30 == minute % 30
        and (seen := moment.astimezone(zone)).hour == hour
        and seen.minute == minute
        and moment > now
    ]
    if when.note and "skip" in when.note:
        assert now < when.at <= shown[0]  # the same where a whole day is skipped
    else:
        assert when.at == shown[0]


@given(NOWS, ZONES, st.integers(0, 400), HOURS, MINUTES)
def test_a_date_and_a_time_are_what_the_wall_shows_unless_the_note_says_otherwise(
    now: datetime, zone: ZoneInfo, days: int, hour: int, minute: int
) -> None:
    on = now.astimezone(zone).date() + timedelta(days=days)
    try:
        when = split_when(f"{on} {hour:02}:{minute:02} x", now, zone)
    except TimeInPast:
        assert days == 0
        return
    seen = when.at.astimezone(zone)
    if when.note and "skip" in when.note:
        assert seen.replace(tzinfo=None) > wall(on.year, on.month, on.day, hour, minute)
        assert (seen.replace(tzinfo=None) - wall(on.year, on.month, on.day, hour, minute)) <= timedelta(days=1)
    else:
        assert (seen.date(), seen.hour, seen.minute) == (on, hour, minute)
    twice = seen.replace(fold=0).utcoffset() != seen.replace(fold=1).utcoffset()
    assert twice == bool(when.note and "twice" in when.note) or "skip" in (when.note or "")


@given(NOWS, ZONES, st.integers(1, 9999))
def test_minutes_from_now_are_counted_by_the_stopwatch(now: datetime, zone: ZoneInfo, minutes: int) -> None:
    assert split_when(f"in {minutes} minutes x", now, zone).at - now == timedelta(minutes=minutes)


@given(NOWS, ZONES, st.integers(1, 700))
def test_days_from_now_keep_the_hour(now: datetime, zone: ZoneInfo, days: int) -> None:
    when = split_when(f"in {days} days x", now, zone)
    before, after = now.astimezone(zone), when.at.astimezone(zone)
    if when.note and "skip" in when.note:
        return
    assert after.time() == before.time()
    assert after.date() == before.date() + timedelta(days=days)


@given(NOWS, ZONES, st.integers(0, 6), HOURS, MINUTES, st.booleans())
def test_a_weekday_is_the_coming_one(
    now: datetime, zone: ZoneInfo, weekday: int, hour: int, minute: int, following: bool
) -> None:
    name = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")[weekday]
    when = split_when(f"{'next ' * following}{name} {hour:02}:{minute:02} x", now, zone)
    assume(not (when.note and "skip" in when.note))
    seen = when.at.astimezone(zone)
    today = now.astimezone(zone).date()
    assert seen.weekday() == weekday
    if following:
        assert (seen.date() - timedelta(days=weekday)) - (today - timedelta(days=today.weekday())) == timedelta(days=7)
    else:
        assert timedelta(0) <= seen.date() - today <= timedelta(days=7)


@given(NOWS, ZONES, st.integers(60, 900 * 24 * 60))
def test_a_moment_written_out_is_read_back(now: datetime, zone: ZoneInfo, minutes: int) -> None:
    at = now.replace(second=0, microsecond=0) + timedelta(minutes=minutes)
    shown = format_when(at, zone)
    when = parse_when(shown.rsplit(" ", 1)[0], now, zone)
    assert when.at == at or "twice" in (when.note or "")


VOCABULARY = """
    in on at next this the a an 2 10 9:30 9:30am 5pm 14:00 12/1 dec may sunday friday tomorrow today tonight noon
    hours hour min days boxes EST 2026-12-01 1st morning evening and half of from now , - : | " . 5th 2026 Hi"""
WORDS = st.sampled_from(VOCABULARY.split())


@given(st.lists(WORDS, max_size=9).map(" ".join) | st.text(max_size=40), NOWS, ZONES)
@example("in 2 hours", NOW, CHICAGO)
def test_any_line_gives_a_moment_to_come_or_a_sentence_and_nothing_of_it_is_lost(
    line: str, now: datetime, zone: ZoneInfo
) -> None:
    try:
        when = split_when(line, now, zone)
    except (NotATime, TimeInPast) as error:
        assert str(error)[-1] in ".?"  # noqa: PT017 -- either outcome is right
        return
    assert now < when.at <= now + LONGEST_WAIT
    assert when.at.utcoffset() == timedelta(0)
    assert line.strip().endswith(when.text)
    between = line.strip().removesuffix(when.text).replace(when.matched, "", 1)
    assert not any(character.isalnum() for character in between)


@pytest.mark.parametrize("text", ["Hi", "2 boxes", "Monday works", "at the door", "10 dec", "-1", "?", "\u00a1Hola!"])
@given(st.sampled_from([said for said, _ in SAID]))
def test_after_a_time_in_quotes_everything_is_text(text: str, said: str) -> None:
    when = split_when(f'"{said}" {text}', NOW, CHICAGO)
    assert (when.matched, when.text) == (said, text)
