"""JSON is read as Python's own library reads it, and what is written is read back as it was."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.json_text import read_json, write_json

_LARGEST = 2**64 - 1
_SMALLEST = -(2**63)

#: Whatever a platform may send, halves of surrogate pairs and NaN included.
_scalars = (
    st.none()
    | st.booleans()
    | st.integers(min_value=_SMALLEST, max_value=_LARGEST)
    | st.floats()
    | st.text(st.characters(codec=None))
)
_values = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(codec=None)), inner),
    max_leaves=12,
)


def _show(value: object) -> str:
    """Tell kinds of numbers apart, which are equal to Python, and take NaN for itself."""
    return repr(value)


@given(_values, st.booleans())
def test_what_is_json_is_read_as_pythons_own_library_reads_it(value: object, is_ascii: bool) -> None:
    text = json.dumps(value, ensure_ascii=is_ascii)
    assert _show(read_json(text)) == _show(json.loads(text))


@given(st.text(alphabet='{}[]":,\\/ue0123456789.-+truefalsn \n\tNI\x00\ud800é', max_size=24))
def test_what_is_no_json_is_refused_as_pythons_own_library_refuses_it(text: str) -> None:
    try:
        expected = json.loads(text)
    except ValueError as error:
        with pytest.raises(type(error)):
            read_json(text)
    else:
        assert _show(read_json(text)) == _show(expected)


@given(_values)
def test_what_is_written_is_read_back(value: object) -> None:
    written = write_json(value)
    assert _show(json.loads(written)) == _show(_without_the_endless(value))
    assert b"\n" not in written


def _without_the_endless(value: object) -> object:
    """JSON knows neither infinity nor NaN, and where nothing else forbids them they are written as `null`."""
    return json.loads(json.dumps(value)) if _needs_python(value) else _nullify(value)


def _nullify(value: object) -> object:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, list):
        return [_nullify(each) for each in value]
    if isinstance(value, dict):
        return {name: _nullify(each) for name, each in value.items()}
    return value


def _needs_python(value: object) -> bool:
    """Whether there is half of a surrogate pair in it."""
    if isinstance(value, str):
        return any("\ud800" <= letter <= "\udfff" for letter in value)
    if isinstance(value, list):
        return any(map(_needs_python, value))
    if isinstance(value, dict):
        return any(map(_needs_python, (*value.keys(), *value.values())))
    return False


def test_half_of_a_surrogate_pair_is_read_and_written() -> None:
    assert read_json('{"text": "\\ud83d"}') == {"text": "\ud83d"}
    assert write_json({"text": "\ud83d"}) == b'{"text":"\\ud83d"}'


def test_letters_are_written_as_they_are() -> None:
    assert write_json({"text": "Grüße 😀"}) == '{"text":"Grüße 😀"}'.encode()


@pytest.mark.parametrize("depth", [1_100, 100_000])
def test_what_is_too_deep_to_read_is_told_apart_from_what_is_no_json(depth: int) -> None:
    with pytest.raises(RecursionError):
        read_json("[" * depth + "]" * depth)


@pytest.mark.parametrize(
    "text", ["NaN", "[Infinity, -Infinity]", "1e400", "123456789012345678901234567890", "1.0", "-0", "-0.0"]
)
def test_odd_numbers_are_read_as_numbers(text: str) -> None:
    found, expected = read_json(text), json.loads(text)
    assert _show(found) == _show(expected) or found == pytest.approx(expected)


def test_what_json_does_not_know_is_refused() -> None:
    with pytest.raises(TypeError):
        write_json({"when": object()})
