"""The log's way out: no line is worth that a text waits for somebody to read it."""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import aiohttp
import pytest

from bot.outlet import Outlet
from tests.cli.rig import LONGEST, PROGRAM, build_environment, build_settings, open_world

pytestmark = pytest.mark.skipif(not hasattr(fcntl, "F_SETPIPE_SZ"), reason="only Linux makes pipes small")
_SMALL = 4096


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """Return the two ends of a pipe that takes 4 KiB."""
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, _SMALL)
    yield reader, writer
    for end in (reader, writer):
        try:
            os.close(end)
        except OSError:
            continue  # the test has closed it


def tell_left_out(lines: int) -> str:
    return f"{lines} left out\n"


def test_what_finds_no_room_is_written_whole_and_in_order_once_there_is_room(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    outlet = Outlet(writer, tell_left_out)
    lines = [f"{number}: {'x' * 1000}\n" for number in range(20)] + [f"long: {'y' * 3 * _SMALL}\n"]

    for line in lines:
        outlet.write(line)
    read = b""
    while not read.endswith(b"y\n"):
        read += os.read(reader, _SMALL)
        outlet.flush()

    assert read.decode() == "".join(lines)


def test_what_is_beyond_the_limit_is_left_out_and_told(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    outlet = Outlet(writer, tell_left_out, most_waiting=5_000)
    lines = [f"{number:02}{'x' * 997}\n" for number in range(20)]

    for line in lines:
        outlet.write(line)
    read = b""
    while b"left out" not in read:
        read += os.read(reader, _SMALL)
        outlet.flush()
    outlet.write("after\n")
    read += os.read(reader, _SMALL)

    kept = read.count(b"x\n")
    assert 5 <= kept <= 9
    assert read.decode() == f"{''.join(lines[:kept])}{20 - kept} left out\nafter\n"


def test_a_reader_that_went_away_is_no_trouble(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    outlet = Outlet(writer, tell_left_out)
    os.close(reader)

    outlet.write("a line\n")
    outlet.flush()


def test_a_file_gets_every_line_and_letters_that_it_does_not_know_are_described(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as file:
        outlet = Outlet(file.fileno(), tell_left_out, encoding="ascii")
        for number in range(2_000):
            outlet.write(f"{number}: …\n")

    assert (tmp_path / "log").read_text() == "".join(f"{number}: \\u2026\n" for number in range(2_000))


@pytest.mark.parametrize("is_read", ["not at all", "no more"])
async def test_a_log_that_nobody_reads_holds_nothing_up_and_the_stop_is_heard(
    pipe: tuple[int, int], is_read: str, tmp_path: Path
) -> None:
    reader, writer = pipe
    os.write(writer, b"." * _SMALL)  # full
    if is_read == "no more":
        os.close(reader)
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    async with open_world() as world:
        environment = build_environment(**{**build_settings(world, tmp_path), "PORT": str(port)})
        process = await asyncio.create_subprocess_exec(*PROGRAM, cwd=tmp_path, env=environment, stderr=writer)
        try:
            async with aiohttp.ClientSession() as session, asyncio.timeout(LONGEST):
                while await read_status(session, f"http://127.0.0.1:{port}/readyz") != 200:  # noqa: ASYNC110 - another process
                    await asyncio.sleep(0.05)
            process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(10):
                assert await process.wait() == 0
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


async def read_status(session: aiohttp.ClientSession, url: str) -> int | None:
    try:
        async with session.get(url, timeout=aiohttp.ClientTimeout(total=5)) as response:
            return response.status
    except (aiohttp.ClientError, TimeoutError):
        return None
