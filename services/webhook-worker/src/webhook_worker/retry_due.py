"""Retrying: lease deliveries that are due, for free slots and endpoints with room only, and start them."""

import random
from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID, uuid4

from messaging.slots import Slots
from runtime.database import Pool
from runtime.statements import Statements
from runtime.stopping import Stop, pause

from webhook_worker.bulkheads import Bulkheads
from webhook_worker.delivery import Delivery

SQL = Statements("webhook_worker")

LOOK_EVERY_SECONDS = 0.5
# Where an endpoint has room again, more attempts end within this: they share a claim.
GATHER_SECONDS = 0.01
MOST_AT_ONCE = 100


async def retry_due(pool: Pool, bulkheads: Bulkheads, slots: Slots, stop: Stop, *, lease: timedelta) -> None:
    """Start due attempts until `stop` is set: retries, what had no room, what a dead worker had under way."""
    while not stop.is_set():
        reserved = await slots.reserve(MOST_AT_ONCE)
        deliveries: list[Delivery] = []
        try:
            if not stop.is_set():
                deliveries = await lease_due(pool, bulkheads.room(), most=reserved, lease=lease)
        finally:
            slots.release(reserved - len(deliveries))
        if not await bulkheads.admit(deliveries, lambda _: slots.release()):
            await bulkheads.wait_for_room(LOOK_EVERY_SECONDS)
            await pause(stop, GATHER_SECONDS)


async def lease_due(pool: Pool, room: Mapping[UUID, int], *, most: int, lease: timedelta) -> list[Delivery]:
    """Lease at most `most` deliveries that are due now, by the database's clock, under a new token.

    No endpoint gets more than its `room`, and none is always first.
    """
    token = uuid4()
    order = random.sample(list(room), len(room))
    rows = await pool.fetch(
        SQL["lease_due"], order, [room[endpoint_id] for endpoint_id in order], most, token, lease
    )
    return [
        Delivery(
            id=row["id"],
            created_at=row["created_at"],
            event_id=row["event_id"],
            endpoint_id=row["endpoint_id"],
            endpoint_version=row["endpoint_version"],
            attempt=row["attempts"] + 1,
            attempts_before=row["attempts_before"],
            lease_token=row["lease_token"],
            body=row["body"],
            traceparent=row["traceparent"],
        )
        for row in rows
    ]
