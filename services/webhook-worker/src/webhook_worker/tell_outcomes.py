"""Outcomes: whoever settles an event's last delivery tells how the event ended, once."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from uuid import UUID

import asyncpg
import msgspec
from domain.events import DeliveryResult, OccurrenceCompleted, OccurrenceFailed
from domain.ids import outcome_event_id
from messaging.envelope import Outgoing, compose
from messaging.outbox import columns
from messaging.topology import Topology
from messaging.trace_messages import Origin
from opentelemetry.trace import SpanContext
from runtime.active_tracing import active, parse_parent, under
from runtime.database import Connection
from runtime.statements import Statements

from webhook_worker.answer_repeats import SOURCE

SQL = Statements("webhook_worker")

NOWHERE: Mapping[UUID, SpanContext] = {}
Ended = OccurrenceCompleted | OccurrenceFailed


async def tell_outcomes(
    connection: Connection,
    topology: Topology,
    offset: timedelta,
    settled: Mapping[UUID, int],
    told_in: Mapping[UUID, SpanContext] = NOWHERE,
) -> None:
    """Count events down by the deliveries that settled now; append the outcome of each with none open.

    An outcome goes on with its event's trace: from the span in `told_in`, else from where the event was made.
    An outcome is told once: what is replayed after that changes its delivery only.
    Events are locked in order of id, so two workers that settle the same ones wait instead of deadlocking.
    """
    if not settled:
        return
    rows = await connection.fetch(SQL["count_down"], list(settled), list(settled.values()), offset)
    ended = {row["event_id"]: row for row in rows if row["open"] == 0 and row["settled_at"] is None}
    if not ended:
        return
    results: dict[UUID, list[DeliveryResult]] = {event_id: [] for event_id in ended}
    received = [row["received_at"] for row in ended.values()]
    for row in await connection.fetch(SQL["read_results"], list(ended), min(received), max(received)):
        results[row["event_id"]].append(result_of(row))
    outcomes = [outcome_of(row, results[event_id]) for event_id, row in ended.items()]
    at = outcomes[0].occurred_at  # the transaction's time, so the same for all
    told = [
        outgoing(outcome, origin_of(row, told_in))
        for outcome, row in zip(outcomes, ended.values(), strict=True)
    ]
    await connection.execute(
        SQL["store_outcomes"],
        [outcome.due_event_id for outcome in outcomes],
        [outcome.occurred_at for outcome in outcomes],
        [outcome.event_type for outcome in outcomes],
        [msgspec.json.encode(outcome).decode() for outcome in outcomes],
        *columns(compose(topology, SOURCE, at, told)),
    )


def origin_of(row: asyncpg.Record, told_in: Mapping[UUID, SpanContext]) -> Origin | None:
    """Return what an event's outcome is told in; None where tracing is off."""
    if active() is None:
        return None
    return Origin(under(told_in.get(row["event_id"]) or parse_parent(row["traceparent"])))


def result_of(row: asyncpg.Record) -> DeliveryResult:
    """Return how one endpoint's delivery ended."""
    return DeliveryResult(
        endpoint_id=row["endpoint_id"], status=row["status"], attempts=row["attempts"], reason=row["reason"]
    )


def outcome_of(row: asyncpg.Record, results: Sequence[DeliveryResult]) -> Ended:
    """Return how an event ended: failed when any of its endpoints was given up."""
    failed = [result for result in results if result.status in {"failed", "missed"}]
    if failed:
        return OccurrenceFailed(
            due_event_id=row["event_id"],
            user_id=row["user_id"],
            occurred_at=row["now"],
            results=tuple(results),
            reason=failed[0].reason or failed[0].status,
        )
    return OccurrenceCompleted(
        due_event_id=row["event_id"], user_id=row["user_id"], occurred_at=row["now"], results=tuple(results)
    )


def outgoing(outcome: Ended, origin: Origin | None) -> Outgoing:
    """Return an outcome under its derived id."""
    event_id = outcome_event_id(outcome.due_event_id, outcome.event_type)
    return Outgoing(event_id=event_id, subject=outcome.user_id, event=outcome, origin=origin)
