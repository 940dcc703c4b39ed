"""
Times as people say them, by their own clock: `tomorrow 9:30am`, `friday at 14:00`, `in 2 hours`.

A command is `/schedule <number> <when> <text>`, so the first question is where the time ends and the text begins. No
library answers it: of `tomorrow 9am 2 boxes are ready`, `in 2 hours May I call you?`, `friday at 14:00 Sunday special
starts`, `5pm 10 people confirmed` and `dec 1 at 9 You are next`, parsedatetime 2.6 gets three wrong and dateparser 1.5
(300 ms until its first answer) four, and both take `friday at 14:00`, said on a Friday morning, for next week's. So
`bot.domain.when_grammar` recognises the shapes that people use and nothing else; the calendar is left to libraries:
dateutil (months, hours that clocks skip or repeat), zoneinfo, `datetime.fromisoformat`.

What is left open, and how it is read:

* a day without an hour (`monday Hi`) is refused with a hint: nobody can tell whether `monday 9 boxes` means nine;
* `tonight` is 8 PM, `morning` 9 AM, `afternoon` 2 PM, `evening` 6 PM, and the note says so;
* `at 3` and `3:30` are in the afternoon (hours 1 to 6), `at 9` and `9:30` in the morning; `03:30` is what it says;
* a time without a day is the next such time; a weekday is the coming one, today included; `next friday` is that of
  next week, Monday to Sunday;
* after a time, a comma begins the text, whatever stands there: `9am, 12/1 is the day`;
* an hour that clocks skip in spring moves on by as much as they do; of one that comes twice in autumn the first is
  meant, unless it is over. The note tells.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, assert_never
from zoneinfo import ZoneInfo

from bot.domain.when_grammar import (
    MONTHS,
    WEEKDAYS,
    After,
    AfterDays,
    ClockTime,
    Day,
    Moment,
    NotATime,
    OnDate,
    OnDay,
    OnDayOfMonth,
    OnWeekday,
    PartOfDay,
    Spoken,
    read_spoken,
)

__all__ = ["NotATime", "TimeInPast", "When", "describe_wait", "format_when", "parse_when", "split_when"]

EXAMPLES: Final = "`tomorrow 9:30am`, `friday at 14:00`, `in 2 hours`, `2026-12-01 09:00`"

#: Nobody plans a text for later; somebody who seems to has slipped in a year.
LONGEST_WAIT: Final = timedelta(days=3 * 366)

_PART_HOURS: Final = {
    PartOfDay.MORNING: 9,
    PartOfDay.AFTERNOON: 14,
    PartOfDay.EVENING: 18,
    PartOfDay.NIGHT: 20,
}
_QUOTES: Final = {
    '"': '"',
    "\u201c": '\u201d"',
    "\u201d": "\u201d",
    "'": "'",
    "\u2018": "\u2019'",
    "`": "`",
    "\u00ab": "\u00bb",
}
#: Between time and text: one separator at most, and a dash only with a blank after it (`-5 degrees` is text).
_SEPARATOR = re.compile(r"\s*(?:[,:;|.](?=\s|$)|[|:,]|[-\u2013\u2014](?=\s|$))?\s*")
#: What follows a time without a break makes it no time.
STICKS = re.compile(r"[\w'\u2019]")
_WEEK = 7
_NOON = 12
_DAY_HOURS = 24
_HOUR_MINUTES = 60


class TimeInPast(ValueError):
    """What was typed is over. Its text is for the person who typed it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """A moment that somebody said, and the text after it."""

    at: datetime  #: Aware UTC, after the moment it was said.
    matched: str  #: The words that said it.
    text: str  #: What stands after them, as it was typed; may be empty.
    note: str | None  #: What the person should know about how it was read.


def split_when(rest: str, now: datetime, zone: ZoneInfo) -> When:
    """
    Split *rest* into the time it begins with and the text after it.

    *now* is aware; *zone* is the author's. The time may stand in quotes, and `,` `:` `|` or a dash may follow it.
    Raises `NotATime` and `TimeInPast`.
    """
    line = rest.strip()
    if line[:1] in _QUOTES:
        quoted, text = _split_quoted(line)
        if quoted is not None:
            when = parse_when(quoted, now, zone)
            return When(at=when.at, matched=when.matched, text=drop_separator(text), note=when.note)
    found = read_spoken(line)
    if found is None:
        raise NotATime(_tell_unread(line))
    spoken, end = found
    if STICKS.match(line[end:]):
        raise NotATime(_tell_unread(line))
    at, notes = _resolve(spoken, line[:end], now, zone)
    return When(at=at, matched=line[:end], text=drop_separator(line[end:]), note=" ".join(notes) or None)


def parse_when(typed: str, now: datetime, zone: ZoneInfo) -> When:
    """Read *typed* as a time and nothing else, as in a form's field. Raises `NotATime` and `TimeInPast`."""
    line = typed.strip()
    found = read_spoken(line)
    if found is None or line[found[1] :].strip(" .,"):
        raise NotATime(_tell_unread(line))
    at, notes = _resolve(found[0], line[: found[1]], now, zone)
    return When(at=at, matched=line[: found[1]], text="", note=" ".join(notes) or None)


def format_when(at: datetime, zone: ZoneInfo) -> str:
    """Write a moment out, so that nothing is left to guess: `Tue 24 Nov 2026, 9:30 AM CST`."""
    local = at.astimezone(zone)
    return f"{format_date(local)} {local.year}, {format_time(local)} {name_zone(local)}"


def describe_wait(at: datetime, now: datetime) -> str:
    """Tell how long it is until *at*: `in 2 hours`, `in 3 days`. What is over is `now`."""
    if at <= now:
        return "now"
    if at - now < timedelta(minutes=1):
        return "in less than a minute"
    minutes = round((at - now).total_seconds() / 60)  # told a second later, `in 2 hours` is still that
    hours, rest = divmod(minutes, _HOUR_MINUTES)
    if not hours:
        return f"in {_count(minutes, 'minute')}"
    if hours < _DAY_HOURS:
        return f"in {_count(hours, 'hour')}" + (f" {_count(rest, 'minute')}" if rest else "")
    if hours < 2 * _DAY_HOURS:
        return f"in {_count(hours, 'hour')}"  # `in 27 hours` says more than `in 1 day`
    return f"in {_count(hours // _DAY_HOURS, 'day')}"


def _count(number: int, unit: str) -> str:
    return f"{number} {unit}{'' if number == 1 else 's'}"


# ------------------------------------------------------------------------------------------------------------ the line


def _split_quoted(line: str) -> tuple[str | None, str]:
    closing = _QUOTES[line[0]]
    end = next((at for at, character in enumerate(line[1:], start=1) if character in closing), None)
    return (None, line) if end is None else (line[1:end], line[end + 1 :])


def drop_separator(text: str) -> str:
    """Return *text* without the one separator that may stand between a time and a text."""
    found = _SEPARATOR.match(text)
    return text[found.end() :] if found else text


def _tell_unread(line: str) -> str:
    if not line:
        return f"The time is missing. Write it like {EXAMPLES}."
    shown = " ".join(line.split()[:4])[:40]
    return f"I cannot tell a time from \u201c{shown}\u201d. Write it like {EXAMPLES}."


# ---------------------------------------------------------------------------------------------------------- the moment


def _resolve(spoken: Spoken, matched: str, now: datetime, zone: ZoneInfo) -> tuple[datetime, list[str]]:
    """Turn what was said into a moment to come, and what to tell about it."""
    try:
        at, notes = _resolve_any(spoken, matched, now, zone)
    except OverflowError as error:
        raise NotATime(_tell_far(matched)) from error
    if at <= now:
        raise TimeInPast(
            f"\u201c{matched}\u201d is over: it was {format_when(at, zone)}. Write a time to come, like {EXAMPLES}."
        )
    if at - now > LONGEST_WAIT:
        raise NotATime(_tell_far(matched))
    return at, notes


def _tell_far(matched: str) -> str:
    return f"\u201c{matched}\u201d is more than three years away. Write a nearer time, like {EXAMPLES}."


def _resolve_any(spoken: Spoken, matched: str, now: datetime, zone: ZoneInfo) -> tuple[datetime, list[str]]:
    match spoken:
        case Moment(at=at):
            return at.astimezone(UTC), []
        case After(months=months, days=days, span=span):
            if not months and not days:
                return now.astimezone(UTC) + span, []
            local = now.astimezone(zone)
            wall = datetime.combine(_shift(local.date(), months, days), local.time())
            at, notes = settle_wall(wall, now, zone)
            return at + span, notes
        case OnDay(day=day, part=part, time=clock):
            if day is None:
                if clock is None:
                    raise NotATime(_tell_unread(matched))
                return _find_next(clock, now, zone)
            notes = []
            if clock is None and part is not None:
                clock = ClockTime(hour=_PART_HOURS[part])
                shown = time(clock.hour)
                notes.append(f"\u201c{matched}\u201d was read as {format_time(shown)}.")
            if clock is None:
                raise NotATime(
                    f"At what time? \u201c{matched}\u201d names a day only. Write it like `{matched} 9am` or "
                    f"`{matched} at 14:00`."
                )
            return _resolve_on_day(day, clock, notes, now, zone)
        case _:
            assert_never(spoken)


def _resolve_on_day(
    day: Day,
    clock: ClockTime,
    notes: list[str],
    now: datetime,
    zone: ZoneInfo,
) -> tuple[datetime, list[str]]:
    today = now.astimezone(zone).date()
    on, told = choose_date(day, today)
    at, settled = settle_wall(put_on_clock(on, clock), now, zone)
    if at <= now and isinstance(day, OnWeekday) and on == today:
        on += timedelta(days=_WEEK)
        told = [f"{format_time(put_on_clock(on, clock))} today is over, so it is next week's."]
        at, settled = settle_wall(put_on_clock(on, clock), now, zone)
    if clock.hour == _DAY_HOURS and clock.minute == 0:
        told = [*told, f"Midnight is taken as the end of {format_date(on)}."]
    return at, [*notes, *told, *_tell_assumed(clock), *settled]


def _tell_assumed(clock: ClockTime) -> list[str]:
    if not clock.assumed:
        return []
    taken, other = (format_time(time(hour, clock.minute)) for hour in (clock.hour, clock.hour - _NOON))
    return [f"The afternoon was assumed: {taken}. For the morning write {other.replace(' ', '').lower()}."]


def _find_next(clock: ClockTime, now: datetime, zone: ZoneInfo) -> tuple[datetime, list[str]]:
    """Find the next moment at which the clock shows *clock*."""
    today = now.astimezone(zone).date()
    for ahead in range(-1, 4):  # from yesterday, whose hour 24 is today's; Apia once skipped a day
        on = today + timedelta(days=ahead)
        at, settled = settle_wall(put_on_clock(on, clock), now, zone)
        if at > now:
            over = ahead == 1 and clock.hour < _DAY_HOURS
            told = (
                [f"{format_time(time(clock.hour, clock.minute))} today is over, so it is tomorrow's."] if over else []
            )
            return at, [*told, *_tell_assumed(clock), *settled]
    raise AssertionError("each hour comes within four days")


def choose_date(day: Day, today: date) -> tuple[date, list[str]]:
    """Find the date that was said, and what to tell about it. Raises `NotATime` where there is none such."""
    match day:
        case AfterDays(days=days, months=months):
            return _shift(today, months, days), []
        case OnWeekday(weekday=weekday, following=following):
            coming = today + timedelta(days=(weekday - today.weekday()) % _WEEK)
            if not following:
                return coming, []
            chosen = today + timedelta(days=_WEEK - today.weekday() + weekday)
            name = WEEKDAYS[weekday].capitalize()
            # Said on a Monday, `next friday` is in eleven days for some, in four for others.
            told = [f"\u201cnext {name}\u201d was read as {format_date(chosen)}, not {format_date(coming)}."]
            return chosen, told if coming != today and (chosen - coming).days else []
        case OnDate():
            return _choose_year(day, today)
        case OnDayOfMonth(day=number):
            for months in range(12):
                first = _shift(today.replace(day=1), months, 0)
                on = _make_date(first.year, first.month, number)
                if on is not None and on >= today:
                    return on, []
            raise NotATime(f"No month has a day {number}. Write the time like {EXAMPLES}.")
        case _:
            assert_never(day)


def _choose_year(said: OnDate, today: date) -> tuple[date, list[str]]:
    years = range(today.year, today.year + 9) if said.year is None else range(said.year, said.year + 1)
    dates = [on for year in years if (on := _make_date(year, said.month, said.day)) is not None]
    coming = [on for on in dates if on >= today] or dates
    if not coming:
        month = MONTHS[said.month - 1].capitalize() if 1 <= said.month <= len(MONTHS) else f"month {said.month}"
        year = "" if said.year is None else f" {said.year}"
        raise NotATime(f"There is no day {said.day} in {month}{year}. Write the time like {EXAMPLES}.")
    on = coming[0]
    if said.weekday is not None and on.weekday() != said.weekday:
        right, wrong = WEEKDAYS[on.weekday()].capitalize(), WEEKDAYS[said.weekday].capitalize()
        raise NotATime(f"{format_date(on)} {on.year} is a {right}, not a {wrong}. Which of the two is meant?")
    return on, [] if on.year == today.year or said.year is not None else [f"The next one is in {on.year}."]


def _make_date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _shift(on: date, months: int, days: int) -> date:
    """Move a date by the calendar: a month after 31 January is the end of February."""
    from dateutil.relativedelta import relativedelta  # noqa: PLC0415 -- half of this module's import time

    try:
        return on + relativedelta(months=months) + timedelta(days=days)
    except ValueError as error:  # what relativedelta says to the year 10000
        raise OverflowError from error


def put_on_clock(on: date, clock: ClockTime) -> datetime:
    """Put a time by the clock on a date, without a zone."""
    days, hour = divmod(clock.hour, _DAY_HOURS)
    return datetime.combine(on + timedelta(days=days), time(hour, clock.minute, clock.second))


def settle_wall(wall: datetime, now: datetime, zone: ZoneInfo) -> tuple[datetime, list[str]]:
    """Find the moment at which the clocks of *zone* show *wall*, also where they skip or repeat it."""
    from dateutil import tz  # noqa: PLC0415 -- half of this module's import time

    local = wall.replace(tzinfo=zone, fold=0)
    if not tz.datetime_exists(local):
        moved = tz.resolve_imaginary(local)
        skipped = f"Clocks skip {format_time(local)} on {format_date(local)}"
        shown = format_time(moved) if moved.date() == local.date() else f"{format_date(moved)}, {format_time(moved)}"
        return moved.astimezone(UTC), [f"{skipped}, so it is {shown}."]
    if not tz.datetime_ambiguous(local):
        return local.astimezone(UTC), []
    first, second = local.astimezone(UTC), local.replace(fold=1).astimezone(UTC)
    which, at = ("first", first) if first > now else ("second", second)
    zone_name = name_zone(at.astimezone(zone))
    return at, [f"{format_time(local)} comes twice on {format_date(local)}; the {which} ({zone_name}) is meant."]


# ------------------------------------------------------------------------------------------------------------- writing


def format_date(on: date) -> str:
    """Write a date: `Tue 24 Nov`."""
    return f"{WEEKDAYS[on.weekday()][:3].capitalize()} {on.day} {MONTHS[on.month - 1][:3].capitalize()}"


def format_time(at: time | datetime) -> str:
    """Write a time of day: `9:30 AM`."""
    return f"{at.hour % _NOON or _NOON}:{at.minute:02} {'AM' if at.hour < _NOON else 'PM'}"


def name_zone(local: datetime) -> str:
    """Name the zone's offset: `CST`, or `UTC+10:30` where it has no letters."""
    name = local.tzname() or ""
    if name.isalpha():
        return name
    offset = local.utcoffset() or timedelta(0)
    minutes = abs(int(offset.total_seconds())) // 60
    sign = "-" if offset < timedelta(0) else "+"
    return f"UTC{sign}{minutes // 60}" + (f":{minutes % 60:02}" if minutes % 60 else "")
