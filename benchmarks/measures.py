"""
What is measured. Each measure runs its contenders one right after the other, round by round, every one from an empty file.

A measure is a function of a Bench; it keeps one value a round for each contender, and makes figures of them in the end.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from benchmarks.bench import Bench
from benchmarks.bodies import Customers, render_replies, render_texts
from benchmarks.figures import Goal
from benchmarks.load import Load
from benchmarks.measures_delivery import measure_delivery, measure_idle, measure_neighbours, measure_replies
from benchmarks.measures_durability import measure_durability
from benchmarks.measures_scale import measure_backlog, measure_scale
from benchmarks.processes import BRIDGE, Server, has_sample_peer

#: Slack's troubles: how posts are answered, and after how many seconds.
TROUBLES = {"150 ms": ("ok", 0.15), "hung": ("hang", 0.0), "429": ("busy", 0.0)}


def measure_acks(bench: Bench) -> None:
    """How many webhooks are stored and answered a second, by a saturated server. Slack answers at once."""
    size = bench.size
    bench.yard.set_slack()
    warm = size.requests // 10
    for connections in size.connections:
        contenders = [BRIDGE, "floor", "bare"] + (["each"] if connections == size.connections[0] else [])
        quantity = f"{connections} connections"
        for number, turn in bench.take_turns(contenders):
            for contender in turn:
                run = f"ack{connections}-{number}"
                requests = render_texts(run, size.requests + warm, Customers(count=size.conversations))
                # A transaction for each request is an order of magnitude slower; it need not take as many.
                bench.saturate(
                    contender,
                    quantity,
                    connections,
                    requests[: len(requests) // 3 if contender == "each" else None],
                    warm,
                )
            bench.say(f"  acks, {quantity}, round {number + 1} of {size.rounds}")
        tally = bench.tally
        name = f"Webhook ack, durable, {quantity}"
        tally.compare(name, f"{quantity} rate", BRIDGE, "floor", "req/s", Goal(at_least=0.75))
        tally.compare(f"{name}: p99, saturated", f"{quantity} p99", BRIDGE, "floor", "ms", Goal(at_most=1.3))
        tally.compare(f"{name}: processor time", f"{quantity} cpu", BRIDGE, "floor", "µs/req")
        tally.compare(name, f"{quantity} rate", BRIDGE, "bare", "req/s")
        tally.compare("Floor itself", f"{quantity} rate", "floor", "bare", "req/s")
        if "each" in contenders:
            tally.compare(name, f"{quantity} rate", BRIDGE, "each", "req/s")


def measure_steady(bench: Bench) -> None:
    """How soon webhooks are answered at a steady rate, while texts are delivered, and while Slack hangs."""
    size = bench.size
    for kind, mode in (("delivering", "ok"), ("Slack hung", "hang")):
        quantity = f"steady, {kind}"
        bench.yard.set_slack(mode)
        for number, turn in bench.take_turns([BRIDGE, "floor"]):
            for contender in turn:
                requests = render_texts(
                    f"steady{mode}{number}", size.steady_requests + 200, Customers(count=size.conversations)
                )
                with bench.yard.serving(contender) as server, Load(server.port, 64) as load:
                    # At the same rate: how it comes to that from nothing is not what is steady.
                    bench.tally.errors += load.run(requests[:200], rate=size.steady_rate).errors
                    before = server.cpu_seconds
                    run = load.run(requests[200:], rate=size.steady_rate)
                    bench.note_run(contender, quantity, server, run, server.cpu_seconds - before)
            bench.say(f"  {quantity}, round {number + 1} of {size.rounds}")
        name = f"Webhook ack at {size.steady_rate:,.0f} a second, {kind}"
        goal = Goal(at_most=2.0 if mode == "ok" else 1.5)
        bench.tally.compare(f"{name}: p99", f"{quantity} p99", BRIDGE, "floor", "ms", goal)
        bench.tally.compare(f"{name}: p50", f"{quantity} p50", BRIDGE, "floor", "ms")
    bench.yard.set_slack()


def measure_independence(bench: Bench) -> None:
    """Whether Slack's troubles are the carrier's: acks with Slack late, hung and busy; the last ack of a burst."""
    size, tally = bench.size, bench.tally
    warm = size.requests // 10
    peer = has_sample_peer()
    if not peer:
        tally.notes.append(
            "The sample peer was skipped: `uv sync --group bench` (flask, gunicorn) installs what it needs."
        )
    for number in range(size.rounds):
        for trouble, (mode, delay) in TROUBLES.items():
            bench.yard.set_slack(mode, delay)
            quantity = f"Slack {trouble}"
            for contender in (BRIDGE, "floor") if number % 2 else ("floor", BRIDGE):
                with bench.yard.serving(contender) as server:
                    _burst(bench, contender, f"{quantity} burst", server, f"burst{mode}{number}")
                    with Load(server.port, 32) as load:
                        requests = render_texts(
                            f"slow{mode}{number}", size.requests + warm, Customers(count=size.conversations)
                        )
                        bench.load_fully(server, load, contender, quantity, requests, warm)
        if peer:
            bench.yard.set_slack(*TROUBLES["150 ms"])
            with bench.yard.serving("sample") as server:
                with Load(server.port, 32) as load:
                    requests = render_texts(
                        f"sample{number}", size.sample_requests, Customers(count=size.conversations)
                    )
                    bench.load_fully(server, load, "sample", "Slack 150 ms", requests, 0)
                _burst(bench, "sample", "Slack 150 ms burst", server, f"burstsample{number}")
        bench.say(f"  with Slack in trouble, round {number + 1} of {size.rounds}")
    bench.yard.set_slack()
    for trouble in TROUBLES:
        name = f"Webhook ack, Slack {trouble}"
        tally.compare(name, f"Slack {trouble} rate", BRIDGE, "floor", "req/s", Goal(at_least=0.80))
        tally.compare(f"{name}: p99", f"Slack {trouble} p99", BRIDGE, "floor", "ms", Goal(at_most=1.3))
        tally.compare(
            f"Last ack of a burst of {size.burst}, Slack {trouble}", f"Slack {trouble} burst", BRIDGE, "floor", "ms"
        )
    if peer:
        tally.compare("Webhook ack, Slack 150 ms", "Slack 150 ms rate", BRIDGE, "sample", "req/s", Goal(at_least=300))
        name = f"Last ack of a burst of {size.burst}, Slack 150 ms"
        tally.compare(name, "Slack 150 ms burst", BRIDGE, "sample", "ms", Goal(at_most=0.01))


def _burst(bench: Bench, contender: str, quantity: str, server: Server, run: str) -> None:
    requests = render_texts(run, bench.size.burst, Customers(count=bench.size.burst, first=100_000))
    with Load(server.port, len(requests)) as load:
        result = load.run(requests)
    bench.tally.requests += len(requests)
    bench.tally.errors += result.errors
    bench.tally.add(contender, quantity, result.percentile(100) * 1e3)


def measure_slack_acks(bench: Bench) -> None:
    """How many Slack events are stored and answered a second, by a saturated server."""
    size, tally = bench.size, bench.tally
    bench.yard.set_slack()
    warm = size.requests // 10
    quantity = "events"
    for number, turn in bench.take_turns([BRIDGE, "lean", "bolt"]):
        for contender in turn:
            bench.saturate(contender, quantity, 32, render_replies(f"event{number}", size.requests + warm), warm)
        bench.say(f"  Slack's events, round {number + 1} of {size.rounds}")
    name = "Slack event ack, durable, 32 connections"
    tally.compare(name, "events rate", BRIDGE, "lean", "req/s", Goal(at_least=0.75))
    tally.compare(name, "events rate", BRIDGE, "bolt", "req/s", Goal(at_least=2.2))
    tally.compare(f"{name}: p99", "events p99", BRIDGE, "lean", "ms")
    tally.compare(f"{name}: processor time", "events cpu", BRIDGE, "lean", "µs/req")


def measure_through(bench: Bench) -> None:
    """How many texts a second go the whole way: webhook stored, posted to Slack, and recorded where they stand."""
    size, tally = bench.size, bench.tally
    bench.yard.set_slack()
    contenders = [BRIDGE, "through"] + (["sample"] if has_sample_peer() else [])
    for number, turn in bench.take_turns(contenders):
        for contender in turn:
            requests = render_texts(f"through{number}", size.texts, Customers(count=size.conversations))
            if contender == "sample":
                requests = requests[: size.texts // 4]
            with bench.yard.serving(contender) as server, Load(server.port, 32) as load:
                before, cpu = bench.yard.report(), server.cpu_seconds
                began = time.perf_counter()
                run = load.run(requests)
                tally.errors += run.errors
                spent = _await_recorded(server.folder, contender, len(run.latencies)) - began
                after = bench.yard.report()
                tally.requests += len(requests)
                tally.errors += after["posts"] - before["posts"] - len(requests)
                tally.add(contender, "through rate", len(requests) / spent)
                tally.add(contender, "through cpu", (server.cpu_seconds - cpu) * 1e6 / len(requests))
                tally.add(contender, "through connections", after["slack_connections"] - before["slack_connections"])
        bench.say(f"  the whole way, round {number + 1} of {size.rounds}")
    name = f"Through: posted and recorded, {size.conversations} conversations, Slack 0 ms"
    tally.compare(name, "through rate", BRIDGE, "through", "texts/s", Goal(at_least=0.70))
    tally.compare(f"{name}: processor time", "through cpu", BRIDGE, "through", "µs/text")
    if "sample" in contenders:
        tally.compare(name, "through rate", BRIDGE, "sample", "texts/s", Goal(at_least=3.0))
    most = f"{size.connections[0]} connections rate"
    if ("floor", most) in tally.samples:
        tally.compare(
            f"{name}, of the ack floor", "through rate", BRIDGE, "floor", "texts/s", Goal(at_least=0.5), as_=most
        )


_RECORDED = {
    BRIDGE: ("bridge.db", "SELECT COUNT(*) FROM packed_messages WHERE slack_ts IS NOT NULL"),
    "through": ("floor.db", "SELECT COUNT(*) FROM posted"),
    "sample": ("floor.db", "SELECT COUNT(*) FROM messages WHERE ts IS NOT NULL"),
}


def _await_recorded(folder: Path, contender: str, count: int) -> float:
    """Return when *count* texts were recorded as posted, on the monotonic clock."""
    name, sql = _RECORDED[contender]
    deadline, found = time.perf_counter() + 120, 0
    with closing(sqlite3.connect(f"file:{folder / name}?mode=ro", uri=True)) as connection:
        while time.perf_counter() < deadline:
            found = connection.execute(sql).fetchone()[0]
            if found >= count:
                return time.perf_counter()
            time.sleep(0.02)
    raise RuntimeError(f"{contender}: of {count} texts {found} were recorded in two minutes")


def measure_footprint(bench: Bench) -> None:
    """How soon it is ready, what it holds in memory when idle, and how soon it stops."""
    bench.yard.set_slack()
    tally = bench.tally
    for number, turn in bench.take_turns([BRIDGE, "bare"]):
        for contender in turn:
            with bench.yard.serving(contender, waits=False) as server:
                tally.add(contender, "listening", server.wait_for("/healthz") * 1e3)
                ready = server.wait_for("/readyz") if contender == BRIDGE else server.wait_for("/healthz")
                tally.add(
                    contender, "ready", ready * 1e3 if contender == BRIDGE else tally.samples["bare", "listening"][-1]
                )
                tally.add(contender, "memory", server.settle_memory())
                tally.add(contender, "stop", server.stop() * 1e3)
        bench.say(f"  footprint, round {number + 1} of {bench.size.rounds}")
    tally.compare("Start to listening", "listening", BRIDGE, "bare", "ms", Goal(at_most=1.3))
    tally.compare("Start to ready (Slack and the carrier asked)", "ready", BRIDGE, "bare", "ms", Goal(at_most=1.3))
    tally.compare("Idle memory", "memory", BRIDGE, "bare", "MB", Goal(at_most=1.6))
    tally.compare("SIGTERM to exit, idle", "stop", BRIDGE, "bare", "ms")


#: By the name under which `--only` asks for each.
MEASURES: dict[str, Callable[[Bench], None]] = {
    "acks": measure_acks,
    "steady": measure_steady,
    "independence": measure_independence,
    "durability": measure_durability,
    "slack": measure_slack_acks,
    "through": measure_through,
    "delivery": measure_delivery,
    "neighbours": measure_neighbours,
    "replies": measure_replies,
    "idle": measure_idle,
    "scale": measure_scale,
    "backlog": measure_backlog,
    "footprint": measure_footprint,
}
