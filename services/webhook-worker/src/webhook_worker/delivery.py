"""A delivery: one event to one endpoint, leased to this worker for one attempt, and what came of it."""

from datetime import datetime
from uuid import UUID

from domain.retry import Outcome
from msgspec import Struct
from opentelemetry.trace import SpanContext


class Delivery(Struct, frozen=True, kw_only=True):
    """A leased delivery; `attempt` counts the one to be made now, from 1. Instants are UTC.

    `endpoint_version` is that of its endpoint when it was leased, `traceparent` its event's place in a trace.
    A replay begins the schedule anew: the `attempts_before` it do not count.
    """

    id: UUID
    created_at: datetime
    event_id: UUID
    endpoint_id: UUID
    endpoint_version: int
    attempt: int
    attempts_before: int = 0
    lease_token: UUID
    body: str
    traceparent: str | None = None


class Answer(Struct, frozen=True, kw_only=True):
    """What is kept of an answer: `headers`, a JSON object, and the beginning of `body`, read in `read_ms`."""

    headers: str | None
    body: str | None
    read_ms: float


class Attempt(Struct, frozen=True, kw_only=True):
    """One HTTP try: when it began (wall clock, UTC), what came back and how long that took.

    `latency_ms` is the time until there was a status or surely none; reading the body comes after it. In
    `resolve_ms` of it the host's addresses were found; None where the transport does not tell. Where
    tracing is on, `span` is the one that it was made in.
    """

    delivery: Delivery
    at: datetime
    outcome: Outcome
    latency_ms: float
    resolve_ms: float | None = None
    answer: Answer | None = None
    trace_id: str | None = None
    span: SpanContext | None = None
