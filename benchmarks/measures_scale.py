"""What size costs: a database of years, and a backlog of a hundred thousand."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

from benchmarks.bench import Bench
from benchmarks.big_file import EACH, build_big_file
from benchmarks.bodies import Customers, render_texts
from benchmarks.figures import Goal
from benchmarks.load import Load
from benchmarks.machine import SERVER_CORE, pin
from benchmarks.measures_delivery import count_inversions
from benchmarks.processes import BRIDGE, ROOT

_BIG, _EMPTY = "big", "empty"
_LONGEST_LOG = 128.0
_MOST_BYTES = 300.0


def measure_scale(bench: Bench) -> None:
    """Tell what a database of years costs: acks, commits, look-ups, the log, and bytes a message."""
    size, tally = bench.size, bench.tally
    place = bench.yard.folder / "scale"
    place.mkdir()
    try:
        began = time.perf_counter()
        big, empty = place / "big.db", place / "empty.db"
        each = build_big_file(big, size.stored_messages)
        bench.say(
            f"  a database of {size.stored_messages:,} messages, {big.stat().st_size / 1e9:.2f} GB, "
            f"made in {time.perf_counter() - began:.0f} s"
        )
        _measure_sized_acks(bench, {_BIG: big, _EMPTY: empty})
        for number in range(size.rounds):
            for contender, path in ((_BIG, big), (_EMPTY, empty)):
                if contender == _EMPTY:
                    _remove(path)
                for quantity, value in _measure_inside(path).items():
                    tally.add(contender, quantity, value)
            bench.say(f"  commits and look-ups, round {number + 1} of {size.rounds}")
    finally:
        shutil.rmtree(place)
    what = f"with {size.stored_messages // EACH:,} conversations and {size.stored_messages:,} messages"
    tally.compare(f"Webhook ack {what}", "sized rate", _BIG, _EMPTY, "req/s", Goal(at_least=0.85))
    tally.compare(f"Commit of 32 rows {what}: p99", "commit p99", _BIG, _EMPTY, "µs", Goal(at_most=1.5))
    tally.compare(f"Commit of 32 rows {what}: p50", "commit p50", _BIG, _EMPTY, "µs")
    for name in ("parties", "thread", "carrier id"):
        quantity = f"lookup {name}"
        tally.compare(
            f"Look-up by {name} {what}",
            quantity,
            _BIG,
            "sqlite3",
            "µs",
            Goal(at_most=2.0),
            as_=f"{quantity} raw",
            of=_BIG,
        )
    tally.hold_against(f"Write-ahead log {what}", (_BIG, "log"), "128 MB", _LONGEST_LOG, "MB", Goal(at_most=1.0))
    tally.add(_BIG, "bytes", each)
    name = f"A message {what}, indices, conversations and receipts included"
    tally.hold_against(name, (_BIG, "bytes"), "300 bytes", _MOST_BYTES, "bytes", Goal(at_most=1.0))


def _measure_sized_acks(bench: Bench, paths: dict[str, Path]) -> None:
    size = bench.size
    warm = size.requests // 10
    bench.yard.set_slack("hang")  # what is compared is storing
    for number, turn in bench.take_turns(list(paths)):
        for contender in turn:
            if contender == _EMPTY:
                _remove(paths[contender])
            settings = {"DATABASE_URL": f"sqlite:///{paths[contender]}"}
            requests = render_texts(f"sized{number}", size.requests + warm, Customers(count=size.conversations))
            with bench.yard.serving(BRIDGE, settings=settings) as server, Load(server.port, 32) as load:
                bench.load_fully(server, load, contender, "sized", requests, warm)
        bench.say(f"  acks with a big database, round {number + 1} of {size.rounds}")
    bench.yard.set_slack()
    # What they left unread would be worked on by whoever opens the file next.
    with closing(sqlite3.connect(paths[_BIG], isolation_level=None)) as connection:
        connection.execute("DELETE FROM jobs")


def _remove(path: Path) -> None:
    for file in path.parent.glob(f"{path.name}*"):
        file.unlink()


def _measure_inside(path: Path) -> dict[str, float]:
    done = subprocess.run(
        [*pin(SERVER_CORE), sys.executable, "-m", "benchmarks.big_file", str(path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def measure_backlog(bench: Bench) -> None:
    """Whether a backlog changes anything: texts accepted with Slack down, then delivered in order; once, for it is long."""
    size, tally = bench.size, bench.tally
    part, conversations = max(200, size.backlog // 20), max(100, size.backlog // 10)
    bench.yard.report()
    bench.yard.set_slack(watches=True)
    with bench.yard.serving(BRIDGE) as server, Load(server.port, 32) as load:
        tally.add(BRIDGE, "resting", server.settle_memory())
        bench.yard.set_slack("down", watches=True)
        for first in range(0, size.backlog, part):
            requests = render_texts("backlog", part, Customers(count=conversations), first=first)
            run = load.run(requests)
            tally.requests += part
            tally.errors += run.errors
            tally.add(BRIDGE, "filling rate", run.rate)
            tally.add(BRIDGE, "filling memory", server.memory)
        bench.say(f"  {size.backlog:,} texts accepted with Slack down")
        rates, memories = tally.samples[BRIDGE, "filling rate"], tally.samples[BRIDGE, "filling memory"]
        quarter = max(1, len(rates) // 4)
        tally.samples["first", "backlog rate"], tally.samples["last", "backlog rate"] = (
            rates[:quarter],
            rates[-quarter:],
        )
        tally.add(BRIDGE, "backlog growth", memories[-1] - memories[0])
        bench.yard.set_slack(watches=True)
        seen: list[int] = []
        began, told = time.perf_counter(), 0.0
        while len(seen) < size.backlog and time.perf_counter() - began < 1_800:
            seen += [each[2] for each in bench.yard.report()["seen"]]
            if time.perf_counter() - told > 30:
                told = time.perf_counter()
                bench.say(f"  {len(seen):,} of {size.backlog:,} delivered")
            time.sleep(0.2)
        spent = time.perf_counter() - began
        inversions = count_inversions(seen, conversations)
        tally.errors += abs(size.backlog - len(seen)) + inversions
        tally.add(BRIDGE, "worked", server.settle_memory())
    bench.yard.set_slack()
    what = f"Backlog of {size.backlog:,} texts, Slack down"
    tally.compare(
        f"{what}: ack rate in its last quarter", "backlog rate", "last", "first", "req/s", Goal(at_least=1 / 1.2)
    )
    tally.hold_against(f"{what}: memory grown", (BRIDGE, "backlog growth"), "20 MB", 20.0, "MB", Goal(at_most=1.0))
    tally.compare(
        f"Memory after {size.backlog:,} messages",
        "worked",
        BRIDGE,
        "idle",
        "MB",
        Goal(at_most=1.3),
        as_="resting",
        of=BRIDGE,
    )
    tally.notes.append(
        f"{what}: then delivered in {spent:.0f} s, {len(seen) / spent:.0f} a second; {inversions} after a later one of "
        "their conversation; goal: none."
    )
