"""The customers' phones behind the simulated carrier: what they send, what they get, STOP, pictures, groups."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest

from bot.clock import ManualClock
from bot.sandbox.telnyx_phones import PhoneText
from bot.sandbox.telnyx_state import Media
from bot.sandbox.telnyx_switches import CcStyle
from tests.sandbox.telnyx_receiver import ANA, BOB, CEM, KEY, OURS, OURS_TOO, PROFILE, TOLL_FREE, Bench, open_bench

PICTURE = Media(filename="IMG_1 ü.jpg", content_type="image/jpeg", content=b"\xff\xd8jpeg")


async def _list_optouts(bench: Bench) -> list[tuple[str, str]]:
    _, answer, _ = await bench.call("GET", "/messaging_optouts")
    return [(item["from"], item["to"]) for item in answer["data"]]


async def test_a_text_comes_as_the_real_one_does() -> None:
    async with open_bench() as bench:
        message_id = await bench.sim.text_in(from_=ANA, to=OURS, text="Hi & <bye>")
        await bench.sim.settle()
        payload = bench.receiver.get_payload("message.received")
        assert payload["id"] == message_id
        assert payload["from"]["phone_number"] == ANA
        assert [to["phone_number"] for to in payload["to"]] == [OURS]
        assert (payload["text"], payload["type"], payload["direction"]) == ("Hi & <bye>", "SMS", "inbound")
        assert (payload["cc"], payload["media"], payload["autoresponse_type"]) == ([], [], None)
        assert payload["messaging_profile_id"] == PROFILE
        assert [text.mine for text in bench.sim.screen(ANA)] == [True]
        assert bench.sim.phone(ANA) == []


async def test_texting_a_number_that_is_not_ours_is_a_mistake_of_the_test() -> None:
    async with open_bench() as bench:
        with pytest.raises(LookupError, match="not a number"):
            await bench.sim.text_in(from_=ANA, to=BOB, text="Hi")


@pytest.mark.parametrize(
    "word", ["STOP", "stop", " Stop ", "STOPALL", "stop all", "UNSUBSCRIBE", "Cancel", "END", "QUIT"]
)
async def test_a_stop_word_blocks_the_profile_and_is_confirmed_by_the_carrier(word: str) -> None:
    async with open_bench() as bench:
        await bench.sim.text_in(from_=ANA, to=OURS, text=word)
        await bench.sim.settle()
        assert bench.receiver.get_payload("message.received")["autoresponse_type"] == "STOP"
        (reply,) = bench.sim.phone(ANA)
        assert reply.automatic
        assert reply.from_ == OURS
        assert (reply.text or "").startswith("You have successfully been unsubscribed")
        given = {"from": OURS_TOO, "to": ANA, "text": "hi"}
        assert await bench.refuse("/messages", given) == (409, "40300")
        assert await _list_optouts(bench) == [(OURS, ANA)]


@pytest.mark.parametrize("text", ["please stop", "STOP.", "stop by at noon", "REVOKE", "", "don't stop", None])
async def test_anything_else_is_a_text_like_any_other(text: str | None) -> None:
    async with open_bench() as bench:
        await bench.sim.text_in(from_=ANA, to=OURS, text=text)
        await bench.sim.settle()
        assert bench.receiver.get_payload("message.received")["autoresponse_type"] is None
        assert bench.sim.phone(ANA) == []
        assert await _list_optouts(bench) == []


async def test_start_lifts_the_block_of_the_number_it_is_sent_to_only() -> None:
    async with open_bench() as bench:
        await bench.sim.text_in(from_=ANA, to=OURS, text="STOP")
        await bench.sim.text_in(from_=ANA, to=OURS_TOO, text="START")
        await bench.sim.settle()
        given = {"from": OURS_TOO, "to": ANA, "text": "hi"}
        assert await bench.refuse("/messages", given) == (409, "40300")
        await bench.sim.text_in(from_=ANA, to=OURS, text="unstop")
        await bench.sim.settle()
        assert bench.receiver.taken[-1][0]["data"]["payload"]["autoresponse_type"] == "START"
        await bench.send(text="welcome")
        await bench.sim.settle()
        assert await _list_optouts(bench) == []
        assert bench.sim.phone(ANA)[-1].text == "welcome"


async def test_stopping_twice_is_one_optout_with_the_first_time() -> None:
    clock = ManualClock()
    async with open_bench(clock) as bench:
        await bench.sim.text_in(from_=ANA, to=OURS, text="STOP")
        first = list(bench.sim.account.optouts.values())
        clock.jump(timedelta(hours=1))
        await bench.sim.text_in(from_=ANA, to=OURS, text="STOP")
        await bench.sim.settle()
        assert list(bench.sim.account.optouts.values()) == first


async def test_help_is_answered_and_blocks_nobody() -> None:
    async with open_bench() as bench:
        await bench.sim.text_in(from_=ANA, to=OURS, text="help")
        await bench.sim.settle()
        assert bench.receiver.get_payload("message.received")["autoresponse_type"] == "HELP"
        assert len(bench.sim.phone(ANA)) == 1
        assert await _list_optouts(bench) == []


async def test_toll_free_numbers_know_stop_and_start_only_and_answer_as_the_network() -> None:
    async with open_bench() as bench:
        await bench.sim.text_in(from_=ANA, to=TOLL_FREE, text="QUIT")
        await bench.sim.text_in(from_=ANA, to=TOLL_FREE, text="HELP")
        assert bench.sim.phone(ANA) == []
        await bench.sim.text_in(from_=ANA, to=TOLL_FREE, text="stop")
        await bench.sim.text_in(from_=ANA, to=TOLL_FREE, text="unstop")
        await bench.sim.settle()
        assert all((text.text or "").startswith("NETWORK MSG") for text in bench.sim.phone(ANA))
        assert len(bench.sim.phone(ANA)) == 2
        assert await _list_optouts(bench) == []


async def test_optouts_can_be_listed_with_the_persons_number_hidden() -> None:
    async with open_bench() as bench:
        bench.sim.block(sender=OURS, person=ANA, keyword="STOP")
        _, answer, _ = await bench.call("GET", "/messaging_optouts", params=[("redaction_enabled", "true")])
        (item,) = answer["data"]
        assert item["to"] == "+1773555****"
        assert item["created_at"] == "2026-11-20 15:00:00.000000+00:00"


async def test_a_mistaken_optout_filter_is_a_bare_error() -> None:
    async with open_bench() as bench:
        for name, value in (("created_at[gte]", "soon"), ("page[size]", "0"), ("page[size]", "251")):
            status, answer, _ = await bench.call("GET", "/messaging_optouts", params=[(name, value)])
            assert status == 400
            assert "code" in answer


# ------------------------------------------------------------------------------------------------------- pictures


async def test_inbound_pictures_are_served_where_the_webhook_says() -> None:
    async with open_bench() as bench:
        await bench.sim.text_in(from_=ANA, to=OURS, text=None, media=[PICTURE])
        await bench.sim.settle()
        payload = bench.receiver.get_payload("message.received")
        (media,) = payload["media"]
        assert (payload["type"], payload["text"]) == ("MMS", None)
        assert (media["content_type"], media["size"]) == ("image/jpeg", len(PICTURE.content))
        assert media["sha256"] == hashlib.sha256(PICTURE.content).hexdigest()
        assert media["url"].endswith("/IMG_1%20%C3%BC.jpg")
        async with bench.http.get(media["url"]) as response:
            assert (response.status, await response.read()) == (200, PICTURE.content)
            assert response.content_type == "image/jpeg"
        async with bench.http.get(media["url"].replace("IMG_1", "IMG_2")) as response:
            assert response.status == 404
        bench.sim.switches.media_needs_key = True
        async with bench.http.get(media["url"]) as response:
            assert response.status == 401
        async with bench.http.get(media["url"], headers={"Authorization": f"Bearer {KEY}"}) as response:
            assert response.status == 200


async def test_outbound_pictures_are_fetched_without_the_key_and_shown_on_the_phone() -> None:
    async with open_bench() as bench:
        bench.receiver.media = {"/a.png": ("image/png", b"png"), "/b.gif": ("image/gif", b"gif")}
        urls = [f"{bench.receiver.origin}/a.png", f"{bench.receiver.origin}/b.gif"]
        answer = await bench.send(text="look", media_urls=urls)
        assert [(media["url"], media["size"]) for media in answer["media"]] == [(url, None) for url in urls]
        await bench.sim.settle()
        (text,) = bench.sim.phone(ANA)
        assert [(media.url, media.content_type, media.content) for media in text.media] == [
            (urls[0], "image/png", b"png"),
            (urls[1], "image/gif", b"gif"),
        ]
        assert all("Authorization" not in headers for headers in bench.receiver.media_requests)
        assert bench.receiver.get_payload("message.finalized")["media"][0]["size"] == 3


async def test_a_picture_is_fetched_again_only_after_an_hour() -> None:
    clock = ManualClock()
    async with open_bench(clock) as bench:
        bench.receiver.media = {"/a.png": ("image/png", b"png")}
        for minutes in (0, 59, 2):
            clock.jump(timedelta(minutes=minutes))
            await bench.send(media_urls=[f"{bench.receiver.origin}/a.png"])
            await bench.sim.settle()
        assert len(bench.receiver.media_requests) == 2
        assert len(bench.sim.phone(ANA)) == 3


@pytest.mark.parametrize("paths", [["/missing.png"], ["/big.png"], ["/half.png", "/half2.png"]])
async def test_pictures_that_are_missing_or_too_large_fail_the_message(paths: list[str]) -> None:
    async with open_bench() as bench:
        bench.receiver.media = {
            "/big.png": ("image/png", b"x" * 1_000_000),
            "/half.png": ("image/png", b"x" * 600_000),
            "/half2.png": ("image/png", b"x" * 600_000),
        }
        await bench.send(text="look", media_urls=[f"{bench.receiver.origin}{path}" for path in paths])
        await bench.sim.settle()
        assert bench.receiver.list_types() == ["message.finalized"]
        payload = bench.receiver.get_payload("message.finalized")
        assert payload["to"][0]["status"] == "sending_failed"
        assert payload["errors"][0]["code"] == "40317"
        assert bench.sim.phone(ANA) == []


# --------------------------------------------------------------------------------------------------------- groups


async def test_a_text_into_a_group_names_the_others_either_way_and_reaches_them() -> None:
    async with open_bench() as bench:
        await bench.sim.text_in(from_=ANA, to=OURS, text="all", cc=[BOB, CEM, ANA])
        bench.sim.switches.cc_style = CcStyle.STRINGS
        await bench.sim.settle()
        await bench.sim.text_in(from_=ANA, to=OURS, text="all", cc=[BOB, CEM])
        await bench.sim.settle()
        bench.sim.switches.omit_cc = True
        await bench.sim.text_in(from_=ANA, to=OURS, text="alone")
        await bench.sim.settle()
        objects, strings, none = (event["data"]["payload"] for event, _, _ in bench.receiver.taken)
        assert [member["phone_number"] for member in objects["cc"]] == [BOB, CEM]
        assert sorted(strings["cc"]) == sorted([BOB, CEM, OURS])
        assert "cc" not in none
        assert (objects["type"], none["type"]) == ("MMS", "SMS")
        assert [text.from_ for text in bench.sim.phone(BOB)] == [ANA, ANA]


async def test_listeners_hear_of_each_text_on_each_phone() -> None:
    async with open_bench() as bench:
        heard: list[tuple[str, str | None, bool]] = []

        def hear(number: str, text: PhoneText) -> None:
            heard.append((number, text.text, text.mine))

        bench.sim.listeners.append(hear)
        await bench.sim.text_in(from_=ANA, to=OURS, text="Hi")
        await bench.send(text="Hello")
        await bench.sim.settle()
        assert heard == [(ANA, "Hi", True), (ANA, "Hello", False)]
        assert [text.text for text in bench.sim.screen(ANA)] == ["Hi", "Hello"]
        assert bench.sim.list_phones() == [ANA]


async def test_a_text_from_one_of_our_numbers_to_another_comes_back_in() -> None:
    async with open_bench() as bench:
        await bench.send(to=OURS_TOO, text="loop")
        await bench.sim.settle()
        payload = bench.receiver.get_payload("message.received")
        assert (payload["from"]["phone_number"], payload["to"][0]["phone_number"]) == (OURS, OURS_TOO)
