"""Stories of pictures that come in: fetched, brought to Slack and shown once, after their text and in order."""

from __future__ import annotations

from bot.domain.ids import SlackTs
from tests.crash.stories import open_thread, story
from tests.doubles.bench import ANA, Life
from tests.doubles.border import Fault, Trouble

PICTURES = ("https://media.example/one.jpg", "https://media.example/two.jpg")


def check_pictures(life: Life, root_ts: SlackTs, *names: str) -> None:
    """See that the thread shows exactly these files."""
    assert life.world.files.list_shown(root_ts) == list(names)


@story(points=25)
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
