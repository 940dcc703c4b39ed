"""What is counted here and told by Prometheus' library is what the library itself would have counted and told."""

from __future__ import annotations

from functools import partial

import prometheus_client
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.exposition import generate_latest

from bot.exposition import render
from bot.figures import Family, Figure, Spread, Value

BOUNDS = (0.005, 0.5, 2, 60)
words = st.text(max_size=5) | st.sampled_from(['a"b', "a\\b", "a\nb"])


def tell(registry: prometheus_client.CollectorRegistry) -> list[str]:
    """Return what the library tells, but for the moments at which it began to count."""
    return [line for line in generate_latest(registry).decode().split("\n") if "_created" not in line]


@given(st.lists(st.tuples(words, words)))
def test_counters_are_told_as_the_library_tells_its_own(counted: list[tuple[str, str]]) -> None:
    registry = prometheus_client.CollectorRegistry()
    theirs = prometheus_client.Counter("calls", "Calls.", ["platform", "outcome"], registry=registry)
    ours = Family(Figure.COUNTER, "calls", "Calls.", ("platform", "outcome"), Value)

    for labels in counted:
        theirs.labels(*labels).inc()
        ours.labels(*labels).inc()

    assert render([ours]).decode().split("\n") == tell(registry)


@given(st.lists(st.tuples(words, st.floats(-10, 1e6) | st.sampled_from(BOUNDS)), max_size=20))
def test_histograms_are_told_as_the_library_tells_its_own(observed: list[tuple[str, float]]) -> None:
    registry = prometheus_client.CollectorRegistry()
    theirs = prometheus_client.Histogram("seconds", "How long.", ["kind"], registry=registry, buckets=BOUNDS)
    ours = Family(Figure.HISTOGRAM, "seconds", "How long.", ("kind",), partial(Spread, BOUNDS))

    for kind, seconds in observed:
        theirs.labels(kind).observe(seconds)
        ours.labels(kind).observe(seconds)

    assert render([ours]).decode().split("\n") == tell(registry)


@given(st.lists(st.tuples(words, st.floats(allow_nan=False))))
def test_gauges_are_told_as_the_library_tells_its_own_and_forget_what_they_are_told_to(
    measured: list[tuple[str, float]],
) -> None:
    registry = prometheus_client.CollectorRegistry()
    theirs = prometheus_client.Gauge("waiting", "How many.", ["limit"], registry=registry)
    ours = Family(Figure.GAUGE, "waiting", "How many.", ("limit",), Value)
    ours.labels("an old one").set(1)
    ours.clear()

    for limit, value in measured:
        theirs.labels(limit).set(value)
        ours.labels(limit).set(value)

    assert render([ours]).decode().split("\n") == tell(registry)


def test_a_figure_cannot_have_other_labels_than_its_name_has() -> None:
    with pytest.raises(ValueError, match="source"):
        Family(Figure.COUNTER, "received", "Requests.", ("source", "status"), Value).labels("telnyx")
