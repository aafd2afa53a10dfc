"""Metrics: recorded here, read as text at /metrics, and sent by OTLP (`export_metrics.py`).

By prometheus_client: a record costs 1 µs where the SDK's costs 7 to 10, and a claim makes one a row
(ADR 0044).
"""

from collections.abc import Callable
from functools import cache
from typing import TypeVar

from opentelemetry import trace
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.exposition import choose_encoder

from runtime.metric_names import Metric

M = TypeVar("M", Counter, Histogram)

# Prometheus takes the start of a series for what it first sees of it.
disable_created_metrics()  # type: ignore[no-untyped-call]

# A process's own. A metric is in it once the service that records it was imported.
REGISTRY = CollectorRegistry(auto_describe=True)


@cache
def counter(metric: Metric) -> Counter:
    """Return the one counter of that name."""
    return Counter(metric.name, metric.help, metric.labels, registry=REGISTRY)


@cache
def gauge(metric: Metric) -> Gauge:
    """Return the one gauge of that name."""
    return Gauge(metric.name, metric.help, metric.labels, registry=REGISTRY)


@cache
def histogram(metric: Metric) -> Histogram:
    """Return the one histogram of that name."""
    return Histogram(metric.name, metric.help, metric.labels, buckets=metric.buckets, registry=REGISTRY)


@cache
def series(metric: M, *labels: str) -> M:
    """Return what a metric records under these labels; the metric itself is four times as slow at that."""
    return metric.labels(*labels)


def measured(metric: Metric, read: Callable[[], float]) -> None:
    """Have a gauge without labels ask `read` whenever it is looked at."""
    gauge(metric).set_function(read)


def exemplar() -> dict[str, str] | None:
    """Return what leads from a measurement to its trace: the current span, if it is kept; else None."""
    span = trace.get_current_span()
    if not span.is_recording():
        return None
    context = span.get_span_context()
    return {
        "trace_id": trace.format_trace_id(context.trace_id),
        "span_id": trace.format_span_id(context.span_id),
    }


def exposition(accept: str) -> tuple[bytes, str]:
    """Return all metrics as text, and its content type: OpenMetrics, with exemplars, for who accepts that."""
    encode, content_type = choose_encoder(accept)
    return encode(REGISTRY), content_type
