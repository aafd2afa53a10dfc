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
    """
    rows = await connection.fetch(SQL["lock_events"], list(settled), offset) if settled else []
    if not rows:
        return
    ended = [row for row in rows if row["open"] == settled[row["event_id"]] and row["settled_at"] is None]
    outcomes = await read_outcomes(connection, ended)
    told = [outgoing(outcomes[row["event_id"]], origin_of(row, told_in)) for row in ended]
    counted = [(row["event_id"], outcomes.get(row["event_id"])) for row in rows]
    await connection.execute(
        SQL["settle_events"],
        [event_id for event_id, _ in counted],
        [settled[event_id] for event_id, _ in counted],
        [outcome and outcome.occurred_at for _, outcome in counted],
        [outcome and outcome.event_type for _, outcome in counted],
        [outcome and msgspec.json.encode(outcome).decode() for _, outcome in counted],
        *columns(compose(topology, SOURCE, rows[0]["now"], told)),
    )


async def read_outcomes(connection: Connection, ended: Sequence[asyncpg.Record]) -> dict[UUID, Ended]:
    """Return how these events ended, by id; they are locked, so whatever settled them can be read by now."""
    if not ended:
        return {}
    results: dict[UUID, list[DeliveryResult]] = {row["event_id"]: [] for row in ended}
    received = [row["received_at"] for row in ended]
    for row in await connection.fetch(SQL["read_results"], list(results), min(received), max(received)):
        results[row["event_id"]].append(result_of(row))
    return {row["event_id"]: outcome_of(row, results[row["event_id"]]) for row in ended}


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
