"""Relaying: lease committed messages, publish them, delete what was accepted. At least once, none lost."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID, uuid4

import asyncpg
import msgspec
import structlog
from domain.priority import Priority
from messaging.envelope import Message
from messaging.publish import Publish, Published
from messaging.trace_messages import relaying
from runtime.database import Pool
from runtime.statements import Statements
from runtime.stopping import Stop, pause

log = structlog.get_logger()

SQL = Statements("dispatcher")

IDLE_SECONDS = 0.05
# How many places of a batch of a hundred each priority is sure of; what one leaves free, the others take.
SHARES = {Priority.CRITICAL: 50, Priority.HIGH: 25, Priority.NORMAL: 15, Priority.LOW: 10}
PRIORITIES = list(Priority)


async def relay_outbox(pool: Pool, publish: Publish, stop: Stop, *, batch: int, lease: timedelta) -> None:
    """Relay until `stop` is set: at once while there is something to send, else every 50 ms."""
    while not stop.is_set():
        if not await relay_batch(pool, publish, batch=batch, lease=lease):
            await pause(stop, IDLE_SECONDS)


async def relay_batch(pool: Pool, publish: Publish, *, batch: int, lease: timedelta) -> int:
    """Relay at most `batch` messages and return how many SNS took or refused for good.

    Raises what the database raises; then the lease runs out and the messages are sent again.
    """
    token = uuid4()
    shares = [SHARES[priority] * batch // 100 for priority in PRIORITIES]
    # lease, not tx: no row lock during network I/O
    rows = await pool.fetch(SQL["lease_messages"], token, shares, batch, lease)
    if not rows:
        return 0
    # The statement says which; the most urgent of them go first, the oldest of those before.
    rows.sort(key=lambda row: (row["priority"], row["id"]))
    messages = [to_message(row) for row in rows]
    with relaying(messages):
        published = await publish(messages)
        await mark(pool, token, [row["id"] for row in rows], published)
    return len(published.accepted) + len(published.refused)


def to_message(row: asyncpg.Record) -> Message:
    """Return an outbox row as the message it holds."""
    return Message(
        event_id=row["event_id"],
        event_type=row["event_type"],
        priority=PRIORITIES[row["priority"]],
        group_id=row["group_id"],
        attributes=msgspec.json.decode(row["attributes"], type=dict[str, str]),
        body=row["body"],
    )


async def mark(pool: Pool, token: UUID, ids: Sequence[int], published: Published) -> None:
    """Record what became of the leased messages: sent ones go, refused ones are kept apart, failed ones wait.

    Fenced by the lease's token: what another dispatcher has leased since is no longer ours to mark.
    """
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(SQL["delete_published"], token, [ids[index] for index in published.accepted])
        if published.refused:
            await connection.execute(
                SQL["reject"],
                token,
                [ids[refused.index] for refused in published.refused],
                [refused.reason for refused in published.refused],
            )
            log.error("outbox.rejected", reasons=sorted({refused.reason for refused in published.refused}))
        if published.failed:
            await connection.execute(SQL["give_back"], token, [ids[index] for index in published.failed])
