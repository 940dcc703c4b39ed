"""Identifiers and words in the file: smaller, and each still itself."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.delivery import DeliveryStatus
from bot.domain.message import Direction, Mark, Origin, State
from storage import words
from storage.migrate import migrate
from storage.packing import pack_carrier_id, pack_id, pack_ts, unpack_carrier_id, unpack_id, unpack_ts

_HEX = st.binary(min_size=16, max_size=16).map(bytes.hex)
_NEARLY_HEX = st.text("0123456789abcdefABCDEF -", min_size=30, max_size=40)
_UUIDS = st.uuids().map(str)
_NEARLY_UUIDS = st.one_of(
    _UUIDS.map(str.upper), _UUIDS.map(lambda letters: letters.replace("-", "")), _UUIDS.map(lambda each: f"{each[1:]}-")
)
_TS = st.tuples(st.integers(0, 10**12), st.integers(0, 10**7)).map(lambda parts: f"{parts[0]}.{parts[1]:06}")
_NEARLY_TS = st.from_regex(r"[0-9]{1,13}\.?[0-9٣]{0,7}\n?", fullmatch=True)
_ANY = st.one_of(st.text(), _HEX, _NEARLY_HEX, _UUIDS, _NEARLY_UUIDS, _TS, _NEARLY_TS)

_PAIRS: list[tuple[Callable[[str], Any], Callable[[Any], str]]] = [
    (pack_id, unpack_id),
    (pack_carrier_id, unpack_carrier_id),
    (pack_ts, unpack_ts),
]


@pytest.mark.parametrize(("pack", "unpack"), _PAIRS)
@given(letters=_ANY)
def test_whatever_it_is_it_comes_back_letter_for_letter(
    pack: Callable[[str], Any], unpack: Callable[[Any], str], letters: str
) -> None:
    # Nothing that differs can be one key then.
    assert unpack(pack(letters)) == letters


@given(made=st.uuids(), raw=st.binary(min_size=16, max_size=16))
def test_what_there_is_by_the_million_takes_sixteen_bytes(made: UUID, raw: bytes) -> None:
    assert pack_id(raw.hex()) == raw
    assert pack_carrier_id(str(made)) == made.bytes
    assert pack_ts("1794000000.000123") == 1794000000000123


@given(letters=_UUIDS)
def test_a_uuid_in_capitals_is_another_id(letters: str) -> None:
    shouted = letters.upper()
    if shouted != letters:
        assert pack_carrier_id(shouted) == shouted
        assert pack_carrier_id(shouted) != pack_carrier_id(letters)


@pytest.mark.parametrize("letters", ["0123.000000", "1.00001", "1.0000001", "1", "", "-1.000000", "1.000000\n"])
def test_what_is_no_timestamp_of_slacks_form_stays_as_it_is(letters: str) -> None:
    assert pack_ts(letters) == letters


# -------------------------------------------------------------------------------------------------- closed words


@pytest.mark.parametrize(
    ("enum", "codes"),
    [
        (Direction, words.DIRECTIONS),
        (Origin, words.ORIGINS),
        (State, words.STATES),
        (Mark, words.MARKS),
        (DeliveryStatus, words.STATUSES),
    ],
)
def test_every_word_has_one_number(enum: type[StrEnum], codes: Sequence[StrEnum]) -> None:
    assert len(codes) == len(set(codes))
    assert set(codes) == set(enum)


def test_the_views_say_for_each_number_the_word_that_the_program_reads() -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    try:
        migrate(connection)
        connection.execute("INSERT INTO names VALUES (1, 'C1')")
        connection.execute(
            "INSERT INTO packed_conversations (id, ours, theirs, channel, created_at) VALUES ('c', 'a', 'b', 1, 0)"
        )
        for number in range(max(len(words.STATES), len(words.STATUSES))):
            values = [number % len(codes) for codes in (words.DIRECTIONS, words.ORIGINS, words.STATES, words.MARKS)]
            connection.execute(
                "INSERT INTO packed_messages (number, id, conversation, direction, origin, state, text, created_at, mark_shown,"
                " mark_tried) VALUES (?1, 'm' || ?1, 1, ?2, ?3, ?4, '', 0, ?5, ?5)",
                (number, *values),
            )
            connection.execute(
                "INSERT INTO packed_deliveries (message, recipient, status, occurred_at) VALUES (?, 'b', ?, 0)",
                (number, number % len(words.STATUSES)),
            )
        shown = connection.execute(
            "SELECT number, direction, origin, state, mark_shown, mark_tried FROM messages ORDER BY number"
        ).fetchall()
        for number, *said in shown:
            mark = words.MARKS[number % len(words.MARKS)]
            assert said == [
                words.DIRECTIONS[number % 2],
                words.ORIGINS[number % len(words.ORIGINS)],
                words.STATES[number % len(words.STATES)],
                mark,
                mark,
            ]
        statuses = connection.execute("SELECT message, status FROM deliveries").fetchall()
        assert {status for _, status in statuses} == set(DeliveryStatus)
        for number, status in statuses:
            assert status == words.STATUSES[number % len(words.STATUSES)]
        for column, codes in (("state", words.STATES), ("origin", words.ORIGINS), ("mark_shown", words.MARKS)):
            with pytest.raises(sqlite3.IntegrityError):  # a number that is no word
                connection.execute(f"UPDATE packed_messages SET {column} = {len(codes)}")
    finally:
        connection.close()
