"""WhatsApp messages: whatever people send is put into words, and what we send has the shape that the carrier takes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.carrier_codes import explain_code
from bot.domain.carrier_events import InboundText, read_event
from bot.domain.carrier_lanes import choose_lane, inbound_lane
from bot.domain.conversation import Medium, make_parties
from bot.domain.phone import Address
from bot.domain.whatsapp import Reaction, build_whatsapp_message, read_whatsapp_body
from storage.rows import read_parties, write_ours

ANA, OURS = Address("+14155550101"), Address("+13125550100")

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=8), children, max_size=4),
    max_leaves=12,
)


def make_inbound(body: object, **changes: Any) -> dict[str, Any]:
    """Return a WhatsApp message as the carrier brings it: `to` a plain string, everything else in `body`."""
    payload = {"id": "wa-1", "type": "WHATSAPP", "from": {"phone_number": ANA}, "to": OURS, "body": body}
    return {"data": {"event_type": "message.received", "id": "event-wa", "payload": payload | changes}}


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"type": "text", "text": {"body": "Hola"}}, "Hola"),
        ({"type": "text", "text": "Hola"}, "Hola"),
        ("Hola", "Hola"),
        (
            {"type": "location", "location": {"latitude": 41.9, "longitude": -87.6, "name": "Pier"}},
            "📍 Pier, 41.9, -87.6",
        ),
        ({"type": "location", "location": {}}, "📍 a place"),
        (
            {"type": "contacts", "contacts": [{"name": {"formatted_name": "Ben"}, "phones": [{"phone": "+1415"}]}]},
            "👤 Ben +1415",
        ),
        ({"type": "interactive", "interactive": {"type": "button_reply", "button_reply": {"title": "Yes"}}}, "Yes"),
        ({"type": "interactive", "interactive": {"type": "list_reply", "list_reply": {"title": "Noon"}}}, "Noon"),
        ({"type": "button", "button": {"text": "Stop promotions"}}, "Stop promotions"),
        ({"type": "edit", "edit": {"message": {"type": "text", "text": {"body": "at 6"}}}}, "(edited) at 6"),
        ({"type": "revoke", "revoke": {"original_message_id": "x"}}, "(took back an earlier message)"),
        ({"type": "order", "order": {}}, "(a WhatsApp message of the kind “order”, which cannot be shown here)"),
        (None, ""),
    ],
)
def test_whatever_somebody_sends_is_put_into_words(body: object, text: str) -> None:
    assert read_whatsapp_body(body).text == text


@pytest.mark.parametrize("kind", ["image", "video", "audio", "document", "sticker"])
def test_a_file_comes_with_its_caption_as_the_text(kind: str) -> None:
    body = {"type": kind, kind: {"link": "https://media.example.com/1", "mime_type": "image/jpeg", "caption": "Look"}}
    event = read_event(make_inbound(body))
    assert isinstance(event, InboundText)
    assert event.text == "Look"
    ((url, content_type),) = [(media.url, media.content_type) for media in event.media]
    assert (url, content_type) == ("https://media.example.com/1", "image/jpeg")


def test_a_reaction_names_the_message_that_it_is_to() -> None:
    found = read_whatsapp_body({"type": "reaction", "reaction": {"emoji": "👍", "message_id": "m-7"}})
    assert found.reaction == Reaction(emoji="👍", carrier_id="m-7")


@pytest.mark.parametrize(
    ("changes", "sender"),
    [
        ({}, ANA),
        ({"from": ANA}, ANA),
        ({"from": {"phone_number": ""}, "body": {"type": "text", "from": ANA, "text": {"body": "x"}}}, ANA),
        ({"from": "", "body": {"type": "text", "from": "", "from_user_id": "US.134912"}}, "US.134912"),
    ],
)
def test_the_sender_is_found_even_where_their_number_is_hidden(changes: dict[str, Any], sender: str) -> None:
    event = make_inbound({"type": "text", "text": {"body": "x"}}) | {}
    event["data"]["payload"] |= changes
    found = read_event(event)
    assert isinstance(found, InboundText)
    assert found.sender == sender
    assert found.medium is Medium.WHATSAPP
    assert choose_lane(event) == inbound_lane(found.sender)  # a STOP by WhatsApp waits in the lane that sends look at


@given(json_values)
def test_no_body_whatever_raises_anything(body: object) -> None:
    read_whatsapp_body(body)


@pytest.mark.parametrize(
    ("text", "files", "message"),
    [
        ("Hi", [], {"type": "text", "text": {"body": "Hi"}}),
        (
            "Hi",
            [("https://x/a.jpg", "image/jpeg")],
            {"type": "image", "image": {"link": "https://x/a.jpg", "caption": "Hi"}},
        ),
        ("", [("https://x/a.mp4", "video/mp4")], {"type": "video", "video": {"link": "https://x/a.mp4"}}),
        (
            "Hi",
            [("https://x/a.pdf", "application/pdf")],
            {"type": "document", "document": {"link": "https://x/a.pdf", "filename": "a.pdf", "caption": "Hi"}},
        ),
    ],
)
def test_a_message_of_ours_has_the_shape_that_the_carrier_takes(
    text: str, files: list[tuple[str, str]], message: dict[str, Any]
) -> None:
    assert build_whatsapp_message(text, files) == message


def test_the_same_two_numbers_are_two_conversations_by_two_media() -> None:
    by_text, by_whatsapp = make_parties(OURS, [ANA]), make_parties(OURS, [ANA], Medium.WHATSAPP)
    assert by_text != by_whatsapp
    assert write_ours(by_text) != write_ours(by_whatsapp)
    for parties in (by_text, by_whatsapp, make_parties(Address("ACME"), [ANA])):
        assert read_parties(write_ours(parties), parties.key) == parties


@pytest.mark.parametrize(
    ("code", "title", "detail", "is_window"),
    [
        ("41000", "WhatsApp Error", "131047: Re-engagement message", True),
        ("41000", "WhatsApp Error", "More than 24 hours have passed since the recipient last replied", True),
        ("131047", "Re-engagement message", None, True),
        ("41000", "WhatsApp Error", "-", False),
        ("40300", "Blocked", "within 24 hours", False),
    ],
)
def test_the_closed_window_is_explained_as_such(code: str, title: str, detail: str | None, is_window: bool) -> None:
    assert ("24 hours" in explain_code(code, title, detail).sentence) is is_window
