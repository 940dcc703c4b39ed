"""How soon and how fast texts are delivered: with Slack as late as it is, beside others in trouble, out, and one by one."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

from benchmarks.bench import Bench
from benchmarks.bodies import (
    BUSY_CHANNEL,
    OURS_TOO,
    Customers,
    render_request,
    render_texts,
    sign_slack,
    write_reply_event,
)
from benchmarks.figures import Goal
from benchmarks.load import Load
from benchmarks.processes import BRIDGE

#: What Slack takes for a post, in seconds, and how many the bridge allows itself under way.
_SLACK_TAKES, _IN_FLIGHT = 0.15, 256
#: What the carrier takes for a send here, in seconds, and what it allows an account a second.
_CARRIER_TAKES, _ALLOWED = 0.005, 50.0
_PATIENCE = 240.0


def _await_seen(bench: Bench, wanted: Callable[[list[Any]], bool]) -> list[Any]:
    """Return what the platforms saw, once it is what is *wanted*."""
    seen: list[Any] = []
    deadline = time.perf_counter() + _PATIENCE
    while time.perf_counter() < deadline:
        seen += bench.yard.report()["seen"]
        if wanted(seen):
            return seen
        time.sleep(0.01)
    raise RuntimeError(f"of what was waited for only {len(seen)} came")


def count_inversions(numbers: Sequence[int], conversations: int) -> int:
    """Return how often a text came after a later one of its conversation; text *n* is in conversation n % *conversations*."""
    newest: dict[int, int] = {}
    inversions = 0
    for number in numbers:
        inversions += number < newest.get(number % conversations, -1)
        newest[number % conversations] = max(number, newest.get(number % conversations, -1))
    return inversions


def measure_delivery(bench: Bench) -> None:
    """How near delivery comes to what Slack's latency allows, with many conversations at once and each in order."""
    size, tally = bench.size, bench.tally
    inversions = most = 0
    for number in range(size.rounds):
        bench.yard.report()
        bench.yard.set_slack("ok", _SLACK_TAKES, watches=True)
        run = f"late{number}"
        requests = render_texts(run, size.late_texts, Customers(count=size.late_conversations))
        with bench.yard.serving(BRIDGE) as server, Load(server.port, 32) as load:
            tally.errors += load.run(requests).errors
            seen = _await_seen(bench, lambda seen: len(seen) >= size.late_texts)
            most = max(most, bench.yard.report()["most_posting"])
        tally.requests += len(requests)
        tally.errors += len(seen) - size.late_texts
        inversions += count_inversions([each[2] for each in seen], size.late_conversations)
        # Between the first tenth and the last: what is accepted first, and a last straggler, are no rate.
        times = sorted(each[3] for each in seen)
        first, last = times[len(times) // 10], times[len(times) * 9 // 10]
        tally.add(BRIDGE, "late rate", (len(times) * 8 / 10) / (last - first))
        bench.say(f"  delivery, round {number + 1} of {size.rounds}")
    bench.yard.set_slack()
    ideal = min(_IN_FLIGHT, size.late_conversations) / _SLACK_TAKES
    name = f"Delivered, Slack 150 ms, {size.late_conversations:,} conversations"
    tally.hold_against(
        name, (BRIDGE, "late rate"), f"{_IN_FLIGHT} in flight, ideal", ideal, "texts/s", Goal(at_least=0.75)
    )
    tally.notes.append(
        f"Delivered, Slack 150 ms: {inversions} texts after a later one of their conversation; goal: none. "
        f"At most {most} posts under way at once."
    )
    tally.errors += inversions


def measure_neighbours(bench: Bench) -> None:
    """Tell what one conversation with many waiting, or one channel in back-off, costs the others."""
    size, tally = bench.size, bench.tally
    troubles = ("alone", "a conversation with 500 waiting", "a channel in back-off")
    rate, conversations = 100.0, 200
    for number, turn in bench.take_turns(troubles):
        for trouble in turn:
            bench.yard.report()
            bench.yard.set_slack("ok", _SLACK_TAKES, watches=True, busy_channel=BUSY_CHANNEL)
            run = f"by{number}{troubles.index(trouble)}"
            settings = {"NUMBER_CHANNELS": f"{OURS_TOO}={BUSY_CHANNEL}"}
            with bench.yard.serving(BRIDGE, settings=settings) as server, Load(server.port, 32) as load:
                burden: list[bytes] = []
                if trouble == troubles[1]:
                    burden = render_texts(f"waiting{number}", 500, Customers(count=1, first=900_000))
                elif trouble == troubles[2]:
                    burden = render_texts(f"backoff{number}", 50, Customers(count=50, first=900_000, ours=OURS_TOO))
                tally.errors += load.run(burden).errors if burden else 0
                time.sleep(1.0)
                asked = load.run(render_texts(run, size.bystanders, Customers(count=conversations)), rate=rate)
                tally.errors += asked.errors
                seen = _await_seen(bench, lambda seen: sum(each[1] == run for each in seen) >= size.bystanders)  # noqa: B023
            spans = sorted(each[3] - (asked.began + each[2] / rate) for each in seen if each[1] == run)
            tally.requests += len(burden) + size.bystanders
            tally.add(trouble, "delivery p99", spans[min(len(spans) - 1, int(len(spans) * 0.99))] * 1e3)
            tally.add(trouble, "delivery p50", spans[len(spans) // 2] * 1e3)
        bench.say(f"  neighbours, round {number + 1} of {size.rounds}")
    bench.yard.set_slack()
    for trouble in troubles[1:]:
        name = f"Delivery beside {trouble}"
        tally.compare(f"{name}: p99", "delivery p99", trouble, troubles[0], "ms", Goal(at_most=1.2))
        tally.compare(f"{name}: p50", "delivery p50", trouble, troubles[0], "ms")


def _open_threads(bench: Bench, load: Load, run: str, count: int) -> dict[int, str]:
    """Have *count* customers text, and return the thread of each."""
    bench.tally.errors += load.run(render_texts(run, count, Customers(count=count))).errors
    seen = _await_seen(bench, lambda seen: len({each[2] for each in seen if each[1] == run}) >= count)
    return {each[2]: each[5] or each[4] for each in seen if each[1] == run}


def _render_reply(run: str, number: int, thread_ts: str) -> bytes:
    body = write_reply_event(run, number, thread_ts=thread_ts)
    return render_request("/slack/events", body, sign_slack(body))


def measure_replies(bench: Bench) -> None:
    """How many replies a second reach the carrier, over how many connections."""
    size, tally = bench.size, bench.tally
    most = connections = 0
    for number in range(size.rounds):
        bench.yard.report()
        bench.yard.set_slack(watches=True, carrier_delay=_CARRIER_TAKES)
        run = f"out{number}"
        with bench.yard.serving(BRIDGE) as server, Load(server.port, 32) as load:
            threads = _open_threads(bench, load, f"in{number}", 200)
            time.sleep(0.5)
            before = bench.yard.report()
            requests = [_render_reply(run, each, threads[each % len(threads)]) for each in range(size.replies)]
            tally.errors += load.run(requests).errors
            seen = _await_seen(bench, lambda seen: sum(each[:2] == ["s", run] for each in seen) >= size.replies)  # noqa: B023
            after = bench.yard.report()
        sent = [each for each in seen if each[:2] == ["s", run]]
        tally.requests += size.replies
        tally.errors += len(sent) - size.replies + count_inversions([each[2] for each in sent], len(threads))
        times = sorted(each[3] for each in sent)
        first, last = times[len(times) // 10], times[len(times) * 9 // 10]
        tally.add(BRIDGE, "replies rate", (len(times) * 8 / 10) / (last - first))
        most = max(most, after["most_sending"])
        connections = max(connections, after["carrier_connections"] - before["carrier_connections"])
        bench.say(f"  replies, round {number + 1} of {size.rounds}")
    bench.yard.set_slack()
    tally.hold_against(
        "Replies handed to the carrier",
        (BRIDGE, "replies rate"),
        "what a carrier allows an account",
        _ALLOWED,
        "texts/s",
        Goal(at_least=10.0),
    )
    tally.notes.append(
        f"Replies: at most {most} under way at the carrier at once, goal: 10; at most {connections} new connections for "
        f"{size.replies:,} of them, goal: one client, none for a call."
    )


def measure_idle(bench: Bench) -> None:
    """How soon an idle bridge begins to post a text that came in, and to send a reply that was written."""
    bench.yard.report()
    bench.yard.set_slack(watches=True)
    tally, times = bench.tally, 30 if bench.size.rounds > 1 else 8
    spans: dict[str, list[float]] = {"in": [], "out": []}
    with bench.yard.serving(BRIDGE) as server, Load(server.port, 1) as load:
        threads = _open_threads(bench, load, "thread", 1)
        time.sleep(1.0)
        for number in range(times):
            (text,) = render_texts(f"idle{number}", 1, Customers(count=1, first=200_000 + number))
            reply = _render_reply(f"answer{number}", number, threads[0])
            for way, request, run in (("in", text, f"idle{number}"), ("out", reply, f"answer{number}")):
                bench.yard.report()
                sent = time.perf_counter()
                tally.errors += load.run([request]).errors
                seen = _await_seen(bench, lambda seen: any(each[1] == run for each in seen))  # noqa: B023
                spans[way].append((next(each[3] for each in seen if each[1] == run) - sent) * 1e3)
                tally.requests += 1
    bench.yard.set_slack()
    bench.say("  idle latency")
    for way, what in (
        ("in", "webhook sent to Slack's request"),
        ("out", "Slack's event sent to the carrier's request"),
    ):
        for span in spans[way]:
            tally.add(BRIDGE, f"idle {way}", span)
        name = f"Idle, from {what} arrived, each of {times}"
        tally.hold_against(name, (BRIDGE, f"idle {way}"), "10 ms", 10.0, "ms", Goal(at_most=1.0))
        tally.notes.append(f"{name}: p50 {statistics.median(spans[way]):.1f} ms.")
