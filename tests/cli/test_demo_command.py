"""`demo`: the real bridge in a simulated world, whatever this machine is set up for."""

from __future__ import annotations

import json
import re
import signal
import socket
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.cli.rig import SAM, Running, eventually, start_bot

#: Settings of a real bridge, all of them wrong for the demo; a proxy that is not there; and a `.env` to match.
FOREIGN = {
    "SLACK_BOT_TOKEN": "xoxb-real",
    "SLACK_CLIENT_ID": "1.2",
    "SLACK_CLIENT_SECRET": "secret",
    "SLACK_API_URL": "https://slack.com/api/",
    "TELNYX_API_KEY": "KEYreal",
    "TELNYX_PHONE_NUMBER": "+19995550100",
    "DATABASE_URL": "sqlite:///real.db",
    "PUBLIC_URL": "https://real.example",
    "THREAD_MODE": "confirm",
    "PORT": "no port at all",
    "HTTP_PROXY": "http://127.0.0.1:1",
    "HTTPS_PROXY": "http://127.0.0.1:1",
    "ALL_PROXY": "http://127.0.0.1:1",
}


def list_names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*"))


async def read_page(running: Running) -> str:
    line = await eventually(lambda: running.out and running.out[0], what="the demo tells where it is")
    found = re.fullmatch(r"Textbridge demo: (http://127\.0\.0\.1:\d+/)", line)
    assert found is not None, line
    return found[1]


async def read_sections(session: aiohttp.ClientSession, page: str) -> dict[str, Any]:
    """Return everything that the page shows when it is opened."""
    async with session.get(f"{page}live") as response:
        while True:
            name = (await response.content.readline()).decode().strip()
            data = (await response.content.readline()).decode().strip().removeprefix("data: ")
            await response.content.readline()
            if name == "event: state":
                sections: dict[str, Any] = json.loads(data)
                return sections


async def give(session: aiohttp.ClientSession, page: str, command: dict[str, Any]) -> None:
    async with session.post(f"{page}do", json=command) as response:
        assert response.status == 200, await response.text()


async def list_texts(session: aiohttp.ClientSession, page: str) -> tuple[list[dict[str, Any]], str]:
    """Return the messages of the first channel, and all that is on Sam's phone as text."""
    sections = await read_sections(session, page)
    channels = sorted(name for name in sections if name.startswith("channel:"))
    messages = [message for name in channels for message in sections[name]["messages"]]
    return messages, json.dumps(sections[f"phone:{SAM}"])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_text_and_its_answer_go_all_the_way_whatever_the_environment_says(
    tmp_path: Path, number: signal.Signals
) -> None:
    (tmp_path / ".env").write_text("SLACK_CHANNEL=#wrong\nQUIET_HOURS=always\n", encoding="utf-8")
    (tmp_path / "temporary").mkdir()
    settings = FOREIGN | {"TMPDIR": str(tmp_path / "temporary")}
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        async with start_bot("demo", "--no-open", "--port", port, folder=tmp_path, environment=settings) as running:
            page = await read_page(running)
            await eventually(lambda: "Ctrl-C ends it." in "".join(running.out), what="it tells how to end it")
            assert f"Port {port} is taken" in "\n".join(running.out[1:])
            async with aiohttp.ClientSession() as session:
                await give(session, page, {"do": "text", "from": SAM, "to": "+13125550100", "text": "Is it ready?"})
                while not (found := (await list_texts(session, page))[0]):
                    pass
                (message,) = found
                assert "Is it ready?" in message["text"]
                sections = await read_sections(session, page)
                (channel,) = [name.removeprefix("channel:") for name in sections
                              if name.startswith("channel:") and sections[name]["messages"]]  # fmt: skip
                dana = next(mate["id"] for mate in sections["team"]["users"] if "Dana" in mate["name"])
                reply = {"do": "post", "user": dana, "channel": channel, "text": "It is.", "thread_ts": message["ts"]}
                await give(session, page, reply)
                while "It is." not in (await list_texts(session, page))[1]:
                    pass
            assert await running.stop(number) == 0
    assert running.err == []
    assert list_names(tmp_path) == [".env", "temporary"]
