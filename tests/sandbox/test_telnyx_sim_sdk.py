"""The official SDK drives the simulated carrier over real HTTP and believes its answers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
import telnyx
from telnyx.types import (
    DeliveryUpdateWebhookEvent,
    InboundMessageWebhookEvent,
    MessageCancelScheduledResponse,
    MessageSendGroupMmsResponse,
    MessageSendResponse,
    MessagingOptoutListResponse,
    MessagingProfileRetrieveResponse,
)
from telnyx.types.detail_record_list_response import MessageDetailRecord
from telnyx.types.shared import PhoneNumberWithMessagingSettings

from bot.clock import ManualClock, SystemClock
from bot.sandbox.telnyx_state import Media, Outcome, OutcomeKind
from tests.sandbox.telnyx_receiver import ANA, BOB, CEM, KEY, OURS, OURS_TOO, PROFILE, TOLL_FREE, Bench, open_bench


@asynccontextmanager
async def open_sdk(bench: Bench, *, api_key: str = KEY) -> AsyncIterator[telnyx.AsyncTelnyx]:
    async with telnyx.AsyncTelnyx(
        api_key=api_key, base_url=bench.sim.url, public_key=bench.sim.public_key, max_retries=0
    ) as client:
        yield client


async def test_a_send_comes_back_queued_and_the_phone_has_it() -> None:
    async with open_bench() as bench, open_sdk(bench) as client:
        answer = await client.messages.send(from_=OURS, to=ANA, text="Your order is ready.")
        assert answer.data is not None
        assert answer.data.to is not None
        assert [(to.phone_number, to.status) for to in answer.data.to] == [(ANA, "queued")]
        await bench.sim.settle()
        (text,) = bench.sim.phone(ANA)
        assert (text.from_, text.text, text.message_id) == (OURS, "Your order is ready.", answer.data.id)


async def test_the_same_key_twice_is_one_message() -> None:
    async with open_bench() as bench, open_sdk(bench) as client:
        first = await client.messages.send(from_=OURS, to=ANA, text="once", idempotency_key="m-1")
        again = await client.messages.with_raw_response.send(from_=OURS, to=ANA, text="once", idempotency_key="m-1")
        await bench.sim.settle()
        assert first.data is not None
        assert (await again.parse()).data == first.data
        assert again.headers["Idempotent-Replayed"] == "true"
        assert [send.key for send in bench.sim.sends] == ["m-1"]
        assert len(bench.sim.phone(ANA)) == 1
        assert len(bench.sim.requests) == 2


async def test_the_sdks_own_retries_make_duplicates_without_a_key() -> None:
    async with open_bench() as bench, open_sdk(bench) as client:
        bench.sim.faults.add(_drop_answer())
        await client.with_options(max_retries=2).messages.send(from_=OURS, to=ANA, text="twice")
        assert len(bench.sim.sends) == 2
        bench.sim.faults.add(_drop_answer())
        await client.with_options(max_retries=2).messages.send(from_=OURS, to=BOB, text="once", idempotency_key="m-2")
        assert len(bench.sim.sends) == 3
        await bench.sim.settle()


def _drop_answer() -> Any:
    from bot.sandbox.faults import Fault, FaultKind

    return Fault(kind=FaultKind.DROP_ANSWER, operation="POST /messages", times=1)


async def test_a_group_is_one_message_to_several_people() -> None:
    async with open_bench() as bench, open_sdk(bench) as client:
        raw = await client.messages.with_raw_response.send_group_mms(from_=OURS, to=[ANA, BOB, CEM], text="Hello all")
        MessageSendGroupMmsResponse.model_validate(await raw.json())
        answer = await raw.parse()
        assert answer.data is not None
        assert answer.data.id is not None
        listed = await client.messages.retrieve_group_messages(answer.data.id)
        assert listed.data is not None
        assert [message.to[0].phone_number for message in listed.data if message.to] == [ANA, BOB, CEM]
        await bench.sim.settle()
        assert [bench.sim.phone(number)[0].others for number in (ANA, BOB)] == [(BOB, CEM), (ANA, CEM)]


async def test_a_scheduled_message_waits_and_can_be_cancelled() -> None:
    clock = ManualClock()
    async with open_bench(clock) as bench, open_sdk(bench) as client:
        due = clock.now() + timedelta(hours=1)
        kept = await client.messages.schedule(from_=OURS, to=ANA, text="later", send_at=due)
        dropped = await client.messages.send(from_=OURS, to=BOB, text="never", send_at=due)
        assert kept.data is not None
        assert dropped.data is not None
        assert dropped.data.id is not None
        raw = await client.messages.with_raw_response.cancel_scheduled(dropped.data.id)
        cancelled = MessageCancelScheduledResponse.model_validate(await raw.json())
        assert cancelled.to is not None
        assert cancelled.to[0].status == "cancelled"
        await clock.advance(timedelta(minutes=59))
        await bench.sim.settle()
        assert bench.sim.phone(ANA) == []
        await clock.advance(timedelta(minutes=2))
        await bench.sim.settle()
        assert [text.text for text in bench.sim.phone(ANA)] == ["later"]
        assert bench.sim.phone(BOB) == []


async def test_cancelling_what_is_sent_or_unknown_is_refused() -> None:
    async with open_bench() as bench, open_sdk(bench) as client:
        sent = await client.messages.send(from_=OURS, to=ANA, text="gone")
        assert sent.data is not None
        assert sent.data.id is not None
        with pytest.raises(telnyx.PermissionDeniedError) as refused:
            await client.messages.cancel_scheduled(sent.data.id)
        assert isinstance(refused.value.body, dict)
        assert "code" in refused.value.body  # bare, not wrapped into a list of errors
        with pytest.raises(telnyx.NotFoundError) as missing:
            await client.messages.cancel_scheduled("40310000-0000-4000-8000-000000000000")
        assert isinstance(missing.value.body, dict)
        assert missing.value.body["code"] == "40303"
        await bench.sim.settle()


async def test_messages_of_both_directions_are_looked_up_by_id() -> None:
    async with open_bench() as bench, open_sdk(bench) as client:
        sent = await client.messages.send(from_=OURS, to=ANA, text="out")
        inbound_id = await bench.sim.text_in(from_=ANA, to=OURS, text="in")
        await bench.sim.settle()
        assert sent.data is not None
        assert sent.data.id is not None
        out = await client.messages.retrieve(sent.data.id)
        came = await client.messages.retrieve(inbound_id)
        assert out.data is not None
        assert came.data is not None
        assert (out.data.direction, out.data.text) == ("outbound", "out")
        assert (came.data.direction, came.data.text) == ("inbound", "in")
        with pytest.raises(telnyx.NotFoundError):
            await client.messages.retrieve("40310000-0000-4000-8000-000000000000")


async def test_a_message_older_than_ten_days_is_not_found() -> None:
    clock = ManualClock()
    async with open_bench(clock) as bench, open_sdk(bench) as client:
        inbound_id = await bench.sim.text_in(from_=ANA, to=OURS, text="in")
        await bench.sim.settle()
        clock.jump(timedelta(days=9))
        await client.messages.retrieve(inbound_id)
        clock.jump(timedelta(days=2))
        with pytest.raises(telnyx.NotFoundError):
            await client.messages.retrieve(inbound_id)


async def test_optouts_are_listed_newest_first_over_several_pages() -> None:
    clock = ManualClock()
    async with open_bench(clock) as bench, open_sdk(bench) as client:
        people = [f"+1773555{number:04}" for number in range(45)]
        moments = []
        for person in people:
            bench.sim.block(sender=OURS, person=person, keyword="STOP")
            moments.append(clock.now())
            clock.jump(timedelta(minutes=1))
        bench.sim.block(sender=OURS_TOO, person=people[0], keyword=None)
        mine = client.messaging_optouts.list(filter={"from": OURS}, page_size=20)
        assert [optout.to async for optout in mine] == people[::-1]
        assert len([1 async for _ in client.messaging_optouts.list()]) == 46
        late = client.messaging_optouts.list(filter={"from": OURS}, created_at={"gte": moments[43]})
        assert [optout.to async for optout in late] == [people[44], people[43]]
        early = client.messaging_optouts.list(created_at={"lte": moments[0]}, filter={"messaging_profile_id": PROFILE})
        found = [optout async for optout in early]
        assert [(optout.to, optout.keyword) for optout in found] == [(people[0], "STOP")]
        nobody = client.messaging_optouts.list(filter={"messaging_profile_id": "another"})
        assert [optout async for optout in nobody] == []
        pages = [request.query.get("page[number]") for request in bench.sim.requests[:3]]
        assert pages == [None, "2", "3"]


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, telnyx.BadRequestError),
        (403, telnyx.PermissionDeniedError),
        (404, telnyx.NotFoundError),
        (409, telnyx.ConflictError),
        (422, telnyx.UnprocessableEntityError),
        (429, telnyx.RateLimitError),
        (500, telnyx.InternalServerError),
        (503, telnyx.InternalServerError),
    ],
)
async def test_each_status_is_the_sdks_error_for_it(status: int, error: type[telnyx.APIStatusError]) -> None:
    async with open_bench() as bench, open_sdk(bench) as client:
        bench.sim.set_outcome(ANA, Outcome(kind=OutcomeKind.REFUSED, code="40301", http_status=status))
        with pytest.raises(error) as raised:
            await client.messages.send(from_=OURS, to=ANA, text="no")
        assert raised.value.status_code == status
        assert isinstance(raised.value.body, dict)
        assert raised.value.body["errors"][0]["code"] == "40301"
        assert bench.sim.sends == []


async def test_a_wrong_key_is_an_authentication_error() -> None:
    async with open_bench() as bench, open_sdk(bench, api_key="KEYWRONG") as client:
        with pytest.raises(telnyx.AuthenticationError) as raised:
            await client.messages.send(from_=OURS, to=ANA, text="no")
        assert isinstance(raised.value.body, dict)
        assert raised.value.body["errors"][0]["code"] == "10009"


async def test_profiles_and_numbers_are_read_and_changed() -> None:
    async with open_bench() as bench, open_sdk(bench) as client:
        listed = [profile async for profile in await client.messaging_profiles.list(filter_name_contains="text")]
        assert [profile.id for profile in listed] == [PROFILE]
        raw = await client.messaging_profiles.with_raw_response.retrieve(PROFILE)
        profile = MessagingProfileRetrieveResponse.model_validate(await raw.json()).data
        assert profile is not None
        assert (profile.webhook_url, profile.webhook_api_version) == (bench.receiver.url, "2")
        changed = await client.messaging_profiles.update(
            PROFILE, webhook_url="https://bridge.example.com/webhooks/telnyx"
        )
        assert changed.data is not None
        assert bench.sim.profile_webhook_url == "https://bridge.example.com/webhooks/telnyx"
        with pytest.raises(telnyx.NotFoundError):
            await client.messaging_profiles.retrieve("40010000-0000-4000-8000-000000000000")
        numbers = [number async for number in client.messaging_profiles.list_phone_numbers(PROFILE)]
        assert [number.phone_number for number in numbers] == [OURS, OURS_TOO, TOLL_FREE]
        bench.sim.add_number("+13125550144", mms=False)
        found = [
            PhoneNumberWithMessagingSettings.model_validate(number.to_dict())
            async for number in client.phone_numbers.messaging.list(filter_type="longcode", sort_phone_number="desc")
        ]
        assert [number.phone_number for number in found] == ["+13125550144", OURS_TOO, OURS]
        features = [number.features for number in found]
        assert features[0] is not None
        assert features[1] is not None
        assert (features[0].mms, features[1].mms is not None) == (None, True)


async def test_a_profile_can_be_made_and_a_number_moved_to_it() -> None:
    async with open_bench() as bench, open_sdk(bench) as client:
        made = await client.messaging_profiles.create(name="Second", whitelisted_destinations=["US"])
        assert made.data is not None
        assert made.data.id is not None
        (number,) = [number async for number in client.phone_numbers.messaging.list(filter_phone_number=OURS_TOO)]
        assert number.id is not None
        await client.phone_numbers.messaging.update(number.id, messaging_profile_id=made.data.id)
        moved = await client.phone_numbers.messaging.retrieve(number.id)
        assert moved.data is not None
        assert moved.data.messaging_profile_id == made.data.id
        sent = await client.messages.send(from_=OURS_TOO, to=ANA, text="hi")
        assert sent.data is not None
        assert sent.data.messaging_profile_id == made.data.id
        bench.sim.block(sender=OURS, person=ANA)  # a block of one profile is none of another's
        await client.messages.send(from_=OURS_TOO, to=ANA, text="hi again")
        with pytest.raises(telnyx.BadRequestError):
            await client.messages.send(from_=OURS_TOO, to=ANA, text="hi", messaging_profile_id=PROFILE)
        with pytest.raises(telnyx.NotFoundError):
            await client.phone_numbers.messaging.retrieve("1")
        await bench.sim.settle()


async def test_detail_records_tell_what_was_sent_and_received() -> None:
    clock = ManualClock()
    async with open_bench(clock) as bench, open_sdk(bench) as client:
        began = clock.now()
        bench.sim.set_outcome(BOB, Outcome(kind=OutcomeKind.DELIVERY_FAILED, code="40002"))
        sent = await client.messages.send(from_=OURS, to=BOB, text="out")
        await bench.sim.settle()
        clock.jump(timedelta(minutes=1))
        inbound_id = await bench.sim.text_in(from_=ANA, to=OURS, text="in")
        await bench.sim.settle()
        assert sent.data is not None
        listed = client.detail_records.list(
            filter={"record_type": "messaging", "created_at": {"gte": began.isoformat()}},  # type: ignore[arg-type]
            sort=["created_at"],
            page_size=1,
        )
        records = [MessageDetailRecord.model_validate(record.to_dict()) async for record in listed]
        assert [(record.uuid, record.direction, record.status, record.errors) for record in records] == [
            (sent.data.id, "outbound", "failed", ["40002"]),
            (inbound_id, "inbound", "received", []),
        ]
        assert records[1].delivery_status == "success: webhook succeeded"
        newest_first = client.detail_records.list(filter={"record_type": "messaging"})
        assert [record.to_dict()["uuid"] async for record in newest_first] == [inbound_id, sent.data.id]
        only = client.detail_records.list(filter={"record_type": "messaging", "direction": "inbound"})  # type: ignore[arg-type]
        assert [record.to_dict()["uuid"] async for record in only] == [inbound_id]
        with pytest.raises(telnyx.BadRequestError):
            await client.detail_records.list(filter={"record_type": "messaging", "colour": "red"})  # type: ignore[arg-type]


async def test_every_kind_of_answer_and_webhook_fits_the_sdks_models() -> None:
    async with open_bench() as bench, open_sdk(bench) as client:
        bench.receiver.media["/a.png"] = ("image/png", b"png")
        for outcome in (None, *(Outcome(kind=kind) for kind in OutcomeKind if kind is not OutcomeKind.REFUSED)):
            bench.sim.set_outcome(ANA, outcome)
            raw = await client.messages.with_raw_response.send(
                from_=OURS, to=ANA, text="hi", media_urls=[f"{bench.receiver.origin}/a.png"], subject="s"
            )
            MessageSendResponse.model_validate(await raw.json())
            await bench.sim.settle()
        picture = Media(filename="p.jpg", content_type="image/jpeg", content=b"jpg")
        await bench.sim.text_in(from_=BOB, to=OURS, text=None, media=[picture], cc=[ANA, CEM])
        await bench.sim.text_in(from_=BOB, to=OURS, text="stop")
        await bench.sim.settle()
        (optout,) = [
            MessagingOptoutListResponse.model_validate(o.to_dict()) async for o in client.messaging_optouts.list()
        ]
        assert (optout.from_, optout.to, optout.keyword) == (OURS, BOB, "stop")
        for event, _, _ in bench.receiver.taken:
            if event["data"]["event_type"] == "message.received":
                InboundMessageWebhookEvent.model_validate(event)
            elif event["data"]["payload"]["to"][0]["status"] != "unknown":  # a state that only Telnyx's guide knows
                DeliveryUpdateWebhookEvent.model_validate(event)
        assert len(bench.receiver.taken) > 12


async def test_the_sdk_verifies_a_webhook_and_no_altered_one() -> None:
    async with open_bench(SystemClock()) as bench, open_sdk(bench) as client:
        await bench.sim.text_in(from_=ANA, to=OURS, text="Grüße 👋 & <ok>")
        await bench.sim.settle()
        ((_, headers, body),) = bench.receiver.taken
        event = client.webhooks.unwrap(body.decode(), headers=headers)
        assert isinstance(event, InboundMessageWebhookEvent)
        assert event.data is not None
        assert event.data.payload is not None
        assert event.data.payload.text == "Grüße 👋 & <ok>"
        with pytest.raises(ValueError, match="Signature"):
            client.webhooks.unwrap(body.decode().replace("ok", "no"), headers=headers)


async def test_the_public_key_is_served() -> None:
    async with open_bench() as bench:
        status, answer, _ = await bench.call("GET", "/public_key")
        assert (status, answer["data"]["public"]) == (200, bench.sim.public_key)
