"""
What people type after `/sms`, `/schedule` and `/optouts`, read into what they want.

Reading never fails: what is not understood becomes `WrongUse`, which says what is wrong and shows the right form, and
nothing is sent. The texts of the forms stand here once; answers and help are made of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from bot.domain.ids import ScheduleId
from bot.domain.leading_numbers import TwoNumbers, split_leading_numbers
from bot.domain.phone import Address, NotANumber, PhoneNumber, is_short_code
from bot.domain.when import NotATime, TimeInPast
from bot.domain.when_recurring import Plan, split_plan

#: Telnyx's limit for a group MMS.
MOST_RECIPIENTS: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """One way to type a command."""

    usage: str
    does: str
    example: str


SMS_SEND: Final = Form(
    usage="/sms <number> <text>",
    does="sends a text, in the number's thread",
    example="/sms (415) 555-0101 Your order is ready.",
)
SMS_GROUP: Final = Form(
    usage="/sms <number>, <number> <text>",
    does=f"sends one group message, to at most {MOST_RECIPIENTS}",
    example="/sms 415-555-0101, 312-555-0102 We meet at noon.",
)
SMS_FROM: Final = Form(
    usage="/sms from:<number or name> <number> <text>",
    does="sends from another of our numbers, a short code, a sender name, from:pool or from:whatsapp",
    example="/sms from:+13125550100 (415) 555-0101 Your order is ready.",
)
SMS_FORM: Final = Form(usage="/sms", does="opens a form: to, from, text, pictures, when", example="/sms")
SMS_HISTORY: Final = Form(
    usage="/sms history <number>",
    does="shows you alone all that was said with somebody, both ways, a page at a time",
    example="/sms history (415) 555-0101",
)
SMS_CONTACT: Final = Form(
    usage="/sms contact <number>",
    does="opens what is known of somebody: their name, and the time zone they are in",
    example="/sms contact (415) 555-0101",
)
SMS_SETTINGS: Final = Form(
    usage="/sms settings",
    does="opens the settings of this channel: what of a thread is sent; for administrators",
    example="/sms settings",
)
SCHEDULE_SEND: Final = Form(
    usage="/schedule <number> <when> <text>",
    does="sends a text later, by your clock",
    example="/schedule (415) 555-0101 tomorrow 9:30am See you at noon.",
)
SCHEDULE_AGAIN: Final = Form(
    usage="/schedule <number> every <day> <time> <text>",
    does="sends it again and again: every weekday, every month on the 1st, every other friday, … until dec 31",
    example="/schedule (415) 555-0101 every monday 9am Good morning!",
)
SCHEDULE_UNLESS: Final = Form(
    usage="/schedule <number> <when> unless they reply: <text>",
    does="takes it back by itself when they write first",
    example="/schedule (415) 555-0101 tomorrow 9am unless they reply: Is it all right?",
)
SCHEDULE_FORM: Final = Form(usage="/schedule", does="opens a form", example="/schedule")
SCHEDULE_LIST: Final = Form(
    usage="/schedule list", does="shows what is waiting, with buttons to change it", example="/schedule list"
)
SCHEDULE_CANCEL: Final = Form(usage="/schedule cancel <id>", does="takes one back", example="/schedule cancel k7m2p")
SCHEDULE_SKIP: Final = Form(
    usage="/schedule skip <id>", does="leaves one that repeats out once", example="/schedule skip k7m2p"
)
OPTOUTS_LIST: Final = Form(usage="/optouts", does="shows who has opted out, newest first", example="/optouts")
OPTOUTS_SHOW: Final = Form(
    usage="/optouts <number>", does="shows one person's state, and how we know", example="/optouts (415) 555-0101"
)
OPTOUTS_ADD: Final = Form(
    usage="/optouts add <number> <reason>",
    does="stops all texts to a number",
    example="/optouts add (415) 555-0101 asked us on the phone",
)
OPTOUTS_REMOVE: Final = Form(
    usage="/optouts remove <number>",
    does="lifts what a teammate set; what a customer said, only their START lifts",
    example="/optouts remove (415) 555-0101",
)

SMS_FORMS: Final = (SMS_SEND, SMS_GROUP, SMS_FROM, SMS_FORM, SMS_HISTORY, SMS_CONTACT, SMS_SETTINGS)
SCHEDULE_FORMS: Final = (
    SCHEDULE_SEND,
    SCHEDULE_AGAIN,
    SCHEDULE_UNLESS,
    SCHEDULE_FORM,
    SCHEDULE_LIST,
    SCHEDULE_CANCEL,
    SCHEDULE_SKIP,
)
OPTOUTS_FORMS: Final = (OPTOUTS_LIST, OPTOUTS_SHOW, OPTOUTS_ADD, OPTOUTS_REMOVE)

#: May get a meaning some day; until then they must not pass for anything else.
_RESERVED: Final = frozenset({"history", "export", "erase", "status", "search", "settings"})
_HELP_WORDS: Final = frozenset({"help", "?", "-h", "--help"})


# ------------------------------------------------------------------------------------------------------------- senders


@dataclass(frozen=True, slots=True, kw_only=True)
class FromNumber:
    """One of our phone numbers, or a short code of ours."""

    address: Address


@dataclass(frozen=True, slots=True, kw_only=True)
class FromName:
    """An alphanumeric sender, as it was typed."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FromPool:
    """Whichever number the messaging profile chooses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FromWhatsapp:
    """By WhatsApp, from one of our numbers; None: the first that has it."""

    address: Address | None


Sender = FromNumber | FromName | FromPool | FromWhatsapp


# ------------------------------------------------------------------------------------------------------ what they want


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongUse:
    """It was not understood, and nothing is done."""

    problem: str  #: What is wrong: whole sentences, for the person who typed it.
    form: Form  #: What they probably wanted.


@dataclass(frozen=True, slots=True, kw_only=True)
class Help:
    """The forms."""

    forms: tuple[Form, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenForm:
    """The command alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SendText:
    """A text to send now: to one number, or as a group MMS to several."""

    to: tuple[PhoneNumber, ...]
    sender: Sender | None  #: None: ours for this conversation.
    text: str  #: As it was typed.


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowHistory:
    """All that was said with somebody."""

    number: PhoneNumber


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleText:
    """A text to send later."""

    to: PhoneNumber
    sender: Sender | None
    when: Plan
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListSchedules:
    """What is waiting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelSchedule:
    """Take one back."""

    schedule_id: ScheduleId


@dataclass(frozen=True, slots=True, kw_only=True)
class SkipSchedule:
    """Leave one that repeats out once."""

    schedule_id: ScheduleId


@dataclass(frozen=True, slots=True, kw_only=True)
class ListOptouts:
    """Who has opted out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowOptout:
    """One person's state."""

    number: PhoneNumber


@dataclass(frozen=True, slots=True, kw_only=True)
class AddOptout:
    """Opt somebody out by hand."""

    number: PhoneNumber
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveOptout:
    """Lift what a teammate set."""

    number: PhoneNumber


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSettings:
    """What is set for the channel in which it is typed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenContact:
    """What is known of a customer."""

    number: PhoneNumber


SmsCommand = SendText | ShowHistory | OpenForm | OpenSettings | OpenContact | Help | WrongUse
ScheduleCommand = ScheduleText | OpenForm | ListSchedules | CancelSchedule | SkipSchedule | Help | WrongUse
OptoutsCommand = ListOptouts | ShowOptout | AddOptout | RemoveOptout | Help | WrongUse


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
