"""
The grammar of times as people say them: which piece at the beginning of a line is a time, and what it says.

Nothing here knows what time it is: `bot.domain.when` turns what was said into a moment. Why a grammar of our own is
told there too.

    when   = spoken day [part of day] [time]  |  time [day [part of day]]  |  after  |  moment
    day    = today, tomorrow, friday, next tuesday, dec 1 [2027], 1st of december, 12/1, 2026-12-01, the 5th
    time   = 9:30am, 5 pm, 14:00, noon, midnight, `at 9`
    after  = in 2 hours, in 1h30m, in an hour and a half, in 3 days [time], 20 minutes from now
    moment = 2026-12-01T09:00Z, 2026-12-01 09:00+01:00
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final


class NotATime(ValueError):
    """What was typed says no time, or more than one. Its text is for the person who typed it, with the right form."""


class PartOfDay(StrEnum):
    """Part of a day that people name instead of an hour."""

    MORNING = "morning"  #: From 6.
    AFTERNOON = "afternoon"  #: From noon.
    EVENING = "evening"  #: From 18.
    NIGHT = "night"  #: From 20 until the next morning.


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockTime:
    """A time by the clock on the wall. Hours from 24 on belong to the next day: midnight is 24."""

    hour: int
    minute: int = 0
    second: int = 0
    assumed: bool = False  #: The person left morning or afternoon open, and the afternoon was taken.


@dataclass(frozen=True, slots=True, kw_only=True)
class AfterDays:
    """So many months and days from today."""

    days: int
    months: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class OnWeekday:
    """The coming one, or with *following* that of the next week. Monday is 0."""

    weekday: int
    following: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OnDate:
    """A date, in the coming year unless it names one."""

    month: int
    day: int
    year: int | None = None
    weekday: int | None = None  #: Where the person said that too.


@dataclass(frozen=True, slots=True, kw_only=True)
class OnDayOfMonth:
    """The 5th: of this month, or of the next that has one."""

    day: int


Day = AfterDays | OnWeekday | OnDate | OnDayOfMonth


@dataclass(frozen=True, slots=True, kw_only=True)
class OnDay:
    """A day with its time; without a day the next such time; without a time only what names none."""

    day: Day | None
    part: PartOfDay | None
    time: ClockTime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class After:
    """So long from now: months and days by the calendar, *span* by the stopwatch."""

    months: int
    days: int
    span: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A time with its own offset, or in UTC."""

    at: datetime


Spoken = OnDay | After | Moment

BLANK: Final = r"[^\S\r\n]*"  # a time never reaches into the next line
END: Final = r"(?![\w'\u2019])"  # the end of a word

WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS: Final = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
WEEKDAY: Final = (
    r"(?P<weekday>mon(?:day)?|tue(?:s(?:day)?)?|wed(?:s|nesday)?|thu(?:r(?:s(?:day)?)?)?|fri(?:day)?|sat(?:urday)?"
    rf"|sun(?:day)?)\.?{END}"
)
_MONTH = (
    r"(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    rf"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?{END}"
)
#: A day's number ends where no hour, range, fraction or date goes on: not `dec 9:30`, not `dec 1-3`.
NUMBER_END: Final = r"(?![\w/]|[:.,-]\d)"
_DAY_NUMBER = rf"(?P<day>\d{{1,2}})(?:st|nd|rd|th)?{NUMBER_END}"
_YEAR = rf"(?:,?{BLANK}(?P<year>20\d\d){NUMBER_END})?"

_ON = re.compile(rf"on{END}", re.IGNORECASE)
_AT = re.compile(rf"(?:at{END}|@)", re.IGNORECASE)
_COMMA = re.compile(r",")
_NEAR_DAY = re.compile(
    rf"(?:(?P<after>(?:the )?day after tomorrow)|(?P<tomorrow>tomm?orr?ow|tmrw|tmr)|today){END}",
    re.IGNORECASE,
)
_TONIGHT = re.compile(rf"(?:tonight|tonite|this (?P<part>morning|afternoon|evening)){END}", re.IGNORECASE)
_PART = re.compile(rf"(?:in the |at )?(?P<part>morning|afternoon|evening|night){END}", re.IGNORECASE)
_PART_AFTER_TIME = re.compile(
    rf"(?:in the (?P<part>morning|afternoon|evening)|at (?P<night>night)){END}", re.IGNORECASE
)
_ON_WEEKDAY = re.compile(rf"(?:(?P<which>this|next|coming|this coming){END}{BLANK})?{WEEKDAY}", re.IGNORECASE)
_MONTH_DAY = re.compile(rf"{_MONTH}{BLANK}(?:the )?{_DAY_NUMBER}{_YEAR}", re.IGNORECASE)
_DAY_MONTH = re.compile(rf"(?:the )?(?P<day>\d{{1,2}})(?:st|nd|rd|th)?{BLANK}(?:of )?{_MONTH}{_YEAR}", re.IGNORECASE)
_DAY_OF_MONTH = re.compile(rf"the (?P<day>\d{{1,2}})(?:st|nd|rd|th){NUMBER_END}", re.IGNORECASE)
_SLASHED = re.compile(rf"(?P<month>\d{{1,2}})/(?P<day>\d{{1,2}})(?:/(?P<year>\d{{4}}|\d{{2}}))?{NUMBER_END}")
_ISO_DATE = re.compile(r"(?P<year>\d{4})[-/](?P<month>\d{1,2})[-/](?P<day>\d{1,2})(?=T\d|(?![\w:/-]|[.,]\d))")
_MOMENT = re.compile(
    rf"(?P<date>\d{{4}}-\d{{2}}-\d{{2}})(?:T|{BLANK})(?P<time>\d{{2}}:\d{{2}}(?::\d{{2}}(?:\.\d{{1,6}})?)?)"
    rf"(?:(?P<utc>Z)|{BLANK}(?P<offset>[+-]\d{{2}}:?\d{{2}})){END}",
    re.IGNORECASE,
)

_WITH_MERIDIEM = re.compile(
    rf"(?P<hour>\d{{1,2}})(?:[:.](?P<minute>\d{{2}}))?(?:{BLANK}(?P<half>[ap])(?:m{END}|\.m\.?(?!\w))|(?P<short>[ap]){END})",
    re.IGNORECASE,
)
_WITH_MINUTES = re.compile(
    r"T?(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2}))?(?!\w|[:/.-]\d)", re.IGNORECASE
)
_HOUR_ALONE = re.compile(rf"(?P<hour>\d{{1,2}})(?:{BLANK}o['\u2019]?clock{END})?{NUMBER_END}", re.IGNORECASE)
_NOON = re.compile(rf"(?:(?:12{BLANK})?noon|midday|noontime){END}", re.IGNORECASE)
_MIDNIGHT = re.compile(rf"(?:12{BLANK})?midnight{END}", re.IGNORECASE)
_ZONE = re.compile(rf"(?:(?i:[ECMP][SD]T|UTC|GMT|CES?T|BST)|[ECMP]T){END}")

_AMOUNTS: Final = {
    word: amount
    for amount, words in (
        (0.5, ("half a", "half an", "a half")),
        (1.0, ("a", "an", "one")),
        (2.0, ("two", "a couple of")),
        *((float(number), (word,)) for number, word in enumerate(("three", "four", "five", "six", "seven"), start=3)),
        *(
            (float(number), (word,))
            for number, word in enumerate(("eight", "nine", "ten", "eleven", "twelve"), start=8)
        ),
        *((float(ten), (word,)) for ten, word in ((15, "fifteen"), (20, "twenty"), (30, "thirty"), (45, "forty-five"))),
    )
    for word in words
}
_UNIT = (
    rf"(?:{BLANK}(?P<unit>sec(?:ond)?s?|min(?:ute)?s?|h(?:ou)?rs?|days?|w(?:ee)?ks?|months?)|(?P<letter>[mhdw]))"
    r"(?![A-Za-z_'\u2019])"
)
_AMOUNT = "|".join(sorted(map(re.escape, _AMOUNTS), key=len, reverse=True))
_SPAN = re.compile(
    rf"(?:(?P<number>\d{{1,4}}(?:\.\d{{1,2}})?)|(?P<word>{_AMOUNT}){END}){_UNIT}",
    re.IGNORECASE,
)
_MORE_SPAN = re.compile(rf"(?:,{BLANK})?(?:and{BLANK})?(?P<number>\d{{1,2}}){_UNIT}", re.IGNORECASE)
_AND_A_HALF = re.compile(rf"and a half{END}", re.IGNORECASE)
_IN = re.compile(rf"in{END}", re.IGNORECASE)
_FROM_NOW = re.compile(rf"from now{END}", re.IGNORECASE)

_UNIT_ORDER: Final = "smhdwM"  # seconds up to months
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600}
_FIRST_CLEAR_HOUR = 7  # `at 6` is meant for the afternoon, `at 7` for the morning
_NOON_HOUR = 12
_HOURS = 24
_MINUTES = 60
_CENTURY = 2000  #: `12/1/26` is 2026.


class Reader:
    """A place in a line that moves on with each piece taken."""

    def __init__(self, line: str, at: int = 0) -> None:
        self.line = line
        self.at = at

    def take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """Move past *pattern*, and the blanks before it, if it stands here."""
        start = self.at
        while start < len(self.line) and self.line[start].isspace() and self.line[start] not in "\r\n":
            start += 1
        found = pattern.match(self.line, start)
        if found is not None:
            self.at = found.end()
        return found


def read_spoken(line: str) -> tuple[Spoken, int] | None:
    """
    Find the piece at the beginning of *line* that says a time, as long as it goes; tell what it says and where it ends.

    Raises `NotATime` where it takes a person to tell whether a piece belongs to the time or to the text.
    """
    for read in _READINGS:  # no line can be read in two of these ways
        reader = Reader(line)
        spoken = read(reader)
        if spoken is not None:
            return spoken, reader.at
    return None


def _read_moment(reader: Reader) -> Spoken | None:
    found = reader.take(_MOMENT)
    if found is None:
        return None
    offset = "+00:00" if found["utc"] else found["offset"]
    try:
        return Moment(at=datetime.fromisoformat(f"{found['date']}T{found['time']}{offset}"))
    except ValueError:
        return None


def _read_after(reader: Reader) -> Spoken | None:
    led = reader.take(_IN)
    found = reader.take(_SPAN)
    if found is None:
        return None
    amounts = {_read_unit(found): float(found["number"]) if found["number"] else _AMOUNTS[found["word"].lower()]}
    if reader.take(_AND_A_HALF):
        amounts[_read_unit(found)] += 0.5
    while (before := reader.at) and (more := reader.take(_MORE_SPAN)):
        unit = _read_unit(more)
        if _UNIT_ORDER.index(unit) >= min(map(_UNIT_ORDER.index, amounts)):
            reader.at = before  # `in 2 hours 1 day passes go on sale`: a larger unit begins the text
            break
        amounts[unit] = float(more["number"])
    if not led and not reader.take(_FROM_NOW):
        return None
    after = _add_up(amounts)
    if after is None or after.span:
        return after
    # `in 3 days` keeps the hour unless one follows: `in 3 days at 9am`.
    before = reader.at
    part = _read_part(reader)
    time = read_time(reader, part)
    if time is None and part is None:
        reader.at = before
        return after
    return OnDay(day=AfterDays(days=after.days, months=after.months), part=part, time=time)


def _read_unit(found: re.Match[str]) -> str:
    unit: str = (found["unit"] or found["letter"]).lower()
    return "M" if unit.startswith("mo") else unit[0]


def _add_up(amounts: dict[str, float]) -> After | None:
    months = amounts.get("M", 0.0)
    if months != int(months):
        return None  # nobody knows how long half a month is
    days = amounts.get("d", 0.0) + 7 * amounts.get("w", 0.0)
    seconds = sum(_SECONDS[unit] * amount for unit, amount in amounts.items() if unit in _SECONDS)
    seconds += (days - int(days)) * _HOURS * 3600
    return After(months=int(months), days=int(days), span=timedelta(seconds=round(seconds)))


def _read_day_then_time(reader: Reader) -> Spoken | None:
    reader.take(_ON)
    day, part = read_day(reader)
    if day is None:
        return None
    part = part or _read_part(reader)
    before = reader.at
    reader.take(_COMMA)
    time = read_time(reader, part)
    if time is None:
        reader.at = before
    return OnDay(day=day, part=part, time=time)


def _read_time_then_day(reader: Reader) -> Spoken | None:
    time = read_time(reader, None)
    if time is None:
        return None
    after_time = reader.at
    on = reader.take(_ON)  # no comma here: after a time it begins the text
    before_day = reader.at
    day, part = read_day(reader)
    if day is None:
        reader.at = after_time
        return OnDay(day=None, part=None, time=time)
    slashed = Reader(reader.line, before_day).take(_SLASHED)
    if slashed is not None and on is None:
        shown = reader.line[:after_time].strip()
        raise NotATime(
            f"Is {slashed[0]} the day, or does the text begin with it? "
            f"Write `{slashed[0]} {shown}` if it is the day, or `{shown}, {slashed[0]} …` if it is text."
        )
    part = part or _read_part(reader)
    if part is not None:
        # `at 9 tomorrow evening`: the hour is read again, now that the part of the day is known.
        time = read_time(Reader(reader.line), part) or time
    return OnDay(day=day, part=part, time=time)


_READINGS: Final[tuple[Callable[[Reader], Spoken | None], ...]] = (
    _read_moment,
    _read_after,
    _read_day_then_time,
    _read_time_then_day,
)


def read_day(reader: Reader) -> tuple[Day | None, PartOfDay | None]:
    """Read a day, and the part of it where `tonight` and its kin say that too."""
    if found := reader.take(_TONIGHT):
        return AfterDays(days=0), PartOfDay(found["part"].lower()) if found["part"] else PartOfDay.NIGHT
    if found := reader.take(_NEAR_DAY):
        return AfterDays(days=2 if found["after"] else 1 if found["tomorrow"] else 0), None
    start = reader.at
    if found := reader.take(_ON_WEEKDAY):
        weekday = index_of(found["weekday"], WEEKDAYS)
        following = (found["which"] or "").lower() == "next"
        after_weekday = reader.at
        reader.take(_COMMA)
        date = _read_date(reader)
        if isinstance(date, OnDate) and not found["which"]:
            # `tue dec 1`: both are said, and have to agree.
            return OnDate(month=date.month, day=date.day, year=date.year, weekday=weekday), None
        reader.at = after_weekday
        return OnWeekday(weekday=weekday, following=following), None
    reader.at = start
    return _read_date(reader), None


def _read_date(reader: Reader) -> Day | None:
    for pattern in (_MONTH_DAY, _DAY_MONTH):
        if found := reader.take(pattern):
            year = int(found["year"]) if found["year"] else None
            return OnDate(month=index_of(found["month"], MONTHS) + 1, day=int(found["day"]), year=year)
    if found := reader.take(_ISO_DATE):
        return OnDate(month=int(found["month"]), day=int(found["day"]), year=int(found["year"]))
    if found := reader.take(_SLASHED):
        month, day = int(found["month"]), int(found["day"])
        if month > len(MONTHS) >= day:
            month, day = day, month  # 25/12 can only be Christmas
        year = int(found["year"]) if found["year"] else None
        return OnDate(month=month, day=day, year=year + _CENTURY if year is not None and year < 100 else year)  # noqa: PLR2004
    if found := reader.take(_DAY_OF_MONTH):
        return OnDayOfMonth(day=int(found["day"]))
    return None


def index_of(name: str, names: tuple[str, ...]) -> int:
    """Find a name by its first three letters, which tell every day and every month apart."""
    return next(index for index, full in enumerate(names) if full.startswith(name[:3].lower()))


def _read_part(reader: Reader) -> PartOfDay | None:
    found = reader.take(_PART)
    return PartOfDay(found["part"].lower()) if found else None


def read_time(reader: Reader, part: PartOfDay | None) -> ClockTime | None:
    """Read a time by the clock; *part* tells morning from evening where the hour does not."""
    start = reader.at
    at = reader.take(_AT)
    time = _read_hour(reader, part, alone=at is not None)
    if time is None:
        reader.at = start
        return None
    if reader.take(_ZONE):
        raise NotATime(
            f"Times are read by your own clock. Leave {reader.line[: reader.at].split()[-1]} out; if the text begins "
            "with it, put a comma after the time."
        )
    return time


def _read_hour(reader: Reader, part: PartOfDay | None, *, alone: bool) -> ClockTime | None:
    if reader.take(_NOON):
        return ClockTime(hour=_NOON_HOUR)
    if reader.take(_MIDNIGHT):
        return ClockTime(hour=_HOURS)
    start = reader.at
    if found := reader.take(_WITH_MERIDIEM):
        time = _read_meridiem(found, part)
    elif found := reader.take(_WITH_MINUTES) or (reader.take(_HOUR_ALONE) if alone else None):
        time = _read_open_hour(reader, found, part)
    else:
        return None
    if time is None:
        reader.at = start
    return time


def _read_meridiem(found: re.Match[str], part: PartOfDay | None) -> ClockTime | None:
    hour, minute = int(found["hour"]), int(found["minute"] or 0)
    if not 1 <= hour <= _NOON_HOUR or minute >= _MINUTES:
        return None
    hour = hour % _NOON_HOUR + (_NOON_HOUR if (found["half"] or found["short"]).lower() == "p" else 0)
    if part is PartOfDay.NIGHT and hour < _FIRST_CLEAR_HOUR:
        hour += _HOURS  # `tonight at 1am` is after midnight
    return ClockTime(hour=hour, minute=minute)


def _read_open_hour(reader: Reader, found: re.Match[str], part: PartOfDay | None) -> ClockTime | None:
    groups = found.groupdict()
    hour, minute, second = (int(groups.get(name) or 0) for name in ("hour", "minute", "second"))
    if hour >= _HOURS or minute >= _MINUTES or second >= _MINUTES:
        return None
    if after := reader.take(_PART_AFTER_TIME):
        part = PartOfDay((after["part"] or after["night"]).lower())
    return _choose_half(hour, minute, second, part=part, exact=found["hour"].startswith("0"))


def _choose_half(hour: int, minute: int, second: int, *, part: PartOfDay | None, exact: bool) -> ClockTime:
    """Tell morning from afternoon where neither `am` nor `pm` does: by the part of the day, else by common sense."""
    assumed = False
    if exact or hour > _NOON_HOUR:
        pass
    elif part is PartOfDay.NIGHT and (hour == _NOON_HOUR or hour < _FIRST_CLEAR_HOUR - 1):
        hour = hour % _NOON_HOUR + _HOURS
    elif part in {PartOfDay.AFTERNOON, PartOfDay.EVENING, PartOfDay.NIGHT}:
        hour = hour % _NOON_HOUR + _NOON_HOUR
    elif part is None and hour < _FIRST_CLEAR_HOUR:
        hour += _NOON_HOUR
        assumed = True
    return ClockTime(hour=hour, minute=minute, second=second, assumed=assumed)
