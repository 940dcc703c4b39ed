"""
A text that goes again and again: its rule, and when it is next due.

The rule is kept as the calendar standard writes it (RFC 5545, `FREQ=WEEKLY;BYDAY=MO`) and worked out by dateutil, on the
wall clock of whoever made it: nine on Mondays stays nine when the clocks change. Only then is the wall's time turned
into a moment. Each occurrence is a text of its own, made when the one before it has fallen due.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.domain.ids import ConversationId, RecurrenceId, UserId
from bot.domain.when import format_time, settle_wall
from bot.domain.when_grammar import MONTHS, WEEKDAYS

#: An occurrence that could not go at its time still goes within this span; later it is skipped, and people are told.
#: `Standup in ten minutes` is worse than nothing in the afternoon.
MOST_LATE = timedelta(hours=1)
#: The letters of RFC 5545, Monday first.
DAY_CODES = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_WORKDAYS = DAY_CODES[:5]
_ORDINALS = {1: "first", 2: "second", 3: "third", 4: "fourth", -1: "last"}
_UNITS = {"DAILY": "day", "WEEKLY": "week", "MONTHLY": "month", "YEARLY": "year"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """When it goes, by a wall clock."""

    rrule: str  #: As RFC 5545 writes it, without its beginning: `FREQ=WEEKLY;BYDAY=MO`.
    began_on: datetime  #: What the wall shows at the first occurrence; without a zone.


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurrence:
    """One text that repeats."""

    id: RecurrenceId
    conversation_id: ConversationId
    active: bool  #: Whether more is to come.
    rule: Rule
    zone: str  #: The author's, in which the rule was said.
    text: str
    author: UserId
    created_at: datetime
    unless_reply: bool = False  #: A reply ends it.
    number: int = 0  #: How many occurrences were made.
    occurs_on: datetime | None = None  #: What the wall shows at the newest of them.
    revision: int = 0  #: How often its rule was changed.


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """One time at which it goes."""

    occurs_on: datetime  #: What the wall shows; without a zone.
    due_at: datetime


def find_occurrence(rule: Rule, zone: ZoneInfo, *, after: datetime) -> Occurrence | None:
    """Return the next occurrence of *rule* after the wall's time *after*, be it long over; None if none is left."""
    from dateutil.rrule import rrulestr  # noqa: PLC0415 -- half of what the commands take to load

    found: datetime | None = rrulestr(rule.rrule, dtstart=rule.began_on).after(after)
    if found is None:
        return None
    return Occurrence(occurs_on=found, due_at=settle(found, zone)[0])


def settle(wall: datetime, zone: ZoneInfo) -> tuple[datetime, list[str]]:
    """
    Return the moment at which the clocks show *wall*, and what to tell about it; the same whenever it is asked.

    Of an hour that comes twice the first is meant; one that is skipped moves on as far as the clocks do.
    """
    return settle_wall(wall, wall.replace(tzinfo=UTC) - timedelta(days=2), zone)


def find_coming(rule: Rule, zone: ZoneInfo, *, now: datetime, after: datetime | None = None) -> Occurrence | None:
    """Return the first occurrence that is still to come at *now*, and after the wall's time *after*."""
    # The wall shows at most a day's worth of hours from UTC; what was before that is over in every zone.
    start = max((now - timedelta(days=2)).replace(tzinfo=None), rule.began_on - timedelta(days=1))
    found = find_occurrence(rule, zone, after=start if after is None else max(start, after))
    while found is not None and found.due_at <= now:
        found = find_occurrence(rule, zone, after=found.occurs_on)
    return found


def describe_rule(rule: Rule) -> str:
    """Say the rule in words that `bot.domain.when_recurring` reads back: `every Monday at 9:00 AM`."""
    parts = dict(part.split("=", 1) for part in rule.rrule.split(";"))
    words = f"every {_describe_days(parts, rule.began_on)} at {format_time(rule.began_on)}"
    if "UNTIL" in parts:
        until = datetime.strptime(parts["UNTIL"][:8], "%Y%m%d")  # noqa: DTZ007 -- a date on the wall
        words += f" until {until.day} {MONTHS[until.month - 1].capitalize()} {until.year}"
    if "COUNT" in parts:
        words += f" for {parts['COUNT']} times"
    return words


def _describe_days(parts: dict[str, str], began_on: datetime) -> str:
    interval = int(parts.get("INTERVAL", "1"))
    unit = _UNITS[parts["FREQ"]] if interval == 1 else f"{interval} {_UNITS[parts['FREQ']]}s"
    days = parts.get("BYDAY", "").split(",") if "BYDAY" in parts else []
    match parts["FREQ"]:
        case "DAILY":
            return unit
        case "WEEKLY":
            if interval == 1 and tuple(days) == _WORKDAYS:
                return "weekday"
            names = _join([WEEKDAYS[DAY_CODES.index(day)].capitalize() for day in days])
            return names if interval == 1 else f"{unit} on {names}"
        case "MONTHLY" if days:
            nth, day = int(days[0][:-2]), days[0][-2:]
            return f"{unit} on the {_ORDINALS[nth]} {WEEKDAYS[DAY_CODES.index(day)].capitalize()}"
        case "MONTHLY":
            number = max(map(int, parts["BYMONTHDAY"].split(",")))
            return f"{unit} on the {'last day' if number < 0 else _count_off(number)}"
        case _:
            return f"{unit} on {began_on.day} {MONTHS[began_on.month - 1].capitalize()}"


def _join(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _count_off(number: int) -> str:
    ending = "th" if number in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
