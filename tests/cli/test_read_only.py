"""A container may run read-only but for its data: the program writes there and to temporary files, and nowhere else."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import dedent

import pytest

from bot.sandbox.stories import paint_picture
from bot.sandbox.telnyx_sim import Media
from tests.cli.rig import ROOT, SAM, eventually, list_posts, main_channel, open_world, run_bridge

#: Loaded by Python itself before the program: tells of each file that is opened to write, made, renamed or removed.
_WATCH = """
    import json, os, sys

    told = os.open(os.environ["TOLD"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
    ONE = {"os.mkdir", "os.remove", "os.rmdir", "os.truncate", "os.chmod", "os.mkfifo", "sqlite3.connect"}
    TWO = {"os.rename", "os.link", "os.symlink"}

    def watch(event, arguments):
        if event == "open":
            path, _, flags = arguments
            paths = [path] if isinstance(flags, int) and flags & WRITES else []
        else:
            paths = arguments[:1] if event in ONE else arguments[:2] if event in TWO else ()
        for path in paths:
            if not isinstance(path, int):
                line = json.dumps([event, os.path.abspath(os.fsdecode(path))])
                os.write(told, line.encode() + b"\\n")

    sys.addaudithook(watch)
"""


def _list_writes(told: Path) -> set[str]:
    return {path for event, path in map(json.loads, told.read_text("utf-8").splitlines()) if event}


@pytest.mark.timeout(90)
async def test_a_day_of_work_writes_nothing_but_in_its_data_folder_and_the_temporary_one(tmp_path: Path) -> None:
    """Texts and pictures both ways, a form's worth of slack-bolt, a stop: everything that the program loads, and loads late."""
    site, told, data, temporary = (tmp_path / name for name in ("site", "told", "data", "temporary"))
    for folder in (site, data, temporary):
        folder.mkdir()
    (site / "sitecustomize.py").write_text(dedent(_WATCH), encoding="utf-8")
    environment = {
        "PYTHONPATH": f"{site}:{ROOT}",
        "PYTHONDONTWRITEBYTECODE": "1",  # as the image sets it
        "TMPDIR": str(temporary),
        "HOME": "/nowhere",
        "TOLD": str(told),
        "RETENTION_DAYS": "30",
        "OPS_PORT": "",
    }
    picture = paint_picture()
    async with open_world() as world, run_bridge(world, data, **environment) as bridge:
        channel, dana = main_channel(world), world.seats.users["dana"]
        sunset = Media(filename="sunset.png", content_type="image/png", content=picture)
        await world.telnyx.text_in(from_=SAM, to=world.cast.lines[0].number, text="Look", media=[sunset])
        await eventually(lambda: any(post.get("files") for post in list_posts(world)), what="the picture is shown")
        answer = await world.slack.command(dana, channel, "/sms", f"{SAM} Nice")
        assert answer.status == 200
        await eventually(lambda: world.telnyx.sends, what="the answer went out")
        assert await bridge.stop() == 0

    writes = _list_writes(told)
    assert any(path.startswith(f"{data}/media/") for path in writes)
    allowed = (f"{data}/", f"{temporary}/")
    assert [
        path for path in sorted(writes) if not path.startswith(allowed) and path not in {"/dev/null", str(data)}
    ] == []
