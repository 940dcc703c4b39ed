"""The benchmarks measure what they say: every contender is started, loaded and counted. How fast any is, no test asks."""

from __future__ import annotations

import re
import socket
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from benchmarks.bench import Bench, Size
from benchmarks.bodies import Customers, render_replies, render_texts
from benchmarks.figures import Figure, Goal, Tally
from benchmarks.load import Load
from benchmarks.measures import measure_through
from benchmarks.processes import BRIDGE, Yard
from benchmarks.report import write_report

TINY = Size(
    rounds=1,
    requests=20,
    connections=(4,),
    steady_rate=200,
    steady_requests=20,
    burst=5,
    texts=20,
    conversations=5,
    sample_requests=4,
    late_texts=20,
    late_conversations=5,
    bystanders=20,
    replies=10,
    stored_messages=1_000,
    backlog=20,
)


@contextmanager
def answering(answer: Callable[[int], bytes]) -> Iterator[int]:
    """Serve one connection: request number *n* gets `answer(n)`, and an empty answer closes it. Yields the port."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            plug, _ = server.accept()
            with plug:
                for number in range(1_000):
                    if not plug.recv(65_536):
                        return
                    reply = answer(number)
                    if not reply:
                        return
                    plug.sendall(reply)

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        thread.join()


@pytest.fixture
def yard(tmp_path: Path) -> Iterator[Yard]:
    yard = Yard(tmp_path)
    yield yard
    yard.close()


def test_a_measure_starts_its_contenders_counts_every_answer_and_makes_its_figures(yard: Yard) -> None:
    bench = Bench(yard=yard, size=TINY, say=lambda _: None)
    measure_through(bench)

    tally = bench.tally
    assert tally.errors == 0, tally.notes
    assert {contender for contender, _ in tally.samples} >= {BRIDGE, "through"}
    assert all(value > 0 for (_, what), values in tally.samples.items() for value in values if what != "through cpu")
    (figure,) = [figure for figure in tally.figures if figure.theirs_name == "through" and figure.goal]
    assert len(figure.ratios) == 1
    report = write_report(tally, command="make bench", machine=["a machine"], seconds=60)
    assert f"{tally.requests:,} requests, 0 errors." in report
    assert report.count("\n| ") == len(tally.figures) + 1


@pytest.mark.parametrize("contender", ["bare", "floor", "each", "lean", "bolt"])
def test_a_contender_answers_200_and_stores_what_it_says_once(contender: str, yard: Yard) -> None:
    requests = render_replies("x", 5) if contender in ("lean", "bolt") else render_texts("x", 5, Customers(count=2))
    with yard.serving(contender) as server, Load(server.port, 2) as load:
        for _ in range(2):
            assert load.run(requests).errors == 0, server.tell()
        stored = 0
        if contender != "bare":
            with closing(sqlite3.connect(server.folder / "floor.db")) as connection:
                stored = connection.execute("SELECT COUNT(*) FROM inbox").fetchone()[0]
        forged = load.run([request.replace(b"order", b"ordex") for request in requests]).errors

    assert stored == (0 if contender == "bare" else 5)
    assert forged == (0 if contender == "bare" else 5)


def test_every_request_is_distinct_and_signed_for_now() -> None:
    requests = render_texts("run", 10, Customers(count=3))

    assert len(set(requests)) == 10
    assert len({re.findall(rb'"phone_number": "(\+1415\d+)"', request)[0] for request in requests}) == 3
    assert all(re.search(rb"\r\ntelnyx-signature-ed25519: \S{88}\r\n", request) for request in requests)
    assert all(1_200 < len(request.partition(b"\r\n\r\n")[2]) < 1_600 for request in requests)


def test_an_answer_that_is_not_200_counts_as_an_error() -> None:
    replies = [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"]
    with answering(lambda number: replies[number % 2]) as port, Load(port, 1) as load:
        run = load.run([b"x"] * 4)

    assert (len(run.latencies), run.errors) == (2, 2)


def test_a_connection_that_breaks_counts_as_an_error() -> None:
    with answering(lambda _: b"") as port, Load(port, 1) as load:
        run = load.run([b"x"])

    assert (len(run.latencies), run.errors) == (0, 1)


def test_an_answer_in_pieces_is_waited_for() -> None:
    whole = b"HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n" + b"x" * 200_000
    with answering(lambda _: whole) as port, Load(port, 1) as load:
        run = load.run([b"x"] * 2)

    assert (len(run.latencies), run.errors) == (2, 0)


def test_at_a_steady_rate_the_requests_are_spread_over_the_time() -> None:
    with answering(lambda _: b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") as port, Load(port, 1) as load:
        run = load.run([b"x"] * 20, rate=100)

    assert run.errors == 0
    assert run.seconds >= 0.19


@pytest.mark.parametrize(
    ("goal", "ours", "met"),
    [
        (Goal(at_least=0.75), [70.0, 80.0, 90.0], True),
        (Goal(at_least=0.75), [70.0, 74.0, 90.0], False),
        (Goal(at_most=1.3), [120.0, 130.0, 900.0], True),
        (None, [1.0, 1.0, 1.0], None),
    ],
)
def test_a_goal_is_held_against_the_median_of_the_rounds(
    goal: Goal | None, ours: list[float], met: bool | None
) -> None:
    figure = Figure(
        measure="m", ours_name="a", theirs_name="b", unit="x", ours=ours, theirs=[100.0, 100.0, 100.0], goal=goal
    )

    assert figure.is_met is met
    assert ("**missed**" in write_report(Tally(figures=[figure]), command="c", machine=[], seconds=1)) is (met is False)
