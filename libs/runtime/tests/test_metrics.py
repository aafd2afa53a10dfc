import re
from pathlib import Path

import pytest
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.sdk.resources import Resource
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from runtime.export_metrics import metrics_data
from runtime.metric_names import ALL, DUE_LAG, Metric
from runtime.metrics import exposition, histogram
from testkit.repository import find_topology

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
OPENMETRICS = "application/openmetrics-text; version=1.0.0"


def documented(pytestconfig: pytest.Config) -> dict[str, tuple[str, list[str]]]:
    page = find_topology(pytestconfig.rootpath).parent.parent / "docs" / "observability.md"
    rows = re.findall(r"^\| `(\w+)` \((\w+)\) \| ([^|]*) \|", Path(page).read_text(), re.MULTILINE)
    return {name: (kind, re.findall(r"`(\w+)`", labels)) for name, kind, labels in rows}


def test_every_metric_is_documented_as_it_is_and_no_other(pytestconfig: pytest.Config) -> None:
    assert documented(pytestconfig) == {metric.name: (metric.kind, list(metric.labels)) for metric in ALL}


@pytest.mark.parametrize("metric", ALL, ids=lambda metric: metric.name)
def test_names_tell_units_and_kinds(metric: Metric) -> None:
    assert (metric.kind == "counter") == metric.name.endswith("_total")
    assert (metric.kind == "histogram") == bool(metric.buckets)
    assert metric.kind != "histogram" or metric.name.endswith("_seconds")


def test_a_measurement_leads_to_its_trace_in_openmetrics_and_nowhere_else() -> None:
    histogram(DUE_LAG).labels("TestDue").observe(0.3, {"trace_id": TRACE, "span_id": SPAN})

    plain, plain_type = exposition("")
    text, content_type = exposition(OPENMETRICS)

    assert plain_type.startswith("text/plain")
    assert TRACE not in plain.decode()
    assert content_type.startswith("application/openmetrics-text")
    families = text_string_to_metric_families(text.decode())  # type: ignore[no-untyped-call]
    [family] = [one for one in families if one.name == DUE_LAG.name]
    [found] = [sample.exemplar for sample in family.samples if sample.exemplar]
    assert (found.labels, found.value) == ({"trace_id": TRACE, "span_id": SPAN}, 0.3)


def test_what_is_sent_by_otlp_is_what_the_text_says() -> None:
    registry = CollectorRegistry()
    lag = Histogram("lag_seconds", "Lag.", ["type"], buckets=(0.1, 1.0), registry=registry)
    for seconds, kind in ((0.05, "a"), (0.5, "a"), (7.0, "a"), (0.5, "b")):
        lag.labels(kind).observe(seconds, {"trace_id": TRACE, "span_id": SPAN} if seconds > 1 else None)
    Counter("things_total", "Things.", ["result"], registry=registry).labels("good").inc(3)
    Gauge("size", "Size.", registry=registry).set(4.5)

    encoded = encode_metrics(metrics_data(registry, Resource.create({"service.name": "carillon-test"})))

    [scope] = encoded.resource_metrics[0].scope_metrics
    sent = {metric.name: metric for metric in scope.metrics}
    assert set(sent) == {"lag_seconds", "things", "size"}
    a, b = sent["lag_seconds"].histogram.data_points
    assert (list(a.explicit_bounds), list(a.bucket_counts), a.count, a.sum) == (
        [0.1, 1.0],
        [1, 1, 1],
        3,
        7.55,
    )
    assert (b.attributes[0].value.string_value, list(b.bucket_counts)) == ("b", [0, 1, 0])
    assert not a.HasField("min")
    [exemplar] = a.exemplars
    assert (exemplar.trace_id.hex(), exemplar.span_id.hex(), exemplar.as_double) == (TRACE, SPAN, 7.0)
    assert sent["things"].sum.is_monotonic
    assert sent["things"].sum.data_points[0].as_double == 3.0
    assert sent["size"].gauge.data_points[0].as_double == 4.5
