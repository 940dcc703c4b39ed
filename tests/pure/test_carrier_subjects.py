"""The line that some phones let people write above the text of a picture message."""

from __future__ import annotations

import pytest

from bot.domain.carrier_events import InboundText, read_event
from tests.pure.carrier_samples import inbound


@pytest.mark.parametrize(
    ("subject", "text", "words"),
    [
        ("Rent", "See the picture", "Rent\nSee the picture"),
        ("Rent", "", "Rent"),
        ("Rent", "Rent is due", "Rent is due"),
        ("NoSubject", "See the picture", "See the picture"),
        ("  ", "See the picture", "See the picture"),
        (None, "See the picture", "See the picture"),
    ],
)
def test_a_subject_is_read_with_what_they_wrote(subject: str | None, text: str, words: str) -> None:
    read = read_event(inbound(subject=subject, text=text))
    assert isinstance(read, InboundText)
    assert (read.words, read.text) == (words, text)
