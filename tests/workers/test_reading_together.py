"""Webhooks that are read together, by the real flows on a real file: each text stands or falls by itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from bot.domain.ids import CarrierMessageId
from tests.doubles.bench import ANA, BOB, CEM, Bench, Life, Request, World
from tests.doubles.border import Border, Side
from tests.doubles.direct import make_empty_file
from tests.doubles.slack import ANN

_READING = "commit read carrier events"
_EVENTS = "SELECT status, attempts, surprises FROM jobs WHERE kind = 'carrier_event' ORDER BY id"
_REFUSE = """
CREATE TRIGGER refuse BEFORE INSERT ON packed_messages WHEN NEW.text = 'bad'
BEGIN SELECT RAISE(ABORT, 'not this one'); END"""


@asynccontextmanager
async def living() -> AsyncIterator[Life]:
    """Let the program live in a world of its own."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        template = folder / "empty.db"
        make_empty_file(template)
        found = Life(World(folder=folder, template=template))
        try:
            yield found
        finally:
            await found.stop()


@pytest.fixture
async def life() -> AsyncIterator[Life]:
    async with living() as found:
        yield found


def count_commits(life: Life) -> int:
    """Return how many transactions have read webhooks."""
    return [crossing.name for crossing in life.world.border.crossings].count(_READING) // 2


async def read_all(life: Life) -> None:
    """Take in what came, and do what is due."""
    await life.deliver_all()
    await life.do(lambda bench: bench.work())


async def have_refused(bench: Bench, statement: str) -> None:
    """Have the database refuse a text, or take it after all."""
    async with bench.store.transaction("a rule of its own") as kept:
        await kept.facts._connection.execute_fetchall(statement)


def tell_nonsense(life: Life) -> None:
    """Let the carrier tell of something that nobody here knows."""
    event = {"event_type": "number.dreamt", "id": "event-nonsense", "record_type": "event", "payload": {"id": "x"}}
    life.world.requests.append(Request(body={"data": event}))


async def test_texts_of_several_people_are_read_in_one_transaction(life: Life) -> None:
    for who in (ANA, BOB, CEM):
        life.world.text_in(who, f"from {who}")
    await read_all(life)
    assert count_commits(life) == 1
    assert sorted(life.world.slack.words()) == sorted(f"from {who}" for who in (ANA, BOB, CEM))


async def test_texts_and_receipts_are_read_together(life: Life) -> None:
    life.world.text_in(ANA, "Hello")
    await life.settle()
    (root,) = life.world.slack.posted()
    reply, event = life.world.slack.say(ANN, root, "Good day")
    life.world.tell(event)
    await life.settle()
    before = count_commits(life)
    life.world.report(life.world.carrier.texts[0])
    life.world.text_in(ANA, "Thanks")
    life.world.text_in(BOB, "Hello")
    await life.settle()
    assert count_commits(life) == before + 1
    assert reply.our_marks == {"white_check_mark"}
    assert life.world.slack.words() == ["Hello", "Thanks", "Hello"]


async def test_one_that_nobody_understands_is_parked_and_the_texts_beside_it_are_shown(life: Life) -> None:
    life.world.text_in(ANA, "Hello")
    tell_nonsense(life)
    life.world.text_in(BOB, "Good day")
    await read_all(life)
    assert await life.do(lambda bench: bench.read(_EVENTS)) == [("done", 1, 0), ("parked", 1, 0), ("done", 1, 0)]
    assert sorted(life.world.slack.words()) == ["Good day", "Hello"]


async def test_one_that_fails_after_others_were_written_is_tried_again_alone_and_each_is_shown_once(life: Life) -> None:
    bench = await life.start()
    await have_refused(bench, _REFUSE)
    for who, text in ((ANA, "Hello"), (BOB, "bad"), (CEM, "Good day")):
        life.world.text_in(who, text)
    await read_all(life)
    assert await bench.read(_EVENTS) == [("done", 1, 0), ("ready", 1, 1), ("done", 1, 0)]
    assert sorted(life.world.slack.words()) == ["Good day", "Hello"]
    await have_refused(bench, "DROP TRIGGER refuse")
    await life.settle()
    assert sorted(life.world.slack.words()) == ["Good day", "Hello", "bad"]


async def test_a_text_that_came_twice_is_shown_once_though_both_are_read_together(life: Life) -> None:
    """Under two ids of the carrier's, from two senders' lanes, so that nothing but the message's id tells."""
    life.world.text_in(ANA, "Hello")
    twin = life.world.text_in(BOB, "Hello")
    twin.body["data"]["payload"]["id"] = CarrierMessageId("inbound-1")
    await read_all(life)
    assert count_commits(life) == 1
    assert life.world.slack.words() == ["Hello"]


@pytest.mark.parametrize("side", list(Side))
async def test_when_the_process_dies_at_their_commit_all_are_read_again_or_none(side: Side) -> None:
    rehearsal = await run_and_die(None)
    (place,) = [each.number for each in rehearsal.crossings if (each.name, each.side) == (_READING, side)]
    await run_and_die(place)


async def run_and_die(place: int | None) -> Border:
    """Have three people text, the process dying at crossing *place*; return what crossed."""
    async with living() as life:
        border = life.world.border
        border.crash_at = () if place is None else {place}
        for who in (ANA, BOB, CEM):
            life.world.text_in(who, f"from {who}")
        await life.settle()
        attempts = 2 if place is not None and border.crossings[place].side is Side.BEFORE else 1
        assert await life.do(lambda bench: bench.read(_EVENTS)) == [("done", attempts, 0)] * 3
        assert sorted(life.world.slack.words()) == sorted(f"from {who}" for who in (ANA, BOB, CEM))
        assert (life.world.lives, count_commits(life)) == (1 if place is None else 2, 1)
        return border
