"""`export`, `erase` and `backup` beside a running bridge, and a backup restored."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import shutil
import stat
from pathlib import Path
from typing import Any

import pytest

from bot.sandbox.world import World
from tests.cli.rig import (
    ALEX,
    SAM,
    Done,
    Running,
    eventually,
    list_posts,
    main_channel,
    open_world,
    run_bot,
    run_bridge,
)

QUESTION = "=SUM(1) is a formula, and xylophone-question a word"
ANSWER = "xylophone-answer"
OTHER = "zither: tell +14155550101 hello"  # another customer's text that names Sam's number
STOP = "Stop"


async def talk(world: World) -> None:
    """Have Sam ask and be answered, Alex write too, and Sam say stop."""
    ours = world.cast.lines[0].number
    await world.telnyx.text_in(from_=SAM, to=ours, text=QUESTION)
    await world.telnyx.text_in(from_=ALEX, to=ours, text=OTHER)
    await eventually(lambda: len(list_posts(world)) == 2, what="both are in Slack")
    root = next(message for message in list_posts(world) if "xylophone" in message["text"])
    reply = await world.slack.post(world.seats.users["dana"], main_channel(world), ANSWER, thread_ts=root["ts"])
    await eventually(
        lambda: "white_check_mark" in world.slack.reactions(main_channel(world), reply), what="it is delivered"
    )
    await world.telnyx.text_in(from_=SAM, to=ours, text=STOP)
    await eventually(
        lambda: any("opted out" in str(message).lower() for message in list_posts(world)), what="the thread is told"
    )


def read_bytes(folder: Path) -> bytes:
    """Return all that is in the database file and beside it."""
    return b"".join(path.read_bytes() for path in sorted(folder.glob("bridge.db*")))


def list_names(folder: Path, start: str = "") -> list[str]:
    return sorted(path.name for path in folder.glob(f"{start}*"))


async def run_here(folder: Path, *arguments: str, database: str = "bridge.db", typed: str | None = None) -> Done:
    """Run a command that knows where the database is, and nothing else."""
    environment = {"DATABASE_URL": f"sqlite:///{folder / database}"}
    return await run_bot(*arguments, folder=folder, environment=environment, typed=typed)


async def check_export(folder: Path) -> dict[str, Any]:
    """Export Sam's conversation in both forms, and return it."""
    file = folder / "sam.csv"
    as_json, as_csv, unknown, no_number = await asyncio.gather(
        run_here(folder, "export", "(415) 555-0101"),
        run_here(folder, "export", SAM, "--format", "csv", "--output", str(file)),
        run_here(folder, "export", "+13035550147"),
        run_here(folder, "export", "12"),
    )
    assert (unknown.status, unknown.out) == (1, "")
    assert "Nothing is kept" in unknown.err
    assert no_number.status == 2
    assert (as_csv.status, as_json.status) == (0, 0), as_csv.err + as_json.err
    assert stat.S_IMODE(file.stat().st_mode) == 0o600

    report: dict[str, Any] = json.loads(as_json.out)
    (conversation,) = report["conversations"]
    assert [(text["direction"], text["text"]) for text in conversation["texts"]] == [
        ("inbound", QUESTION),
        ("outbound", ANSWER),
        ("inbound", STOP),
    ]
    assert [delivery["status"] for delivery in conversation["texts"][1]["deliveries"]] == ["delivered"]
    assert "zither" not in as_json.out

    rows = list(csv.DictReader(io.StringIO(file.read_bytes().decode(), newline="")))
    assert [row["text"] for row in rows if row["kind"] == "text"] == [f"'{QUESTION}", ANSWER, STOP]
    assert [row["status"] for row in rows if row["kind"] == "delivery"] == ["delivered"]
    assert [(row["status"], row["text"]) for row in rows if row["kind"] == "consent"] == [("stopped", STOP)]

    again = await run_here(folder, "export", SAM, "--output", str(file))
    assert (again.status, "there already" in again.err) == (1, True)
    return report


async def check_erasure(world: World, bridge: Running, folder: Path) -> None:
    """Erase Sam's texts beside the running bridge and look for their bytes."""
    declined = await run_here(folder, "erase", SAM, typed="no\n")
    assert declined.status == 1
    assert "3 text(s) of 1 conversation(s)" in declined.out
    assert b"xylophone" in read_bytes(folder)

    erased = await run_here(folder, "erase", SAM, typed="yes\n")
    assert erased.status == 0, erased.out + erased.err
    left = read_bytes(folder)
    for words in (QUESTION, ANSWER, "xylophone"):
        assert words.encode() not in left
    assert OTHER.encode() in left

    report = json.loads((await run_here(folder, "export", SAM)).out)
    assert [text["text"] for text in report["conversations"][0]["texts"]] == ["", "", ""]
    assert report["consent"]["may_be_texted"] is False
    (entry,) = report["consent"]["history"]
    assert (entry["change"], entry["source"], entry["words"]) == ("stopped", "keyword", None)

    # The thread is told, by the bridge that runs, and it is on record.
    told = await eventually(
        lambda: [post for post in list_posts(world) if "was erased" in post["text"]], what="the thread is told"
    )
    assert len(told) == 1
    entries = json.loads((await run_here(folder, "audit", "--action", "erased", "--format", "json")).out)
    assert [(entry["numbers"], entry["detail"]["texts"]) for entry in entries] == [([SAM], "3")]
    assert "xylophone" not in str(entries)

    # The bridge goes on, and still knows who said stop.
    sends = len(world.telnyx.sends)
    answer = await world.slack.command(world.seats.users["dana"], main_channel(world), "/sms", f"{SAM} are you there?")
    assert "opted out" in str(answer).lower(), answer
    assert len(world.telnyx.sends) == sends
    assert "Traceback" not in "\n".join(bridge.err)


@pytest.mark.timeout(150)
async def test_a_number_is_exported_backed_up_erased_and_restored(tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    async with open_world() as world:
        async with run_bridge(world, tmp_path) as bridge:
            await talk(world)
            report = await check_export(tmp_path)

            made = await run_here(tmp_path, "backup", str(copy))
            assert made.status == 0, made.err
            assert stat.S_IMODE(copy.stat().st_mode) == 0o600
            before = copy.read_bytes()
            again = await run_here(tmp_path, "backup", str(copy))
            assert (again.status, "there already" in again.err) == (1, True)
            assert copy.read_bytes() == before
            assert list_names(tmp_path, "copy") == ["copy.db"]

            await check_erasure(world, bridge, tmp_path)
            assert await bridge.stop() == 0

        # As the help says: copied into the database's place, without its log.
        shutil.copy(copy, tmp_path / "bridge.db")
        for ending in ("-wal", "-shm"):
            (tmp_path / f"bridge.db{ending}").unlink(missing_ok=True)
        posts, sends = len(list_posts(world)), len(world.telnyx.sends)
        async with run_bridge(world, tmp_path) as bridge:
            restored = json.loads((await run_here(tmp_path, "export", SAM)).out)
            assert restored["conversations"] == report["conversations"]
            assert restored["consent"] == report["consent"]
            # Everything goes on in the same threads, and nothing that was done is done again.
            await world.telnyx.text_in(from_=ALEX, to=world.cast.lines[0].number, text="after the restore")
            await eventually(lambda: len(list_posts(world)) > posts, what="the text is in Slack")
            assert len(world.slack.messages(main_channel(world))) == 2
            assert len(world.telnyx.sends) == sends
            assert await bridge.stop() == 0


async def test_what_nobody_kept_cannot_be_read_or_copied(tmp_path: Path) -> None:
    nothing, no_source = await asyncio.gather(
        run_here(tmp_path, "export", SAM), run_here(tmp_path, "backup", str(tmp_path / "copy.db"))
    )

    for done in (nothing, no_source):
        assert done.status == 1
        assert "There is no database" in done.err
    assert list_names(tmp_path) == []
