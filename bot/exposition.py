"""How `/metrics` tells its figures: by Prometheus' own library, loaded when first somebody asks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import assert_never

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector, CollectorRegistry

from bot.figures import Family, Figure, Spread, Value


class _Figures(Collector):
    def __init__(self, families: Iterable[Family[Value] | Family[Spread]]) -> None:
        self._families = families

    def collect(self) -> Iterator[Metric]:
        for family in self._families:
            yield _tell(family)


def _tell(family: Family[Value] | Family[Spread]) -> Metric:
    told: CounterMetricFamily | GaugeMetricFamily | HistogramMetricFamily
    match family.figure:
        case Figure.COUNTER:
            told = CounterMetricFamily(family.name, family.tells, labels=family.names)
        case Figure.GAUGE:
            told = GaugeMetricFamily(family.name, family.tells, labels=family.names)
        case Figure.HISTOGRAM:
            told = HistogramMetricFamily(family.name, family.tells, labels=family.names)
        case never:
            assert_never(never)
    for labels, figure in family.list_figures():
        if isinstance(told, HistogramMetricFamily):
            assert isinstance(figure, Spread)  # noqa: S101 - by its kind
            told.add_metric(labels, figure.list_buckets(), figure.total)
        else:
            assert isinstance(figure, Value)  # noqa: S101 - likewise
            told.add_metric(labels, figure.value)
    return told


def render(families: Iterable[Family[Value] | Family[Spread]]) -> bytes:
    """Return *families* in Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(_Figures(families))
    return generate_latest(registry)
