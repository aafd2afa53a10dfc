"""Deliveries and their attempts as they are answered."""

from typing import Annotated, Any, Literal, get_args
from uuid import UUID

import asyncpg
import msgspec
from domain.webhook_types import webhook_type
from msgspec import Meta, Struct

from user_api.user import Instant

Status = Literal["pending", "delivered", "failed", "missed", "cancelled"]
STATUSES: tuple[Status, ...] = get_args(Status)


class DeliveryAnswer(Struct, frozen=True, kw_only=True, rename="camel"):
    """One event to one endpoint as answered."""

    id: UUID
    event_id: Annotated[UUID, Meta(description="The `webhook-id` of every attempt.")]
    event_type: Annotated[str, Meta(description="The webhook's type, such as `birthday.due`.")]
    user_id: UUID
    endpoint_id: UUID
    status: Annotated[
        Status,
        Meta(
            description="`failed`: given up; `missed`: its endpoint could not be asked for 76 hours; "
            "`cancelled`: its endpoint or its user is gone."
        ),
    ]
    reason: Annotated[str | None, Meta(description="Why it is not delivered, or not yet.")]
    attempt_count: int
    next_attempt_at: Annotated[
        Instant | None,
        Meta(description="When a pending one is tried next; while it is under way, when it would be again."),
    ]
    created_at: Instant
    settled_at: Annotated[Instant | None, Meta(description="When it ended so; null while it is pending.")]


class AttemptAnswer(Struct, frozen=True, kw_only=True, rename="camel"):
    """One HTTP try as answered."""

    attempt: Annotated[int, Meta(description="Counts the tries, from 1.")]
    at: Instant
    status: Annotated[int | None, Meta(description="The HTTP status; null where there was no answer.")]
    latency_ms: Annotated[float, Meta(description="Until there was a status, or surely none.")]
    resolve_ms: Annotated[float | None, Meta(description="How much of it went to finding the host.")]
    read_ms: Annotated[float | None, Meta(description="How long the body took after the status.")]
    error: Annotated[str | None, Meta(description="Why there was no answer.")]
    error_kind: Annotated[str | None, Meta(description="The same in one word, such as `connect_timeout`.")]
    response_headers: Annotated[dict[str, str] | None, Meta(description="Those that came back.")]
    response_body: Annotated[str | None, Meta(description="The first 1,024 bytes that came back, as text.")]
    trace_id: str | None


class DeliveryWithAttempts(DeliveryAnswer, frozen=True, kw_only=True, rename="camel"):
    """A delivery as answered alone: with its attempts, the first one first."""

    attempts: list[AttemptAnswer]


def delivery_answer(row: asyncpg.Record) -> DeliveryAnswer:
    """Give the answer that tells of a row of delivery.api_deliveries."""
    return DeliveryAnswer(**_told(row))


def delivery_with_attempts(row: asyncpg.Record, attempts: list[asyncpg.Record]) -> DeliveryWithAttempts:
    """Give the answer that tells of a delivery and of its rows of delivery.api_attempts."""
    return DeliveryWithAttempts(**_told(row), attempts=[_attempt(attempt) for attempt in attempts])


def _told(row: asyncpg.Record) -> dict[str, Any]:
    return {
        "id": row["id"],
        "event_id": row["event_id"],
        "event_type": webhook_type(row["event_type"]),
        "user_id": row["user_id"],
        "endpoint_id": row["endpoint_id"],
        "status": row["status"],
        "reason": row["reason"],
        "attempt_count": row["attempts"],
        "next_attempt_at": row["next_attempt_at"],
        "created_at": row["created_at"],
        "settled_at": row["settled_at"],
    }


def _attempt(row: asyncpg.Record) -> AttemptAnswer:
    headers = row["response_headers"]
    return AttemptAnswer(
        attempt=row["attempt"],
        at=row["at"],
        status=row["status"],
        latency_ms=round(row["latency_ms"], 1),
        resolve_ms=_rounded(row["resolve_ms"]),
        read_ms=_rounded(row["read_ms"]),
        error=row["error"],
        error_kind=row["error_kind"],
        response_headers=headers and msgspec.json.decode(headers, type=dict[str, str]),
        response_body=row["response_body"],
        trace_id=row["trace_id"],
    )


def _rounded(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else round(milliseconds, 1)
