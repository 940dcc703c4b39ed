"""
`every monday 9am`: times that come again, and the condition `unless they reply`.

    rule  = every days [time] [tail]  |  time every days [tail]
    days  = day, weekday, monday and thursday, other friday, 2 weeks on monday, month on the 1st, last friday of the
            month, year on dec 25
    tail  = until dec 31  |  for 5 times  |  starting dec 1

The wall's time of each occurrence is found by dateutil's rrule; see `bot.domain.recurrence`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from bot.domain.recurrence import DAY_CODES, Rule, find_coming, settle
from bot.domain.when import STICKS, choose_date, drop_separator, format_time, put_on_clock, split_when
from bot.domain.when_grammar import (
    BLANK,
    END,
    NUMBER_END,
    WEEKDAY,
    WEEKDAYS,
    ClockTime,
    NotATime,
    OnDate,
    Reader,
    index_of,
    read_day,
    read_time,
)

EXAMPLES: Final = "`every monday 9am`, `every weekday at 17:00`, `every month on the 1st at 9am`"

#: Nobody means more; and each of them is one text.
_MOST_TIMES = 500
_LONGEST_INTERVAL = 52
_SHORT_MONTH = 28

_EVERY = re.compile(rf"(?:every{END}|each{END})", re.IGNORECASE)
_DAILY = re.compile(rf"daily{END}", re.IGNORECASE)
_INTERVAL = re.compile(rf"(?:(?P<other>other)|(?P<number>\d{{1,2}})){END}", re.IGNORECASE)
_UNIT = re.compile(rf"(?P<unit>day|week|month|year)s?{END}", re.IGNORECASE)
_TOO_OFTEN = re.compile(rf"(?:minute|min|hour|hr)s?{END}", re.IGNORECASE)
_WORKDAY = re.compile(rf"(?:weekday|workday|working day|business day)s?{END}", re.IGNORECASE)
_ONE_DAY = re.compile(WEEKDAY.replace(rf"\.?{END}", rf"s?\.?{END}"), re.IGNORECASE)
_AND = re.compile(rf"(?:,{BLANK}(?:and{END})?|and{END}|&)", re.IGNORECASE)
_ON = re.compile(rf"on{END}", re.IGNORECASE)
_ON_THE = re.compile(rf"(?:on{END}{BLANK})?(?:the{END})?", re.IGNORECASE)
_NTH = re.compile(
    rf"(?P<nth>first|1st|second|2nd|third|3rd|fourth|4th|last){END}{BLANK}(?:(?P<end>day){END}|{WEEKDAY})",
    re.IGNORECASE,
)
_DAY_NUMBER = re.compile(rf"(?P<day>\d{{1,2}})(?:st|nd|rd|th){NUMBER_END}", re.IGNORECASE)
_BARE_DAY_NUMBER = re.compile(rf"(?P<day>\d{{1,2}}){NUMBER_END}(?!{BLANK}(?:[ap]\.?m|[ap]){END})", re.IGNORECASE)
_OF_MONTH = re.compile(rf"(?:of (?:the|each|every|a) month|each month|every month|a month){END}", re.IGNORECASE)
_COMMA = re.compile(r",")
_UNTIL = re.compile(rf"(?:until|till|through){END}", re.IGNORECASE)
_TIMES = re.compile(rf"(?:for{END}{BLANK})?(?P<count>\d{{1,3}}) times?{END}", re.IGNORECASE)
_STARTING = re.compile(rf"(?:starting|beginning|from){END}{BLANK}(?:on{END})?", re.IGNORECASE)
_NTH_NUMBERS: Final = {
    "first": 1,
    "1st": 1,
    "second": 2,
    "2nd": 2,
    "third": 3,
    "3rd": 3,
    "fourth": 4,
    "4th": 4,
    "last": -1,
}

_THEY = r"(?:they|he|she|anyone|anybody|somebody|someone)"
_ANSWER = r"(?:repl(?:y|ies)|answers?|responds?|(?:write|text)s? back)"
_NOT = r"(?:do not|don['\u2019]?t|does not|doesn['\u2019]?t|have not|haven['\u2019]?t|has not|hasn['\u2019]?t)"
_CONDITION = (
    rf"(?:unless {_THEY} {_ANSWER}|if {_THEY} {_NOT} (?:{_ANSWER}|replied|answered|responded)"
    rf"|if no (?:reply|answer|response)|if there is no (?:reply|answer|response))(?: first| before(?: then)?| by then)?"
)
_LEADING_CONDITION = re.compile(rf"[\s,]*{_CONDITION}{END}", re.IGNORECASE)
#: A sentence of the text would end in a full stop.
_TRAILING_CONDITION = re.compile(rf"(?:\s|[,;(\u2013\u2014-])+{_CONDITION}\)?\s*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """When a text is to go, and the text."""

    at: datetime  #: Aware UTC: the moment, or the first of them.
    matched: str  #: The words that said it.
    text: str
    note: str | None
    rule: Rule | None = None  #: Where it goes again and again.
    unless_reply: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Days:
    """What stands behind `every`."""

    frequency: str
    interval: int = 1
    weekdays: tuple[int, ...] = ()
    nth: int | None = None  #: Which of those weekdays in a month; -1 is the last.
    month_day: int | None = None  #: -1 is the last.
    month: int | None = None


def split_plan(rest: str, now: datetime, zone: ZoneInfo) -> Plan:
    """
    Split *rest* into when it is to go, under which condition, and the text.

    The condition may stand after the time or end the line. Raises `NotATime` and `TimeInPast`.
    """
    plan = _split_recurring(rest.strip(), now, zone)
    if plan is None:
        when = split_when(rest, now, zone)
        plan = Plan(at=when.at, matched=when.matched, text=when.text, note=when.note)
    leading = _LEADING_CONDITION.match(plan.text)
    if leading is not None:
        return replace(plan, text=drop_separator(plan.text[leading.end() :]), unless_reply=True)
    trailing = _TRAILING_CONDITION.search(plan.text)
    if trailing is not None and plan.text[: trailing.start()].strip():
        said = trailing[0].strip(" \t\n,;(\u2013\u2014-)")
        note = f"\u201c{said}\u201d was read as a condition and is not sent. With a full stop after it, it would be."
        return replace(
            plan,
            text=plan.text[: trailing.start()].rstrip(),
            unless_reply=True,
            note=f"{plan.note} {note}" if plan.note else note,
        )
    return plan


def parse_rule(typed: str, now: datetime, zone: ZoneInfo) -> Plan:
    """Read *typed* as a time that comes again and nothing else, as in a form's field. Raises `NotATime`."""
    plan = _split_recurring(typed.strip(), now, zone)
    if plan is None or plan.text.strip(" .,"):
        raise NotATime(f"I cannot tell from this when it repeats. Write it like {EXAMPLES}.")
    return plan


def make_rule(repeats: str, first: datetime) -> Rule:
    """Return the rule that repeats what goes at the wall's time *first*: `day`, `weekday`, `week`, `2 weeks`, `month`."""
    days = {
        "day": _Days(frequency="DAILY"),
        "weekday": _Days(frequency="WEEKLY", weekdays=(0, 1, 2, 3, 4)),
        "week": _Days(frequency="WEEKLY", weekdays=(first.weekday(),)),
        "2 weeks": _Days(frequency="WEEKLY", interval=2, weekdays=(first.weekday(),)),
        "month": _Days(frequency="MONTHLY", month_day=first.day),
    }[repeats]
    return Rule(rrule=_write_rrule(days), began_on=first)


def _split_recurring(line: str, now: datetime, zone: ZoneInfo) -> Plan | None:
    """Read a rule at the beginning of *line*; None if there is none."""
    reader = Reader(line)
    clock = read_time(reader, None)
    if reader.take(_DAILY):
        days: _Days | None = _Days(frequency="DAILY")
    elif reader.take(_EVERY):
        days = _read_days(reader, now.astimezone(zone).date(), commas=clock is None)
    else:
        return None
    if days is None:
        if clock is not None:  # `9am every one of you …`: the text begins with it
            return None
        raise NotATime(f"I cannot tell from this when it repeats. Write it like {EXAMPLES}.")
    if clock is None:
        before = reader.at
        reader.take(_COMMA)
        clock = read_time(reader, None)
        if clock is None:
            reader.at = before
    matched = line[: reader.at]
    if clock is None:
        raise NotATime(f"At what time? Write it like `{matched} at 9am`.")
    plan = _resolve(reader, days, clock, now, zone)
    if STICKS.match(line[reader.at :]):
        raise NotATime(f"I cannot tell from this when it repeats. Write it like {EXAMPLES}.")
    return plan


def _read_days(reader: Reader, today: date, *, commas: bool) -> _Days | None:
    """Read what stands behind `every`; *commas*: whether one may stand between two days, for after a time it begins the text."""
    interval, said = 1, reader.at
    if found := reader.take(_INTERVAL):
        interval = 2 if found["other"] else int(found["number"])
    if reader.take(_TOO_OFTEN):
        raise NotATime(f"A text can repeat daily at most. Write it like {EXAMPLES}.")
    if not 1 <= interval <= _LONGEST_INTERVAL:
        raise NotATime(f"It can repeat every {_LONGEST_INTERVAL} weeks at most. Write it like {EXAMPLES}.")
    if interval == 1 and reader.take(_WORKDAY):
        return _Days(frequency="WEEKLY", weekdays=(0, 1, 2, 3, 4))
    if found := reader.take(_UNIT):
        return _read_unit(reader, found["unit"].lower(), interval, today, commas=commas)
    if weekdays := _read_weekdays(reader, commas=commas):
        return _Days(frequency="WEEKLY", interval=interval, weekdays=weekdays)
    reader.at = said  # `every 1st`, `every second monday`: what looked like a count is an ordinal
    return _read_month_day(reader, 1, needs_month=False) or _read_year_day(reader)


def _read_unit(reader: Reader, unit: str, interval: int, today: date, *, commas: bool) -> _Days | None:
    match unit:
        case "day":
            return _Days(frequency="DAILY", interval=interval)
        case "week":
            before = reader.at
            reader.take(_ON)
            weekdays = _read_weekdays(reader, commas=commas)
            if not weekdays:
                reader.at = before
            return _Days(frequency="WEEKLY", interval=interval, weekdays=weekdays or (today.weekday(),))
        case "month":
            before = reader.at
            reader.take(_ON_THE)
            found = _read_month_day(reader, interval, needs_month=True)
            if found is not None:
                return found
            reader.at = before
            return _Days(frequency="MONTHLY", interval=interval, month_day=today.day)
        case _:
            before = reader.at
            reader.take(_ON)
            found = _read_year_day(reader)
            if found is not None:
                return replace(found, interval=interval)
            reader.at = before
            return _Days(frequency="YEARLY", interval=interval, month=today.month, month_day=today.day)


def _read_weekdays(reader: Reader, *, commas: bool) -> tuple[int, ...]:
    found: list[int] = []
    while day := reader.take(_ONE_DAY):
        found.append(index_of(day["weekday"], WEEKDAYS))
        before = reader.at
        joint = reader.take(_AND)
        if (
            joint is None
            or (joint[0].strip() == "," and not commas)
            or not Reader(reader.line, reader.at).take(_ONE_DAY)
        ):
            reader.at = before
            break
    return tuple(sorted(set(found)))


def _read_month_day(reader: Reader, interval: int, *, needs_month: bool) -> _Days | None:
    """Read a day of the month; *needs_month*: the month was named before, so `1` alone is a day as well."""
    found = reader.take(_NTH)
    days: _Days | None = None
    if found is not None and not found["end"]:
        weekday = index_of(found["weekday"], WEEKDAYS)
        nth = _NTH_NUMBERS[found["nth"].lower()]
        days = _Days(frequency="MONTHLY", interval=interval, weekdays=(weekday,), nth=nth)
    elif found is not None:
        nth = _NTH_NUMBERS[found["nth"].lower()]
        days = _Days(frequency="MONTHLY", interval=interval, month_day=nth)
    elif found := reader.take(_DAY_NUMBER) or (reader.take(_BARE_DAY_NUMBER) if needs_month else None):
        number = int(found["day"])
        if not 1 <= number <= 31:  # noqa: PLR2004 -- days of a month
            raise NotATime(f"No month has a day {number}. Write it like {EXAMPLES}.")
        days = _Days(frequency="MONTHLY", interval=interval, month_day=number)
    if days is not None and not needs_month:
        reader.take(_OF_MONTH)
    return days


def _read_year_day(reader: Reader) -> _Days | None:
    day, _ = read_day(reader)
    if not isinstance(day, OnDate) or day.year is not None or day.weekday is not None:
        return None
    try:
        date(2027, day.month, day.day)
    except ValueError:
        raise NotATime(f"Not every year has this day. Write it like {EXAMPLES}.") from None
    return _Days(frequency="YEARLY", month=day.month, month_day=day.day)


def _resolve(reader: Reader, days: _Days, clock: ClockTime, now: datetime, zone: ZoneInfo) -> Plan:
    """Read how it begins and ends, and find its first occurrence."""
    today = now.astimezone(zone).date()
    start, ending, notes = today, "", []
    if clock.assumed:
        notes.append(f"The afternoon was assumed: {format_time(put_on_clock(today, clock))}.")
    while True:
        before = reader.at
        reader.take(_COMMA)
        if reader.take(_STARTING) and (on := _read_date(reader, today)):
            start = on
        elif not ending and reader.take(_UNTIL) and (on := _read_date(reader, today)):
            ending = f";UNTIL={on:%Y%m%d}T235959"
        elif not ending and (found := reader.take(_TIMES)):
            if not 1 <= int(found["count"]) <= _MOST_TIMES:
                raise NotATime(f"It can repeat {_MOST_TIMES} times at most.")
            ending = f";COUNT={int(found['count'])}"
        else:
            reader.at = before
            break
    # Without its interval the rule has the first day it can have; from there on the interval counts.
    first = find_coming(
        Rule(rrule=_write_rrule(replace(days, interval=1)), began_on=put_on_clock(start, clock)), zone, now=now
    )
    rule = None if first is None else Rule(rrule=_write_rrule(days) + ending, began_on=first.occurs_on)
    if rule is None or first is None or find_coming(rule, zone, now=now) is None:
        raise NotATime("It would be over before its first time.")
    notes += settle(first.occurs_on, zone)[1]
    if days.month_day is not None and days.month_day > _SHORT_MONTH and days.frequency == "MONTHLY":
        notes.append(f"In months without a day {days.month_day} it goes on their last day.")
    return Plan(
        at=first.due_at,
        matched=reader.line[: reader.at],
        text=drop_separator(reader.line[reader.at :]),
        note=" ".join(notes) or None,
        rule=rule,
    )


def _read_date(reader: Reader, today: date) -> date | None:
    day, _ = read_day(reader)
    return None if day is None else choose_date(day, today)[0]


def _write_rrule(days: _Days) -> str:
    parts = [f"FREQ={days.frequency}"]
    if days.interval > 1:
        parts.append(f"INTERVAL={days.interval}")
    if days.weekdays:
        nth = "" if days.nth is None else str(days.nth)
        parts.append("BYDAY=" + ",".join(f"{nth}{DAY_CODES[day]}" for day in days.weekdays))
    if days.month is not None:
        parts.append(f"BYMONTH={days.month}")
    if days.month_day is not None and days.month_day > _SHORT_MONTH and days.frequency == "MONTHLY":
        # RFC 5545 passes over months without such a day; people mean the end of the month.
        numbers = range(_SHORT_MONTH, days.month_day + 1)
        parts += ["BYMONTHDAY=" + ",".join(map(str, numbers)), "BYSETPOS=-1"]
    elif days.month_day is not None:
        parts.append(f"BYMONTHDAY={days.month_day}")
    return ";".join(parts)
