"""
Phone numbers and the other names by which the carrier knows a sender.

A number is refused only where it cannot be one: its length, its country, letters in it. Whether anybody answers it is
the carrier's to say, so fictional 555 numbers pass. What is possible, and how a number is written in its country, is
the business of the `phonenumbers` library (Google's libphonenumber data).

The library takes twelve milliseconds to load, and nearly all that the carrier writes is in E.164 already. So it is loaded
by what needs it, which in a running bridge finds it loaded (`bot.late`).
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, NewType, TypeGuard

if TYPE_CHECKING:
    import phonenumbers

#: Whatever sender the carrier names: a phone number in E.164, a short code, or an alphanumeric name.
Address = NewType("Address", str)
#: A phone number in E.164: `+14155550101`.
PhoneNumber = NewType("PhoneNumber", Address)

#: E.164: a plus, no leading zero, at most 15 digits.
_E164 = re.compile(r"\+[1-9]\d{6,14}")
#: One of North America, whose area codes begin with 2 to 9: possible, and in E.164, without asking the library.
_NORTH_AMERICAN = re.compile(r"\+1[2-9][0-9]{9}")
#: Slack writes a number that it has recognised as `<tel:+14155550101|(415) 555-0101>`.
_TEL_LINK = re.compile(r"<tel:([^|>]*)(?:\|[^>]*)?>", re.IGNORECASE)
_TEL_SCHEME = re.compile(r"tel:", re.IGNORECASE)
#: What a written number consists of, once `fold_number` has been at it.
_NUMBER_CHARACTERS = re.compile(r"[+\d ()\[\]./-]+")
#: A short code has at most 8 digits, in every country that has them.
_SHORT_CODE = re.compile(r"[1-9]\d{2,7}")
_LONGEST_SHORT_CODE = 8
#: From so many digits on, a number without a plus can only be one with its country code.
_COUNTRY_CODE_INCLUDED = 11
#: An extension cannot be texted; `415-555-0101 ext. 5`, `x5`, `#5`, `;ext=5`.
_EXTENSION = re.compile(r"(?:;?\s*ext(?:ension|n)?\.?\s*[:=]?|\bx\.?|#)\s*\d{1,7}\s*$", re.IGNORECASE)
_QUOTED_AT_MOST = 40
#: E.164 has 15 digits, and a call abroad may need a prefix before them.
_LONGEST_NUMBER = 20
_SPLIT_HINT = (
    "If these are two numbers, put a comma between them; if it is one from abroad, put a + before the country code."
)
#: A name that a company sends under: at most 11 letters, digits and blanks, not digits alone.
_SENDER_NAME = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9 &_.+-]{1,11}")
_NORTH_AMERICA = 1


class NotANumber(ValueError):
    """
    What was typed cannot be a phone number.

    Its text is for the person who typed it: what is wrong, and the right form. It quotes what they typed, so it is
    not for the log.
    """


def parse_number(typed: str, region: str) -> PhoneNumber:
    """
    Read one number as people write it, or as Slack does.

    A number without `+` is read as one of *region*, an ISO country code. Raises `NotANumber`.
    """
    text = fold_number(_unwrap_link(typed))
    example = _show_example(region)
    if not text:
        raise NotANumber(f"There is no number. {example}")
    quoted = _quote(text)
    if not any(character.isdigit() for character in text):
        raise NotANumber(f"{quoted} is not a phone number. {example}")
    if re.search(r"\d[^+]*\+|[,;]", text) and not _EXTENSION.search(text):
        raise NotANumber(f"{quoted} is more than one number. Put a comma between two numbers. {example}")
    if _EXTENSION.search(text):
        raise NotANumber(f"{quoted} has an extension, and an extension cannot get texts. {example}")
    if not _NUMBER_CHARACTERS.fullmatch(text):
        raise NotANumber(f"{quoted} is not a phone number: only digits, +, blanks and ( ) - . may be in it. {example}")
    return _read_digits(text, quoted, region)


def _read_digits(text: str, quoted: str, region: str) -> PhoneNumber:
    import phonenumbers
    from phonenumbers import NumberParseException, ValidationResult

    example = _show_example(region)
    try:
        number = phonenumbers.parse(text, region)
    except NumberParseException as error:
        if error.error_type == NumberParseException.TOO_LONG or _count_digits(text) > _LONGEST_NUMBER:
            raise NotANumber(f"{quoted} is too long: {_count_digits(text)} digits. {_SPLIT_HINT} {example}") from error
        if error.error_type == NumberParseException.INVALID_COUNTRY_CODE:
            raise NotANumber(f"{quoted} does not begin with a country code that exists. {example}") from error
        raise NotANumber(f"{quoted} is not a phone number. {example}") from error
    match phonenumbers.is_possible_number_with_reason(number):
        case ValidationResult.IS_POSSIBLE:
            pass
        case ValidationResult.IS_POSSIBLE_LOCAL_ONLY:
            raise NotANumber(f"{quoted} is too short: its area code is missing. {example}")
        case ValidationResult.TOO_SHORT:
            raise NotANumber(f"{quoted} is too short: {_count_digits(text)} digits. {example}")
        case ValidationResult.TOO_LONG:
            hint = "" if text.startswith("+") else f" {_SPLIT_HINT}"
            raise NotANumber(f"{quoted} is too long: {_count_digits(text)} digits.{hint} {example}")
        case _:
            raise NotANumber(f"{quoted} has the wrong number of digits: {_count_digits(text)}. {example}")
    if number.country_code == _NORTH_AMERICA and not text.startswith("+") and str(number.national_number)[0] == "1":
        # `1 415 555 010`: the library counts the 1 among ten digits, but it is the country code and a digit is missing.
        raise NotANumber(f"{quoted} is too short: after the 1 there are only 9 digits. {example}")
    return _format_e164(number)


def parse_whole_number(written: str) -> PhoneNumber:
    """Read a number that is written with its country code, however otherwise. Raises ValueError."""
    if _NORTH_AMERICAN.fullmatch(written):
        return PhoneNumber(Address(written))
    import phonenumbers

    try:
        number = phonenumbers.parse(written, None)
    except phonenumbers.NumberParseException:
        raise ValueError from None
    if not phonenumbers.is_possible_number(number):
        raise ValueError
    return _format_e164(number)


def is_region(code: str) -> bool:
    """Tell whether *code*, in capitals, is that of a country which has numbers."""
    import phonenumbers

    return code in phonenumbers.SUPPORTED_REGIONS


def parse_address(raw: str, region: str = "US") -> Address:
    """
    Take the sender of an inbound text as the carrier names it; refuses only emptiness, with `ValueError`.

    `+14155550101`, `14155550101` and `(415) 555-0101` become one address; short codes and names stay as they are.
    """
    if raw.isascii() and _E164.fullmatch(raw):  # as the carrier writes nearly all of them
        return Address(raw)
    text = fold_number(_unwrap_link(raw))
    if not text:
        if not raw:
            raise ValueError("A text has to have a sender.")
        return Address(raw)
    digits = re.sub(r"[ ()./-]", "", text)
    if _E164.fullmatch(digits):
        return Address(digits)
    if not digits.isdecimal() or len(digits) <= _LONGEST_SHORT_CODE:
        return Address(digits if digits.isdecimal() else text)
    if len(digits) >= _COUNTRY_CODE_INCLUDED and _E164.fullmatch(f"+{digits}"):
        import phonenumbers

        try:
            if phonenumbers.is_possible_number(phonenumbers.parse(f"+{digits}")):
                return Address(f"+{digits}")
        except phonenumbers.NumberParseException:
            pass  # No country has this code; it may still be a national number.
    try:
        return parse_number(digits, region)
    except NotANumber:
        return Address(digits)


def is_phone(address: str) -> TypeGuard[PhoneNumber]:
    """Tell a phone number in E.164 from a short code or a name."""
    return _E164.fullmatch(address) is not None


def is_in_numbering_plan(number: PhoneNumber) -> bool:
    """
    Tell whether *number* follows a pattern that its country gives out.

    A hint for choosing between two readings, never a reason to refuse: plans change, and 555 numbers follow none.
    """
    import phonenumbers

    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return False


def is_short_code(address: str) -> bool:
    """Tell whether *address* is a short code: 3 to 8 digits."""
    return _SHORT_CODE.fullmatch(address) is not None


def national_form(address: str, region: str = "US") -> str:
    """
    Write *address* as people of *region* do.

    `(415) 555-0101` at home, `+44 7911 123456` for abroad. What is no phone number stays as it is.
    """
    if not is_phone(address):
        return address
    import phonenumbers

    try:
        number = phonenumbers.parse(address)
    except phonenumbers.NumberParseException:
        return address
    if number.country_code == phonenumbers.country_code_for_region(region):
        # Digits alone would come back for a number of no known pattern, and would pass for one of another country.
        national = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
        return address if national.isdecimal() else national
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def mask(address: str) -> str:
    """
    Shorten *address* for the log: `+1•••0101`.

    Short codes and company names belong to no person and stay whole; of anything else only the first character stays.
    """
    if is_phone(address):
        import phonenumbers

        try:
            country = f"+{phonenumbers.parse(address).country_code}"
        except phonenumbers.NumberParseException:
            country = "+"
        return f"{country}\u2022\u2022\u2022{address[-4:]}"
    if is_short_code(address) or _SENDER_NAME.fullmatch(address):
        return address
    return f"{address[:1]}\u2022\u2022\u2022"


def find_region(number: PhoneNumber) -> str | None:
    """Return the ISO code of the country that *number* belongs to; None for one of no country."""
    import phonenumbers

    try:
        region = phonenumbers.region_code_for_number(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return None
    if region is None and number.startswith("+1"):
        return "US"  # a number of no known pattern, such as the fictional ones
    return None if region == "001" else region


def time_zones(number: PhoneNumber) -> tuple[str, ...]:
    """
    Return the IANA names of the zones where *number* may be: one for most area codes, many for toll-free, none unknown.

    A number moves with its owner, so this is where it was issued, the best that anyone has for quiet hours.
    """
    import phonenumbers
    from phonenumbers import timezone  # 7 MB of tables that only quiet hours need

    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return ()
    return tuple(zone for zone in timezone.time_zones_for_geographical_number(parsed) if zone != "Etc/Unknown")


def split_numbers(typed: str) -> tuple[str, ...]:
    """Split a list of numbers at its commas, semicolons and line ends, without reading them."""
    parts = re.split(r"[,;\n\uff0c\uff1b\u3001]", typed)
    return tuple(part.strip() for part in parts if fold_number(part))


def _unwrap_link(typed: str) -> str:
    """Replace Slack's links by the numbers they stand for."""
    return _TEL_LINK.sub(lambda link: link.group(1), typed)


def fold_number(typed: str) -> str:
    """Fold digits, dashes, blanks and full-width forms to ASCII, and drop what cannot be seen and outer blanks."""
    folded: list[str] = []
    for character in unicodedata.normalize("NFKC", typed):
        category = unicodedata.category(character)
        if category == "Nd":
            folded.append(str(unicodedata.digit(character)))
        elif category == "Pd" or character in "\u2212\u00ad":  # dashes, the minus sign, the soft hyphen
            folded.append("-")
        elif category == "Zs" or character in "\t\n\r":
            folded.append(" ")
        elif category not in {"Cf", "Cc", "Mn"}:
            folded.append(character)
    return _TEL_SCHEME.sub("", "".join(folded), count=1).strip()


def _format_e164(number: phonenumbers.PhoneNumber) -> PhoneNumber:
    import phonenumbers

    return PhoneNumber(Address(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)))


def _count_digits(text: str) -> int:
    return sum(character.isdigit() for character in text)


def _quote(text: str) -> str:
    shown = text if len(text) <= _QUOTED_AT_MOST else f"{text[:_QUOTED_AT_MOST]}…"
    return f"\u201c{shown}\u201d"


def _show_example(region: str) -> str:
    """Tell the right form, in the country's own way and with its code."""
    import phonenumbers

    number = None if region == "US" else phonenumbers.example_number(region)
    if number is None:
        return "Write it like (415) 555-0101 or +14155550101."
    national = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
    return f"Write it like {national} or {_format_e164(number)}."
