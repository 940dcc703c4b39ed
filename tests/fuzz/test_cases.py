"""What once broke a target, and where the fuzzer begins, break none any more."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fuzz.seeds import list_seeds
from tests.fuzz.targets import TARGETS

CASES = Path(__file__).parent / "cases"


def _list_cases() -> Iterator[tuple[str, bytes]]:
    for name in TARGETS:
        yield from ((name, seed) for seed in list_seeds(name))
        yield from ((name, path.read_bytes()) for path in sorted((CASES / name).glob("*")) if path.is_file())


@pytest.mark.parametrize(("name", "data"), list(_list_cases()))
def test_a_case_breaks_nothing(name: str, data: bytes) -> None:
    TARGETS[name](data)


@pytest.mark.parametrize("name", TARGETS)
def test_nothing_at_all_and_bytes_that_are_no_text_break_nothing(name: str) -> None:
    for data in (b"", b"\x00", b"\xff\xfe", b"f", b"j{", b"f%ff=%00&command=%ed%a0%80&text=%f0"):
        TARGETS[name](data)
