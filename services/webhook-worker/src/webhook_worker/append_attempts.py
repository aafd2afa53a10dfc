"""The log of attempts: one row each, appended whatever becomes of its delivery."""

from collections.abc import Iterator, Sequence
from typing import assert_never

from domain.retry import Failure, Forbidden, NoResponse, Response
from runtime.database import Connection

from webhook_worker.delivery import Attempt

COLUMNS = (
    "delivery_id",
    "attempt",
    "at",
    "event_id",
    "endpoint_id",
    "status",
    "latency_ms",
    "error",
    "lease_token",
    "error_kind",
    "resolve_ms",
    "read_ms",
    "response_headers",
    "response_body",
    "trace_id",
)


async def append_attempts(connection: Connection, attempts: Sequence[Attempt]) -> None:
    """Append attempts to `delivery.attempts`, by COPY: fifteen arrays to insert took half as long again."""
    await connection.copy_records_to_table(
        "attempts", schema_name="delivery", columns=COLUMNS, records=_rows(attempts)
    )


def _rows(attempts: Sequence[Attempt]) -> Iterator[tuple[object, ...]]:
    for attempt in attempts:
        delivery, answer = attempt.delivery, attempt.answer
        yield (
            delivery.id,
            delivery.attempt,
            attempt.at,
            delivery.event_id,
            delivery.endpoint_id,
            status_of(attempt),
            attempt.latency_ms,
            error_of(attempt),
            delivery.lease_token,
            error_kind_of(attempt),
            attempt.resolve_ms,
            answer and answer.read_ms,
            answer and answer.headers,
            answer and answer.body,
            attempt.trace_id,
        )


def status_of(attempt: Attempt) -> int | None:
    """Return the HTTP status, or None where there was no answer."""
    return attempt.outcome.status if isinstance(attempt.outcome, Response) else None


def error_of(attempt: Attempt) -> str | None:
    """Return why there was no answer, or None where there was one."""
    return None if isinstance(attempt.outcome, Response) else attempt.outcome.reason


def error_kind_of(attempt: Attempt) -> Failure | None:
    """Return the kind of failure where there was no answer."""
    match attempt.outcome:
        case Response():
            return None
        case NoResponse(kind=kind):
            return kind
        case Forbidden():
            return "not_allowed"
        case _:
            assert_never(attempt.outcome)
