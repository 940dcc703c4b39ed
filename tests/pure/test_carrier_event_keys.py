"""By what a webhook is recognised again, and in whose lane it waits."""

from __future__ import annotations

import copy

import pytest

from bot.domain.carrier_events import read_event
from bot.domain.carrier_lanes import choose_lane, identify_event, inbound_lane
from bot.domain.phone import Address
from bot.errors import NotUnderstood
from tests.pure.carrier_samples import ANA, BOB, EVERY_VARIANT, inbound, link_click, receipt, wrap


def _is_refused(event: object) -> bool:
    try:
        read_event(event)
    except NotUnderstood:
        return True
    return False


def test_a_repeated_event_has_the_same_key_whatever_its_attempt() -> None:
    again = copy.deepcopy(inbound())
    again["meta"] = {"attempt": 2, "delivered_to": "https://failover.example.com"}
    assert identify_event(inbound(), b"first") == identify_event(again, b"second") == "event-1"


def test_another_event_has_another_key() -> None:
    assert identify_event(wrap("x", {}, id="event-2"), b"") != identify_event(wrap("x", {}), b"")


@pytest.mark.parametrize("part", ["message_id", "url", "to", "time_clicked"])
def test_a_link_click_is_known_by_what_it_says(part: str) -> None:
    assert identify_event(link_click(), b"first") == identify_event(link_click(), b"second")
    assert identify_event(link_click(**{part: "other"}), b"") != identify_event(link_click(), b"")


def test_parts_of_a_click_do_not_run_into_each_other() -> None:
    one, other = link_click(message_id="a", url="bc"), link_click(message_id="ab", url="c")
    assert identify_event(one, b"") != identify_event(other, b"")


@pytest.mark.parametrize("event", [None, [], {"data": {"id": ""}}, {"data": {"id": 7}}, {"data": {"event_type": "x"}}])
def test_an_event_without_an_id_is_known_by_its_bytes(event: object) -> None:
    assert identify_event(event, b"one") == identify_event(event, b"one") != identify_event(event, b"two")


def test_no_key_of_one_sort_is_taken_for_one_of_another() -> None:
    assert identify_event(link_click(), b"").startswith("click:")
    assert identify_event(None, b"").startswith("bytes:")


def test_all_that_one_customer_says_waits_in_one_lane() -> None:
    lanes = {
        choose_lane(inbound(**{"from": who, "id": str(number)}))
        for number, who in enumerate([ANA, ANA[1:], {"phone_number": ANA}])
    }
    assert lanes == {inbound_lane(Address(ANA))}
    assert choose_lane(inbound(**{"from": BOB})) not in lanes


def test_all_that_is_said_of_one_text_waits_in_one_lane() -> None:
    lanes = {
        choose_lane(receipt(kind, (ANA, "sent"))) for kind in ("message.sent", "message.finalized", "message.read")
    }
    assert lanes == {"receipt:carrier-2"}
    assert choose_lane(receipt("message.sent", id="carrier-3")) not in lanes


@pytest.mark.parametrize("event", [None, {}, link_click(), EVERY_VARIANT["spend limit"], inbound(**{"from": None})])
def test_what_belongs_to_nobody_waits_for_nobody(event: object) -> None:
    assert choose_lane(event) is None
