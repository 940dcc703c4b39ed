"""`export`: everything, with its files, in a bounded memory, on record."""

from __future__ import annotations

import csv
import io
import json
import stat
import tracemalloc
from datetime import timedelta
from pathlib import Path
from typing import IO, Any

import pytest

from bot.cli.export_forms import write_csv, write_json
from bot.domain.contact import Contact
from bot.domain.ids import ChannelId, ConversationId, UserId
from bot.domain.message import Direction, Origin, State
from bot.sandbox.stories import paint_picture
from bot.sandbox.telnyx_sim import Media
from storage.transcript import read_record
from tests.cli.rig import (
    ALEX,
    SAM,
    eventually,
    list_posts,
    open_world,
    run_bot,
    run_bridge,
)
from tests.storage.rig import open_rig
from tests.storage.samples import ANA, NOW, OURS, PAIR, make_message, pair_of

_NASTY = '"quoted"\nand\u2028lines\x85, =SUM(1)'


@pytest.mark.timeout(90)
async def test_everything_is_exported_with_its_files_from_our_copies_and_from_slack(tmp_path: Path) -> None:
    picture = paint_picture()
    async with open_world() as world, run_bridge(world, tmp_path) as bridge:
        ours = world.cast.lines[0].number
        sunset = Media(filename="sunset.png", content_type="image/png", content=picture)
        await world.telnyx.text_in(from_=SAM, to=ours, text="Look", media=[sunset])
        await world.telnyx.text_in(from_=ALEX, to=ours, text=_NASTY, media=[sunset])
        shelf = tmp_path / "media"
        await eventually(
            lambda: len([post for post in list_posts(world) if post.get("files")]) == 2, what="both pictures are shown"
        )
        min(shelf.iterdir()).unlink()  # as upkeep does, a day later
        token = {name: value for name, value in world.bot_environment().items() if name.startswith("SLACK_")}
        environment = {**token, "DATABASE_URL": f"sqlite:///{tmp_path / 'bridge.db'}"}

        out = tmp_path / "all.json"
        done = await run_bot(
            "export", "--all", "--media", "--output", str(out), folder=tmp_path, environment=environment
        )
        without = await run_bot("export", SAM, "--media", "--output", "sam.json", folder=tmp_path, environment={
            "DATABASE_URL": environment["DATABASE_URL"]
        })  # fmt: skip
        unnamed = await run_bot("export", "--all", "--media", folder=tmp_path, environment=environment)
        again = await run_bot("export", "--all", "--output", str(out), folder=tmp_path, environment=environment)
        audit = await run_bot("audit", "--action", "exported", "--format", "json", folder=tmp_path,
                              environment=environment)  # fmt: skip
        assert await bridge.stop() == 0

    assert done.status == 0, done.err
    assert "2 file(s), 0 missing" in done.err
    report = json.loads(out.read_text("utf-8"))
    assert report["number"] == "all"
    assert sorted(text["text"] for each in report["conversations"] for text in each["texts"]) == sorted(
        ["Look", _NASTY]
    )
    files = [file for each in report["conversations"] for text in each["texts"] for file in text["files"]]
    assert len(files) == 2
    for file in files:
        copy = tmp_path / file["exported_as"]
        assert copy.parent == tmp_path / "all.json.media"
        assert copy.read_bytes() == picture
        assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert (without.status, "SLACK_BOT_TOKEN" in without.err) == (2, True)
    assert (unnamed.status, "--output" in unnamed.err) == (2, True)
    assert (again.status, "there already" in again.err) == (1, True)
    (entry,) = json.loads(audit.out)
    assert (entry["subject"], entry["numbers"], entry["detail"]) == ("all", [], {"format": "json", "media": "yes"})
    assert entry["actor"].startswith("shell:")
    assert list_names(tmp_path, "*.partial") == []


def list_names(folder: Path, pattern: str) -> list[str]:
    return [path.name for path in folder.glob(pattern)]


class _Counting(io.StringIO):
    """A file that keeps nothing but how much was written."""

    written = 0

    def write(self, text: str) -> int:
        self.written += len(text)
        return len(text)


async def _measure(folder: Path, texts: int, form: str) -> tuple[int, int]:
    """Export *texts* of a kilobyte each and return the most memory that it took, and how much was written."""
    async with open_rig(folder / f"{texts}-{form}.db") as rig:
        async with rig.store.transaction("set up") as tx:
            await tx.conversations.get_or_create(
                PAIR, new_id=ConversationId("pair"), channel_id=ChannelId("C1"), now=NOW
            )
            for number in range(texts):
                await tx.messages.add(
                    make_message(f"m{number}", text=f"{number:04}" * 250, created_at=NOW + timedelta(seconds=number))
                )
        out = _Counting()
        tracemalloc.start()
        try:
            async with read_record(rig.database, None) as reader:
                if form == "csv":
                    await write_csv(out, reader, copies=None, tell=lambda: None)
                else:
                    await write_json(out, reader, None, NOW, copies=None, tell=lambda: None)
            return tracemalloc.get_traced_memory()[1], out.written
        finally:
            tracemalloc.stop()


@pytest.mark.parametrize("form", ["json", "csv"])
async def test_memory_does_not_grow_with_how_much_there_is(form: str, tmp_path: Path) -> None:
    few, _ = await _measure(tmp_path, 400, form)
    many, written = await _measure(tmp_path, 2_000, form)

    assert written > 2_000_000
    assert many < few + 300_000


async def test_both_forms_hold_the_same_texts_over_many_pages_and_conversations(tmp_path: Path) -> None:
    async with open_rig(tmp_path / "bridge.db") as rig:
        async with rig.store.transaction("set up") as tx:
            for number in range(3):
                parties = PAIR if number == 0 else pair_of(OURS, f"+1415555010{number}")
                name = ConversationId(f"c{number}")
                await tx.conversations.get_or_create(parties, new_id=name, channel_id=ChannelId("C1"), now=NOW)
                for text in range(230):  # more than a page of rows, many with the same moment
                    await tx.messages.add(
                        make_message(
                            f"{name}-{text}", conversation_id=name, text=f"{name} {text}", direction=Direction.INBOUND,
                            origin=Origin.PHONE, state=State.RECEIVED, created_at=NOW + timedelta(seconds=text // 100),
                        )
                    )  # fmt: skip
            await tx.contacts.save_contact(
                Contact(address=ANA, name="=Ana", zone="Europe/Madrid", set_by=UserId("U1"), set_at=NOW)
            )
        await rig.tell_writer(
            "INSERT INTO recurrences VALUES ('r1', 1, 1, 'FREQ=DAILY', '2026-01-01T09:00', 'UTC', 'every day', 'U1', 1,"
            " 0, 1, NULL, 0)"
        )
        as_json, as_csv = await _export(rig.database, None)
        of_one, _ = await _export(rig.database, ANA)

    expected = [f"c{number} {text}" for number in range(3) for text in range(230)]
    report = json.loads(as_json)
    assert [text["text"] for each in report["conversations"] for text in each["texts"]] == expected
    rows = list(csv.DictReader(io.StringIO(as_csv, newline="")))
    assert [row["text"] for row in rows if row["kind"] == "text"] == expected
    assert [row["text"] for row in rows if row["kind"] == "repeating"] == ["every day"]
    assert [(row["theirs"], row["title"], row["detail"]) for row in rows if row["kind"] == "contact"] == [
        (ANA, "'=Ana", "Europe/Madrid")
    ]
    assert [each["id"] for each in json.loads(of_one)["conversations"]] == ["c0"]
    assert [each["repeating"][0]["text"] for each in report["conversations"] if each["repeating"]] == ["every day"]
    (person,) = report["people"]
    assert (person["number"], person["contact"]["name"], person["consent"]["may_be_texted"]) == (ANA, "=Ana", True)
    assert json.loads(of_one)["contact"] == person["contact"]


async def _export(database: Any, address: Any) -> tuple[str, str]:
    outs: list[IO[str]] = [io.StringIO(newline=""), io.StringIO(newline="")]
    async with read_record(database, address) as reader:
        await write_json(outs[0], reader, address, NOW, copies=None, tell=lambda: None)
        await write_csv(outs[1], reader, copies=None, tell=lambda: None)
    for out in outs:
        out.seek(0)
    return outs[0].read(), outs[1].read()


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
async def test_a_locale_that_knows_few_letters_is_no_reason_to_lose_any(encoding: str, tmp_path: Path) -> None:
    words = "Grüße 😀"
    async with open_rig(tmp_path / "bridge.db") as rig, rig.store.transaction("set up") as tx:
        conversation = await tx.conversations.get_or_create(
            PAIR, new_id=ConversationId("pair"), channel_id=ChannelId("C1"), now=NOW
        )
        await tx.messages.add(make_message("first", conversation_id=conversation.id, text=words))
    environment = {"DATABASE_URL": f"sqlite:///{tmp_path / 'bridge.db'}", "PYTHONIOENCODING": encoding}

    done = await run_bot("export", ANA, folder=tmp_path, environment=environment)

    assert done.status == 0, done.err
    ((text,),) = (each["texts"] for each in json.loads(done.out)["conversations"])
    assert text["text"] == words
