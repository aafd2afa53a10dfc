"""Recording: attempts are appended, deliveries settled or rescheduled, outcomes told: one transaction."""

import random
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import assert_never
from uuid import UUID

import asyncpg
import structlog
from domain.retry import (
    Decision,
    Delivered,
    GaveUp,
    PutBack,
    RetryAt,
    decide_retry,
    is_unsent,
)
from messaging.topology import Topology
from msgspec import Struct
from runtime.database import Connection, Pool
from runtime.statements import Statements

from webhook_worker.append_attempts import append_attempts, error_kind_of, error_of, status_of
from webhook_worker.delivery import Attempt
from webhook_worker.follow_endpoints import follow_endpoints
from webhook_worker.measure import Told, measure_attempt, told_by
from webhook_worker.tell_outcomes import tell_outcomes

log = structlog.get_logger()

SQL = Statements("webhook_worker")

# An answer waits this long for others to share its transaction; nobody waits for it (ADR 0051).
GATHER_SECONDS = 0.02


class Judged(Struct, frozen=True, kw_only=True):
    """An attempt and what follows from it."""

    attempt: Attempt
    decision: Decision


async def record_attempts(
    pool: Pool, topology: Topology, offset: timedelta, attempts: Sequence[Attempt]
) -> list[Decision]:
    """Record a batch of attempts in one transaction; an event whose last delivery settles has its outcome.

    One in which its endpoint was not asked is logged, and does not count. Returns what follows from each.
    Raises what the database raises; then nothing of the batch is recorded.
    """
    now = datetime.now(UTC)
    judged = [Judged(attempt=attempt, decision=judge(attempt, now)) for attempt in attempts]
    sent = [attempt for attempt in attempts if not is_unsent(attempt.outcome)]
    async with pool.acquire() as connection, connection.transaction():
        await append_attempts(connection, sent)
        changed = await settle_deliveries(connection, judged, now)
        settled = Counter(row["event_id"] for row in changed if row["status"] != "pending")
        told_in = {attempt.delivery.event_id: attempt.span for attempt in attempts if attempt.span}
        await tell_outcomes(connection, topology, offset, settled, told_in)
        were_failing = {row["endpoint_id"] for row in changed if row["was_failing"]}
        await follow_endpoints(connection, topology, offset, sent, were_failing=were_failing)
    for one in judged:
        told = told_by(one.attempt.delivery.body)
        log_attempt(one, told, now + offset)
        measure_attempt(one.attempt, one.decision, told, now + offset)
    return [one.decision for one in judged]


def judge(attempt: Attempt, now: datetime) -> Decision:
    """Decide what follows from an attempt, with a jitter of its own."""
    jitter = random.random()  # noqa: S311 (spreads retries, guards nothing)
    counted = attempt.delivery.attempt - attempt.delivery.attempts_before
    return decide_retry(attempt.outcome, attempt=counted, now=now, jitter=jitter)


async def settle_deliveries(
    connection: Connection, judged: Sequence[Judged], now: datetime
) -> list[asyncpg.Record]:
    """Settle or reschedule the deliveries of these attempts, and return what changed now.

    A 2xx settles an open delivery whatever its token; rescheduling and giving up are fenced by it.
    """
    best: dict[UUID, Judged] = {}
    for one in judged:
        known = best.get(one.attempt.delivery.id)
        if known is None or isinstance(one.decision, Delivered):
            best[one.attempt.delivery.id] = one
    ordered = [best[delivery_id] for delivery_id in sorted(best)]
    changes = [change_of(one.decision, now) for one in ordered]
    created = [one.attempt.delivery.created_at for one in ordered]
    return await connection.fetch(
        SQL["settle_deliveries"],
        [one.attempt.delivery.id for one in ordered],
        created,
        [one.attempt.delivery.lease_token for one in ordered],
        [attempts_spent(one) for one in ordered],
        [status for status, _, _ in changes],
        [wait for _, wait, _ in changes],
        [reason for _, _, reason in changes],
        min(created),
        max(created),
    )


def change_of(decision: Decision, now: datetime) -> tuple[str, timedelta | None, str | None]:
    """Return a delivery's new status, the wait until its next attempt, and why."""
    match decision:
        case Delivered():
            return "delivered", None, None
        case RetryAt(at=at, reason=reason) | PutBack(at=at, reason=reason):
            return "pending", at - now, reason
        case GaveUp(reason=reason):
            return "failed", None, reason
        case _:
            assert_never(decision)


def attempts_spent(judged: Judged) -> int:
    """Return how many attempts its delivery has had by now."""
    number = judged.attempt.delivery.attempt
    return number - 1 if isinstance(judged.decision, PutBack) else number


def log_attempt(judged: Judged, told: Told, now: datetime) -> None:
    """Say all that is known of an attempt in one line; `now` is the business clock's."""
    attempt, decision = judged.attempt, judged.decision
    delivered_after = told.seconds_since_due(now) if isinstance(decision, Delivered) else None
    log.info(
        "delivery.attempted",
        event_id=str(attempt.delivery.event_id),
        delivery_id=str(attempt.delivery.id),
        endpoint_id=str(attempt.delivery.endpoint_id),
        attempt=attempt.delivery.attempt,
        status=status_of(attempt),
        error=error_of(attempt),
        error_kind=error_kind_of(attempt),
        latency_ms=round(attempt.latency_ms, 1),
        decision=type(decision).__name__,
        delivered_after_seconds=None if delivered_after is None else round(delivered_after, 3),
        next_attempt_at=decision.at.isoformat() if isinstance(decision, RetryAt | PutBack) else None,
        # Its own, not that of the attempt whose commit it shares.
        **({"traceId": attempt.trace_id} if attempt.trace_id else {}),
    )
