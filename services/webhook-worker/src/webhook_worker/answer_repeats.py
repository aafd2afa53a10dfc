"""Repeats: a due event seen before is answered again, with its outcome or with when to ask next."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID, uuid5

import asyncpg
import msgspec
from domain.events import EVENT_TYPES, OccurrenceProgress
from domain.ids import outcome_event_id
from messaging.envelope import Message, Outgoing, compose
from messaging.outbox import append
from messaging.topology import Topology
from runtime.database import Connection
from runtime.statements import Statements

SQL = Statements("webhook_worker")

SOURCE = "webhook-worker"
# Long enough for the attempt at that time to be made and told.
ASK_AFTER_ATTEMPT = timedelta(minutes=15)


async def answer_repeats(
    connection: Connection, topology: Topology, offset: timedelta, event_ids: Sequence[UUID]
) -> None:
    """Append the answer to each event that was received again: the same outcome, or OccurrenceProgress."""
    if event_ids:
        rows = await connection.fetch(SQL["read_answers"], event_ids, offset)
        await append(connection, [message for row in rows for message in answer(topology, row)])


def answer(topology: Topology, row: asyncpg.Record) -> list[Message]:
    """Return the message that tells how an event stands."""
    if row["outcome"] is not None:
        outcome = Outgoing(
            event_id=outcome_event_id(row["event_id"], row["outcome_type"]),
            subject=row["user_id"],
            event=msgspec.json.decode(row["outcome"], type=EVENT_TYPES[row["outcome_type"]]),
        )
        return compose(topology, SOURCE, row["settled_at"], [outcome])
    check_at = row["next_attempt_at"] + ASK_AFTER_ATTEMPT
    progress = Outgoing(
        event_id=uuid5(row["event_id"], f"OccurrenceProgress {check_at.isoformat()}"),
        subject=row["user_id"],
        event=OccurrenceProgress(
            due_event_id=row["event_id"], user_id=row["user_id"], occurred_at=row["now"], check_at=check_at
        ),
    )
    return compose(topology, SOURCE, row["now"], [progress])
