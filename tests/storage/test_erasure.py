"""Erasing one number: what goes, what stays, and what has to be waited for."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.chance import SeededChance
from bot.domain.carrier_lanes import inbound_lane
from bot.domain.consent import CustomerStopped, Evidence, EvidenceSource
from bot.domain.conversation import Parties
from bot.domain.ids import ChannelId, ConversationId, MediaId, MessageId, SlackTs
from bot.domain.job import Kind, Pool
from bot.domain.media import Media, MediaState
from bot.domain.message import Direction, Origin, State
from bot.domain.schedule import ScheduleState
from bot.errors import NotAllowed
from bot.ports import CarrierRequest
from storage.erasure import Erasure, erase, plan_erasure, scrub
from storage.shelf import FileShelf
from storage.transcript import read_record
from tests.storage.rig import Rig, open_rig
from tests.storage.samples import (
    ANA,
    BOB,
    GROUP,
    NOW,
    OURS,
    PAIR,
    make_job,
    make_message,
    make_recurrence,
    make_schedule,
    pair_of,
)

WORDS = "wombat"
BOBS = pair_of(OURS, BOB)


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with open_rig(tmp_path / "bridge.db") as rig:
        # Some builds of SQLite overwrite what is deleted by themselves, and the one that a bridge runs on need not.
        await rig.tell_writer("PRAGMA secure_delete = OFF")
        yield rig


@pytest.fixture
def shelf(tmp_path: Path) -> FileShelf:
    return FileShelf(tmp_path / "media", SeededChance(1))


async def add_conversation(rig: Rig, name: str, parties: Parties) -> ConversationId:
    async with rig.store.transaction("set up") as tx:
        conversation = await tx.conversations.get_or_create(
            parties, new_id=ConversationId(name), channel_id=ChannelId("C1"), now=NOW
        )
        await tx.conversations.open_thread(
            conversation.id, ChannelId("C1"), SlackTs(f"1700000000.{hash(name) % 1000:06}")
        )
        return conversation.id


async def add_message(rig: Rig, name: str, conversation: str = "pair", **changes: object) -> MessageId:
    message = make_message(
        name, conversation_id=ConversationId(conversation), text=f"{WORDS} of {name} " * 500, **changes
    )
    async with rig.store.transaction("set up") as tx:
        await tx.messages.add(message)
        await tx.queue.enqueue(
            make_job(
                f"send:{name}", body=json.dumps({"message": name, "part": message.text}), lane=f"send:{conversation}"
            )
        )
    return message.id


async def run_erasure(rig: Rig, shelf: FileShelf) -> Erasure:
    erasure = await erase(rig.database, ANA, shelf, rig.clock)
    await scrub(rig.database)
    return erasure


def find_words(rig: Rig, words: str = WORDS) -> bool:
    """Tell whether *words* are anywhere in the file or in its log."""
    return any(words.encode() in path.read_bytes() for path in rig.database.path.parent.glob("bridge.db*"))


async def test_texts_requests_jobs_and_pictures_are_gone_from_the_disk_and_their_history_stays(
    rig: Rig, shelf: FileShelf
) -> None:
    await add_conversation(rig, "pair", PAIR)
    message = await add_message(rig, "m1", state=State.ACCEPTED)
    await add_message(rig, "m2", direction=Direction.INBOUND, origin=Origin.PHONE, state=State.RECEIVED)
    async with rig.store.transaction("set up") as tx:
        await tx.deliveries.add_request(
            CarrierRequest(
                message_id=message, path="/messages", idempotency_key="k", body=WORDS.encode(), created_at=NOW
            )
        )
        await tx.media.add(
            Media(
                id=MediaId("f1"), message_id=message, position=0, source=f"https://x/{WORDS}", state=MediaState.KEPT,
                created_at=NOW, name=f"{WORDS}.png",
            )
        )  # fmt: skip
        said = Evidence(source=EvidenceSource.KEYWORD, at=NOW, message_id=MessageId("m2"), words=f"{WORDS} stop")
        await tx.consents.record(ANA, CustomerStopped(evidence=said), said)
        for fact in ("edit", "corrected"):
            await tx.facts.set_fact(f"{fact}:{message}", f"{WORDS}, edited too late")
    await shelf.put(MediaId("f1"), b"picture")
    assert find_words(rig)

    erasure = await run_erasure(rig, shelf)

    assert (erasure.texts, erasure.files, erasure.jobs, erasure.words) == (2, 1, 2, 1)
    assert not find_words(rig)
    assert not await shelf.has(MediaId("f1"))
    async with read_record(rig.database, ANA) as reader:
        (conversation,) = [each async for each in reader.conversations()]
        texts = [text.message async for text in reader.texts(conversation)]
        (record,) = [each async for each in reader.people()]
    assert [(text.state, text.erased_at) for text in texts] == [
        (State.ACCEPTED, rig.clock.now()),
        (State.RECEIVED, rig.clock.now()),
    ]
    assert record.consent.blocked
    assert [(entry.evidence.source, entry.evidence.words) for entry in record.history] == [
        (EvidenceSource.KEYWORD, None)
    ]
    assert rig.look("SELECT idempotency_key, body FROM requests") == [("k", b"")]
    assert (await plan_erasure(rig.database, ANA)).is_empty


async def test_what_waits_to_be_sent_is_never_sent(rig: Rig, shelf: FileShelf) -> None:
    await add_conversation(rig, "pair", PAIR)
    await add_message(rig, "m1", state=State.WAITING)
    await add_message(rig, "m2", state=State.CONFIRMING)
    async with rig.store.transaction("set up") as tx:
        await tx.schedules.add(make_schedule("s1", "m1"))

    erasure = await run_erasure(rig, shelf)

    assert erasure.unsent == 2
    assert rig.look("SELECT DISTINCT state FROM messages") == [("cancelled",)]
    assert rig.look("SELECT state FROM schedules") == [("cancelled",)]
    assert rig.look("SELECT DISTINCT status FROM jobs") == [("done",)]


async def test_nobody_elses_words_are_touched(rig: Rig, shelf: FileShelf) -> None:
    await add_conversation(rig, "pair", PAIR)
    await add_conversation(rig, "bobs", BOBS)
    await add_message(rig, "m1")
    async with rig.store.transaction("set up") as tx:
        await tx.messages.add(make_message("m2", conversation_id=ConversationId("bobs"), text=f"ask {ANA}"))
        # A text to somebody else that names the number erased, still to be posted; and a longer number's webhook.
        await tx.queue.enqueue(make_job("text:m2", body=json.dumps({"message": "m2", "part": f"ask {ANA}"})))
        await tx.queue.enqueue(
            make_job("telnyx:e1", kind=Kind.CARRIER_EVENT, pool=Pool.CARRIER_IN, body=json.dumps({"from": f"{ANA}9"}))
        )

    await run_erasure(rig, shelf)

    assert rig.look("SELECT text FROM messages WHERE id = 'm2'") == [(f"ask {ANA}",)]
    assert rig.look("SELECT key FROM jobs WHERE status = 'ready' ORDER BY key") == [("telnyx:e1",), ("text:m2",)]


async def test_groups_that_the_number_is_part_of_are_erased_and_said_to_be(rig: Rig, shelf: FileShelf) -> None:
    await add_conversation(rig, "group", GROUP)
    await add_message(rig, "m1", "group", state=State.ACCEPTED)

    erasure = await run_erasure(rig, shelf)

    assert (erasure.conversations, erasure.groups, erasure.texts) == (1, 1, 1)
    assert not find_words(rig)


async def test_a_parked_webhook_of_theirs_is_emptied_and_its_key_stays_known(rig: Rig, shelf: FileShelf) -> None:
    event = {"kind": Kind.CARRIER_EVENT, "pool": Pool.CARRIER_IN}
    async with rig.store.transaction("set up") as tx:
        await tx.queue.enqueue(make_job("telnyx:e1", body=f'{{"body": "{WORDS} {ANA}"}}', **event))
        ((job_id,),) = [(row["id"],) for row in await tx.queue._connection.execute_fetchall("SELECT id FROM jobs")]
        assert await tx.queue.set_aside(job_id)

    erasure = await run_erasure(rig, shelf)

    assert erasure.jobs == 1
    assert not find_words(rig)
    async with rig.store.transaction("look") as tx:
        assert await tx.queue.enqueue(make_job("telnyx:e1", **event)) is False


async def refuse(rig: Rig, shelf: FileShelf) -> str:
    """Return in which words the erasure is refused, after making sure that nothing is erased."""
    before = rig.look("SELECT text FROM messages"), rig.look("SELECT status, body FROM jobs")
    with pytest.raises(NotAllowed) as refused:
        await erase(rig.database, ANA, shelf, rig.clock)
    assert (rig.look("SELECT text FROM messages"), rig.look("SELECT status, body FROM jobs")) == before
    assert (await plan_erasure(rig.database, ANA)).hindrances
    return refused.value.person


async def test_an_unread_webhook_of_theirs_comes_first_for_it_may_say_stop(rig: Rig, shelf: FileShelf) -> None:
    async with rig.store.transaction("set up") as tx:
        await tx.queue.enqueue(
            make_job("telnyx:e1", kind=Kind.CARRIER_EVENT, pool=Pool.CARRIER_IN, lane=inbound_lane(ANA), body="STOP")
        )

    assert "may say STOP" in await refuse(rig, shelf)


async def test_a_text_on_its_way_comes_first(rig: Rig, shelf: FileShelf) -> None:
    await add_conversation(rig, "pair", PAIR)
    await add_message(rig, "m1", state=State.UNDER_WAY)

    assert "on its way" in await refuse(rig, shelf)


async def test_a_job_being_worked_on_comes_first(rig: Rig, shelf: FileShelf) -> None:
    await add_conversation(rig, "pair", PAIR)
    await add_message(rig, "m1")
    assert await rig.workbench.claim(Pool.POST, 1)

    assert "worked on" in await refuse(rig, shelf)


async def test_a_text_that_repeats_ends_and_says_nothing_more(rig: Rig, shelf: FileShelf) -> None:
    conversation_id = await add_conversation(rig, "pair", PAIR)
    async with rig.store.transaction("set up") as tx:
        await tx.recurrences.add(make_recurrence("abcde", conversation_id=conversation_id, text=f"{WORDS} again"))
    await run_erasure(rig, shelf)
    async with rig.store.reading() as view:
        assert await view.recurrences.list_active() == []
    assert not find_words(rig)


async def test_what_the_carrier_holds_is_taken_back_first(rig: Rig, shelf: FileShelf) -> None:
    await add_conversation(rig, "pair", PAIR)
    await add_message(rig, "m1", due_at=NOW + timedelta(hours=1))
    async with rig.store.transaction("set up") as tx:
        await tx.schedules.add(make_schedule("s1", "m1", state=ScheduleState.AT_CARRIER))

    assert "/schedule cancel s1" in await refuse(rig, shelf)
