"""What may happen to texts for later that are changed, answered, or repeat. Importing it adds to `STORIES`."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Any

from bot.domain.recurrence import Rule
from bot.errors import NotAllowed
from tests.crash.stories import ZONE, open_thread, receive_receipts, story
from tests.doubles.bench import ANA, Bench, Life
from tests.doubles.border import Fault, Trouble
from tests.doubles.slack import ANN

_HOUR = timedelta(hours=1)


async def schedule(life: Life, text: str, wait: timedelta, **more: Any) -> None:
    """Let Ann schedule *text*; where the process dies of it she asks once more."""
    due_at = life.world.clock.now() + wait

    async def ask(bench: Bench) -> None:
        await bench.schedules.schedule_text(
            once="trigger", author=ANN, to=(ANA,), sender=None, text=text, due_at=due_at, zone=ZONE, **more
        )

    await life.do(ask)


async def edit(life: Life, text: str, wait: timedelta | None = None, **more: Any) -> None:
    """Let Ann change what is scheduled; where the process dies of it she sends the same form once more."""
    due_at = None if wait is None else life.world.clock.now() + wait

    async def ask(bench: Bench) -> None:
        await bench.schedules.edit_schedule(
            await name(bench), ANN, once="form", text=text, due_at=due_at, zone=ZONE, **more
        )

    await life.do(ask)


async def name(bench: Bench) -> str:
    """Return the id of what is scheduled."""
    for sql in ("SELECT id FROM recurrences", "SELECT id FROM schedules"):
        if rows := await bench.read(sql):
            return str(rows[0][0])
    raise AssertionError("nothing is scheduled")


async def read_states(life: Life) -> list[str]:
    return [str(state) for (state,) in await life.do(lambda bench: bench.read("SELECT state FROM schedules"))]


def count_live(life: Life) -> int:
    """Return how many texts the carrier holds or has sent."""
    return len([text for text in life.world.carrier.texts if not text.cancelled])


# ------------------------------------------------------------------------------------------------------------- changed


@story(points=16)
async def a_text_that_waits_here_is_changed(life: Life) -> None:
    await schedule(life, "Old", timedelta(minutes=3))
    await edit(life, "New", timedelta(minutes=4))
    await life.settle()
    await receive_receipts(life)
    assert life.world.carrier.on_phone(ANA) == ["New"]
    assert [attempt.text for attempt in life.world.carrier.attempts] == ["New"] * len(life.world.carrier.attempts)
    assert life.world.slack.words() == ["New"]
    assert await read_states(life) == ["sent"]


@story(points=24)
async def a_text_that_the_carrier_holds_is_changed(life: Life) -> None:
    await schedule(life, "Old", _HOUR)
    await life.settle(spare=timedelta(seconds=10))
    await edit(life, "New", 2 * _HOUR)
    await life.settle()
    await receive_receipts(life)
    assert life.world.carrier.on_phone(ANA) == ["New"]
    assert count_live(life) == 1
    assert life.world.slack.words() == ["New"]
    assert await read_states(life) == ["sent"]


@story(points=15)
async def a_text_is_changed_while_it_is_handed_over(life: Life) -> None:
    async def change() -> None:
        bench = life.bench
        assert bench is not None
        await bench.schedules.edit_schedule(
            await name(bench), ANN, once="form", text="New", due_at=life.world.clock.now() + 2 * _HOUR, zone=ZONE
        )

    life.world.border.meanwhile.append(("carrier send", change))
    await schedule(life, "Old", _HOUR)
    await life.settle(spare=timedelta(seconds=10))
    await edit(life, "New", 2 * _HOUR)
    await life.settle()
    await receive_receipts(life)
    assert life.world.carrier.on_phone(ANA) == ["New"]
    assert count_live(life) == 1
    assert life.world.slack.words() == ["New"]


@story(points=15)
async def a_change_comes_too_late_and_the_old_one_goes_alone(life: Life) -> None:
    await schedule(life, "Old", _HOUR)
    await life.settle(spare=timedelta(seconds=10))
    life.world.border.faults.append(Fault(operation="carrier cancel", trouble=Trouble.LOST_REQUEST))
    await edit(life, "New", 2 * _HOUR)
    await life.do(lambda bench: bench.work())
    await life.world.clock.advance(_HOUR)
    life.world.carrier.pass_time()
    await life.settle()
    await receive_receipts(life)
    gone = life.world.carrier.on_phone(ANA)
    assert gone in (["Old"], ["New"])  # where the process died before the question was lost, it came in time
    assert life.world.slack.words() == gone
    assert count_live(life) == 1


@story(points=12)
async def stop_comes_while_a_text_is_being_changed(life: Life) -> None:
    await schedule(life, "Old", _HOUR)
    await life.settle(spare=timedelta(seconds=10))
    life.world.border.faults.append(Fault(operation="carrier cancel", trouble=Trouble.LOST_REQUEST))
    await edit(life, "New", 2 * _HOUR)
    await life.do(lambda bench: bench.work())
    life.world.text_in(ANA, "STOP")
    await life.settle()
    assert life.world.carrier.on_phone(ANA) == []
    assert await read_states(life) == ["cancelled"]


# ---------------------------------------------------------------------------------------------------- unless they reply


@story(points=14)
async def a_reply_takes_back_what_the_carrier_holds(life: Life) -> None:
    await open_thread(life)
    await schedule(life, "Still there?", _HOUR, unless_reply=True)
    await life.settle(spare=timedelta(seconds=10))
    life.world.text_in(ANA, "Here I am")
    await life.settle()
    assert life.world.carrier.on_phone(ANA) == []
    assert count_live(life) == 0
    assert await read_states(life) == ["cancelled"]
    assert any(whisper.user == ANN and "replied" in whisper.text for whisper in life.world.slack.whispers)


@story(points=7)
async def a_reply_that_is_stored_before_the_text_goes_counts(life: Life) -> None:
    await open_thread(life)
    await schedule(life, "Still there?", timedelta(minutes=3), unless_reply=True)
    await life.settle(spare=timedelta(seconds=10))
    life.world.text_in(ANA, "Here I am")
    await life.deliver_all()
    await life.world.clock.advance(timedelta(minutes=3))
    await life.settle()
    assert life.world.carrier.attempts == []
    assert await read_states(life) == ["cancelled"]


# ------------------------------------------------------------------------------------------------------------ repeating


def daily(life: Life, wait: timedelta, times: int) -> dict[str, Any]:
    first = (life.world.clock.now() + wait).astimezone(ZONE).replace(tzinfo=None, microsecond=0)
    return {"rule": Rule(rrule=f"FREQ=DAILY;COUNT={times}", began_on=first)}


@story(points=31)
async def a_text_that_repeats_goes_once_each_time(life: Life) -> None:
    await schedule(life, "Good morning", timedelta(minutes=3), **daily(life, timedelta(minutes=3), 3))
    await life.settle()
    await receive_receipts(life)
    assert life.world.carrier.on_phone(ANA) == ["Good morning"] * 3
    assert count_live(life) == 3
    moments = sorted(text.sent_at for text in life.world.carrier.texts if text.sent_at is not None)
    assert all(later - sooner > timedelta(hours=23) for sooner, later in pairwise(moments))
    assert life.world.slack.words() == ["Good morning"] * 3
    assert await read_states(life) == ["sent"] * 3
    assert await life.do(lambda bench: bench.read("SELECT active FROM recurrences")) == [(0,)]


@story(points=25)
async def a_text_that_repeats_is_skipped_once(life: Life) -> None:
    await schedule(life, "Good morning", _HOUR, **daily(life, _HOUR, 2))
    await life.settle(spare=timedelta(seconds=10))
    skipped = 0

    async def skip(bench: Bench) -> None:
        nonlocal skipped
        [(number,)] = await bench.read("SELECT number FROM recurrences")
        if number == 1:  # where the process died after it was done, she sees so in the list
            await bench.schedules.skip_schedule(await name(bench), ANN, ZONE)
            skipped += 1

    await life.do(skip)
    await life.settle()
    await receive_receipts(life)
    assert life.world.carrier.on_phone(ANA) == ["Good morning"]
    assert sorted(await read_states(life)) == ["cancelled", "sent"]


@story(points=25)
async def a_text_that_repeats_is_changed(life: Life) -> None:
    await schedule(life, "Old", _HOUR, **daily(life, _HOUR, 2))
    await life.settle(spare=timedelta(seconds=10))
    await edit(life, "New")
    await life.settle()
    await receive_receipts(life)
    assert life.world.carrier.on_phone(ANA) == ["New"] * 2
    assert count_live(life) == 2
    assert life.world.slack.words() == ["New"] * 2


@story(points=12)
async def a_text_that_repeats_is_ended(life: Life) -> None:
    await schedule(life, "Good morning", _HOUR, **daily(life, _HOUR, 3))
    await life.settle(spare=timedelta(seconds=10))

    async def cancel(bench: Bench) -> None:
        await bench.schedules.cancel_schedule(await name(bench), ANN)

    await life.do(cancel)
    await life.settle()
    assert life.world.carrier.on_phone(ANA) == []
    assert count_live(life) == 0


@story(points=14)
async def stop_ends_a_text_that_repeats(life: Life) -> None:
    await schedule(life, "Good morning", _HOUR, **daily(life, _HOUR, 3))
    await life.settle(spare=timedelta(seconds=10))
    life.world.text_in(ANA, "STOP")
    await life.settle()
    assert life.world.carrier.on_phone(ANA) == []
    assert count_live(life) == 0
    assert await life.do(lambda bench: bench.read("SELECT active FROM recurrences")) == [(0,)]


@story(points=12)
async def a_refused_text_is_tried_again_by_its_author(life: Life) -> None:
    life.world.carrier.refuse_next("It is time", code="40312")
    await schedule(life, "It is time", _HOUR)
    await life.settle(spare=timedelta(seconds=10))

    async def retry(bench: Bench) -> None:
        try:
            await bench.schedules.retry_schedule(await name(bench), ANN)
        except NotAllowed as error:
            raise AssertionError(error.person) from error

    await life.do(retry)
    await life.settle()
    await receive_receipts(life)
    assert life.world.carrier.on_phone(ANA) == ["It is time"]
    assert await read_states(life) == ["sent"]
    assert any("will not go out" in whisper.text for whisper in life.world.slack.whispers)
