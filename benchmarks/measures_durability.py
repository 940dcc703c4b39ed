"""What durability costs: against the same program that keeps nothing, and on a disk that flushes slowly."""

from __future__ import annotations

from benchmarks.bench import Bench
from benchmarks.bodies import Customers, render_texts
from benchmarks.figures import Goal
from benchmarks.load import Load
from benchmarks.processes import BRIDGE, STORELESS
from benchmarks.slow_disk import read_counts

#: What each flush takes longer, in milliseconds: about what a network disk does.
_SLOWER = 2.0


def measure_durability(bench: Bench) -> None:
    """Tell what the store costs an ack; how often the disk is flushed; what a slow disk makes of it."""
    size, tally = bench.size, bench.tally
    warm = size.requests // 10
    for number, turn in bench.take_turns([BRIDGE, STORELESS]):
        # A Slack that hangs: what is stored is not worked on, as it is not where nothing is stored.
        bench.yard.set_slack("hang")
        for contender in turn:
            requests = render_texts(f"kept{number}", size.requests + warm, Customers(count=size.conversations))
            bench.saturate(contender, "kept", 32, requests, warm)
        for contender in (BRIDGE, "each") if number % 2 else ("each", BRIDGE):
            count = size.requests // (10 if contender == "each" else 1)
            requests = render_texts(f"slowdisk{number}", count + warm // 10, Customers(count=size.conversations))
            with bench.yard.serving(contender, slower=_SLOWER) as server, Load(server.port, 32) as load:
                log, other, commits = read_counts(server.folder)
                bench.load_fully(server, load, contender, "slow disk", requests, warm // 10)
                now = read_counts(server.folder)
                if now[0] > log:
                    tally.add(contender, "texts a flush", len(requests) / (now[0] - log))
                if now[2] > commits:
                    # A checkpoint flushes the log, the file, and the log's new beginning: none of them is a commit's.
                    of_commits = (now[0] - log) - 2 * (now[1] - other)
                    tally.add(contender, "flushes a commit", of_commits / (now[2] - commits))
        bench.say(f"  durability, round {number + 1} of {size.rounds}")
    bench.yard.set_slack()
    name = "Webhook ack, durable, 32 connections"
    tally.compare(name, "kept rate", BRIDGE, STORELESS, "req/s", Goal(at_least=0.70))
    slow = f"{name}, each flush {_SLOWER:g} ms slower"
    tally.compare(slow, "slow disk rate", BRIDGE, "each", "req/s", Goal(at_least=8.0))
    if (BRIDGE, "texts a flush") in tally.samples:
        # `each` commits one text after the other: it shows that a commit is one flush, no more and no less.
        flushes = (BRIDGE, "flushes a commit")
        tally.hold_against(
            "Flushes for a commit, those of checkpoints aside", flushes, "one", 1.0, "flushes", Goal(at_most=1.1)
        )
        tally.compare(f"{slow}: texts a flush", "texts a flush", BRIDGE, "each", "texts")
    else:
        tally.notes.append("Flushes could not be counted: this Python brings an SQLite of its own inside.")
