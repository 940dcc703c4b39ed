from __future__ import annotations

from datetime import UTC, datetime
from typing import get_args
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bot.domain.command_grammar import parse_optouts, parse_schedule, parse_sms
from bot.domain.commands import (
    OPTOUTS_ADD,
    OPTOUTS_FORMS,
    OPTOUTS_REMOVE,
    OPTOUTS_SHOW,
    SCHEDULE_CANCEL,
    SCHEDULE_FORMS,
    SCHEDULE_LIST,
    SCHEDULE_SEND,
    SMS_FORMS,
    SMS_FROM,
    SMS_GROUP,
    SMS_HISTORY,
    SMS_SEND,
    AddOptout,
    CancelSchedule,
    Form,
    FromName,
    FromNumber,
    FromPool,
    Help,
    ListOptouts,
    ListSchedules,
    OpenForm,
    OptoutsCommand,
    RemoveOptout,
    ScheduleCommand,
    ScheduleText,
    Sender,
    SendText,
    ShowOptout,
    SmsCommand,
    WrongUse,
)
from bot.domain.ids import ScheduleId
from bot.domain.phone import Address, PhoneNumber

CHICAGO = ZoneInfo("America/Chicago")
NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
KATE = PhoneNumber(Address("+14155550101"))
LIAM = PhoneNumber(Address("+13125550102"))


def schedule(text: str) -> ScheduleCommand:
    return parse_schedule(text, "US", NOW, CHICAGO)


# ---------------------------------------------------------------------------------------------------------------- /sms

WRITTEN = [
    "+14155550101",
    "14155550101",
    "4155550101",
    "(415) 555-0101",
    "(415)555-0101",
    "(415)555 0101",
    "415-555-0101",
    "415 555-0101",
    "415.555.0101",
    "415 555 0101",
    "415 5550101",
    "1 415 555 0101",
    "+1 415 555 0101",
    "+1 (415) 555-0101",
    "+1415 555 0101",
    "+1 4155550101",
    "011 1 415 555 0101",
    "<tel:+14155550101|(415) 555-0101>",
    "<tel:4155550101>",
    "\u202a+1 415 555 0101\u202c",
    "415\u2011555\u20110101",
    "(415)\u00a0555-0101",
    "\uff14\uff11\uff15 \uff15\uff15\uff15 \uff10\uff11\uff10\uff11",
]
TEXTS = [
    "Hello",
    "2 boxes ready",
    "2 boxes, 3 bags, 4155 in all",
    "2026 was a good year",
    "10-12 works",
    "5",
    "(urgent) call us",
    "(2) boxes",
    "+1 for the idea",
    "- a list",
    "555-0199 ext 5 is our desk",
    "$5 off",
    "/help",
    "line 1\n  line  2\n\nline 4",
    "a   b\tc",
    "\U0001f389 done",
    "\u00bfListo?",
    "<https://example.com|link>",
    "tomorrow 9am works",
    ", really",
]


@pytest.mark.parametrize("written", WRITTEN)
@pytest.mark.parametrize("text", TEXTS)
def test_the_number_ends_where_it_should_and_the_text_is_kept_as_it_is(written: str, text: str) -> None:
    expected = text.removeprefix(", ")  # a comma after the number is not the text's
    assert parse_sms(f"{written} {text}", "US") == SendText(to=(KATE,), sender=None, text=expected)


@pytest.mark.parametrize("first", WRITTEN)
@pytest.mark.parametrize("between", [", ", ",", " , ", "; ", "\uff0c", ",\n"])
def test_numbers_with_commas_are_one_group(first: str, between: str) -> None:
    for second in ("312-555-0102", "+13125550102", "<tel:+13125550102|x>", "(312) 555 0102"):
        assert parse_sms(f"{first}{between}{second} Hi all", "US") == SendText(
            to=(KATE, LIAM), sender=None, text="Hi all"
        )


def test_a_number_given_twice_is_texted_once() -> None:
    assert parse_sms("4155550101, (415) 555-0101 hi", "US") == SendText(to=(KATE,), sender=None, text="hi")


@pytest.mark.parametrize(
    "line", ["4155550101: Hi", "4155550101, Hi", "4155550101. Hi", "4155550101\nHi", " 4155550101  Hi "]
)
def test_a_separator_after_the_number_is_not_part_of_the_text(line: str) -> None:
    assert parse_sms(line, "US") == SendText(to=(KATE,), sender=None, text="Hi")


def test_eight_may_be_texted_as_a_group_and_nine_may_not() -> None:
    numbers = [f"+1415555{number:04}" for number in range(9)]
    eight = parse_sms(f"{', '.join(numbers[:8])} hi", "US")
    assert isinstance(eight, SendText)
    assert len(eight.to) == 8
    nine = parse_sms(f"{', '.join(numbers)} hi", "US")
    assert isinstance(nine, WrongUse)
    assert nine.form is SMS_GROUP
    assert "at most 8 numbers; these are 9" in nine.problem


@pytest.mark.parametrize(
    ("line", "told", "form"),
    [
        ("hello", "\u201chello\u201d is not a phone number", SMS_SEND),
        ("call me at 4155550101", "\u201ccall\u201d is not a phone number", SMS_SEND),
        ("4155550101", "text is missing", SMS_SEND),
        ("4155550101,", "text is missing", SMS_SEND),
        ("4155550101, 3125550102", "text is missing", SMS_GROUP),
        ("555-0101 hi", "area code is missing", SMS_SEND),
        ("415555010 hi", "too short: 9 digits", SMS_SEND),
        ("415 555 010 hi", "too short: 9 digits", SMS_SEND),
        ("415 555 01012 hi", "too long", SMS_SEND),
        ("911 hi", "too short", SMS_SEND),
        ("12345 STOP", "too short", SMS_SEND),
        ("447911123456 hi", "put a + before the country code", SMS_SEND),
        ("+999123456789 hi", "country code", SMS_SEND),
        ("4155550101Hello", "only digits", SMS_SEND),
        ("4155550101-Hello", "only digits", SMS_SEND),
        ("1-800-FLOWERS hi", "only digits", SMS_SEND),
        ("<@U123> hi", "not a phone number", SMS_SEND),
        ("41555501013125550102 hi", "too long", SMS_SEND),
        ("+14155550101+13125550102 hi", "more than one number", SMS_SEND),
        ("4155550101,, 3125550102", "text is missing", SMS_GROUP),
        ("4155550101 3125550102 hi", "Two numbers stand side by side", SMS_SEND),
        ("4155550101 (312) 555-0102 hi", "Put a comma before +13125550102", SMS_SEND),
        ("4155550101 +1 312 555 0102 hi", "side by side", SMS_SEND),
        ("<tel:+14155550101> <tel:+13125550102> hi", "side by side", SMS_SEND),
        ("4155550101 and 3125550102 hi", "side by side", SMS_SEND),
        ("4155550101 & (312) 555-0102 hi", "side by side", SMS_SEND),
        ("4155550101 &+13125550102 hi", "side by side", SMS_SEND),
        ("4155550101, 555-0102 hi", "area code is missing", SMS_SEND),
        ("4155550101, 31255501020 hi", "too long", SMS_SEND),
        # A digit is missing, and one of the text must not take its place.
        ("415 555 010 2 boxes", "cannot tell where the number ends", SMS_SEND),
        ("415 555 01 01 boxes", "cannot tell where the number ends", SMS_SEND),
        ("415555 2026 was good", "cannot tell where the number ends", SMS_SEND),
        # German numbers have no one length, and 030 1234 is given out too.
        ("+49 30 1234 5678 Hallo", "If it is +493012345678, write it so", SMS_SEND),
        ("4155550101 from:acme hi", "Put `from:` before the number", SMS_FROM),
        ("help me", "not a phone number", SMS_SEND),
        ("history", "The number is missing", SMS_HISTORY),
        ("History 12", "12", SMS_HISTORY),
        ("history 4155550101 please", "do not understand what follows the number: “please”", SMS_HISTORY),
        ("history 4155550101, 4155550102", "Give one number at a time", SMS_HISTORY),
        ("Erase", "There is no `erase` here", SMS_SEND),
        ("export 4155550101", "There is no `export` here", SMS_SEND),
        ("erase 4155550101", "There is no `erase` here", SMS_SEND),
        ("from:", "After `from:`", SMS_FROM),
        ("from:acme", "number is missing", SMS_SEND),
        ("from:acme hello", "not a phone number", SMS_SEND),
        ("from:ACMECORPORATION 4155550101 hi", "at most 11 letters", SMS_FROM),
        ("from:\u00c4RZTE 4155550101 hi", "at most 11 letters", SMS_FROM),
        ("from:415-555 4155550101 hi", "not a number of ours", SMS_FROM),
        ("from:pool", "number is missing", SMS_SEND),
        ("from:pool 4155550101", "text is missing", SMS_SEND),
        ("from:+13125550100", "number is missing", SMS_SEND),
    ],
)
def test_a_mistake_is_told_with_the_right_form_and_nothing_is_sent(line: str, told: str, form: Form) -> None:
    answer = parse_sms(line, "US")
    assert isinstance(answer, WrongUse)
    assert told in answer.problem
    assert answer.form is form


@pytest.mark.parametrize(
    ("typed", "sender"),
    [
        ("from:+13125550100", FromNumber(address=Address("+13125550100"))),
        ("FROM:+13125550100", FromNumber(address=Address("+13125550100"))),
        ("from: (312) 555-0100", FromNumber(address=Address("+13125550100"))),
        ("from:312 555 0100", FromNumber(address=Address("+13125550100"))),
        ("from:<tel:+13125550100|(312) 555-0100>", FromNumber(address=Address("+13125550100"))),
        ("from:12345", FromNumber(address=Address("12345"))),
        ("from:898287", FromNumber(address=Address("898287"))),
        ("from:ACME", FromName(name="ACME")),
        ("from:Acme2", FromName(name="Acme2")),
        ('from:"Acme Shop"', FromName(name="Acme Shop")),
        ("from:\u201cAcme Shop\u201d", FromName(name="Acme Shop")),
        ("from:pool", FromPool()),
        ("from: Pool", FromPool()),
    ],
)
@pytest.mark.parametrize("written", ["(415) 555-0101", "415 555 0101", "+14155550101", "<tel:+14155550101|x>"])
def test_the_sender_comes_before_the_number(typed: str, sender: Sender, written: str) -> None:
    assert parse_sms(f"{typed} {written} 2 boxes", "US") == SendText(to=(KATE,), sender=sender, text="2 boxes")
    later = schedule(f"{typed} {written} in 2 hours 2 boxes")
    assert isinstance(later, ScheduleText)
    assert (later.to, later.sender, later.text) == (KATE, sender, "2 boxes")


@pytest.mark.parametrize(
    ("line", "region", "number", "text"),
    [
        ("+493012345678 2 Kisten", "US", "+493012345678", "2 Kisten"),
        ("+44 7911 123456 2 boxes", "US", "+447911123456", "2 boxes"),
        ("011 44 7911 123456 hi", "US", "+447911123456", "hi"),
        ("+33 6 12 34 56 78 2 bo\u00eetes", "US", "+33612345678", "2 bo\u00eetes"),
        ("07911 123456 hi", "GB", "+447911123456", "hi"),
        ("030 1234567 Hallo", "DE", "+49301234567", "Hallo"),
        ("0301234567 10 Kisten", "DE", "+49301234567", "10 Kisten"),
        ("0171 1234567 2 Kisten", "DE", "+491711234567", "2 Kisten"),
    ],
)
def test_numbers_from_abroad_are_read_too(line: str, region: str, number: str, text: str) -> None:
    assert parse_sms(line, region) == SendText(to=(PhoneNumber(Address(number)),), sender=None, text=text)


DIGITS = st.integers(2_000_000_000, 9_999_999_999).map(str)
SHAPES = st.sampled_from(
    ["+1{a}{b}{c}", "{a}{b}{c}", "({a}) {b}-{c}", "{a}-{b}-{c}", "{a}.{b}.{c}", "{a} {b} {c}", "+1 {a} {b} {c}"]
)
FIRST_WORDS = st.sampled_from(
    ["2", "10", "(3)", "2026", "9am", "12/1", "Hi", "$5", "+1", "5,", "1.", "4155", "x5", "-1"]
)


@given(DIGITS, SHAPES, FIRST_WORDS, st.text(alphabet="abc def 123 \n,.-()+", max_size=20))
def test_whatever_follows_the_number_it_is_that_number_that_is_texted(
    digits: str, shape: str, first: str, more: str
) -> None:
    written = shape.format(a=digits[:3], b=digits[3:6], c=digits[6:])
    text = f"{first} and {more}".strip()
    answer = parse_sms(f"{written} {text}", "US")
    assert answer == SendText(to=(PhoneNumber(Address(f"+1{digits}")),), sender=None, text=text)


@given(st.text(alphabet="0123456789 +()-.,abf:\n", max_size=40))
def test_no_line_is_beyond_reading_and_only_whole_numbers_are_texted(line: str) -> None:
    answer = parse_sms(line, "US")
    if isinstance(answer, SendText):
        said = "".join(character for character in line if character.isdigit())
        for number in answer.to:
            assert number.removeprefix("+1") in said or number[1:] in said
        assert line.strip().endswith(answer.text)
    else:
        assert isinstance(answer, OpenForm | Help | WrongUse)


@given(st.text(max_size=60))
def test_anything_typed_gets_an_answer(line: str) -> None:
    assert isinstance(parse_sms(line, "US"), get_args(SmsCommand))
    assert isinstance(schedule(line), get_args(ScheduleCommand))
    assert isinstance(parse_optouts(line, "US"), get_args(OptoutsCommand))


# ----------------------------------------------------------------------------------------------------------- /schedule


@pytest.mark.parametrize("written", WRITTEN)
@pytest.mark.parametrize(
    ("when", "at"),
    [
        ("tomorrow 9:30am", datetime(2026, 11, 21, 15, 30, tzinfo=UTC)),
        ("friday at 14:00", datetime(2026, 11, 20, 20, 0, tzinfo=UTC)),
        ("in 2 hours", datetime(2026, 11, 20, 17, 0, tzinfo=UTC)),
        ("2026-12-01 09:00", datetime(2026, 12, 1, 15, 0, tzinfo=UTC)),
        ("12/1 9am", datetime(2026, 12, 1, 15, 0, tzinfo=UTC)),
        ("9:30", datetime(2026, 11, 20, 15, 30, tzinfo=UTC)),
        ("14:00", datetime(2026, 11, 20, 20, 0, tzinfo=UTC)),
        ("5pm", datetime(2026, 11, 20, 23, 0, tzinfo=UTC)),
    ],
)
@pytest.mark.parametrize("between", [" ", ", "])
def test_number_time_and_text_are_told_apart(written: str, when: str, at: datetime, between: str) -> None:
    answer = schedule(f"{written}{between}{when} 2 boxes\nare ready")
    assert isinstance(answer, ScheduleText)
    assert (answer.to, answer.when.at, answer.when.matched, answer.text) == (KATE, at, when, "2 boxes\nare ready")


@pytest.mark.parametrize(
    ("line", "told", "form"),
    [
        ("hello", "not a phone number", SCHEDULE_SEND),
        ("4155550101", "time is missing", SCHEDULE_SEND),
        ("4155550101 hello", "cannot tell a time", SCHEDULE_SEND),
        ("4155550101 tomorrow hi", "At what time?", SCHEDULE_SEND),
        ("4155550101 today 5am hi", "is over", SCHEDULE_SEND),
        ("4155550101 5pm", "text is missing", SCHEDULE_SEND),
        ("4155550101, 3125550102 5pm hi", "one number at a time; these are 2", SCHEDULE_SEND),
        ("4155550101 3125550102 5pm hi", "Give one number at a time.", SCHEDULE_SEND),
        ("tomorrow 9am 4155550101 hi", "not a phone number", SCHEDULE_SEND),
        ("history", "There is no `history` here", SCHEDULE_SEND),
        ("list all", "Nothing may follow `list`", SCHEDULE_LIST),
        ("cancel", "id is missing", SCHEDULE_CANCEL),
        ("cancel a b", "is not an id", SCHEDULE_CANCEL),
        ("4155550101 from:acme 5pm hi", "Put `from:` before", SMS_FROM),
    ],
)
def test_a_mistake_in_a_schedule_is_told_and_nothing_is_scheduled(line: str, told: str, form: Form) -> None:
    answer = schedule(line)
    assert isinstance(answer, WrongUse)
    assert told in answer.problem
    assert answer.form is form


def test_what_waits_is_listed_and_taken_back() -> None:
    assert schedule("") == OpenForm()
    assert schedule(" list ") == schedule("LIST") == ListSchedules()
    for line in ("cancel k7m2p", "Cancel K7M2P", "cancel `k7m2p`", "cancel #k7m2p", "cancel\nk7m2p", "delete k7m2p"):
        assert schedule(line) == CancelSchedule(schedule_id=ScheduleId("k7m2p"))


# ------------------------------------------------------------------------------------------------------------ /optouts


@pytest.mark.parametrize("written", WRITTEN)
def test_one_persons_state_is_shown_set_and_lifted(written: str) -> None:
    assert parse_optouts(written, "US") == ShowOptout(number=KATE)
    assert parse_optouts(f"remove {written}", "US") == RemoveOptout(number=KATE)
    assert parse_optouts(f"ADD {written} asked us,\n twice", "US") == AddOptout(number=KATE, reason="asked us, twice")
    assert parse_optouts(f"add {written} 2 calls", "US") == AddOptout(number=KATE, reason="2 calls")


@pytest.mark.parametrize(
    ("line", "told", "form"),
    [
        ("foo", "not a phone number", OPTOUTS_SHOW),
        ("add", "number is missing", OPTOUTS_ADD),
        ("add 4155550101", "reason is missing", OPTOUTS_ADD),
        ("add because", "not a phone number", OPTOUTS_ADD),
        ("add 4155550101, 3125550102 x", "one number at a time", OPTOUTS_ADD),
        ("4155550101 3125550102", "Give one number at a time.", OPTOUTS_SHOW),
        ("remove", "number is missing", OPTOUTS_REMOVE),
        ("remove 4155550101 please", "\u201cplease\u201d", OPTOUTS_REMOVE),
        ("4155550101 asked on the phone", "\u201casked on the phone\u201d", OPTOUTS_ADD),
        ("export", "There is no `export` here", OPTOUTS_SHOW),
    ],
)
def test_a_mistake_in_optouts_is_told_and_nobody_is_opted_in_or_out(line: str, told: str, form: Form) -> None:
    answer = parse_optouts(line, "US")
    assert isinstance(answer, WrongUse)
    assert told in answer.problem
    assert answer.form is form


def test_optouts_alone_are_listed() -> None:
    assert parse_optouts("", "US") == parse_optouts(" list ", "US") == ListOptouts()


# ---------------------------------------------------------------------------------------------------------------- help


@pytest.mark.parametrize("word", ["help", "HELP", " Help ", "?", "--help"])
def test_each_command_shows_its_forms_when_asked_for_help(word: str) -> None:
    assert parse_sms(word, "US") == Help(forms=SMS_FORMS)
    assert schedule(word) == Help(forms=SCHEDULE_FORMS)
    assert parse_optouts(word, "US") == Help(forms=OPTOUTS_FORMS)


@pytest.mark.parametrize("form", [*SMS_FORMS, *SCHEDULE_FORMS, *OPTOUTS_FORMS], ids=lambda form: form.usage)
def test_every_example_works_as_it_stands(form: Form) -> None:
    command, _, typed = form.example.partition(" ")
    assert form.usage.split()[0] == command
    answer: SmsCommand | ScheduleCommand | OptoutsCommand
    match command:
        case "/sms":
            answer = parse_sms(typed, "US")
        case "/schedule":
            answer = schedule(typed)
        case _:
            answer = parse_optouts(typed, "US")
    assert not isinstance(answer, WrongUse | Help)


def test_every_example_of_a_time_in_the_answers_works() -> None:
    answer = schedule("4155550101 hello")
    assert isinstance(answer, WrongUse)
    examples = answer.problem.split("`")[1::2]
    assert len(examples) == 4
    for example in examples:
        assert isinstance(schedule(f"4155550101 {example} hi"), ScheduleText)


@given(st.sampled_from(WRITTEN), st.text(max_size=20))
def test_a_sender_after_the_number_never_reaches_the_customer(written: str, more: str) -> None:
    assume(more[:1].strip())
    assert isinstance(parse_sms(f"{written} from:{more}", "US"), WrongUse)
