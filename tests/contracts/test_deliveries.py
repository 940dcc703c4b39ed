"""What every implementation of `bot.ports.Deliveries` promises."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import timedelta

import pytest

from bot.domain.delivery import Delivery, DeliveryStatus
from bot.domain.ids import ChannelId, ConversationId, MessageId
from bot.ports import CarrierRequest, Store
from tests.storage.samples import ANA, BOB, GROUP, NOW, make_message

ONE = MessageId("one")
REQUEST = CarrierRequest(
    message_id=ONE, path="/messages", idempotency_key="key", body=b'{"text": "\xc3\xa7a \x00"}', created_at=NOW
)


@pytest.fixture(autouse=True)
async def _message(store: Store) -> None:
    async with store.transaction("test") as kept:
        await kept.conversations.get_or_create(GROUP, new_id=ConversationId("pair"), channel_id=ChannelId("C"), now=NOW)
        await kept.messages.add(make_message("one"))
        await kept.messages.add(make_message("two"))


async def _find(store: Store) -> CarrierRequest | None:
    async with store.reading() as kept:
        return await kept.deliveries.find_request(ONE)


async def test_a_request_comes_back_byte_for_byte(store: Store) -> None:
    assert await _find(store) is None
    async with store.transaction("test") as kept:
        await kept.deliveries.add_request(REQUEST)
    assert await _find(store) == REQUEST


@pytest.mark.parametrize(
    "second",
    [
        CarrierRequest(message_id=ONE, path="/messages", idempotency_key="new", body=b"other", created_at=NOW),
        CarrierRequest(message_id=MessageId("two"), path="/messages", idempotency_key="key", body=b"", created_at=NOW),
        CarrierRequest(message_id=MessageId("none"), path="/messages", idempotency_key="x", body=b"", created_at=NOW),
    ],
)
async def test_a_stored_request_is_never_replaced_its_key_never_reused_and_each_has_its_message(
    store: Store, second: CarrierRequest
) -> None:
    async with store.transaction("test") as kept:
        await kept.deliveries.add_request(REQUEST)
    with pytest.raises(Exception, match="constraint"):
        async with store.transaction("test") as kept:
            await kept.deliveries.add_request(second)
    assert await _find(store) == REQUEST


async def test_an_attempt_is_open_until_its_outcome_is_known(store: Store) -> None:
    async with store.transaction("test") as kept:
        await kept.deliveries.add_request(REQUEST)
    for number in (1, 2):
        began_at = NOW + timedelta(seconds=number)
        async with store.transaction("test") as kept:
            await kept.deliveries.open_attempt(ONE, began_at)
        found = await _find(store)
        assert found is not None
        assert (found.attempted_at, found.attempts, found.body) == (began_at, number, REQUEST.body)
    async with store.transaction("test") as kept:
        await kept.deliveries.close_attempt(ONE)
    found = await _find(store)
    assert found is not None
    assert (found.attempted_at, found.attempts) == (None, 0)


SENT = Delivery(status=DeliveryStatus.SENT, occurred_at=NOW)
DELIVERED = Delivery(status=DeliveryStatus.DELIVERED, occurred_at=NOW + timedelta(seconds=1))
FAILED = Delivery(
    status=DeliveryStatus.DELIVERY_FAILED, occurred_at=NOW + timedelta(seconds=2), code="40008", title="t", detail="d"
)


@pytest.mark.parametrize("order", list(itertools.permutations([SENT, DELIVERED, FAILED])))
async def test_receipts_in_any_order_and_twice_end_the_same(store: Store, order: Sequence[Delivery]) -> None:
    for receipt in (*order, *order):
        async with store.transaction("test") as kept:
            merged = await kept.deliveries.merge(ONE, ANA, receipt)
            assert (await kept.deliveries.of_message(ONE))[ANA] == merged
    async with store.reading() as kept:
        assert dict(await kept.deliveries.of_message(ONE)) == {ANA: DELIVERED}


async def test_each_copy_has_its_own_end(store: Store) -> None:
    async with store.transaction("test") as kept:
        assert await kept.deliveries.merge(ONE, ANA, DELIVERED) == DELIVERED
        assert await kept.deliveries.merge(ONE, BOB, FAILED) == FAILED
        assert await kept.deliveries.merge(MessageId("two"), BOB, SENT) == SENT
    async with store.reading() as kept:
        assert dict(await kept.deliveries.of_message(ONE)) == {ANA: DELIVERED, BOB: FAILED}
        assert dict(await kept.deliveries.of_message(MessageId("nobody"))) == {}
