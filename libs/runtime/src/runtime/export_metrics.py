"""Metrics by OTLP: what /metrics shows, made into the SDK's data and sent by its exporter, once a minute.

A thread of its own sends, so that a backend which is away costs a minute's numbers and nothing else: they are
sums since the start, and the next sending has them.
"""

import os
import threading
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import pairwise
from time import time_ns

from opentelemetry.sdk.metrics import Exemplar
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    Histogram,
    HistogramDataPoint,
    MetricExporter,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.metrics.export import Metric as Sent
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.samples import Exemplar as Recorded
from prometheus_client.samples import Sample

CUMULATIVE = AggregationTemporality.CUMULATIVE
INTERVAL = "OTEL_METRIC_EXPORT_INTERVAL"
EVERY_MS = 60_000
STARTED = time_ns()


@asynccontextmanager
async def exporting(
    registry: CollectorRegistry, resource: Resource, exporter: MetricExporter
) -> AsyncIterator[None]:
    """Send the registry's metrics every OTEL_METRIC_EXPORT_INTERVAL (milliseconds), and at the end."""
    ended = threading.Event()
    seconds = float(os.environ.get(INTERVAL) or EVERY_MS) / 1000

    def send() -> None:
        is_last = False
        while not is_last:
            is_last = ended.wait(seconds)
            exporter.export(metrics_data(registry, resource))
        exporter.shutdown()

    # A daemon: nobody waits for a backend that hangs when the process ends.
    threading.Thread(target=send, name="metrics", daemon=True).start()
    try:
        yield
    finally:
        ended.set()


def metrics_data(registry: CollectorRegistry, resource: Resource) -> MetricsData:
    """Return what a registry holds now as the SDK's data."""
    now = time_ns()
    sent = [metric for family in registry.collect() if (metric := to_metric(family, now)).data.data_points]
    scope = ScopeMetrics(scope=InstrumentationScope("carillon"), metrics=sent, schema_url="")
    return MetricsData([ResourceMetrics(resource=resource, scope_metrics=[scope], schema_url="")])


def to_metric(family: Family, now: int) -> Sent:
    """Return one metric under the name that Prometheus gives it, whose unit is its end."""
    data: Sum | Gauge | Histogram
    match family.type:
        case "counter":
            points = [number(each, now) for each in family.samples if each.name.endswith("_total")]
            data = Sum(points, CUMULATIVE, is_monotonic=True)
        case "histogram":
            data = Histogram(list(histogram_points(family.samples, now)), CUMULATIVE)
        case _:
            data = Gauge([number(each, now) for each in family.samples])
    return Sent(name=family.name, description=family.documentation, unit="", data=data)


def number(sample: Sample, now: int) -> NumberDataPoint:
    """Return a counter's or a gauge's value."""
    return NumberDataPoint(
        attributes=sample.labels, start_time_unix_nano=STARTED, time_unix_nano=now, value=sample.value
    )


def histogram_points(samples: Sequence[Sample], now: int) -> Iterator[HistogramDataPoint]:
    """Return a point for each combination of labels; Prometheus's buckets each count those below as well."""
    buckets: dict[tuple[tuple[str, str], ...], list[Sample]] = {}
    sums: dict[tuple[tuple[str, str], ...], float] = {}
    for sample in samples:
        labels = tuple((name, value) for name, value in sample.labels.items() if name != "le")
        if sample.name.endswith("_bucket"):
            buckets.setdefault(labels, []).append(sample)
        elif sample.name.endswith("_sum"):
            sums[labels] = sample.value
    for labels, found in buckets.items():
        yield histogram_point(dict(labels), found, sums[labels], now)


def histogram_point(
    attributes: Mapping[str, str], buckets: Sequence[Sample], total: float, now: int
) -> HistogramDataPoint:
    """Return the point of one combination of labels."""
    below = [0, *[int(bucket.value) for bucket in buckets]]
    return HistogramDataPoint(
        attributes=dict(attributes),
        start_time_unix_nano=STARTED,
        time_unix_nano=now,
        count=below[-1],
        sum=total,
        bucket_counts=[upper - lower for lower, upper in pairwise(below)],
        explicit_bounds=[float(bucket.labels["le"]) for bucket in buckets[:-1]],
        min=None,  # type: ignore[arg-type] # as the protocol has it: not told
        max=None,  # type: ignore[arg-type]
        exemplars=[to_exemplar(bucket.exemplar) for bucket in buckets if bucket.exemplar],
    )


def to_exemplar(known: Recorded) -> Exemplar:
    """Return a measurement that leads to its trace."""
    return Exemplar(
        filtered_attributes={},
        value=known.value,
        time_unix_nano=int(float(known.timestamp or 0) * 1e9),
        span_id=int(known.labels["span_id"], 16),
        trace_id=int(known.labels["trace_id"], 16),
    )
