"""
What people type after `/sms`, `/schedule` and `/optouts`, read into what they want.

Reading never fails: what is not understood becomes `WrongUse`, which says what is wrong and shows the right form, and
nothing is sent.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from bot.domain.commands import (
    MOST_RECIPIENTS,
    OPTOUTS_ADD,
    OPTOUTS_FORMS,
    OPTOUTS_REMOVE,
    OPTOUTS_SHOW,
    SCHEDULE_CANCEL,
    SCHEDULE_FORMS,
    SCHEDULE_LIST,
    SCHEDULE_SEND,
    SCHEDULE_SKIP,
    SMS_CONTACT,
    SMS_FORMS,
    SMS_FROM,
    SMS_GROUP,
    SMS_HISTORY,
    SMS_SEND,
    SMS_SETTINGS,
    AddOptout,
    CancelSchedule,
    Form,
    FromName,
    FromNumber,
    FromPool,
    FromWhatsapp,
    Help,
    ListOptouts,
    ListSchedules,
    OpenContact,
    OpenForm,
    OpenSettings,
    OptoutsCommand,
    RemoveOptout,
    ScheduleCommand,
    ScheduleText,
    Sender,
    SendText,
    ShowHistory,
    ShowOptout,
    SkipSchedule,
    SmsCommand,
    WrongUse,
)
from bot.domain.ids import ScheduleId
from bot.domain.leading_numbers import TwoNumbers, split_leading_numbers
from bot.domain.phone import Address, NotANumber, PhoneNumber, is_short_code
from bot.domain.when import NotATime, TimeInPast
from bot.domain.when_recurring import split_plan

#: May get a meaning some day; until then they must not pass for anything else.
_RESERVED: Final = frozenset({"history", "export", "erase", "status", "search", "settings"})
_HELP_WORDS: Final = frozenset({"help", "?", "-h", "--help"})


def parse_sms(text: str, region: str) -> SmsCommand:
    """Read what follows `/sms`. *region* is the ISO country code of numbers without `+`."""
    line = text.strip()
    if not line:
        return OpenForm()
    if line.lower() in _HELP_WORDS:
        return Help(forms=SMS_FORMS)
    verb, after_verb = _split_verb(line)
    try:
        match verb:
            case "history":
                return ShowHistory(number=_read_one_number(after_verb, region, SMS_HISTORY))
            case "contact":
                return OpenContact(number=_read_one_number(after_verb, region, SMS_CONTACT))
            case "settings":
                return _read_settings(after_verb)
            case _:
                return _read_send(line, region)
    except _NotUnderstoodError as error:
        return error.wrong_use


def _read_one_number(typed: str, region: str, form: Form) -> PhoneNumber:
    numbers, rest = _split_recipients(typed, region, form)
    if len(numbers) > 1:
        raise _NotUnderstoodError("Give one number at a time.", form)
    if rest:
        raise _NotUnderstoodError(f"I do not understand what follows the number: {_quote(rest)}.", form)
    return numbers[0]


def _read_settings(typed: str) -> OpenSettings:
    if typed:
        raise _NotUnderstoodError("Nothing may follow `settings`.", SMS_SETTINGS)
    return OpenSettings()


def _read_send(line: str, region: str) -> SendText:
    sender, rest = _split_sender(line, region)
    to, words = _split_recipients(rest, region, SMS_SEND)
    if len(to) > MOST_RECIPIENTS:
        raise _NotUnderstoodError(
            f"A group message can go to at most {MOST_RECIPIENTS} numbers; these are {len(to)}.", SMS_GROUP
        )
    if not words:
        raise _NotUnderstoodError("The text is missing.", SMS_SEND if len(to) == 1 else SMS_GROUP)
    return SendText(to=to, sender=sender, text=words)


def parse_schedule(text: str, region: str, now: datetime, zone: ZoneInfo) -> ScheduleCommand:
    """Read what follows `/schedule`. *now* is aware; times are by *zone*, the author's."""
    line = text.strip()
    if not line:
        return OpenForm()
    if line.lower() in _HELP_WORDS:
        return Help(forms=SCHEDULE_FORMS)
    verb, after_verb = _split_verb(line)
    try:
        if verb == "list":
            return _read_list(after_verb)
        if verb in {"cancel", "delete", "remove"}:
            return CancelSchedule(schedule_id=_read_id(after_verb, SCHEDULE_CANCEL))
        if verb == "skip":
            return SkipSchedule(schedule_id=_read_id(after_verb, SCHEDULE_SKIP))
        return _read_schedule(line, region, now, zone)
    except _NotUnderstoodError as error:
        return error.wrong_use


def _read_schedule(line: str, region: str, now: datetime, zone: ZoneInfo) -> ScheduleText:
    sender, rest = _split_sender(line, region)
    to, words = _split_recipients(rest, region, SCHEDULE_SEND)
    if len(to) > 1:
        raise _NotUnderstoodError(
            f"A text can be scheduled for one number at a time; these are {len(to)}.", SCHEDULE_SEND
        )
    try:
        when = split_plan(words, now, zone)
    except (NotATime, TimeInPast) as error:
        raise _NotUnderstoodError(str(error), SCHEDULE_SEND) from error
    if not when.text:
        raise _NotUnderstoodError("The text is missing.", SCHEDULE_SEND)
    return ScheduleText(to=to[0], sender=sender, when=when, text=when.text)


def _read_list(typed: str) -> ListSchedules:
    if typed:
        raise _NotUnderstoodError("Nothing may follow `list`.", SCHEDULE_LIST)
    return ListSchedules()


def _read_id(typed: str, form: Form) -> ScheduleId:
    schedule_id = typed.strip("`#<>*_ ").lower()
    if not schedule_id:
        raise _NotUnderstoodError("The id is missing; `/schedule list` shows it.", form)
    if not re.fullmatch(r"[\w-]{1,40}", schedule_id):
        raise _NotUnderstoodError(f"{_quote(typed)} is not an id; `/schedule list` shows them.", form)
    return ScheduleId(schedule_id)


def parse_optouts(text: str, region: str) -> OptoutsCommand:
    """Read what follows `/optouts`."""
    line = text.strip()
    if not line or line.lower() == "list":
        return ListOptouts()
    if line.lower() in _HELP_WORDS:
        return Help(forms=OPTOUTS_FORMS)
    try:
        return _read_optout(line, region)
    except _NotUnderstoodError as error:
        return error.wrong_use


def _read_optout(line: str, region: str) -> ShowOptout | AddOptout | RemoveOptout:
    verb, after_verb = _split_verb(line)
    form = {"add": OPTOUTS_ADD, "remove": OPTOUTS_REMOVE}.get(verb, OPTOUTS_SHOW)
    numbers, rest = _split_recipients(line if form is OPTOUTS_SHOW else after_verb, region, form)
    if len(numbers) > 1:
        raise _NotUnderstoodError("Give one number at a time.", form)
    if form is OPTOUTS_ADD:
        if not rest:
            raise _NotUnderstoodError("The reason is missing: others will want to know it later.", form)
        return AddOptout(number=numbers[0], reason=" ".join(rest.split()))
    if rest:
        raise _NotUnderstoodError(
            f"I do not understand what follows the number: {_quote(rest)}.",
            OPTOUTS_ADD if form is OPTOUTS_SHOW else form,
        )
    return RemoveOptout(number=numbers[0]) if form is OPTOUTS_REMOVE else ShowOptout(number=numbers[0])


# ------------------------------------------------------------------------------------------------------------ its parts


class _NotUnderstoodError(Exception):
    """Carries the answer out of the depth."""

    def __init__(self, problem: str, form: Form) -> None:
        super().__init__(problem)
        self.wrong_use = WrongUse(problem=problem, form=form)


_SENDER = re.compile(r"from\s*:\s*", re.IGNORECASE)
#: After the number it would go to the customer.
_LATE_SENDER = re.compile(r"from:[^\s]", re.IGNORECASE)
_WHATSAPP = re.compile(r"whats\s?app(?P<number>\s*:\s*)?(?=\s|$|[+(<\d])", re.IGNORECASE)
_NAME_QUOTES: Final = {'"': '"', "\u201c": "\u201d", "'": "'", "\u2018": "\u2019", "`": "`"}
#: Telnyx's rule: at most 11 letters, digits and blanks, and at least one letter.
_NAME = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11}")
_SHORT_CODE_FIRST = re.compile(r"([1-9]\d{3,7})(?=\s)")


def _split_verb(line: str) -> tuple[str, str]:
    verb, *rest = line.split(maxsplit=1)
    return verb.lower(), rest[0] if rest else ""


def _split_sender(line: str, region: str) -> tuple[Sender | None, str]:
    """Split `from:…` off the beginning."""
    led = _SENDER.match(line)
    if led is None:
        return None, line
    rest = line[led.end() :]
    by_whatsapp = _WHATSAPP.match(rest)
    if by_whatsapp is not None:
        return _read_whatsapp(rest[by_whatsapp.end() :].lstrip(), region, named=by_whatsapp["number"] is not None)
    if rest[:1] in _NAME_QUOTES:
        closing = rest.find(_NAME_QUOTES[rest[0]], 1)
        if closing > 0:
            return _read_sender_name(rest[1:closing].strip()), rest[closing + 1 :].lstrip()
    short_code = _SHORT_CODE_FIRST.match(rest)
    if short_code is not None:
        return FromNumber(address=Address(short_code[1])), rest[short_code.end() :].lstrip()
    if rest[:1].isdigit() or rest[:1] in {"+", "(", "<", "\uff0b"}:
        try:
            numbers, rest = split_leading_numbers(rest, region, most=1)
        except NotANumber as error:
            raise _NotUnderstoodError(f"What follows `from:` is not a number of ours. {error}", SMS_FROM) from error
        return FromNumber(address=numbers[0]), rest
    name, _, rest = rest.partition(" ")
    return _read_sender_name(name), rest.lstrip()


def _read_whatsapp(rest: str, region: str, *, named: bool) -> tuple[Sender, str]:
    """Split our number off what follows `from:whatsapp:`, or nothing where no number was *named*."""
    if not named:
        return FromWhatsapp(address=None), rest
    try:
        numbers, rest = split_leading_numbers(rest, region, most=1)
    except NotANumber as error:
        raise _NotUnderstoodError(
            f"What follows `from:whatsapp:` is not a number of ours. {error}", SMS_FROM
        ) from error
    return FromWhatsapp(address=numbers[0]), rest


def _read_sender_name(name: str) -> Sender:
    if name.lower() == "pool":
        return FromPool()
    if is_short_code(name):
        return FromNumber(address=Address(name))
    if not _NAME.fullmatch(name):
        raise _NotUnderstoodError(
            "After `from:` comes one of our numbers, a short code, `pool`, or a sender name of at most 11 letters and "
            "digits.",
            SMS_FROM,
        )
    return FromName(name=name)


def _split_recipients(line: str, region: str, form: Form) -> tuple[tuple[PhoneNumber, ...], str]:
    """Split the numbers off the beginning; each once."""
    first = line.split(maxsplit=1)[0].lower() if line else ""
    if first in _RESERVED:
        raise _NotUnderstoodError(f"There is no `{first}` here.", form)
    if not line:
        raise _NotUnderstoodError("The number is missing.", form)
    try:
        numbers, rest = split_leading_numbers(line, region)
    except TwoNumbers as error:  # its advice is how to make them a group, which only /sms can text
        raise _NotUnderstoodError(str(error) if form is SMS_SEND else "Give one number at a time.", form) from error
    except NotANumber as error:
        raise _NotUnderstoodError(str(error), form) from error
    if _LATE_SENDER.match(rest):
        raise _NotUnderstoodError("Put `from:` before the number.", SMS_FROM)
    return tuple(dict.fromkeys(numbers)), rest


def _quote(words: str) -> str:
    shown = words if len(words) <= 40 else f"{words[:40]}…"  # noqa: PLR2004 -- enough to know it again
    return f"\u201c{shown}\u201d"
