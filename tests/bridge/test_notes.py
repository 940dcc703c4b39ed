"""A note never leaves: in every form in which Slack brings it, in every mode, with a file and without."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.sandbox.slack_people import Upload
from tests.bridge.harness import Bench, open_bench
from tests.media.kinds import make_jpeg
from tests.pure.test_text_notes import NOTES, RICH_NOTES

MODES = ["reply", "prefix", "confirm"]
#: Each way to begin one.
FORMS = [
    "note: call back", "NOTE: call back", "  Note : call", "private: x", "Internal: x", "// x", ";; x", "🔇 x",
    ":mute: x", "*note:* bold", "_note:_ x", "~private:~ x", "`note:` x", "> note: quoted", "• note: listed",
    "\n\nnote: after lines",
]  # fmt: skip
BLANKS = ["", " ", "\n\n", "\t", "\u00a0\u2003", "\u200b\ufeff"]


@pytest.mark.parametrize("mode", MODES)
async def test_notes_are_never_sent_in_any_mode(mode: str) -> None:
    async with open_bench(thread_mode=mode) as bench:
        root = await bench.open_thread()
        bob = bench.slack.add_user("bob")
        group = bench.slack.add_usergroup("sales", [bob])
        mentions = [f"<@{bob}> can you?", f"<!subteam^{group}> can you?", f"*<@{bob}>* please", "<!here> look"]
        marked = [await bench.reply(words, root) for words in [*FORMS, *mentions]]
        await bench.settle()
        await bench.pass_time(timedelta(minutes=5))

        assert [bench.marks(ts) for ts in marked] == [{"memo"}] * len(marked)
        assert bench.telnyx.sends == []
        assert bench.slack.ephemerals(bench.alice) == []


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("with_file", [False, True], ids=["alone", "with a file"])
async def test_what_the_composer_makes_of_a_note_stays_here(mode: str, with_file: bool) -> None:
    async with open_bench(thread_mode=mode, media_allow_private_hosts=True) as bench:
        root = await bench.open_thread()
        marked = []
        for elements in RICH_NOTES:
            files = [Upload(name="a.jpg", content=make_jpeg())] if with_file else []
            blocks = [{"type": "rich_text", "block_id": "b", "elements": elements}]
            marked.append(await bench.reply("its text", root, blocks=blocks, files=files))
        await bench.settle()
        await bench.pass_time(timedelta(minutes=5))

        assert [bench.marks(ts) for ts in marked] == [{"memo"}] * len(marked)
        assert bench.send_requests == []
        assert bench.slack.ephemerals(bench.alice) == []
        assert bench.slack.count_calls()["files.info"] == 0


@pytest.mark.parametrize("mode", MODES)
async def test_what_is_a_note_as_mere_text_stays_here(mode: str) -> None:
    async with open_bench(thread_mode=mode) as bench:
        root = await bench.open_thread()
        marked = [await bench.reply(words, root, blocks=[]) for words in NOTES]
        await bench.settle()
        await bench.pass_time(timedelta(minutes=5))

        assert [bench.marks(ts) for ts in marked] == [{"memo"}] * len(marked)
        assert bench.send_requests == []


async def test_in_prefix_mode_a_note_behind_the_prefix_stays_here() -> None:
    async with open_bench(thread_mode="prefix") as bench:
        root = await bench.open_thread()
        bob = bench.slack.add_user("bob")
        signs = ["note: x", "Private: x", "*internal:* x", "// x", ";; x", "🔇 x", ":mute: x", f"<@{bob}> x", "<!here>"]
        marked = [
            await bench.reply(f"{blank}sms:{space}{sign}", root)
            for sign in signs
            for blank, space in zip(BLANKS, reversed(BLANKS), strict=True)
        ]
        await bench.settle()

        assert [bench.marks(ts) for ts in marked] == [{"memo"}] * len(marked)
        assert bench.send_requests == []


async def test_a_sentence_that_only_mentions_notes_is_sent(bench: Bench) -> None:
    root = await bench.open_thread()
    for words in ("Take note: it is ready", "Your note arrived", "See http://x.example//y"):
        await bench.reply(words, root)
    await bench.settle()

    assert len(bench.phone()) == 3
