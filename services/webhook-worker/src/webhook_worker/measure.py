"""What the worker counts and times of attempts."""

from datetime import datetime

import msgspec
from domain.kinds import KINDS
from domain.retry import Decision, Delivered, GaveUp, PutBack, RetryAt
from domain.webhook_types import webhook_type
from msgspec import Struct
from opentelemetry.trace import format_span_id, format_trace_id
from runtime import metric_names
from runtime.metrics import counter, histogram

from webhook_worker.delivery import Attempt
from webhook_worker.top_labels import OTHER, TopLabels

_ATTEMPTS = histogram(metric_names.ATTEMPTS)
_ENDPOINT_ATTEMPTS = histogram(metric_names.ENDPOINT_ATTEMPTS)
_LATENCY = histogram(metric_names.LATENCY)
_DELIVERIES = counter(metric_names.DELIVERIES)
_ENDPOINTS = TopLabels()
_DECISIONS = {Delivered: "delivered", RetryAt: "retry", PutBack: "put_back", GaveUp: "given_up"}
_EVENT_TYPES = {webhook_type(kind.due_event.event_type): kind.due_event.event_type for kind in KINDS.values()}


class _Told(Struct, frozen=True, rename="camel"):
    type: str = ""
    scheduled_for: datetime | None = None


_BODY = msgspec.json.Decoder(_Told)


def measure_attempt(attempt: Attempt, decision: Decision, now: datetime) -> None:
    """Count and time an attempt; `now` is the business clock's, by which its occurrence was due."""
    told, became = _told(attempt.delivery.body), _DECISIONS[type(decision)]
    event_type = _EVENT_TYPES.get(told.type, OTHER)
    seconds, exemplar = attempt.latency_ms / 1000, _exemplar(attempt)
    _ATTEMPTS.labels(event_type, became).observe(seconds, exemplar)
    endpoint = _ENDPOINTS.label(attempt.delivery.endpoint_id)
    _ENDPOINT_ATTEMPTS.labels(endpoint, became).observe(seconds, exemplar)
    if isinstance(decision, Delivered):
        _DELIVERIES.labels(event_type, "delivered").inc()
        if (late := seconds_since_due(attempt, now)) is not None:
            _LATENCY.labels(event_type).observe(late, exemplar)
    elif isinstance(decision, GaveUp):
        _DELIVERIES.labels(event_type, "failed").inc()


def seconds_since_due(attempt: Attempt, now: datetime) -> float | None:
    """Return how long before `now`, of the business clock, an attempt was due; None where it does not say."""
    due = _told(attempt.delivery.body).scheduled_for
    return None if due is None else max(0.0, (now - due).total_seconds())


def _told(body: str) -> _Told:
    """Read what a body tells of its occurrence; nothing of one that nobody can read."""
    try:
        return _BODY.decode(body)
    except msgspec.DecodeError:
        return _Told()


def _exemplar(attempt: Attempt) -> dict[str, str] | None:
    if attempt.span is None or not attempt.span.trace_flags.sampled:
        return None
    return {
        "trace_id": format_trace_id(attempt.span.trace_id),
        "span_id": format_span_id(attempt.span.span_id),
    }
