"""No silence: what was emitted and not answered in time is emitted again, under the same id, or given up."""

from collections.abc import Sequence
from datetime import timedelta

import asyncpg
import structlog
from domain.events import OccurrenceFailed
from domain.ids import outcome_event_id
from domain.occurrence import OccurrenceStatus
from messaging.envelope import Message, Outgoing, compose
from messaging.outbox import append
from messaging.topology import Topology
from runtime.database import Pool
from runtime.statements import Statements
from runtime.stopping import Stop, describe, pause

from scheduler.due_event import SOURCE, due_event
from scheduler.measure import OCCURRENCES
from scheduler.on_outcome import finish

log = structlog.get_logger()

SQL = Statements("scheduler")
LOOK_EVERY_SECONDS = 1.0
GIVE_UP_AFTER = 96
"""How many re-emissions in a row may go unanswered before it is given up: at 15 minutes each, a day's."""


async def emit_again(
    pool: Pool,
    topology: Topology,
    stop: Stop,
    *,
    batch: int,
    check_after: timedelta,
    give_up_after: int = GIVE_UP_AFTER,
    offset: timedelta = timedelta(0),
) -> None:
    """Emit unanswered occurrences again until `stop` is set, looking once a second."""
    while not stop.is_set():
        if not await emit_unanswered(
            pool, topology, batch=batch, check_after=check_after, give_up_after=give_up_after, offset=offset
        ):
            await pause(stop, LOOK_EVERY_SECONDS)


async def emit_unanswered(
    pool: Pool,
    topology: Topology,
    *,
    batch: int,
    check_after: timedelta,
    give_up_after: int = GIVE_UP_AFTER,
    offset: timedelta = timedelta(0),
) -> int:
    """Append at most `batch` occurrences whose `check_at` has passed once more; return how many there were.

    The event is the one first emitted, its time and lateness too. What went unanswered `give_up_after` times
    in a row, or cannot be emitted any more, is FAILED instead, and OccurrenceFailed tells the reason, at a
    time by the business clock, the database's now() plus `offset`.
    """
    async with pool.acquire() as connection, connection.transaction():
        rows = await connection.fetch(SQL["claim_unanswered"], batch, check_after, offset)
        again, given_up = sort_unanswered(topology, rows, give_up_after)
        await finish(
            connection,
            [(row["event_id"], OccurrenceStatus.FAILED.value, reason) for row, reason in given_up],
        )
        for row, reason in given_up:
            again += compose(topology, SOURCE, row["now"], [failed_event(row, reason)])
        await append(connection, again)
    if rows:
        OCCURRENCES.labels("emitted_again").inc(len(rows) - len(given_up))
        log.warning("due.emitted_again", occurrences=len(rows) - len(given_up), given_up=len(given_up))
    return len(rows)


def sort_unanswered(
    topology: Topology, rows: Sequence[asyncpg.Record], give_up_after: int
) -> tuple[list[Message], list[tuple[asyncpg.Record, str]]]:
    """Return the messages to emit again, and the rows to give up, each with the reason."""
    again: list[Message] = []
    given_up: list[tuple[asyncpg.Record, str]] = []
    for row in rows:
        if row["parked"]:
            given_up.append((row, row["parked"]))
        elif row["unanswered"] > give_up_after:
            given_up.append((row, f"no answer to {give_up_after} re-emissions"))
        else:
            try:
                again += compose(topology, SOURCE, row["emitted_at"], [due_event(row)])
            except Exception as error:  # noqa: BLE001 (whatever one row does must not hold up the others)
                given_up.append((row, f"cannot be emitted again: {describe(error)}"))
    return again, given_up


def failed_event(row: asyncpg.Record, reason: str) -> Outgoing:
    """Return the event of an occurrence given up."""
    event = OccurrenceFailed(
        due_event_id=row["event_id"],
        user_id=row["user_id"],
        occurred_at=row["now"],
        results=(),
        reason=reason,
    )
    event_id = outcome_event_id(row["event_id"], OccurrenceFailed.event_type)
    return Outgoing(event_id=event_id, subject=row["user_id"], event=event)
