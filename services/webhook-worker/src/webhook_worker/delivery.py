"""A delivery: one event to one endpoint, leased to this worker for one attempt, and what came of it."""

from datetime import datetime
from uuid import UUID

from domain.retry import Outcome
from msgspec import Struct


class Delivery(Struct, frozen=True, kw_only=True):
    """A leased delivery; `attempt` counts the one to be made now, from 1. Instants are UTC.

    `endpoint_version` is that of its endpoint when it was leased.
    """

    id: UUID
    created_at: datetime
    event_id: UUID
    endpoint_id: UUID
    endpoint_version: int
    attempt: int
    lease_token: UUID
    body: str


class Attempt(Struct, frozen=True, kw_only=True):
    """One HTTP try: when it began (wall clock, UTC), what came back and how long that took."""

    delivery: Delivery
    at: datetime
    outcome: Outcome
    latency_ms: float
