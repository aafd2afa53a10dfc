"""The inbox: message ids already handled, for a consumer that has no natural key to upsert by."""

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from runtime.database import Connection
from runtime.statements import Statements

SQL = Statements("messaging")

# Longer than queue, dead-letter queue and redrive together can hold a message back.
KEEP_FOR = timedelta(days=35)


async def take_new(connection: Connection, consumer: str, message_ids: Iterable[UUID]) -> set[UUID]:
    """Return the ids that `consumer` has not handled, and record them in the caller's transaction.

    Of two consumers that take the same id at once, the second waits for the first's commit or rollback.
    """
    ordered = sorted(set(message_ids))
    return {row["message_id"] for row in await connection.fetch(SQL["take_new"], consumer, ordered)}


async def forget_old(connection: Connection) -> None:
    """Forget ids handled more than 35 days ago."""
    await connection.execute(SQL["forget_old"], KEEP_FOR)
