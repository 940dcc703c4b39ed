"""Pictures in texts for later: kept here from the first moment, through changes and from one time to the next."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.bridge.harness import ANA, CHANNEL, Bench, list_buttons
from tests.bridge.test_schedule_changes import in_time, open_edit, save
from tests.media.test_pictures_out import keep_file

_HOUR = timedelta(hours=1)


async def schedule(bench: Bench, wait: timedelta, **more: Any) -> str:
    """Schedule a text with a picture by the form and return the id that Slack has for the file."""
    file = keep_file(bench)
    await bench.command("/schedule")
    view = bench.slack.views(bench.alice)[-1]
    values: dict[str, Any] = {"to": ANA, "text0": "Look", "when": in_time(bench, wait), **more}
    values["files"] = {"files": {"type": "file_input", "files": [file]}}
    answer = await bench.slack.submit_view(bench.alice, view["id"], values)
    assert not answer.errors
    await bench.settle()
    return file["id"]


def pictures(bench: Bench) -> list[tuple[str | None, int]]:
    """Return the texts from us that reached Ana, each with how many pictures it had."""
    ours = {send.message_id for send in bench.telnyx.sends}
    return [(text.text, len(text.media)) for text in bench.telnyx.phone(ANA) if text.message_id in ours]


def lose(bench: Bench, file_id: str) -> None:
    """Have Slack throw the file away."""
    del bench.slack.files[file_id]


async def test_far_ahead_the_picture_is_ours_whatever_slack_throws_away(bench: Bench) -> None:
    file_id = await schedule(bench, timedelta(days=20))
    lose(bench, file_id)
    for _ in range(21):
        await bench.pass_time(timedelta(days=1))
    assert pictures(bench) == [("Look", 1)]


async def test_a_changed_text_takes_its_picture_along_once(bench: Bench) -> None:
    file_id = await schedule(bench, 2 * _HOUR)
    lose(bench, file_id)
    await bench.command("/schedule", "list")
    view = await open_edit(bench, bench.whispers("1 scheduled text")[0])
    await save(bench, view, text0="Look again", edit_when=in_time(bench, timedelta(days=12)))
    await bench.settle()
    for _ in range(13):
        await bench.pass_time(timedelta(days=1))
    assert pictures(bench) == [("Look again", 1)]
    shown = [message for message in bench.slack.workspace.channels[CHANNEL].messages.values() if message.files]
    assert len(shown) == 1


async def test_the_words_may_go_and_the_picture_stay(bench: Bench) -> None:
    await schedule(bench, 2 * _HOUR)
    await bench.command("/schedule", "list")
    view = await open_edit(bench, bench.whispers("1 scheduled text")[0])
    answer = await save(bench, view, text0="")
    assert not answer.errors
    await bench.pass_time(3 * _HOUR)
    assert pictures(bench) == [(None, 1)]


async def test_what_repeats_has_its_picture_each_time_though_slack_threw_it_away(bench: Bench) -> None:
    file_id = await schedule(bench, 2 * _HOUR, repeats="week")
    lose(bench, file_id)
    for _ in range(15):
        await bench.pass_time(timedelta(days=1))
    assert pictures(bench) == [("Look", 1)] * 3


async def test_a_picture_that_cannot_be_had_is_told_at_once_not_when_it_is_due(bench: Bench) -> None:
    file = keep_file(bench)
    lose(bench, file["id"])
    await bench.command("/schedule")
    view = bench.slack.views(bench.alice)[-1]
    values: dict[str, Any] = {"to": ANA, "text0": "Look", "when": in_time(bench, timedelta(days=20))}
    values["files"] = {"files": {"type": "file_input", "files": [file]}}
    await bench.slack.submit_view(bench.alice, view["id"], values)
    await bench.settle()
    (told,) = bench.whispers("It is your scheduled text")
    assert list_buttons(told) == []
    assert "Nothing is scheduled" in await bench.command("/schedule", "list")
