"""Stories of texts that Slack holds up, so that they are shown together. Importing it adds to `STORIES`."""

from __future__ import annotations

from datetime import timedelta

from tests.crash.stories import check_nothing_was_taken_back, check_thread, find_root, open_thread, story
from tests.doubles.bench import ANA, Life, World
from tests.doubles.border import Fault, Trouble
from tests.doubles.slack import BEN


async def let_texts_wait(life: Life, *, then: Trouble | None = None) -> list[str]:
    """
    Let eight texts come while Slack cannot be reached, each to wait long for its turn; *then* a trouble befalls the next post.

    Returns all that Ana wrote.
    """
    await open_thread(life)
    life.world.slack_pace.turn = timedelta(seconds=10)
    life.world.border.faults.append(Fault(operation="slack post", trouble=Trouble.UNREACHABLE, times=5))
    if then is not None:
        life.world.border.faults.append(Fault(operation="slack post", trouble=then))
    texts = [f"Text {number}." for number in range(8)]
    for text in texts:
        life.world.text_in(ANA, text)
    return ["Hello", *texts]


def check_together(world: World) -> None:
    """See that some texts were shown together: else the story has told nothing."""
    assert max(len(message.texts) for message in world.slack.posted()) > 2


@story(points=20)
async def texts_that_are_held_up_stand_together_each_once(life: Life) -> None:
    texts = await let_texts_wait(life)
    await life.settle()
    check_thread(life.world, *texts)
    check_nothing_was_taken_back(life.world)
    check_together(life.world)


@story(points=20)
async def texts_that_stand_together_are_found_again_when_the_answer_is_lost(life: Life) -> None:
    texts = await let_texts_wait(life, then=Trouble.LOST_ANSWER)
    await life.settle()
    check_thread(life.world, *texts)
    check_nothing_was_taken_back(life.world)
    check_together(life.world)


@story(points=20)
async def texts_that_stand_together_and_are_found_only_later_stand_once_in_the_end(life: Life) -> None:
    life.world.slack.search_lag = timedelta(seconds=10)
    texts = await let_texts_wait(life, then=Trouble.LOST_ANSWER)
    await life.settle()
    check_thread(life.world, *texts)
    check_together(life.world)


@story(points=20)
async def texts_that_stand_together_are_found_though_they_need_not_any_more(life: Life) -> None:
    texts = await let_texts_wait(life, then=Trouble.LOST_ANSWER)

    async def be_quick() -> None:
        life.world.slack_pace.turn = timedelta(0)

    life.world.border.meanwhile.append(("slack post", be_quick))
    await life.settle()
    check_thread(life.world, *texts)
    check_nothing_was_taken_back(life.world)
    check_together(life.world)


@story(points=20)
async def texts_that_are_held_up_stand_together_once_though_their_card_is_deleted(life: Life) -> None:
    texts = await let_texts_wait(life)
    deletion = life.world.slack.remove(BEN, find_root(life.world))
    await life.settle()
    life.world.tell(deletion)
    await life.settle()
    assert life.world.slack.words() == texts
    check_together(life.world)
