"""Every operation of the account through our gateway, over real HTTP, at the simulated carrier."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import unquote

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.domain.carrier_api import messages, profiles, senders
from bot.domain.carrier_api.operation import Answer, Operation
from bot.domain.carrier_api.table import OPERATIONS
from bot.errors import Broken, CarrierRefused, FieldsWrong, OutcomeUnknown, RetryLater
from bot.gateways.telnyx import TelnyxGateway
from bot.observe import Metrics
from bot.ports import CarrierAccount
from bot.sandbox.faults import Fault, FaultKind
from tests.sandbox.telnyx_account_seed import HOSTED, OURS, PROFILE, SHORT_CODE, THEIRS, open_account
from tests.sandbox.telnyx_receiver import KEY, Bench

by_name = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.name)


@asynccontextmanager
async def open_gateway(bench: Bench, *, api_key: str = KEY) -> AsyncIterator[CarrierAccount]:
    gateway = TelnyxGateway(url=bench.sim.url, api_key=api_key, profile_id=None, metrics=Metrics())
    try:
        yield gateway
    finally:
        await gateway.close()


async def run(account: CarrierAccount, operation: Operation, **more: Any) -> list[dict[str, Any]]:
    """Carry the example out; return what came back, as a list in any case."""
    given = {**operation.example, **more}
    if operation.answer is Answer.ONE:
        return [dict(await account.call(operation, given, key="key-1" if operation.keyed else None))]
    return [dict(each) async for each in account.list_all(operation, given)]


@by_name
async def test_every_example_is_carried_out(operation: Operation) -> None:
    async with open_account() as bench, open_gateway(bench) as account:
        records = await run(account, operation)

        (request,) = bench.sim.requests
        assert request.status in (200, 201)
        assert (request.method, request.operation.partition(" ")[2]) == (operation.method, operation.path)
        if operation.keyed:
            assert request.headers["Idempotency-Key"] == "key-1"
        if operation is profiles.DELETE_AUTORESPONSE:  # which the carrier answers with a word
            assert records == [{}]
        else:
            assert records
            assert all(records)
        for column in operation.columns:
            assert column.partition(".")[0] in records[0], column


@by_name
async def test_every_refusal_comes_with_code_title_and_detail(operation: Operation) -> None:
    async with open_account() as bench, open_gateway(bench, api_key="KEYwrong") as account:
        with pytest.raises(CarrierRefused) as refused:
            await run(account, operation)

        assert (refused.value.code, refused.value.title, refused.value.status) == (
            "10009",
            "Authentication failed",
            401,
        )
        assert (refused.value.detail or "").startswith("The required authentication headers")


@by_name
async def test_what_is_not_the_operations_is_not_even_asked(operation: Operation) -> None:
    async with open_account() as bench, open_gateway(bench) as account:
        with pytest.raises(FieldsWrong) as wrong:
            await run(account, operation, nonsense="x")

        assert wrong.value.problems == (("nonsense", "is not a field of this operation"),)
        assert bench.sim.requests == []


@by_name
async def test_a_lost_answer_says_whether_anything_may_have_changed(operation: Operation) -> None:
    async with open_account() as bench, open_gateway(bench) as account:
        fault = Fault(kind=FaultKind.DROP_ANSWER, operation=f"{operation.method} {operation.path}", times=1)
        bench.sim.faults.add(fault)
        with pytest.raises(OutcomeUnknown if operation.changes else RetryLater):
            await run(account, operation)


# ------------------------------------------------------------------------------------------------ what it changes there


async def test_a_changed_profile_keeps_what_was_not_given() -> None:
    async with open_account() as bench, open_gateway(bench) as account:
        before = await account.call(profiles.GET_PROFILE, {"id": PROFILE})
        pool = {"toll_free_weight": 0, "long_code_weight": 1, "skip_unhealthy": False, "sticky_sender": True}
        after = await account.call(
            profiles.UPDATE_PROFILE,
            {"id": PROFILE, "number_pool_settings": pool, "webhook_failover_url": None, "alpha_sender": "Acme"},
        )

        changed = {name for name in after if after[name] != before[name]}
        assert changed <= {"number_pool_settings", "alpha_sender", "updated_at"}
        assert after["number_pool_settings"] == pool
        assert bench.sim.account.profiles[PROFILE].alpha_sender == "Acme"


async def test_a_profile_is_made_found_and_deleted() -> None:
    async with open_account() as bench, open_gateway(bench) as account:
        made = await account.call(profiles.CREATE_PROFILE, profiles.CREATE_PROFILE.example)
        found = await run(account, profiles.LIST_PROFILES, **{"filter[name][contains]": "supp"})
        assert [each["id"] for each in found] == [made["id"]]

        await account.call(profiles.DELETE_PROFILE, {"id": made["id"]})
        assert made["id"] not in bench.sim.account.profiles
        with pytest.raises(CarrierRefused) as refused:
            await account.call(profiles.GET_PROFILE, {"id": made["id"]})
        assert (refused.value.code, refused.value.status) == ("10005", 404)


async def test_a_secret_is_another_afterwards() -> None:
    async with open_account() as bench, open_gateway(bench) as account:
        after = await account.call(profiles.REGENERATE_SECRET, {"id": PROFILE})
        assert after["v1_secret"] not in ("", "secret")
        assert bench.sim.requests[-1].body == b""


async def test_a_number_leaves_its_profile_and_comes_back() -> None:
    async with open_account() as bench, open_gateway(bench) as account:
        for number, take, put in (
            (OURS, senders.UNASSIGN_NUMBER, senders.UPDATE_NUMBER),
            (HOSTED, senders.UNASSIGN_HOSTED, senders.UPDATE_HOSTED),
            (SHORT_CODE, senders.UNBIND_SHORT_CODE, senders.UPDATE_SHORT_CODE),
        ):
            own = bench.sim.account.numbers[number]
            assert (await account.call(take, take.example))["messaging_profile_id"] is None
            assert own.profile_id is None
            assert (await account.call(put, put.example))["tags"] == put.example["tags"]
            assert own.profile_id == PROFILE


async def test_a_hosted_number_is_found_by_itself_too() -> None:
    async with open_account() as bench, open_gateway(bench) as account:
        assert (await account.call(senders.GET_HOSTED, {"id": HOSTED}))["phone_number"] == HOSTED
        assert bench.sim.requests[-1].path.endswith(HOSTED)


async def test_a_name_is_made_once_and_deleted() -> None:
    async with open_account() as bench, open_gateway(bench) as account:
        made = await account.call(senders.CREATE_SENDER, senders.CREATE_SENDER.example)
        with pytest.raises(CarrierRefused) as refused:
            await account.call(senders.CREATE_SENDER, senders.CREATE_SENDER.example)
        assert (refused.value.code, refused.value.status) == ("10012", 422)
        await account.call(senders.DELETE_SENDER, {"id": made["id"]})
        assert made["id"] not in bench.sim.account.sender_names


async def test_an_automatic_answer_is_written_as_a_whole_and_deleted() -> None:
    async with open_account() as bench, open_gateway(bench) as account:
        given = {**profiles.UPDATE_AUTORESPONSE.example}
        del given["resp_text"]
        written = await account.call(profiles.UPDATE_AUTORESPONSE, given)
        assert (written["op"], written["keywords"], written["resp_text"]) == ("stop", ["STOP", "HALT"], "")
        await account.call(profiles.DELETE_AUTORESPONSE, profiles.DELETE_AUTORESPONSE.example)
        assert bench.sim.account.autoresponses == {}


async def test_a_scheduled_text_is_taken_back_and_a_sent_one_is_not() -> None:
    async with open_account() as bench, open_gateway(bench) as account:
        taken = await account.call(messages.CANCEL, messages.CANCEL.example)
        assert taken["to"][0]["status"] == "cancelled"
        with pytest.raises(CarrierRefused) as refused:  # whose error is bare there, not one of a list
            await account.call(messages.CANCEL, messages.CANCEL.example)
        assert (refused.value.code, refused.value.status) == ("10010", 403)
        assert "more than a minute" in (refused.value.detail or "")


async def test_the_same_key_sends_once() -> None:
    async with open_account() as bench, open_gateway(bench) as account:
        first = await account.call(messages.SEND, messages.SEND.example, key="k")
        assert await account.call(messages.SEND, messages.SEND.example, key="k") == first
        await bench.sim.settle()
        assert [text.text for text in bench.sim.phone(THEIRS)] == ["Your order is ready."]


async def test_words_go_out_as_they_are() -> None:
    async with open_account() as bench, open_gateway(bench) as account:
        words = 'Ünïcode 😀 "quoted"\nand a second line'
        await account.call(messages.SEND, {"from": OURS, "to": THEIRS, "text": words})
        await bench.sim.settle()
        assert [text.text for text in bench.sim.phone(THEIRS)] == [words]
        assert json.loads(bench.sim.requests[0].body) == {"from": OURS, "to": THEIRS, "text": words}


async def test_whatsapp_reaches_the_phone_and_after_a_day_is_refused() -> None:
    async with open_account() as bench, open_gateway(bench) as account:
        await account.call(messages.SEND_WHATSAPP, messages.SEND_WHATSAPP.example)
        await bench.sim.settle()
        assert [text.text for text in bench.sim.phone(THEIRS)] == ["Hello from Acme."]
        bench.sim.account.whatsapp_heard_at.clear()
        with pytest.raises(CarrierRefused) as refused:
            await account.call(messages.SEND_WHATSAPP, messages.SEND_WHATSAPP.example)
        assert refused.value.code == "41000"
        assert "24 hours" in (refused.value.detail or "")


# ------------------------------------------------------------------------------------------------------------------ lists


async def test_a_list_follows_every_page_and_reads_no_further_than_asked() -> None:
    async with open_account() as bench, open_gateway(bench) as account:
        for place in range(600):
            bench.sim.add_number(f"+1646555{place:04}", profile_id=PROFILE)

        first = await anext(account.list_pages(senders.LIST_NUMBERS, {}))
        assert (len(first.items), first.number, first.pages, first.total) == (250, 1, 3, 602)

        bench.sim.requests.clear()
        numbers = [each["phone_number"] async for each in account.list_all(senders.LIST_NUMBERS, {})]
        assert len(set(numbers)) == len(numbers) == 602
        assert [request.query["page[number]"] for request in bench.sim.requests] == ["1", "2", "3"]

        later = [page async for page in account.list_pages(senders.LIST_NUMBERS, {}, start=3)]
        assert [(page.number, len(page.items)) for page in later] == [(3, 102)]

        bench.sim.requests.clear()
        reading = account.list_all(senders.LIST_NUMBERS, {})
        for _ in range(251):
            await anext(reading)
        assert len(bench.sim.requests) == 2  # the third page was not wanted


async def test_a_list_that_is_empty_has_one_empty_page() -> None:
    async with open_account() as bench, open_gateway(bench) as account:
        bench.sim.account.optouts.clear()
        pages = [page async for page in account.list_pages(senders.LIST_OPTOUTS, {})]
        assert [(page.items, page.pages, page.total) for page in pages] == [([], 1, 0)]


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({}, 3),
        ({"filter[messaging_profile_id]": PROFILE}, 2),
        ({"filter[from]": OURS}, 1),
        ({"created_at[gte]": "2026-11-30T09:00:00Z"}, 2),
        ({"created_at[lte]": "2026-11-29T00:00:00-06:00"}, 1),
        ({"created_at[gte]": "2026-11-29T09:00:01Z", "filter[from]": HOSTED}, 1),
    ],
)
async def test_optouts_are_found_by_every_filter(filters: dict[str, Any], found: int) -> None:
    async with open_account() as bench, open_gateway(bench) as account:
        sim = bench.sim
        sim.block(sender=HOSTED, person="+12125550188")
        (known,) = [each for each in sim.account.optouts.values() if each.sender == OURS]
        other = sim.account.default_profile_id
        sim.account.optouts[other, "+13125550111", "+12125550177"] = replace(
            known,
            profile_id=other,
            sender="+13125550111",
            person="+12125550177",
            created_at=known.created_at - timedelta(days=2),
        )
        assert len([each async for each in account.list_all(senders.LIST_OPTOUTS, filters)]) == found


async def test_optouts_come_with_their_numbers_blacked_out_where_asked() -> None:
    async with open_account() as bench, open_gateway(bench) as account:
        (row,) = [each async for each in account.list_all(senders.LIST_OPTOUTS, {"redaction_enabled": "true"})]
        assert row["to"] == "+1212555****"
        assert bench.sim.requests[0].query["redaction_enabled"] == "true"


async def test_one_object_is_not_read_as_a_list_nor_a_list_as_one() -> None:
    async with open_account() as bench, open_gateway(bench) as account:
        with pytest.raises(Broken):
            await account.call(senders.LIST_NUMBERS, {})
        with pytest.raises(Broken):
            _ = [each async for each in account.list_all(profiles.GET_PROFILE, {"id": PROFILE})]
        with pytest.raises(Broken):
            await account.call(profiles.GET_PROFILE, {"id": PROFILE}, key="k")
        assert bench.sim.requests == []


# ----------------------------------------------------------------------------------------------------- odd answers


@asynccontextmanager
async def open_odd(*answers: web.Response) -> AsyncIterator[tuple[TelnyxGateway, list[str]]]:
    """Lend an account whose carrier gives *answers*, one after the other, and the queries that it gets."""
    left, asked = list(answers), []

    async def serve(request: web.Request) -> web.Response:
        asked.append(request.query_string)
        return left.pop(0)

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", serve)
    async with TestServer(app) as server:
        gateway = TelnyxGateway(url=str(server.make_url("/")), api_key=KEY, profile_id=None, metrics=Metrics())
        try:
            yield gateway, asked
        finally:
            await gateway.close()


@pytest.mark.parametrize(
    "answer",
    [
        {"body": b""},
        {"status": 204},
        {"body": b'"OK"', "content_type": "application/json"},
        {"body": b"deleted", "content_type": "text/plain"},
        {"body": b'{"data": "deleted"}', "content_type": "application/json"},
    ],
)
async def test_a_short_yes_is_a_yes(answer: dict[str, Any]) -> None:
    async with open_odd(web.Response(**answer)) as (account, _):
        assert await account.call(profiles.DELETE_AUTORESPONSE, profiles.DELETE_AUTORESPONSE.example) == {}


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        (profiles.DELETE_AUTORESPONSE, b"<html>welcome to this hotel's network</html>"),
        (messages.SEND, b'{"data": {}}'),
        (messages.SEND, b"OK"),
    ],
)
async def test_what_may_not_be_the_carriers_yes_is_none(operation: Operation, body: bytes) -> None:
    async with open_odd(web.Response(body=body, content_type="text/html")) as (account, _):
        with pytest.raises(OutcomeUnknown):
            await account.call(operation, operation.example)


async def test_an_object_that_is_not_there_is_asked_for_again_later() -> None:
    async with open_odd(web.json_response({"data": None})) as (account, _):
        with pytest.raises(RetryLater):
            await account.call(profiles.GET_PROFILE, {"id": PROFILE})


async def test_all_that_was_refused_is_told_and_what_it_is_about() -> None:
    errors = [
        {"code": "10015", "title": "Bad Request", "detail": "No such country.", "source": {"pointer": "/country_code"}},
        {"code": 10033, "title": "Value outside of range"},
        "nonsense",
    ]
    async with open_odd(web.json_response({"errors": errors}, status=422)) as (account, _):
        with pytest.raises(CarrierRefused) as refused:
            await account.call(profiles.CREATE_AUTORESPONSE, profiles.CREATE_AUTORESPONSE.example)
    error = refused.value
    assert (error.code, error.title, error.detail, error.status) == ("10015", "Bad Request", "No such country.", 422)
    assert (error.field, error.further) == ("/country_code", ("10033: Value outside of range",))


@pytest.mark.parametrize("answer", [{"errors": []}, {"errors": "no"}, {"errors": [[]]}, [], "no", None])
async def test_a_refusal_without_words_is_one_all_the_same(answer: object) -> None:
    async with open_odd(web.json_response(answer, status=403)) as (account, _):
        with pytest.raises(CarrierRefused) as refused:
            await account.call(profiles.GET_PROFILE, {"id": PROFILE})
    assert (refused.value.code, refused.value.field, refused.value.further) == ("403", None, ())


def make_page(number: int, pages: int, *ids: str) -> web.Response:
    meta = {"page_number": number, "total_pages": pages, "total_results": 99, "page_size": 1}
    return web.json_response({"data": [{"id": each} for each in ids], "meta": meta})


@pytest.mark.parametrize("operation", [profiles.LIST_AUTORESPONSES, senders.LIST_NUMBERS], ids=lambda each: each.name)
async def test_a_carrier_that_repeats_a_page_does_not_keep_us_for_ever(operation: Operation) -> None:
    async with open_odd(make_page(1, 3, "a"), make_page(1, 3, "a")) as (account, _):
        assert [each["id"] for each in await run(account, operation)] == ["a"]


def make_optouts(first: int, count: int, meta: dict[str, Any] | None = None) -> web.Response:
    """Return a page of opt-outs; without *meta* it does not say how many there are."""
    rows = [{"to": f"+1212555{number:04}", "created_at": "2026-10-01"} for number in range(first, first + count)]
    return web.json_response({"data": rows} | ({} if meta is None else {"meta": meta}))


async def test_optouts_are_read_to_their_end_though_nobody_says_how_many_pages_there_are() -> None:
    """Whoever stood on a page that was not read would be texted."""
    async with open_odd(make_optouts(0, 250), make_optouts(250, 250), make_optouts(500, 7)) as (account, asked):
        assert len({optout.address for optout in await account.list_optouts()}) == 507
        assert len(asked) == 3


@pytest.mark.parametrize(
    "meta", [None, {}, {"total_results": 45}, {"page_number": 1, "page_size": 20}, {"total_pages": "3"}]
)
async def test_optouts_are_read_to_their_end_though_the_pages_are_smaller_than_was_asked_for(
    meta: dict[str, Any] | None,
) -> None:
    pages = [make_optouts(0, 20, meta), make_optouts(20, 20, meta), make_optouts(40, 5, meta)]
    async with open_odd(*pages) as (account, asked):
        assert len(await account.list_optouts()) == 45
        assert len(asked) == 3


async def test_optouts_that_come_whole_at_each_page_are_read_once() -> None:
    async with open_odd(make_optouts(0, 260), make_optouts(0, 260)) as (account, asked):
        assert len(await account.list_optouts()) == 260
        assert len(asked) == 2


async def test_a_list_that_came_whole_so_far_is_followed_if_it_grows_pages() -> None:
    answers = [make_page(1, 2, "a"), make_page(2, 2, "b")]
    async with open_odd(*answers) as (account, asked):
        given = {"profile_id": PROFILE}
        assert [each["id"] async for each in account.list_all(profiles.LIST_AUTORESPONSES, given)] == ["a", "b"]
        assert [unquote(query) for query in asked] == ["", "page[number]=2"]


async def test_a_refusal_in_the_middle_of_a_list_ends_it() -> None:
    refusal = web.json_response({"errors": [{"code": "10007", "title": "Unexpected error"}]}, status=500)
    async with open_odd(make_page(1, 2, "a"), refusal) as (account, _):
        reading = account.list_all(senders.LIST_NUMBERS, {})
        assert (await anext(reading))["id"] == "a"
        with pytest.raises(RetryLater):
            await anext(reading)
