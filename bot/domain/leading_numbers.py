"""
The phone numbers at the beginning of a line, and the text after them.

Numbers have blanks in them and texts begin with digits: `415 555 0101 2 boxes are ready`. Where the number ends must
never be guessed, for a digit too many or too few texts somebody else. So every end at which a possible number could
stop is looked at, groups of digits that nobody writes are left out, and where more than one end remains the person is
asked to write the number without blanks.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Final, NoReturn

from bot.domain.phone import NotANumber, PhoneNumber, fold_number, is_in_numbering_plan, parse_number

_LINK: Final = re.compile(r"<tel:[^>]*>", re.IGNORECASE)
_COMMA: Final = re.compile(r"\s*(?:[,;\uff0c\uff1b\u3001]\s*)+")
_END_OF_LIST: Final = re.compile(r"[:.](?=\s|$)")
_NUMBER_CHARACTERS: Final = frozenset("+0123456789 ()[]./-")
#: After a comma, so many digits are meant as a number, even if they are none; fewer are the beginning of the text.
_MEANT_AS_NUMBER: Final = 5
_ISO_DATE: Final = re.compile(r"\d{4}-\d{1,2}-\d{1,2}(?!\d)")
#: What beside a number can only be another one.
_SECOND_NUMBER: Final = re.compile(
    r"\+\d|\(\d{3}\)|<tel:|\d{10,15}(?!\d)|\d{3}[ .-]\d{3}[ .-]\d{4}(?!\d)", re.IGNORECASE
)
#: Between two numbers people also write this, and mean the comma.
_JOINER: Final = re.compile(r"(?:&|and\b)\s*", re.IGNORECASE)
#: How people group the digits of a North American number when they leave blanks between them.
_NORTH_AMERICAN_GROUPS: Final = frozenset(
    {(3, 3, 4), (3, 7), (10,), (1, 3, 3, 4), (1, 3, 7), (1, 10), (11,), (4, 3, 4), (4, 7), (3, 1, 3, 3, 4)}
)
#: Elsewhere no group at the end has a single digit.
_SHORTEST_LAST_GROUP: Final = 2
#: So many digits in one piece are a whole number, and the next piece is text.
_WHOLE_NUMBER: Final = 8
_WHERE_DOES_IT_END: Final = (
    "I cannot tell where the number ends and the text begins. Write the number without blanks, like +14155550101."
)


class TwoNumbers(NotANumber):
    """Two numbers stand side by side, and nothing says whether the second is one to text."""


def split_leading_numbers(line: str, region: str, *, most: int | None = None) -> tuple[tuple[PhoneNumber, ...], str]:
    """
    Read the numbers that *line* begins with, commas between them; return them and the text after them.

    Reads *most* numbers at most. The text keeps its inner blanks and lines. Raises `NotANumber`, also where two
    numbers stand side by side without a comma and where it cannot be told where a number ends.
    """
    numbers: list[PhoneNumber] = []
    rest = line.lstrip()
    while True:
        number, rest = _read_number(rest, region)
        numbers.append(number)
        if most is not None and len(numbers) >= most:
            return tuple(numbers), rest.lstrip()
        comma = _COMMA.match(rest)
        if comma is None:
            break
        rest = rest[comma.end() :]
        if not _is_meant_as_number(rest):
            break
    ended = _END_OF_LIST.match(rest)
    text = (rest[ended.end() :] if ended else rest).strip()
    _refuse_second_number(text, region)
    return tuple(numbers), text


def _read_number(line: str, region: str) -> tuple[PhoneNumber, str]:
    link = _LINK.match(line)
    if link is not None:
        return parse_number(link[0], region), line[link.end() :]
    read: dict[int, PhoneNumber] = {}
    refused: dict[int, NotANumber] = {}
    badly_grouped = False
    for end in _find_ends(line):
        try:
            number = parse_number(line[:end], region)
        except NotANumber as error:
            refused[end] = error
        else:
            if _is_grouped_well(line[:end], number):
                read[end] = number
            else:
                badly_grouped = True
    if badly_grouped and not read:
        raise NotANumber(_WHERE_DOES_IT_END)
    if not read:
        _raise_nearest(line, refused, region)
    if len(read) > 1 and any(map(is_in_numbering_plan, read.values())):
        # In Germany `0171` is long enough for a number, but none is given out.
        read = {end: number for end, number in read.items() if is_in_numbering_plan(number)}
    first = min(read)
    if len(read) > 1 and not _is_whole(line[:first]):
        longest = read[max(read)]
        raise NotANumber(f"{_WHERE_DOES_IT_END} If it is {longest}, write it so.")
    return read[first], line[first:]


def _find_ends(line: str) -> Iterator[int]:
    """Find each place where a number could end: after a digit, before a blank, a comma or the end of the line."""
    at = 0
    while at < len(line) and _is_number_character(line[at]):
        at += 1
        if not line[at - 1].isdecimal():
            continue
        while at < len(line) and unicodedata.category(line[at]) == "Cf":
            at += 1
        if at == len(line) or line[at].isspace() or _COMMA.match(line, at) or _END_OF_LIST.match(line, at):
            yield at


def _is_number_character(character: str) -> bool:
    if character in "\r\n":
        return False
    return all(folded in _NUMBER_CHARACTERS for folded in fold_number(f"0{character}0"))


def _is_grouped_well(written: str, number: PhoneNumber) -> bool:
    folded = fold_number(written)
    if " " not in folded:
        return True
    groups = tuple(len(group) for group in re.findall(r"\d+", folded))
    if number.startswith("+1"):
        return groups in _NORTH_AMERICAN_GROUPS
    return groups[-1] >= _SHORTEST_LAST_GROUP


def _is_whole(written: str) -> bool:
    """Tell whether *written* is one piece, so that no one would write a number with a blank after it."""
    folded = fold_number(written)
    return " " not in folded and _count_digits(folded) >= _WHOLE_NUMBER


def _raise_nearest(line: str, refused: dict[int, NotANumber], region: str) -> NoReturn:
    """Tell what is wrong with the piece that was most likely meant as the number."""
    if refused:
        nearest = min(refused, key=lambda end: (abs(_count_digits(line[:end]) - 10), end))
        raise refused[nearest]
    first = line.split(maxsplit=1)[0] if line.strip() else ""
    parse_number(first, region)
    raise NotANumber(_WHERE_DOES_IT_END)


def _is_meant_as_number(line: str) -> bool:
    if _ISO_DATE.match(line):
        return False
    ends = list(_find_ends(line))
    return (
        line[:1] == "+"
        or bool(_LINK.match(line))
        or (bool(ends) and _count_digits(line[: ends[-1]]) >= _MEANT_AS_NUMBER)
    )


def _refuse_second_number(text: str, region: str) -> None:
    joined = _JOINER.match(text)
    beside = text[joined.end() :] if joined else text
    if _SECOND_NUMBER.match(beside) is None:
        return
    try:
        second, _ = _read_number(beside, region)
    except NotANumber:
        return
    raise TwoNumbers(
        f"Two numbers stand side by side. Put a comma before {second} to text both of them as a group; if it belongs "
        "to the text, begin the text with another word."
    )


def _count_digits(text: str) -> int:
    return sum(character.isdecimal() for character in text)
