"""Stories of pictures: those that come in, shown once, after their text and in order; those that go out, all or none."""

from __future__ import annotations

from datetime import timedelta

from bot.domain.ids import FileId, SlackTs
from bot.domain.media import FileRef
from bot.domain.message import Mark, Origin
from bot.flows.reply_wording import deleted_too_late
from tests.crash.stories import (
    ZONE,
    check_mark,
    check_thread,
    find_root,
    open_thread,
    receive_receipts,
    reply,
    story,
    tell_now,
)
from tests.doubles.bench import ANA, BOB, Bench, Life
from tests.doubles.border import Fault, Trouble
from tests.doubles.files import draw, stamp
from tests.doubles.slack import ANN

PICTURES = ("https://media.example/one.jpg", "https://media.example/two.jpg")


def check_pictures(life: Life, root_ts: SlackTs, *names: str) -> None:
    """See that the thread shows exactly these files."""
    assert life.world.files.list_shown(root_ts) == list(names)


@story(points=24)
async def pictures_are_shown_once_after_their_text_and_in_order(life: Life) -> None:
    root = await open_thread(life)
    life.world.text_in(ANA, "Look", media=PICTURES)
    life.world.text_in(ANA, "Nice?")
    await life.settle()
    assert life.world.slack.words() == ["Hello", "Look", "Nice?"]
    check_pictures(life, root.ts, "one.jpg", "two.jpg")


@story(points=25)
async def pictures_whose_share_has_no_answer_are_shown_once(life: Life) -> None:
    root = await open_thread(life)
    life.world.border.faults.append(Fault(operation="slack complete_uploads", trouble=Trouble.LOST_ANSWER))
    life.world.border.faults.append(Fault(operation="slack send_bytes", trouble=Trouble.LOST_REQUEST))
    life.world.text_in(ANA, "Look", media=PICTURES)
    await life.settle()
    check_pictures(life, root.ts, "one.jpg", "two.jpg")


# ----------------------------------------------------------------------------------------------------- Slack to phone


async def check_carried(life: Life, text: str, *names: str) -> None:
    """See that *text* went out once, and that the carrier can fetch its pictures, as they were made, in this order."""
    (carried,) = [each for each in life.world.carrier.texts if each.text == text]
    served = [await life.do(lambda bench, url=url: bench.serve(url)) for url in carried.media_urls]  # type: ignore[misc]
    assert served == [stamp(draw(name)) for name in names]


@story(points=27)
async def pictures_of_a_reply_go_out_with_it_once_whole_and_in_order(life: Life) -> None:
    await open_thread(life)
    message = await reply(life, "Look", "one.jpg", "two.jpg")
    await reply(life, "Nice?")
    await life.settle()
    await receive_receipts(life)
    assert life.world.carrier.on_phone(ANA) == ["Look", "Nice?"]
    await check_carried(life, "Look", "one.jpg", "two.jpg")
    await check_carried(life, "Nice?")
    check_mark(message, Mark.DELIVERED)


@story(points=25)
async def pictures_are_there_for_the_carrier_before_it_answers_and_under_the_same_addresses_when_asked_again(
    life: Life,
) -> None:
    async def fetch_now() -> None:
        await check_carried(life, "Look", "one.jpg")

    await open_thread(life)
    life.world.border.faults.append(Fault(operation="carrier send", trouble=Trouble.LOST_ANSWER, times=2))
    life.world.border.meanwhile.append(("carrier send", fetch_now))
    await reply(life, "Look", "one.jpg")
    await life.settle()
    assert life.world.carrier.on_phone(ANA) == ["Look"]
    assert len({attempt.key for attempt in life.world.carrier.attempts}) == 1
    await check_carried(life, "Look", "one.jpg")


@story(points=21)
async def when_one_picture_cannot_be_had_none_goes_out_and_its_author_is_told_once(life: Life) -> None:
    await open_thread(life)
    message = await reply(life, "Look", "one.jpg", "two.jpg")
    life.world.files.throw_away("two.jpg")
    await reply(life, "Nice?")
    await life.settle()
    assert life.world.carrier.on_phone(ANA) == ["Nice?"]
    assert {whisper.user for whisper in life.world.slack.whispers} == {ANN}
    assert all("two.jpg" in whisper.text for whisper in life.world.slack.whispers)
    check_mark(message, Mark.BLOCKED)


@story(points=15)
async def a_reply_that_is_deleted_while_its_pictures_are_made_ready_is_stopped_or_its_author_told(life: Life) -> None:
    await open_thread(life)
    message = await reply(life, "Look", "one.jpg", "two.jpg")
    deletion = life.world.slack.remove(ANN, message)
    life.world.border.meanwhile.append(("shelf put", lambda: tell_now(life, deletion)))
    await life.settle()
    sent = life.world.carrier.on_phone(ANA)
    assert sent in ([], ["Look"] if life.world.lives > 1 else [])  # what dies then may begin again before it is told
    assert {whisper.text for whisper in life.world.slack.whispers} == ({deleted_too_late()[0]} if sent else set())


@story(points=23)
async def a_form_with_a_picture_sends_it_once_and_shows_it_once(life: Life) -> None:
    picture = life.world.files.attach("one.jpg")
    files = (FileRef(file_id=FileId(picture["id"]), name="one.jpg"),)

    async def submit(bench: Bench) -> None:
        await bench.texting.text_now(
            once="form", author=ANN, to=(BOB,), sender=None, text="Hi Bob", origin=Origin.FORM, files=files
        )

    await life.do(submit)
    await life.settle()
    assert life.world.carrier.on_phone(BOB) == ["Hi Bob"]
    await check_carried(life, "Hi Bob", "one.jpg")
    check_thread(life.world, "Hi Bob")
    check_pictures(life, find_root(life.world).ts, "one.jpg")


@story(points=30)
async def a_scheduled_text_takes_its_picture_along(life: Life) -> None:
    root = await open_thread(life)
    picture = life.world.files.attach("one.jpg")
    files = (FileRef(file_id=FileId(picture["id"]), name="one.jpg"),)
    due_at = life.world.clock.now() + timedelta(minutes=30)

    async def ask(bench: Bench) -> None:
        await bench.schedules.schedule_text(
            once="form", author=ANN, to=(ANA,), sender=None, text="Later", due_at=due_at, zone=ZONE, files=files
        )

    await life.do(ask)
    await life.settle()
    await receive_receipts(life)
    assert life.world.carrier.on_phone(ANA) == ["Later"]
    await check_carried(life, "Later", "one.jpg")
    check_pictures(life, root.ts, "one.jpg")
