"""What the account's settings do in the simulated carrier: they are not only kept."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from telnyx.types import MessagingInboundMessagePayload, OutboundMessagePayload

from bot.clock import ManualClock
from tests.sandbox.telnyx_receiver import ABROAD, ANA, BOB, OURS, PROFILE, TOLL_FREE, Bench, open_bench


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with open_bench() as opened:
        yield opened


def add_answer(bench: Bench, op: str, keyword: str, text: str, *, country: str = "*") -> None:
    bench.sim.add_autoresponse(op=op, keywords=[keyword], text=text, country=country)


async def text_in(bench: Bench, text: str, *, to: str = OURS) -> dict[str, Any]:
    bench.receiver.taken.clear()
    await bench.sim.text_in(from_=ANA, to=to, text=text)
    await bench.sim.settle()
    return bench.receiver.get_payload("message.received")


# ----------------------------------------------------------------------------------------------------- automatic answers


async def test_a_keyword_of_the_profile_is_answered_and_does_what_it_is_for(bench: Bench) -> None:
    add_answer(bench, "info", "HOURS", "We are here from 9 to 5.")
    add_answer(bench, "stop", "BASTA", "You get no more texts from us.")
    add_answer(bench, "start", "OK AGAIN", "Welcome back to our texts.")

    assert (await text_in(bench, " hours "))["autoresponse_type"] == "HELP"
    assert bench.sim.account.optouts == {}
    assert (await text_in(bench, "Basta"))["autoresponse_type"] == "STOP"
    assert (await bench.refuse("/messages", {"from": OURS, "to": ANA, "text": "x"}))[1] == "40300"
    assert (await text_in(bench, "ok again"))["autoresponse_type"] == "START"
    await bench.send(text="hello")
    await bench.sim.settle()
    assert [text.text for text in bench.sim.phone(ANA)] == [
        "We are here from 9 to 5.",
        "You get no more texts from us.",
        "Welcome back to our texts.",
        "hello",
    ]


async def test_the_usual_keywords_stay_and_may_be_answered_otherwise(bench: Bench) -> None:
    add_answer(bench, "stop", "STOP", "You get no more texts from us.")
    await text_in(bench, "STOP")
    await text_in(bench, "UNSTOP")
    first, second = [str(text.text) for text in bench.sim.phone(ANA)]
    assert first == "You get no more texts from us."
    assert second.startswith("You have successfully been re-subscribed")


async def test_an_answer_for_another_country_and_words_in_a_sentence_do_nothing(bench: Bench) -> None:
    add_answer(bench, "stop", "BASTA", "You get no more texts from us.", country="DE")
    add_answer(bench, "info", "HOURS", "We are here from 9 to 5.")
    assert (await text_in(bench, "basta"))["autoresponse_type"] is None
    assert (await text_in(bench, "what are your hours"))["autoresponse_type"] is None
    assert bench.sim.phone(ANA) == []


async def test_on_a_toll_free_number_the_network_answers(bench: Bench) -> None:
    add_answer(bench, "stop", "STOP", "You get no more texts from us.")
    await text_in(bench, "stop", to=TOLL_FREE)
    (answer,) = bench.sim.phone(ANA)
    assert str(answer.text).startswith("NETWORK MSG")


# ------------------------------------------------------------------------------------------------------------ the budget


async def test_what_would_cost_too_much_is_refused_and_told_once_a_day(bench: Bench) -> None:
    assert isinstance(bench.clock, ManualClock)
    bench.sim.profile.daily_spend_limit, bench.sim.profile.daily_spend_limit_enabled = "0.008", True
    for _ in range(2):
        await bench.send(text="x")
    for _ in range(2):
        assert await bench.refuse("/messages", {"from": OURS, "to": BOB, "text": "x"}) == (429, "40333")
    await bench.sim.settle()
    payload = bench.receiver.get_payload("messaging-profile.spend-limit-reached")
    assert payload == {"configured_limit": "0.008", "current_cost": "0.01", "profile_id": PROFILE}

    await bench.clock.advance(timedelta(hours=9))  # to the next day, by UTC
    await bench.send(text="x")


async def test_a_limit_that_is_off_limits_nothing(bench: Bench) -> None:
    bench.sim.profile.daily_spend_limit = "0.00"
    await bench.send(text="x")


async def test_the_limit_can_be_reached_by_hand(bench: Bench) -> None:
    bench.sim.reach_spend_limit()
    bench.sim.reach_spend_limit()
    await bench.sim.settle()
    assert bench.receiver.list_types() == ["messaging-profile.spend-limit-reached"]
    assert await bench.refuse("/messages", {"from": OURS, "to": BOB, "text": "x"}) == (429, "40333")


# ---------------------------------------------------------------------------------------------------------- other events


async def test_a_click_comes_without_envelope_id_and_plus_sign(bench: Bench) -> None:
    sent = await bench.send(text="https://example.com/offer")
    await bench.sim.settle()
    bench.receiver.taken.clear()
    bench.sim.click(sent["id"], "https://example.com/offer")
    await bench.sim.settle()
    ((event, _, _),) = [
        (event, headers, body) for event, headers, body in bench.receiver.taken if "event_type" not in event["data"]
    ]
    assert event == {
        "data": {
            "record_type": "link_clicked",
            "url": "https://example.com/offer",
            "to": ANA.removeprefix("+"),
            "message_id": sent["id"],
            "time_clicked": event["data"]["time_clicked"],
        }
    }


async def test_a_hosted_number_is_one_of_ours_and_its_order_is_told(bench: Bench) -> None:
    own = bench.sim.host_number("+13125550177")
    await bench.sim.settle()
    order = bench.receiver.get_payload("messaging_hosted_numbers_orders.updated")
    assert (order["status"], order["phone_numbers"][0]["phone_number"]) == ("successful", own.number)
    sent = await bench.send(**{"from": own.number}, text="from there")
    assert sent["from"]["phone_number"] == own.number


# -------------------------------------------------------------------------------------------------------------- WhatsApp


async def write_by_whatsapp(bench: Bench, words: str = "Hola") -> str:
    bench.sim.account.numbers[OURS].whatsapp = True
    return await bench.sim.text_in(from_=ANA, to=OURS, text=words, whatsapp=True)


async def answer(bench: Bench, content: dict[str, Any], **more: Any) -> tuple[int, dict[str, Any]]:
    given = {"from": OURS, "to": ANA, "whatsapp_message": content, **more}
    status, told, _ = await bench.call("POST", "/messages/whatsapp", given)
    return status, told


async def test_whatsapp_comes_in_with_a_plain_to_and_its_content_in_body(bench: Bench) -> None:
    message_id = await write_by_whatsapp(bench)
    await bench.sim.settle()
    payload = bench.receiver.get_payload("message.received")
    understood = MessagingInboundMessagePayload.model_validate(payload)
    assert (understood.id, understood.type, understood.to, understood.model_extra) == (
        message_id,
        "WHATSAPP",
        OURS,
        {},
    )
    assert payload["body"]["text"] == {"body": "Hola"}
    assert bench.sim.screen(ANA)[-1].text == "Hola"


async def test_an_answer_by_whatsapp_is_sent_delivered_and_read(bench: Bench) -> None:
    await write_by_whatsapp(bench)
    status, told = await answer(bench, {"type": "text", "text": {"body": "Buenas"}}, type="WHATSAPP")
    assert (status, told["data"]["type"], told["data"]["body"]["text"]["body"]) == (200, "WHATSAPP", "Buenas")
    await bench.sim.settle()
    assert bench.sim.phone(ANA)[-1].text == "Buenas"
    assert bench.receiver.list_types()[1:] == ["message.sent", "message.finalized", "message.read"]
    payload = bench.receiver.get_payload("message.read")
    # The SDK's type of a body has the text of RCS, a string, and none of WhatsApp's.
    OutboundMessagePayload.model_validate({name: value for name, value in payload.items() if name != "body"})
    assert payload["to"][0]["status"] == "read"


async def test_a_picture_by_whatsapp_is_fetched_and_has_its_caption(bench: Bench) -> None:
    await write_by_whatsapp(bench)
    bench.receiver.media["/cat.png"] = ("image/png", b"cat")
    link = f"{bench.receiver.origin}/cat.png"
    await answer(bench, {"type": "image", "image": {"link": link, "caption": "A cat"}})
    await bench.sim.settle()
    shown = bench.sim.phone(ANA)[-1]
    assert (shown.text, [media.content for media in shown.media]) == ("A cat", [b"cat"])


async def test_after_a_day_of_silence_only_a_template_goes(bench: Bench) -> None:
    assert isinstance(bench.clock, ManualClock)
    await write_by_whatsapp(bench)
    await bench.clock.advance(timedelta(hours=24, seconds=1))
    status, told = await answer(bench, {"type": "text", "text": {"body": "Still there?"}})
    assert (status, told["errors"][0]["code"]) == (400, "41000")
    assert "24 hours" in told["errors"][0]["detail"]
    status, _ = await answer(bench, {"type": "template", "template": {"name": "hello", "language": {"code": "es"}}})
    assert status == 200


@pytest.mark.parametrize(
    ("content", "more", "code"),
    [
        ({"type": "text"}, {}, "10015"),
        ({"type": "text", "text": {}}, {}, "10004"),
        ({"type": "image", "text": {"body": "x"}}, {}, "10015"),
        ({"text": {"body": "x"}, "image": {"link": "https://a.b/"}}, {}, "10015"),
        ({"type": "text", "text": {"body": "x"}}, {"type": "SMS"}, "10032"),
        ({"type": "text", "text": {"body": "x"}}, {"from": "+13125550143"}, "40305"),
        ({"type": "text", "text": {"body": "x"}}, {"to": "415"}, "10016"),
        ({"type": "text", "text": {"body": "x"}}, {"to": ABROAD}, "41000"),
    ],
)
async def test_what_is_no_whatsapp_message_is_refused(
    bench: Bench, content: dict[str, Any], more: dict[str, Any], code: str
) -> None:
    await write_by_whatsapp(bench)
    status, told = await answer(bench, content, **more)
    assert status >= 400
    assert told["errors"][0]["code"] == code


async def test_stop_holds_for_whatsapp_too(bench: Bench) -> None:
    await write_by_whatsapp(bench)
    bench.sim.block(sender=OURS, person=ANA)
    _, told = await answer(bench, {"type": "text", "text": {"body": "x"}})
    assert told["errors"][0]["code"] == "40300"


# ------------------------------------------------------------------------------------------------------ who it comes from


async def test_a_pool_that_minds_places_takes_a_number_of_their_area_where_it_has_one(bench: Bench) -> None:
    bench.sim.add_number("+14155550100")
    bench.sim.profile.number_pool_settings = {
        "toll_free_weight": 1,
        "long_code_weight": 1,
        "skip_unhealthy": True,
        "geomatch": True,
    }
    senders = []
    for person in (BOB, BOB, ANA):
        status, told, _ = await bench.call(
            "POST", "/messages/number_pool", {"messaging_profile_id": PROFILE, "to": person, "text": "x"}
        )
        assert status == 200
        senders.append(told["data"]["from"]["phone_number"])
    assert senders[:2] == ["+14155550100", "+14155550100"]
    assert senders[2] in bench.sim.account.numbers


async def test_a_name_that_may_not_go_to_the_us_falls_back_on_its_number(bench: Bench) -> None:
    given = {"alphanumeric_sender_id": "Acme", "messaging_profile_id": PROFILE, "us_long_code_fallback": OURS}
    status, _, _ = await bench.call("POST", "/alphanumeric_sender_ids", given)
    assert status == 201
    sent = await bench.send(**{"from": "Acme"}, messaging_profile_id=PROFILE, text="x")
    assert sent["from"]["phone_number"] == OURS
    abroad = await bench.send(**{"from": "Acme", "to": ABROAD}, messaging_profile_id=PROFILE, text="x")
    assert abroad["from"]["phone_number"] == "Acme"
