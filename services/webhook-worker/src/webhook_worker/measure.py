"""What the worker counts and times of attempts."""

from datetime import datetime

import msgspec
from domain.kinds import KINDS
from domain.retry import Decision, Delivered, GaveUp, PutBack, RetryAt
from domain.webhook_types import webhook_type
from msgspec import Struct
from opentelemetry.trace import format_span_id, format_trace_id
from runtime import metric_names
from runtime.metrics import counter, histogram, series

from webhook_worker.delivery import Attempt
from webhook_worker.top_labels import OTHER, TopLabels

_ATTEMPTS = histogram(metric_names.ATTEMPTS)
_ENDPOINT_ATTEMPTS = histogram(metric_names.ENDPOINT_ATTEMPTS)
_LATENCY = histogram(metric_names.LATENCY)
_DELIVERIES = counter(metric_names.DELIVERIES)
_ENDPOINTS = TopLabels()
_DECISIONS = {Delivered: "delivered", RetryAt: "retry", PutBack: "put_back", GaveUp: "given_up"}
_EVENT_TYPES = {webhook_type(kind.due_event.event_type): kind.due_event.event_type for kind in KINDS.values()}


class Told(Struct, frozen=True, rename="camel"):
    """What a body tells of its occurrence."""

    type: str = ""
    scheduled_for: datetime | None = None

    def seconds_since_due(self, now: datetime) -> float | None:
        """Return how long before `now`, of the business clock, it was due; None where it does not say."""
        due = self.scheduled_for
        return None if due is None else max(0.0, (now - due).total_seconds())


_BODY = msgspec.json.Decoder(Told)


def told_by(body: str) -> Told:
    """Read a body; one that nobody can read tells nothing."""
    try:
        return _BODY.decode(body)
    except msgspec.DecodeError:
        return Told()


def measure_attempt(attempt: Attempt, decision: Decision, told: Told, now: datetime) -> None:
    """Count and time an attempt; `now` is the business clock's, by which its occurrence was due."""
    became, event_type = _DECISIONS[type(decision)], _EVENT_TYPES.get(told.type, OTHER)
    seconds, exemplar = attempt.latency_ms / 1000, _exemplar(attempt)
    series(_ATTEMPTS, event_type, became).observe(seconds, exemplar)
    endpoint = _ENDPOINTS.label(attempt.delivery.endpoint_id)
    series(_ENDPOINT_ATTEMPTS, endpoint, became).observe(seconds, exemplar)
    if isinstance(decision, Delivered):
        series(_DELIVERIES, event_type, "delivered").inc()
        if (late := told.seconds_since_due(now)) is not None:
            series(_LATENCY, event_type).observe(late, exemplar)
    elif isinstance(decision, GaveUp):
        series(_DELIVERIES, event_type, "failed").inc()


def _exemplar(attempt: Attempt) -> dict[str, str] | None:
    if attempt.span is None or not attempt.span.trace_flags.sampled:
        return None
    return {
        "trace_id": format_trace_id(attempt.span.trace_id),
        "span_id": format_span_id(attempt.span.span_id),
    }
