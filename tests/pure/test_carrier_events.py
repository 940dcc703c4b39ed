"""Reading the carrier's webhooks: all that is there, in whatever shape, and nothing that is not."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.domain.account_events import HostedOrderChange, LinkClick, SpendLimitReached
from bot.domain.carrier_events import InboundText, MediaRef, Receipt, UnknownEvent, choose_ours, read_event
from bot.domain.carrier_lanes import choose_lane, clean, identify_event, inbound_lane
from bot.domain.conversation import make_parties
from bot.domain.delivery import Delivery, DeliveryStatus
from bot.domain.ids import CarrierMessageId
from bot.domain.phone import Address
from bot.errors import NotUnderstood
from tests.pure.carrier_samples import ANA, BOB, CEM, EVERY_VARIANT, OURS, OURS_TOO, inbound, link_click, receipt, wrap

AT = datetime(2026, 11, 20, 15, 4, 7, 588_000, tzinfo=UTC)
HALF = "\ud83d"  # one half of a surrogate pair


def _read_text(event: object) -> InboundText:
    found = read_event(event)
    assert isinstance(found, InboundText)
    return found


def _read_receipt(event: object) -> Receipt:
    found = read_event(event)
    assert isinstance(found, Receipt)
    return found


# ------------------------------------------------------------------------------------------------ whatever may come

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters())
    | st.sampled_from([ANA, "", ",", "sent"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["phone_number", "status", "code", "title", "url", "sha256", "size", "text", "body"])
            | st.text(),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
_DATA = ("event_type", "record_type", "id", "occurred_at", "payload", "message_id", "time_clicked")
_PAYLOAD = ("from", "to", "cc", "id", "text", "body", "media", "autoresponse_type", "type", "errors", "is_spam")
kinds = st.sampled_from(["message.received", "message.sent", "message.finalized", "message.read", "link_clicked"])
payloads = st.dictionaries(st.sampled_from(_PAYLOAD), json_values)
envelopes = st.builds(
    lambda rest, kind, payload: {"data": {**rest, "event_type": kind, "payload": payload}},
    st.dictionaries(st.sampled_from(_DATA), json_values),
    kinds | json_values,
    payloads | json_values,
)
spoiled = st.builds(
    lambda sample, part, value: _spoil(EVERY_VARIANT[sample], part, value),
    st.sampled_from(sorted(EVERY_VARIANT)),
    st.sampled_from([*_PAYLOAD, *_DATA]),
    json_values,
)


def _spoil(event: dict[str, Any], part: str, value: object) -> dict[str, Any]:
    """Return *event* with *value* in the place of one part of it."""
    changed = copy.deepcopy(event)
    where = changed["data"].setdefault("payload", {}) if part in _PAYLOAD else changed["data"]
    where[part] = value
    return changed


def _see_that_it_can_be_kept(event: object) -> None:
    """Read *event* in every way, and see that what comes of it can be stored, sent and read again."""
    key, lane = identify_event(event, b"raw"), choose_lane(event)
    try:
        found = read_event(event)
    except NotUnderstood:
        found = None
    texts: list[str] = [key, lane or ""]
    if isinstance(found, InboundText):
        texts += [found.carrier_id, found.sender, *found.recipients, *found.others, found.text, found.channel]
        texts += [part for item in found.media for part in (item.url, item.content_type or "", item.sha256 or "")]
        ours, theirs = choose_ours(found, {Address(OURS)})
        parties = make_parties(ours, theirs)
        assert tuple(parties.key.split(",")) == parties.theirs
    if isinstance(found, Receipt):
        texts += [found.carrier_id, found.sender or "", *found.copies]
        for delivery in found.copies.values():
            texts += [delivery.code or "", delivery.title or "", delivery.detail or ""]
            assert delivery.occurred_at.astimezone(UTC) == delivery.occurred_at
    for text in texts:
        text.encode("utf-8")


@given(json_values | envelopes | spoiled)
@example({"data": None})
@example({"data": {"event_type": "message.received", "payload": {"from": ",", "to": ",", "id": "x"}}})
@example(
    {
        "data": {
            "event_type": "message.sent",
            "occurred_at": "0001-01-01T00:00:00+14:00",
            "payload": {"id": "x", "to": [{"phone_number": ANA, "status": "sent"}]},
        }
    }
)
def test_nothing_that_can_be_said_in_json_raises_anything_but_not_understood(event: object) -> None:
    _see_that_it_can_be_kept(event)


@given(json_values | envelopes | spoiled)
def test_reading_leaves_the_event_as_it_was(event: object) -> None:
    before = repr(event)
    with pytest.raises(NotUnderstood) if _is_refused(event) else _nothing():
        read_event(event)
    assert repr(event) == before


def _is_refused(event: object) -> bool:
    try:
        read_event(event)
    except NotUnderstood:
        return True
    return False


class _nothing:  # noqa: N801 - stands where pytest.raises would
    def __enter__(self) -> None: ...
    def __exit__(self, *_: object) -> None: ...


_DEEP_PLACES: list[Callable[[object], object]] = [
    lambda deep: deep,
    lambda deep: {"data": deep},
    lambda deep: inbound(text=deep),
    lambda deep: inbound(text=..., body=deep),
    lambda deep: inbound(type=deep),
    lambda deep: inbound(to=deep),
    lambda deep: inbound(cc=[deep]),
    lambda deep: inbound(media=[{"url": "https://x", "content_type": deep}]),
    lambda deep: receipt("message.sent", (ANA, "sent"), errors=[{"code": deep, "title": deep}]),
    lambda deep: receipt("message.sent", (ANA, deep)),  # type: ignore[arg-type]
    lambda deep: wrap("message.sent", {"id": "x"}, occurred_at=deep),
    lambda deep: link_click(url=deep),
]


@pytest.mark.parametrize("place", range(len(_DEEP_PLACES)))
@pytest.mark.parametrize("bracket", ["[", '{"text":'])
def test_deep_nesting_exhausts_nothing(place: int, bracket: str) -> None:
    deep: Any = "x"
    for _ in range(50_000):
        deep = [deep] if bracket == "[" else {"text": deep}
    try:
        _see_that_it_can_be_kept(_DEEP_PLACES[place](deep))
    finally:
        # Python takes a structure this deep apart level by level only if it is told to.
        while isinstance(deep, list | dict):
            deep = deep[0] if isinstance(deep, list) else deep["text"]


@pytest.mark.parametrize("event", [None, [], "x", 1, {}, {"data": {}}, {"data": []}, {"data": {"event_type": 7}}])
def test_what_has_no_type_is_not_understood(event: object) -> None:
    with pytest.raises(NotUnderstood):
        read_event(event)


@pytest.mark.parametrize(
    "changes",
    [{"from": ...}, {"from": None}, {"from": {"phone_number": "  "}}, {"to": ...}, {"to": []}, {"id": ""}, {"id": 7}],
)
def test_a_text_without_sender_recipient_or_id_is_not_understood(changes: dict[str, Any]) -> None:
    with pytest.raises(NotUnderstood):
        read_event(inbound(**changes))


@pytest.mark.parametrize("kind", ["message.sent", "message.finalized", "message.read"])
@pytest.mark.parametrize("carrier_id", [None, "", 7])
def test_a_receipt_of_no_text_is_not_understood(kind: str, carrier_id: object) -> None:
    with pytest.raises(NotUnderstood):
        read_event(receipt(kind, (ANA, "sent"), id=carrier_id))


@pytest.mark.parametrize("name", EVERY_VARIANT)
def test_every_variant_is_read_the_same_after_a_journey_as_json(name: str) -> None:
    event = EVERY_VARIANT[name]
    assert read_event(json.loads(json.dumps(event))) == read_event(event)
    _see_that_it_can_be_kept(event)


# -------------------------------------------------------------------------------------------------------- texts


def test_a_text_is_read_whole() -> None:
    assert _read_text(inbound()) == InboundText(
        carrier_id="carrier-1",  # type: ignore[arg-type]
        sender=Address(ANA),
        recipients=(Address(OURS),),
        others=(),
        text="Hi, is my order ready?",
        media=(),
        autoresponse_type=None,
        channel="SMS",
        is_spam=False,
        said_at=AT,
    )


@pytest.mark.parametrize(
    "name", ["text without cc", "text with cc of nothing", "recipient as a plain string", "recipient as one object"]
)
def test_the_same_text_in_another_shape_reads_the_same(name: str) -> None:
    assert _read_text(EVERY_VARIANT[name]) == _read_text(inbound())


@pytest.mark.parametrize(
    ("sender", "address"),
    [(ANA, ANA), (ANA[1:], ANA), ("(773) 555-0118", ANA), ("22395", "22395"), ("Some Bank", "Some Bank")],
)
@pytest.mark.parametrize("shape", [lambda number: number, lambda number: {"phone_number": number}])
def test_senders_are_taken_as_the_carrier_names_them(sender: str, address: str, shape: Callable[[str], object]) -> None:
    assert _read_text(inbound(**{"from": shape(sender)})).sender == address


@pytest.mark.parametrize("sender", ["A,B", "A\uff0cB", "A\ufe50B", "A\ufe10B", ",", "\uff0c"])
def test_no_address_ever_holds_the_comma_that_keeps_a_groups_members_apart(sender: str) -> None:
    try:
        assert "," not in _read_text(inbound(**{"from": sender})).sender
    except NotUnderstood:
        assert not sender.strip(",\uff0c")


def test_a_text_that_is_only_a_picture_has_no_words() -> None:
    found = _read_text(EVERY_VARIANT["a picture alone"])
    assert found.text == ""
    assert found.media == (MediaRef(url="https://media.example.com/a", content_type=None, sha256="0" * 64, size=None),)


def test_a_picture_is_read_whole_whichever_name_its_hash_has() -> None:
    expected = MediaRef(url="https://media.example.com/a.jpg", content_type="image/jpeg", sha256="ab" * 32, size=9)
    assert _read_text(EVERY_VARIANT["pictures"]).media == (expected,)
    renamed = [{"url": expected.url, "content_type": "image/jpeg", "hash_sha256": "AB" * 32, "size": 9}]
    assert _read_text(inbound(media=renamed)).media == (expected,)


@pytest.mark.parametrize(
    "item",
    [
        {"sha256": "abc"},
        {"sha256": 7},
        {"sha256": None},
        {"size": -1},
        {"size": True},
        {"size": "9"},
        {"content_type": ""},
    ],
)
def test_what_is_wrong_about_a_picture_is_left_out_and_the_picture_kept(item: dict[str, object]) -> None:
    found = _read_text(inbound(media=[{"url": "https://x/a"} | item]))
    assert found.media == (MediaRef(url="https://x/a", content_type=None, sha256=None, size=None),)


def test_a_hash_of_the_right_length_that_is_none_is_left_out() -> None:
    found = _read_text(
        inbound(media=[{"url": "https://x/a", "sha256": "z" * 64}, {"url": "https://x/b", "sha256": HALF * 64}])
    )
    assert [item.sha256 for item in found.media] == [None, None]


@pytest.mark.parametrize("media", [None, "x", [None], [{}], [{"url": None}], [{"url": ""}], [[]]])
def test_a_picture_without_an_address_is_none(media: object) -> None:
    assert _read_text(inbound(media=media)).media == ()


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("Hola", "Hola"),
        ({"text": "Hola"}, "Hola"),
        ({"body": "Hola"}, "Hola"),
        ({"text": {"body": "Hola"}}, "Hola"),
        (None, ""),
        ({}, ""),
    ],
)
def test_words_that_stand_in_the_body_are_found(body: object, text: str) -> None:
    assert _read_text(inbound(text=..., body=body)).text == text


@pytest.mark.parametrize(("word", "read"), [("stop", "STOP"), ("START", "START"), ("", None), (None, None), (7, None)])
def test_the_carriers_reading_of_a_keyword_is_kept(word: object, read: str | None) -> None:
    assert _read_text(inbound(autoresponse_type=word)).autoresponse_type == read


@pytest.mark.parametrize(("flag", "spam"), [(True, True), (False, False), ("true", False), (1, False), (None, False)])
def test_only_a_plain_yes_is_spam(flag: object, *, spam: bool) -> None:
    assert _read_text(inbound(is_spam=flag)).is_spam is spam


def test_a_lone_half_of_a_surrogate_pair_becomes_the_replacement_and_whole_pairs_stay() -> None:
    found = _read_text(inbound(text=f"a{HALF}b👍\x00", id=f"c{HALF}"))
    assert found.text == "a\ufffdb👍\x00"
    assert found.carrier_id == "c\ufffd"


@given(st.text(st.characters()))
def test_cleaned_text_can_be_stored_and_what_was_clean_stays_as_it_was(text: str) -> None:
    assert clean(text).encode("utf-8") or text == ""
    assert clean(clean(text)) == clean(text)
    if not any("\ud800" <= character <= "\udfff" for character in text):
        assert clean(text) == text


def test_nothing_is_an_empty_text() -> None:
    assert clean(None) == ""


# ------------------------------------------------------------------------------------------------------- groups


@pytest.mark.parametrize(
    "cc",
    [
        [BOB, CEM, OURS],
        [BOB, CEM],
        [BOB, CEM, OURS, ANA],
        [{"phone_number": BOB}, {"phone_number": CEM}],
        [{"phone_number": BOB}, CEM, {"phone_number": OURS}],
        [BOB, BOB, CEM],
    ],
)
def test_a_group_is_the_same_people_however_they_are_listed(cc: list[Any]) -> None:
    ours, theirs = choose_ours(_read_text(inbound(cc=cc)), {Address(OURS), Address(OURS_TOO)})
    assert ours == OURS
    assert set(theirs) == {ANA, BOB, CEM}
    assert theirs == tuple(sorted(theirs))


def test_whoever_of_a_group_writes_it_is_the_same_group() -> None:
    people = {ANA, BOB, CEM}
    found = {
        choose_ours(_read_text(inbound(**{"from": who, "cc": sorted(people - {who})})), {Address(OURS)})
        for who in people
    }
    assert len(found) == 1


def test_our_other_number_is_no_customer() -> None:
    text = _read_text(inbound(cc=[OURS_TOO, BOB]))
    assert choose_ours(text, {Address(OURS), Address(OURS_TOO)}) == (OURS, tuple(sorted([ANA, BOB])))


def test_a_recipient_that_is_ours_is_chosen_wherever_it_stands() -> None:
    text = _read_text(inbound(to=[{"phone_number": BOB}, {"phone_number": OURS}]))
    assert choose_ours(text, {Address(OURS)}) == (OURS, tuple(sorted([ANA, BOB])))


def test_a_number_we_did_not_know_we_had_still_receives() -> None:
    assert choose_ours(_read_text(inbound()), {Address(OURS_TOO)}) == (OURS, (ANA,))


def test_a_text_from_one_of_our_numbers_to_another_has_its_sender_at_the_other_end() -> None:
    text = _read_text(inbound(**{"from": OURS_TOO}))
    assert choose_ours(text, {Address(OURS), Address(OURS_TOO)}) == (OURS, (OURS_TOO,))


# ------------------------------------------------------------------------------------------------------ receipts


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("sent", DeliveryStatus.SENT, None),
        ("delivered", DeliveryStatus.DELIVERED, None),
        ("delivered, its recipient not in a list", DeliveryStatus.DELIVERED, None),
        ("failed", DeliveryStatus.DELIVERY_FAILED, "40008"),
        ("never sent", DeliveryStatus.SENDING_FAILED, "40014"),
        ("read", DeliveryStatus.READ, None),
    ],
)
def test_a_receipt_tells_what_became_of_the_copy(name: str, status: DeliveryStatus, code: str | None) -> None:
    found = _read_receipt(EVERY_VARIANT[name])
    assert (found.carrier_id, found.sender) == ("carrier-2", OURS)
    delivery = found.copies[Address(ANA)]
    assert (delivery.status, delivery.code, delivery.occurred_at) == (status, code, AT)


def test_a_failure_says_why_in_the_carriers_words() -> None:
    delivery = _read_receipt(EVERY_VARIANT["failed"]).copies[Address(ANA)]
    assert (delivery.code, delivery.title, delivery.detail) == ("40008", "Undeliverable", "Not accepted.")


def test_each_copy_of_a_group_has_its_own_status_and_words_unheard_of_count_for_nothing() -> None:
    found = _read_receipt(receipt("message.finalized", (ANA, "delivered"), (BOB, "unknown"), (CEM, "beamed")))
    assert {address: delivery.status for address, delivery in found.copies.items()} == {
        ANA: DeliveryStatus.DELIVERED,
        BOB: DeliveryStatus.UNKNOWN,
    }


@pytest.mark.parametrize(
    ("said", "moment"),
    [
        ("2026-11-20T15:04:07.588+00:00", AT),
        ("2026-11-20T15:04:07.588Z", AT),
        ("2026-11-20T09:04:07.588-06:00", AT),
        ("2026-11-20T15:04:07.588", AT),
        ("yesterday", datetime(1970, 1, 1, tzinfo=UTC)),
        (None, datetime(1970, 1, 1, tzinfo=UTC)),
    ],
)
def test_when_it_happened_is_read_in_whatever_form(said: object, moment: datetime) -> None:
    event = receipt("message.sent", (ANA, "sent"))
    event["data"]["occurred_at"] = said
    assert _read_receipt(event).copies == {Address(ANA): Delivery(status=DeliveryStatus.SENT, occurred_at=moment)}


@pytest.mark.parametrize(
    ("address", "reference"),
    [
        ("https://texts.example.com/webhooks/telnyx?ref=0a1b2c", "0a1b2c"),
        ("https://texts.example.com/webhooks/telnyx?x=1&ref=0a1b2c#top", "0a1b2c"),
        ("https://texts.example.com/webhooks/telnyx", None),
        ("https://texts.example.com/webhooks/telnyx?ref=", None),
        ("https://texts.example.com/webhooks/telnyx?ref=%2E%2E%2F", None),
        ("https://texts.example.com/webhooks/telnyx?ref=" + "a" * 65, None),
        ("https://[texts?ref=0a1b2c", None),
        (None, None),
        (["?ref=0a1b2c"], None),
    ],
)
def test_a_receipt_names_its_text_by_the_address_that_the_send_gave(address: object, reference: str | None) -> None:
    assert _read_receipt(receipt("message.sent", (ANA, "sent"), webhook_url=address)).reference == reference


@pytest.mark.parametrize("said", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_moment_outside_of_all_calendars_does_not_spoil_the_receipt(said: str) -> None:
    event = receipt("message.sent", (ANA, "sent"))
    event["data"]["occurred_at"] = said
    (delivery,) = _read_receipt(event).copies.values()
    assert delivery.occurred_at.utcoffset() == timedelta(0)


# --------------------------------------------------------------------------------------------------------- others


@pytest.mark.parametrize(
    ("name", "event"),
    [
        (
            "link click",
            LinkClick(
                carrier_id=CarrierMessageId("carrier-2"),
                url="https://www.example.com/offer",
                clicker=Address(ANA),
                clicked_at=datetime(2026, 11, 20, 15, 45, 45, 450000, tzinfo=UTC),
            ),
        ),
        ("spend limit", SpendLimitReached(profile_id="profile-1", limit="10.00", cost="10.02")),
        (
            "hosted number",
            HostedOrderChange(
                change="internal transfer detected",
                order_id="order-1",
                status="loa file invalid",
                numbers=((Address(ANA), "failed timeout"),),
            ),
        ),
        ("of the future", UnknownEvent()),
    ],
)
def test_events_of_the_account_and_of_links_say_what_happened(name: str, event: object) -> None:
    assert read_event(EVERY_VARIANT[name]) == event


def test_a_click_that_names_no_text_is_not_understood() -> None:
    with pytest.raises(NotUnderstood):
        read_event({"data": {"record_type": "link_clicked", "url": "https://example.com"}})


@given(json_values | envelopes | spoiled)
def test_a_text_is_read_in_the_lane_of_its_sender(event: object) -> None:
    if not _is_refused(event) and isinstance(found := read_event(event), InboundText):
        assert choose_lane(event) == inbound_lane(found.sender)
