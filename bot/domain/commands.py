"""
The slash commands: the ways to type each, and what somebody who types one can want.

The texts of the forms stand here once; answers and help are made of them. `bot.domain.command_grammar` reads what is
typed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from bot.domain.ids import ScheduleId
from bot.domain.phone import Address, PhoneNumber
from bot.domain.when_recurring import Plan

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
SCHEDULE_FROM: Final = Form(
    usage="/schedule from:<number or name> <number> <when> <text>",
    does="sends it from another of our numbers, a short code, a sender name, from:pool or from:whatsapp",
    example="/schedule from:+13125550100 (415) 555-0101 tomorrow 9:30am See you at noon.",
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
    SCHEDULE_FROM,
    SCHEDULE_AGAIN,
    SCHEDULE_UNLESS,
    SCHEDULE_FORM,
    SCHEDULE_LIST,
    SCHEDULE_CANCEL,
    SCHEDULE_SKIP,
)
OPTOUTS_FORMS: Final = (OPTOUTS_LIST, OPTOUTS_SHOW, OPTOUTS_ADD, OPTOUTS_REMOVE)


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
