"""Told to stop before it serves, the program stops: with status 0, at once, and with nothing done."""

from __future__ import annotations

import fcntl
import signal
import sqlite3
from pathlib import Path

import pytest

from tests.cli.rig import Running, build_settings, eventually, open_world, run_bridge, start_bot


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


async def test_while_another_program_writes_to_the_database_and_ready_once_that_is_done(tmp_path: Path) -> None:
    async with open_world() as world:
        environment = build_settings(world, tmp_path)
        async with run_bridge(world, tmp_path):
            pass
        other = sqlite3.connect(tmp_path / "bridge.db", isolation_level=None)
        try:
            other.execute("BEGIN IMMEDIATE")
            async with start_bot(folder=tmp_path, environment=environment) as running:
                await eventually(lambda: tell_of_waiting(running), what="that it waits")

                assert await running.stop(signal.SIGTERM) == 0
            assert "Textbridge stops before it listens." in running.err[-1]

            async with start_bot(folder=tmp_path, environment=environment) as running:
                await eventually(lambda: tell_of_waiting(running), what="that it waits")
                other.execute("ROLLBACK")
                await eventually(
                    lambda: any("Textbridge listens." in line for line in running.err), what="that it goes on"
                )
        finally:
            other.close()


def tell_of_waiting(running: Running) -> bool:
    return any("cannot be written to yet; waiting" in line for line in running.err)
