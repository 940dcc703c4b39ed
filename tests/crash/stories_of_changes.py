"""Stories of what an author changes, told by Slack in the wrong order. Importing it adds to `STORIES`."""

from __future__ import annotations

from datetime import timedelta

from tests.crash.stories import find_root, open_thread, story
from tests.doubles.bench import ANA, Life
from tests.doubles.slack import ANN


@story(points=11)
async def edits_that_are_read_before_their_reply_in_the_wrong_order_leave_the_newest_words(life: Life) -> None:
    await open_thread(life)
    message, event = life.world.slack.say(ANN, find_root(life.world), "At 5pm")
    older = life.world.slack.edit(message, "At 6pm")
    await life.world.clock.advance(timedelta(seconds=1))
    newer = life.world.slack.edit(message, "At 7pm")
    for each in (newer, older, event):
        life.world.tell(each)
    await life.settle()
    assert life.world.carrier.on_phone(ANA) == ["At 7pm"]
    assert life.world.slack.whispers == []


@story(points=7)
async def a_reply_that_is_read_after_its_authors_cross_does_not_go_out(life: Life) -> None:
    await open_thread(life)
    message, event = life.world.slack.say(ANN, find_root(life.world), "Oops")
    item = {"type": "message", "channel": message.channel, "ts": message.ts}
    life.world.tell({"type": "reaction_added", "user": ANN, "item_user": ANN, "reaction": "x", "item": item})
    await life.settle()
    life.world.tell(event)
    await life.settle()
    assert life.world.carrier.attempts == []
    assert {"Taken back" in whisper.text for whisper in life.world.slack.whispers} == {True}
