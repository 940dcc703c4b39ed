"""What is older than it may be kept: what goes, what stays, and what is left until it has arrived."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot.chance import SeededChance
from bot.domain.consent import CustomerStopped, Evidence, EvidenceSource
from bot.domain.ids import ChannelId, ConversationId, MediaId, MessageId
from bot.domain.media import Media, MediaState
from bot.domain.message import Direction, Origin, State
from bot.ports import CarrierRequest
from storage.retention import Retention
from storage.shelf import FileShelf
from tests.storage.rig import Rig, open_rig
from tests.storage.samples import ANA, PAIR, make_job, make_message

SPAN = timedelta(days=30)
WORDS = "wombat"


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with open_rig(tmp_path / "bridge.db") as rig:
        await rig.tell_writer("PRAGMA secure_delete = OFF")
        async with rig.store.transaction("set up") as tx:
            await tx.conversations.get_or_create(
                PAIR, new_id=ConversationId("pair"), channel_id=ChannelId("C1"), now=rig.clock.now()
            )
        yield rig


@pytest.fixture
def shelf(tmp_path: Path) -> FileShelf:
    return FileShelf(tmp_path / "media", SeededChance(1))


def keep(rig: Rig, shelf: FileShelf) -> Retention:
    return Retention(rig.database, shelf, rig.clock, SPAN)


async def add(rig: Rig, name: str, at: datetime, **changes: object) -> MessageId:
    fields: dict[str, object] = {"direction": Direction.INBOUND, "origin": Origin.PHONE, "state": State.RECEIVED}
    message = make_message(name, text=f"{WORDS} {name} " * 500, created_at=at, **(fields | changes))
    async with rig.store.transaction("set up") as tx:
        assert await tx.messages.add(message)
    return message.id


def list_erased(rig: Rig) -> set[str]:
    rows = rig.look("SELECT id FROM messages WHERE erased_at IS NOT NULL AND text = ''")
    assert rig.look("SELECT COUNT(*) FROM messages WHERE erased_at IS NOT NULL") == [(len(rows),)]
    return {name for (name,) in rows}


async def test_what_is_older_is_erased_in_steps_and_what_is_younger_is_not(rig: Rig, shelf: FileShelf) -> None:
    now = rig.clock.now()
    for number in range(250):
        await add(rig, f"old{number}", now - SPAN - timedelta(minutes=number + 1))
    await add(rig, "young", now - SPAN + timedelta(minutes=1))

    assert await keep(rig, shelf).sweep() == 250

    assert list_erased(rig) == {f"old{number}" for number in range(250)}
    assert await keep(rig, shelf).sweep() == 0
    await rig.clock.advance(timedelta(minutes=2))
    assert await keep(rig, shelf).sweep() == 1


async def test_words_requests_and_pictures_are_gone_from_the_disk_and_the_evidence_stays(
    rig: Rig, shelf: FileShelf
) -> None:
    old = rig.clock.now() - SPAN - timedelta(days=1)
    name = await add(rig, "m1", old, direction=Direction.OUTBOUND, origin=Origin.THREAD, state=State.ACCEPTED)
    async with rig.store.transaction("set up") as tx:
        await tx.deliveries.add_request(
            CarrierRequest(
                message_id=name, path="/messages", idempotency_key="k", body=WORDS.encode() * 900, created_at=old
            )
        )
        await tx.media.add(
            Media(id=MediaId("f1"), message_id=name, position=0, source=f"https://x/{WORDS}", state=MediaState.KEPT,
                  created_at=old, name=f"{WORDS}.png")
        )  # fmt: skip
        said = Evidence(source=EvidenceSource.KEYWORD, at=old, message_id=name, words="stop it")
        await tx.consents.record(ANA, CustomerStopped(evidence=said), said)
    await shelf.put(MediaId("f1"), b"picture")

    await keep(rig, shelf).sweep()
    await rig.tell_writer("PRAGMA wal_checkpoint(TRUNCATE)")

    assert WORDS.encode() not in b"".join(path.read_bytes() for path in rig.database.path.parent.glob("bridge.db*"))
    assert not await shelf.has(MediaId("f1"))
    assert rig.look("SELECT id, state FROM messages") == [("m1", "accepted")]
    assert rig.look("SELECT words FROM consent_changes") == [("stop it",)]
    async with rig.store.reading() as view:
        assert (await view.consents.get(ANA)).blocked


@pytest.mark.parametrize("state", [State.WAITING, State.UNDER_WAY])
async def test_a_text_that_has_still_to_go_out_is_left(state: State, rig: Rig, shelf: FileShelf) -> None:
    old = rig.clock.now() - SPAN - timedelta(days=1)
    await add(rig, "m1", old, direction=Direction.OUTBOUND, origin=Origin.SCHEDULE, state=state)

    assert await keep(rig, shelf).sweep() == 0


async def test_a_text_is_as_old_as_the_moment_when_it_was_due(rig: Rig, shelf: FileShelf) -> None:
    old = rig.clock.now() - SPAN - timedelta(days=1)
    due = rig.clock.now() - timedelta(days=1)
    await add(rig, "m1", old, direction=Direction.OUTBOUND, origin=Origin.SCHEDULE, state=State.ACCEPTED, due_at=due)

    assert await keep(rig, shelf).sweep() == 0


async def test_a_text_that_slack_has_not_shown_yet_is_left_until_it_has(rig: Rig, shelf: FileShelf) -> None:
    """Slack may be down for long, or the channel unusable; what was answered 200 is still shown."""
    await add(rig, "m1", rig.clock.now() - SPAN - timedelta(days=1))
    async with rig.store.transaction("set up") as tx:
        await tx.queue.enqueue(make_job("text:m1:0"))
    assert await keep(rig, shelf).sweep() == 0

    async with rig.store.transaction("shown") as tx:
        await tx.queue.drop("text:m1:0")
    assert await keep(rig, shelf).sweep() == 1


async def test_a_reply_that_was_never_confirmed_can_no_longer_be(rig: Rig, shelf: FileShelf) -> None:
    old = rig.clock.now() - SPAN - timedelta(days=1)
    await add(rig, "m1", old, direction=Direction.OUTBOUND, origin=Origin.THREAD, state=State.CONFIRMING)

    await keep(rig, shelf).sweep()

    assert rig.look("SELECT state FROM messages") == [("cancelled",)]


async def test_parked_jobs_of_that_age_are_emptied_and_their_keys_stay_known(rig: Rig, shelf: FileShelf) -> None:
    async with rig.store.transaction("set up") as tx:
        await tx.queue.enqueue(make_job("telnyx:e1", body=WORDS))
        assert await tx.queue.set_aside(1)
    await keep(rig, shelf).sweep()
    assert rig.look("SELECT status, body FROM jobs") == [("parked", WORDS)]

    await rig.clock.advance(SPAN + timedelta(days=1))
    await keep(rig, shelf).sweep()

    assert rig.look("SELECT status, body FROM jobs") == [("done", "")]
    async with rig.store.transaction("look") as tx:
        assert await tx.queue.enqueue(make_job("telnyx:e1")) is False


@pytest.mark.parametrize(("active", "left"), [(0, ""), (1, WORDS)])
async def test_the_words_of_what_repeats_go_only_once_it_has_ended(
    active: int, left: str, rig: Rig, shelf: FileShelf
) -> None:
    long_ago = int((rig.clock.now() - SPAN - timedelta(days=1)).timestamp() * 1_000_000)
    await rig.tell_writer(
        f"INSERT INTO recurrences VALUES ('r1', 1, {active}, 'FREQ=DAILY', '2026-01-01T09:00', 'UTC', '{WORDS}', 'U1',"
        f" {long_ago}, 0, 1, NULL, 0)"
    )

    await keep(rig, shelf).sweep()

    assert rig.look("SELECT text FROM recurrences") == [(left,)]


async def test_a_text_that_was_put_in_line_again_is_left_until_it_has_gone(rig: Rig, shelf: FileShelf) -> None:
    old = rig.clock.now() - SPAN - timedelta(days=1)
    name = await add(rig, "m1", old, direction=Direction.OUTBOUND, origin=Origin.THREAD, state=State.UNSETTLED)
    async with rig.store.transaction("set up") as tx:
        await tx.messages.update(name, turn=2)
        await tx.queue.enqueue(make_job("send:m1:2"))

    assert await keep(rig, shelf).sweep() == 0
