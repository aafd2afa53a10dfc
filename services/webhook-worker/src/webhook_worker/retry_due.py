"""Retrying: lease deliveries whose next attempt is due, for free slots only, and start them."""

from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import structlog
from messaging.slots import Slots
from runtime.database import Pool
from runtime.statements import Statements
from runtime.stopping import Stop, pause

from webhook_worker.delivery import Delivery

log = structlog.get_logger()

SQL = Statements("webhook_worker")

LOOK_EVERY_SECONDS = 0.5
MOST_AT_ONCE = 100

Start = Callable[[Delivery, Callable[[], None]], None]


async def retry_due(pool: Pool, start: Start, slots: Slots, stop: Stop, *, lease: timedelta) -> None:
    """Start due attempts until `stop` is set: retries, and what a worker that died had under way."""
    while not stop.is_set():
        room = await slots.reserve(MOST_AT_ONCE)
        deliveries: list[Delivery] = []
        try:
            if not stop.is_set():
                deliveries = await lease_due(pool, most=room, lease=lease)
        finally:
            slots.release(room - len(deliveries))
        for delivery in deliveries:
            start(delivery, slots.release)
        if not deliveries:
            await pause(stop, LOOK_EVERY_SECONDS)


async def lease_due(pool: Pool, *, most: int, lease: timedelta) -> list[Delivery]:
    """Lease at most `most` deliveries that are due now, by the database's clock, under a new token."""
    token = uuid4()
    rows = await pool.fetch(SQL["lease_due"], most, token, lease)
    return [
        Delivery(
            id=row["id"],
            created_at=row["created_at"],
            event_id=row["event_id"],
            endpoint_id=row["endpoint_id"],
            attempt=row["attempts"] + 1,
            lease_token=token,
            body=row["body"],
        )
        for row in rows
    ]
