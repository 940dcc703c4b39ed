"""Told to stop before it serves, the program stops: with status 0, at once, and with nothing done."""

from __future__ import annotations

import fcntl
import signal
from pathlib import Path

import pytest

from tests.cli.rig import build_settings, eventually, open_world, start_bot


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
async def test_while_it_waits_for_another_process_to_let_go_of_the_database(
    how: signal.Signals, tmp_path: Path
) -> None:
    async with open_world() as world:
        with (tmp_path / "bridge.db.lock").open("a+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            async with start_bot(folder=tmp_path, environment=build_settings(world, tmp_path)) as running:
                await eventually(
                    lambda: any("waiting for it to stop" in line for line in running.err), what="that it waits"
                )

                assert await running.stop(how) == 0
                assert not (tmp_path / "bridge.db").exists()
            assert "Textbridge stops before it listens." in running.err[-1]
