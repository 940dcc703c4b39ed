from __future__ import annotations

import subprocess
import sys
from zoneinfo import ZoneInfo

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.phone import (
    Address,
    NotANumber,
    PhoneNumber,
    is_phone,
    is_short_code,
    mask,
    national_form,
    parse_address,
    parse_number,
    parse_whole_number,
    split_numbers,
    time_zones,
)

KATE = PhoneNumber(Address("+14155550101"))


@pytest.mark.parametrize(
    "typed",
    [
        "+14155550101",
        "14155550101",
        "4155550101",
        "(415) 555-0101",
        "(415)555-0101",
        "415-555-0101",
        "415.555.0101",
        "415 555 0101",
        "415/555-0101",
        "+1 (415) 555-0101",
        "+1-415-555-0101",
        "1 415 555 0101",
        " \t(415) 555-0101\n",
        "<tel:+14155550101|(415) 555-0101>",
        "<tel:4155550101|415-555-0101>",
        "<tel:+14155550101>",
        "tel:+1-415-555-0101",
        "011 1 415 555 0101",
        "\u202a+14155550101\u202c",  # copied from a phone's contacts: wrapped in direction marks
        "\u200b415\u2011555\u20110101",  # zero-width space, non-breaking hyphens
        "415\u2013555\u20130101",  # en dashes
        "415\u2212555\u22120101",  # minus signs
        "(415)\u00a0555-0101",  # non-breaking space
        "\uff0b\uff11\uff14\uff11\uff15\uff15\uff15\uff15\uff10\uff11\uff10\uff11",  # full width
        "\u0664\u0661\u0665\u0665\u0665\u0665\u0660\u0661\u0660\u0661",  # Arabic-Indic digits
        "[415] 555-0101",
        "++14155550101",
    ],
)
def test_one_number_is_one_number_however_it_is_written(typed: str) -> None:
    assert parse_number(typed, "US") == KATE


@pytest.mark.parametrize(
    ("typed", "region", "number"),
    [
        ("+44 7911 123456", "US", "+447911123456"),
        ("011 44 7911 123456", "US", "+447911123456"),
        ("07911 123456", "GB", "+447911123456"),
        ("030 1234567", "DE", "+49301234567"),
        ("+49 (0)30 1234567", "DE", "+49301234567"),
        ("+39 06 698 12345", "US", "+390669812345"),
        ("+5491123456789", "US", "+5491123456789"),
        ("+1 555 123 4567", "US", "+15551234567"),
        ("555 123 4567", "US", "+15551234567"),
        ("+1 000 000 0000", "US", "+10000000000"),
        ("(999) 999-9999", "US", "+19999999999"),
    ],
)
def test_whether_a_number_exists_is_not_judged(typed: str, region: str, number: str) -> None:
    assert parse_number(typed, region) == number


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("", "no number"),
        ("   ", "no number"),
        ("\u200b", "no number"),
        ("<tel:|>", "no number"),
        ("hello", "not a phone number"),
        ("+", "not a phone number"),
        ("()", "not a phone number"),
        ("1-800-FLOWERS", "only digits"),
        ("415-555-010a", "only digits"),
        ("415_555_0101", "only digits"),
        ("911", "too short"),
        ("12345", "too short"),
        ("555-0101", "area code is missing"),
        ("415555010", "too short"),
        ("+1415555010", "too short"),
        ("1 415 555 010", "after the 1 there are only 9 digits"),
        ("24155550101", "too long"),
        ("41555501011", "too long"),
        ("+141555501011", "too long"),
        ("447911123456", "put a + before the country code"),
        ("4155550101 3125550102", "If these are two numbers"),
        ("4155550101, 3125550102", "more than one number"),
        ("+14155550101+13125550102", "more than one number"),
        ("+999 123456789", "country code"),
        ("+0 123 456 789", "country code"),
        ("415-555-0101 ext 5", "extension"),
        ("415-555-0101 x5", "extension"),
        ("415-555-0101;ext=5", "extension"),
        ("\u2460\u2461\u2462", "too short"),  # circled digits
        ("4" * 300, "too long"),
    ],
)
def test_what_cannot_be_a_number_is_refused_with_the_reason_and_the_right_form(typed: str, told: str) -> None:
    with pytest.raises(NotANumber) as raised:
        parse_number(typed, "US")
    words = str(raised.value)
    assert told in words
    assert "(415) 555-0101 or +14155550101" in words
    assert len(words) < 280


def test_the_right_form_is_shown_as_the_region_writes_it() -> None:
    with pytest.raises(NotANumber, match=r"030 123456 or \+4930123456"):
        parse_number("12", "DE")


@given(st.integers(min_value=2_000_000_000, max_value=9_999_999_999), st.sampled_from(["", "+1", "1", "+1 ", "1-"]))
def test_every_ten_digits_are_a_number_and_reading_one_twice_changes_nothing(digits: int, prefix: str) -> None:
    number = parse_number(f"{prefix}{digits}", "US")
    assert number == f"+1{digits}"
    assert parse_number(number, "DE") == number
    assert parse_number(national_form(number), "US") == number
    assert is_phone(number)
    assert parse_address(number) == parse_address(number[1:]) == parse_address(national_form(number)) == number


@given(st.text(max_size=40))
def test_reading_anything_gives_a_possible_number_or_a_sentence(typed: str) -> None:
    try:
        number = parse_number(typed, "US")
    except NotANumber as error:
        assert str(error).endswith(".")  # noqa: PT017 -- either outcome is right
    else:
        assert is_phone(number)
        assert phonenumbers.is_possible_number(phonenumbers.parse(number))


@given(st.text(min_size=1, max_size=40))
def test_any_sender_the_carrier_names_is_taken_and_taking_it_again_changes_nothing(raw: str) -> None:
    address = parse_address(raw)
    assert address
    assert parse_address(address) == address
    assert mask(address)
    assert national_form(address)


@pytest.mark.parametrize(
    ("raw", "address"),
    [
        ("+14155550101", "+14155550101"),
        (" +14155550101 ", "+14155550101"),
        ("14155550101", "+14155550101"),
        ("4155550101", "+14155550101"),
        ("+1 (415) 555-0101", "+14155550101"),
        ("447911123456", "+447911123456"),
        ("+447911123456", "+447911123456"),
        ("+5215512345678", "+5215512345678"),  # Mexico's old form: the carrier's to write as it likes
        ("12345", "12345"),
        ("898-287", "898287"),
        ("262966", "262966"),
        ("22000", "22000"),
        ("ACME", "ACME"),
        ("Acme Shop", "Acme Shop"),
        ("kate@example.com", "kate@example.com"),
        ("99999999999999999999", "99999999999999999999"),
        ("\u200b", "\u200b"),
        ("+", "+"),
    ],
)
def test_senders_are_named_in_one_way(raw: str, address: str) -> None:
    assert parse_address(raw) == address


def test_eight_digits_from_the_carrier_are_a_short_code_even_where_phone_numbers_have_eight() -> None:
    assert parse_address("12345678", "DK") == "12345678"
    assert parse_address("+4532123456", "DK") == "+4532123456"


def test_a_text_without_a_sender_is_refused() -> None:
    with pytest.raises(ValueError, match="sender"):
        parse_address("")


@pytest.mark.parametrize(
    ("address", "region", "written"),
    [
        ("+14155550101", "US", "(415) 555-0101"),
        ("+16135550123", "US", "(613) 555-0123"),
        ("+447911123456", "US", "+44 7911 123456"),
        ("+447911123456", "GB", "07911 123456"),
        ("+14155550101", "GB", "+1 415-555-0101"),
        ("12345", "US", "12345"),
        ("ACME", "US", "ACME"),
        ("+9991234567", "US", "+9991234567"),
        ("+10000000000", "US", "+10000000000"),  # of no pattern: bare digits would pass for another country's
    ],
)
def test_numbers_are_written_as_the_region_does(address: str, region: str, written: str) -> None:
    assert national_form(address, region) == written


@pytest.mark.parametrize(
    ("address", "masked"),
    [
        ("+14155550101", "+1•••0101"),
        ("+447911123456", "+44•••3456"),
        ("+9991234567", "+•••4567"),
        ("12345", "12345"),
        ("ACME", "ACME"),
        ("kate@example.com", "k•••"),
        ("4155550101", "4•••"),
        ("", "•••"),
    ],
)
def test_the_log_never_shows_a_person_whole(address: str, masked: str) -> None:
    assert mask(address) == masked


def test_zones_follow_the_area_code_and_are_known_to_the_system() -> None:
    assert time_zones(KATE) == ("America/Los_Angeles",)
    assert time_zones(PhoneNumber(Address("+13125550102"))) == ("America/Chicago",)
    assert time_zones(PhoneNumber(Address("+15551234567")))  # no such area: every zone of North America
    assert time_zones(PhoneNumber(Address("+80012345678"))) == ()
    assert time_zones(PhoneNumber(Address("+9991234567"))) == ()
    for zone in time_zones(PhoneNumber(Address("+18005550100"))):
        assert ZoneInfo(zone).key == zone


@given(st.from_regex(r"\+1[0-9]{9,11}", fullmatch=True) | st.from_regex(r"\+[0-9]{5,16}", fullmatch=True))
def test_a_whole_number_is_what_the_library_says_that_it_is(written: str) -> None:
    try:
        known = phonenumbers.parse(written, None)
    except phonenumbers.NumberParseException:
        known = None

    if known is not None and phonenumbers.is_possible_number(known):
        assert parse_whole_number(written) == phonenumbers.format_number(known, phonenumbers.PhoneNumberFormat.E164)
    else:
        with pytest.raises(ValueError, match=r"^$"):
            parse_whole_number(written)


def test_our_own_number_of_north_america_is_read_without_the_library() -> None:
    program = (
        "import sys, bot.settings as s; print(s.parse_whole_number('+13125550100'), 'phonenumbers' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "+13125550100 False\n"


def test_the_zone_tables_are_not_loaded_before_they_are_needed() -> None:
    program = "import sys, bot.domain.phone as p; print(p.national_form('+14155550101'), 'phonenumbers.timezone' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "(415) 555-0101 False"


@pytest.mark.parametrize(
    ("typed", "parts"),
    [
        ("a, b ,c", ("a", "b", "c")),
        ("+14155550101;(312) 555-0102", ("+14155550101", "(312) 555-0102")),
        ("a,,b,", ("a", "b")),
        (" , \u200b ,", ()),
        ("a\nb", ("a", "b")),
    ],
)
def test_lists_of_numbers_are_split_at_their_commas(typed: str, parts: tuple[str, ...]) -> None:
    assert split_numbers(typed) == parts


@pytest.mark.parametrize(("address", "short"), [("12345", True), ("01234", False), ("12", False), ("123456789", False)])
def test_short_codes_are_three_to_eight_digits(address: str, short: bool) -> None:
    assert is_short_code(address) is short
