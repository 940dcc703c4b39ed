"""What `Carrier` promises, of the real gateway and of the double that stands in for it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bot.domain.delivery import DeliveryStatus
from bot.domain.ids import CarrierMessageId, MessageId
from bot.domain.phone import Address
from bot.errors import CarrierRefused, OutcomeUnknown, RetryLater
from bot.ports import CarrierRequest
from tests.contracts.platforms import ACCOUNTS, Account
from tests.doubles.border import Trouble
from tests.sandbox import telnyx_receiver

ANA = Address(telnyx_receiver.ANA)
BOB = Address(telnyx_receiver.BOB)


@pytest.fixture(params=sorted(ACCOUNTS))
async def account(request: pytest.FixtureRequest) -> AsyncIterator[Account]:
    async with ACCOUNTS[request.param]() as opened:
        yield opened


def make_request(account: Account, text: str, *, key: str = "key", **fields: object) -> CarrierRequest:
    body = {"from": account.ours, "to": ANA, "text": text, **fields}
    return CarrierRequest(
        message_id=MessageId("message"),
        path="/messages/group_mms" if isinstance(body["to"], list) else "/messages",
        idempotency_key=key,
        body=json.dumps(body).encode(),
        created_at=account.clock.now(),
    )


def make_later(account: Account, text: str, wait: timedelta) -> CarrierRequest:
    return make_request(account, text, send_at=(account.clock.now() + wait).strftime("%Y-%m-%dT%H:%M:%SZ"))


async def test_an_accepted_text_has_an_id_and_reaches_the_phone(account: Account) -> None:
    acceptance = await account.carrier.send(make_request(account, "hello"))
    assert acceptance.carrier_id
    assert acceptance.sender == account.ours
    assert acceptance.statuses == {ANA: DeliveryStatus.QUEUED}
    assert await account.read_phone(ANA) == ["hello"]


async def test_a_group_text_reaches_each_phone(account: Account) -> None:
    acceptance = await account.carrier.send(make_request(account, "hello", to=[ANA, BOB]))
    assert acceptance.statuses.keys() == {ANA, BOB}
    assert await account.read_phone(ANA) == await account.read_phone(BOB) == ["hello"]


async def test_a_repeated_key_is_answered_as_before_and_sends_nothing(account: Account) -> None:
    request = make_request(account, "hello")
    first = await account.carrier.send(request)
    assert await account.carrier.send(request) == first
    assert await account.read_phone(ANA) == ["hello"]
    second = await account.carrier.send(make_request(account, "hello", key="another"))
    assert second.carrier_id != first.carrier_id
    assert await account.read_phone(ANA) == ["hello", "hello"]


async def test_a_key_is_good_for_one_request_only(account: Account) -> None:
    await account.carrier.send(make_request(account, "hello"))
    with pytest.raises(CarrierRefused) as refused:
        await account.carrier.send(make_request(account, "something else"))
    assert (refused.value.code, refused.value.status) == ("10027", 422)
    assert await account.read_phone(ANA) == ["hello"]


@pytest.mark.parametrize(
    ("trouble", "error", "gone"),
    [
        (Trouble.UNREACHABLE, RetryLater, []),
        (Trouble.LOST_REQUEST, OutcomeUnknown, []),
        (Trouble.LOST_ANSWER, OutcomeUnknown, ["hello"]),
    ],
)
async def test_a_failed_send_says_whether_it_may_have_gone_and_can_be_repeated(
    account: Account, trouble: Trouble, error: type[Exception], gone: list[str]
) -> None:
    request = make_request(account, "hello")
    account.strike("send", trouble)
    with pytest.raises(error):
        await account.carrier.send(request)
    assert await account.read_phone(ANA) == gone
    await account.carrier.send(request)
    assert await account.read_phone(ANA) == ["hello"]


async def test_a_refusal_is_told_with_its_code_and_not_remembered(account: Account) -> None:
    request = make_request(account, "hello")
    account.refuse_next("hello")
    with pytest.raises(CarrierRefused) as refused:
        await account.carrier.send(request)
    assert (refused.value.code, refused.value.status) == ("40302", 400)
    assert await account.read_phone(ANA) == []
    await account.carrier.send(request)
    assert await account.read_phone(ANA) == ["hello"]


async def test_a_held_text_goes_at_its_time(account: Account) -> None:
    acceptance = await account.carrier.send(make_later(account, "later", timedelta(minutes=10)))
    assert acceptance.statuses == {ANA: DeliveryStatus.SCHEDULED}
    await account.pass_time(timedelta(minutes=9))
    assert await account.read_phone(ANA) == []
    await account.pass_time(timedelta(minutes=2))
    assert await account.read_phone(ANA) == ["later"]


async def test_a_held_text_can_be_taken_back_once(account: Account) -> None:
    acceptance = await account.carrier.send(make_later(account, "later", timedelta(minutes=10)))
    await account.carrier.cancel(acceptance.carrier_id)
    with pytest.raises(CarrierRefused):
        await account.carrier.cancel(acceptance.carrier_id)
    await account.pass_time(timedelta(minutes=11))
    assert await account.read_phone(ANA) == []


@pytest.mark.parametrize("wait", [timedelta(minutes=9, seconds=30), timedelta(minutes=11)])
async def test_in_its_last_minute_and_later_nothing_is_taken_back(account: Account, wait: timedelta) -> None:
    acceptance = await account.carrier.send(make_later(account, "later", timedelta(minutes=10)))
    await account.pass_time(wait)
    with pytest.raises(CarrierRefused):
        await account.carrier.cancel(acceptance.carrier_id)
    await account.pass_time(timedelta(minutes=1))
    assert await account.read_phone(ANA) == ["later"]


async def test_a_cancellation_without_an_answer_may_have_been_in_time(account: Account) -> None:
    acceptance = await account.carrier.send(make_later(account, "later", timedelta(minutes=10)))
    account.strike("cancel", Trouble.LOST_ANSWER)
    with pytest.raises(OutcomeUnknown):
        await account.carrier.cancel(acceptance.carrier_id)
    with pytest.raises(CarrierRefused):
        await account.carrier.cancel(acceptance.carrier_id)
    await account.pass_time(timedelta(minutes=11))
    assert await account.read_phone(ANA) == []


async def test_what_was_never_sent_cannot_be_taken_back_or_found(account: Account) -> None:
    nothing = CarrierMessageId("b0c7e8cb-0000-4000-8000-000000000000")
    with pytest.raises(CarrierRefused):
        await account.carrier.cancel(nothing)
    assert await account.carrier.find_message(nothing) is None


async def test_a_text_is_on_record(account: Account) -> None:
    acceptance = await account.carrier.send(make_request(account, "hello"))
    record = await account.carrier.find_message(acceptance.carrier_id)
    assert record is not None
    assert record["id"] == acceptance.carrier_id
    assert [copy["phone_number"] for copy in record["to"]] == [ANA]


async def test_the_list_of_optouts_names_who_and_when(account: Account) -> None:
    assert await account.carrier.list_optouts() == []
    account.block(ANA)
    [optout] = await account.carrier.list_optouts()
    assert (optout.address, optout.keyword, optout.created_at) == (ANA, "STOP", account.clock.now())
    account.strike("list_optouts", Trouble.LOST_ANSWER)
    with pytest.raises(RetryLater):
        await account.carrier.list_optouts()


async def test_access_is_granted(account: Account) -> None:
    await account.carrier.check_access()
