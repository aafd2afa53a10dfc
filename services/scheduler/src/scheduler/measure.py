"""What the scheduler counts and times of a claim."""

from collections.abc import Iterable

from domain.events import DueEvent
from prometheus_client import Histogram
from runtime import metric_names
from runtime.metrics import counter, exemplar, histogram

from scheduler.sort_claimed import Claimed

OCCURRENCES = counter(metric_names.OCCURRENCES)
_DUE_LAG = histogram(metric_names.DUE_LAG)
_CLAIMS = histogram(metric_names.CLAIMS)


def measure_claim(claimed: Claimed, *, held_back: int, seconds: float) -> None:
    """Count what became of a claim that found something, and time how late each event is, which is 1 µs."""
    _CLAIMS.observe(seconds, exemplar())
    missed, faults = len(claimed.missed), len(claimed.faults)
    for became, occurrences in (
        ("emitted", len(claimed.outgoing) - missed),
        ("expired", missed),
        ("parked", faults),
        ("held_back", held_back),
    ):
        OCCURRENCES.labels(became).inc(occurrences)
    measure_lag(out.event for out in claimed.outgoing)


def measure_lag(events: Iterable[object]) -> None:
    """Time from when each due event was due until it was emitted."""
    lags: dict[str, Histogram] = {}
    for event in events:
        if isinstance(event, DueEvent):
            name = event.event_type
            lag = lags.get(name) or lags.setdefault(name, _DUE_LAG.labels(name))
            lag.observe((event.emitted_at - event.due_at).total_seconds())
