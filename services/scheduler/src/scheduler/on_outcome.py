"""Outcomes: an answered occurrence moves to history; one still in delivery is asked about later."""

from collections.abc import Sequence
from datetime import datetime
from typing import assert_never
from uuid import UUID

import structlog
from domain.events import OccurrenceCompleted, OccurrenceFailed, OccurrenceProgress
from domain.occurrence import OccurrenceStatus
from messaging.consume import Received
from runtime.database import Connection, Pool
from runtime.statements import Statements

from scheduler.measure import OCCURRENCES

log = structlog.get_logger()

SQL = Statements("scheduler")

Answer = OccurrenceCompleted | OccurrenceFailed | OccurrenceProgress

# Event id, final status and why; event id and when to ask again.
Finished = tuple[UUID, str, str | None]
Progress = tuple[UUID, datetime]


async def on_outcomes(pool: Pool, batch: Sequence[Received]) -> None:
    """Record a batch of answers in one transaction.

    They match by event id and status: one for a finished occurrence changes nothing. Raises TypeError for
    an event that is no answer, which leaves it to the queue's redrive.
    """
    finished: list[Finished] = []
    progress: list[Progress] = []
    for received in batch:
        answer = answer_of(received)
        match answer:
            case OccurrenceCompleted():
                finished.append((answer.due_event_id, OccurrenceStatus.COMPLETED.value, None))
            case OccurrenceFailed():
                finished.append((answer.due_event_id, OccurrenceStatus.FAILED.value, answer.reason))
            case OccurrenceProgress():
                progress.append((answer.due_event_id, answer.check_at))
            case _:
                assert_never(answer)
    async with pool.acquire() as connection, connection.transaction():
        # In order of id: two schedulers with answers in another order wait instead of deadlocking.
        await connection.execute(
            SQL["lock_answered"],
            [event_id for event_id, *_ in finished] + [event_id for event_id, _ in progress],
        )
        moved = await finish(connection, finished)
        await check_later(connection, progress)
    log.info("outcomes.recorded", answers=len(batch), finished=moved, in_progress=len(progress))


def answer_of(received: Received) -> Answer:
    """Return the event as an answer to a due event. Raises TypeError."""
    if not isinstance(received.event, OccurrenceCompleted | OccurrenceFailed | OccurrenceProgress):
        raise TypeError(f"not an answer to a due event: {type(received.event).__name__}")
    return received.event


async def finish(connection: Connection, finished: Sequence[Finished]) -> int:
    """Move occurrences to history, each by its first answer; return how many were still in processing."""
    if not finished:
        return 0
    moved = await connection.fetch(
        SQL["finish"],
        [event_id for event_id, _, _ in finished],
        [status for _, status, _ in finished],
        [reason for _, _, reason in finished],
    )
    # The first answer wins, so it is the last to be written here.
    became = {event_id: status.lower() for event_id, status, _ in reversed(finished)}
    for row in moved:
        OCCURRENCES.labels(became[row["event_id"]]).inc()
    return len(moved)


async def check_later(connection: Connection, progress: Sequence[Progress]) -> None:
    """Put off the next check of occurrences that are still in delivery, never bring it forward."""
    if progress:
        await connection.execute(
            SQL["check_later"], [event_id for event_id, _ in progress], [check_at for _, check_at in progress]
        )
