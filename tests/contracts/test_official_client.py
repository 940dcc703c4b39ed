"""
The official SDK beside our own client: both drive every operation of the simulated carrier over real HTTP.

What ours sends must be what the SDK sends, and fit the SDK's own request types; what the simulator answers must fit the
SDK's own answer types.
"""

from __future__ import annotations

import json
import types
import typing
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
import telnyx
from telnyx._models import validate_type

from bot.domain.carrier_api.operation import Answer, Operation, Resource
from bot.domain.carrier_api.table import OPERATIONS
from bot.errors import CarrierRefused
from bot.sandbox.telnyx_http import ApiRequest
from tests.contracts.sdk_calls import (
    METHODS,
    build_arguments,
    fill,
    find_method,
    find_params,
    find_types,
    name_argument,
)
from tests.contracts.test_carrier_account import open_gateway, run
from tests.sandbox.telnyx_account_seed import open_account
from tests.sandbox.telnyx_receiver import KEY, Bench

by_name = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.name)

#: What the SDK takes and our table leaves out, with the reason.
LEFT_OUT = {
    "page_number": "pages are turned by the client",
    "page_size": "likewise",
    "idempotency_key": "a header, given beside the fields",
    "messaging_profile_id of short-codes unbind": "always empty there",
    "tags of short-codes unbind": "an operation for one thing",
    "messaging_profile_id of numbers unassign": "always empty there",
    "messaging_product of numbers unassign": "an operation for one thing",
    "tags of numbers unassign": "likewise",
    "messaging_profile_id of hosted unassign": "always empty there",
    "messaging_product of hosted unassign": "an operation for one thing",
    "tags of hosted unassign": "likewise",
}


@asynccontextmanager
async def open_sdk(bench: Bench) -> AsyncIterator[telnyx.AsyncTelnyx]:
    async with telnyx.AsyncTelnyx(api_key=KEY, base_url=bench.sim.url, max_retries=0) as client:
        yield client


def read_request(request: ApiRequest) -> tuple[Any, ...]:
    """Return all of a request that has a meaning."""
    body = json.loads(request.body) if request.body else None
    key = request.headers.get("Idempotency-Key")
    return request.method, request.path, sorted(request.query.items()), body, key


async def drive(client: telnyx.AsyncTelnyx, operation: Operation, given: dict[str, Any]) -> Any:
    method = find_method(client, operation)
    arguments = build_arguments(method, operation, given)
    if operation.keyed:
        arguments["idempotency_key"] = "key-1"
    return await method(**arguments)


def test_every_operation_has_its_method_and_no_method_two_meanings() -> None:
    assert list(METHODS) == [operation.name for operation in OPERATIONS]
    assert len({operation.name for operation in OPERATIONS}) == len(OPERATIONS)


@by_name
async def test_the_official_client_carries_out_every_example_and_knows_all_of_the_answer(operation: Operation) -> None:
    async with open_account() as bench, open_sdk(bench) as client:
        answer = await drive(client, operation, dict(operation.example))

        (request,) = bench.sim.requests
        assert request.status in (200, 201)
        if isinstance(answer, str):
            assert answer == '"OK"'
            return
        found = [item async for item in answer] if operation.answer is Answer.PAGES else [answer]
        assert found
        assert len(bench.sim.requests) == 1
        for each in found:
            understood = type(each).model_validate(rewrite(each.model_dump(mode="json", by_alias=True, warnings=False)))
            assert understood.to_dict()
            assert set(find_unknown(understood, "")) - IN_THE_GUIDES == set()


#: Fields and values of the simulator's that are Telnyx' guides', but not its SDK's.
IN_THE_GUIDES = {
    "data.send_at",
    "data.group_message_id",
    "data[].group_message_id",
    "send_at",
    "wait_seconds",  # of a cancelled message; of all others the SDK knows it
}


def rewrite(value: Any) -> Any:
    """Return *value* with the one status that only the guides have in place of its nearest."""
    if isinstance(value, dict):
        return {
            name: "queued" if (name, each) == ("status", "scheduled") else rewrite(each) for name, each in value.items()
        }
    return [rewrite(each) for each in value] if isinstance(value, list) else value


def find_unknown(value: object, where: str) -> typing.Iterator[str]:
    """Yield the path of each field in an SDK object that its class does not declare."""
    if isinstance(value, telnyx.BaseModel):
        for name in value.model_extra or {}:
            yield f"{where}{name}"
        for name in type(value).model_fields:
            yield from find_unknown(getattr(value, name), f"{where}{name}.")
    elif isinstance(value, list):
        for item in value:
            yield from find_unknown(item, f"{where.removesuffix('.')}[].")


@by_name
@pytest.mark.parametrize("complete", [False, True], ids=["example", "all fields"])
async def test_our_request_is_the_official_clients(operation: Operation, complete: bool) -> None:
    given = fill(operation) if complete else dict(operation.example)
    async with open_account() as bench, open_sdk(bench) as client, open_gateway(bench) as account:
        with suppress(telnyx.APIStatusError):
            await drive(client, operation, given)
        with suppress(CarrierRefused):
            await run(account, operation, **given)

        theirs, ours = bench.sim.requests
        assert read_request(ours) == read_request(theirs)


@by_name
def test_our_fields_are_those_of_the_official_request_type(operation: Operation) -> None:
    client = telnyx.AsyncTelnyx(api_key=KEY)
    method = find_method(client, operation)
    theirs = set(find_types(method))
    ours = {name_argument(method, field.name)[0] for field in operation.fields if field.name != "id"}
    left_out = {name for name in theirs - ours if not {name, f"{name} of {operation.name}"} & LEFT_OUT.keys()}

    assert left_out == set()
    assert ours - theirs <= {"profile_id", "autoresp_cfg_id", "message_id"}  # parts of the address


@by_name
def test_what_is_needed_is_what_the_official_request_type_needs(operation: Operation) -> None:
    client = telnyx.AsyncTelnyx(api_key=KEY)
    method = find_method(client, operation)
    needed = {name_argument(method, field.name)[0] for field in operation.fields if field.required} - {"id"}
    theirs = {name for name, hint in find_types(method).items() if typing.get_origin(hint) is typing.Required}

    assert needed - theirs <= {"profile_id", "autoresp_cfg_id", "message_id"}
    assert theirs - needed - set(operation.fixed) == set()


@by_name
def test_all_fields_together_fit_the_official_request_type(operation: Operation) -> None:
    client = telnyx.AsyncTelnyx(api_key=KEY)
    method = find_method(client, operation)
    params = find_params(method)
    if params is None:
        return
    arguments = build_arguments(method, operation, fill(operation))
    body = {name: value for name, value in arguments.items() if name in find_types(method)}

    validate_type(type_=params, value=body)


@by_name
def test_what_can_be_chosen_is_what_the_official_request_type_lets_be_chosen(operation: Operation) -> None:
    client = telnyx.AsyncTelnyx(api_key=KEY)
    method = find_method(client, operation)
    hints = find_types(method)
    for field in operation.fields:
        name, key = name_argument(method, field.name)
        theirs = set(list_literals(hints[name])) if key is None and name in hints else set()
        if theirs or (field.choices and field.name != "redaction_enabled"):  # a text there; the guides say which
            assert set(field.choices) == theirs, field.name


def list_literals(hint: Any) -> list[str]:
    """Return the words that *hint* allows, however deep they stand in it, but not those of an object's parts."""
    if typing.get_origin(hint) is typing.Literal:
        return list(typing.get_args(hint))
    if typing.get_origin(hint) is typing.Annotated:
        return list_literals(typing.get_args(hint)[0])
    return [each for inner in typing.get_args(hint) for each in list_literals(inner)]


def test_the_parts_of_objects_are_those_of_the_official_types() -> None:
    client = telnyx.AsyncTelnyx(api_key=KEY)
    compared = 0
    for operation in OPERATIONS:
        method = find_method(client, operation)
        for field in operation.fields:
            if field.parts:
                hint = find_types(method)[field.name]
                theirs = {name for each in list_typed_dicts(hint) for name in typing.get_type_hints(each)}
                assert {part.name for part in field.parts} == theirs, f"{operation.name} {field.name}"
                compared += 1
    assert compared >= 7


def list_typed_dicts(hint: Any) -> list[Any]:
    """Return the TypedDicts that *hint* allows."""
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is not None:
        return [found for each in typing.get_args(hint) for found in list_typed_dicts(each)]
    return [hint] if hasattr(hint, "__required_keys__") else []


def test_every_resource_has_operations() -> None:
    assert {operation.resource for operation in OPERATIONS} == set(Resource)
