"""When the carrier got a text, by its own word, and which of several errors counts."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.domain.carrier_events import InboundText, Receipt, read_event

NOON = "2026-11-20T12:00:00.000+00:00"
LATER = "2026-11-20T13:00:00Z"


def read_text(*, received_at: object, occurred_at: object) -> InboundText:
    payload = {"id": "1", "from": "+12125550101", "to": "+13125550111", "text": "STOP", "received_at": received_at}
    found = read_event({"data": {"event_type": "message.received", "occurred_at": occurred_at, "payload": payload}})
    assert isinstance(found, InboundText)
    return found


@pytest.mark.parametrize(
    ("received_at", "occurred_at", "hour"),
    [(NOON, LATER, 13), (LATER, NOON, 13), (NOON, None, 12), (None, NOON, 12), ("soon", LATER, 13), (7, [], None)],
)
def test_a_text_was_said_when_the_carrier_says_and_of_two_moments_at_the_later(
    received_at: object, occurred_at: object, hour: int | None
) -> None:
    said_at = read_text(received_at=received_at, occurred_at=occurred_at).said_at
    assert said_at == (None if hour is None else datetime(2026, 11, 20, hour, tzinfo=UTC))


@pytest.mark.parametrize(
    ("errors", "code"),
    [
        (
            [{"code": "40008", "title": "Undeliverable"}, {"code": 40300, "title": "Blocked due to STOP message"}],
            "40300",
        ),
        ([{"code": "40008", "title": "Undeliverable"}, {"code": "40300", "title": "Blocked"}], "40008"),
        ([{"title": "no code"}, {"code": "40008"}], "40008"),
        ([], None),
    ],
)
def test_of_several_errors_the_one_that_says_stop_counts_else_the_first(errors: object, code: str | None) -> None:
    payload = {"id": "1", "to": [{"phone_number": "+12125550101", "status": "delivery_failed"}], "errors": errors}
    found = read_event({"data": {"event_type": "message.finalized", "payload": payload}})
    assert isinstance(found, Receipt)
    assert [copy.code for copy in found.copies.values()] == [code]
