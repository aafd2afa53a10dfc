"""GET /delivery/{id}: a delivery with its attempts."""

from uuid import UUID

import asyncpg
from runtime.database import Connection
from runtime.statements import Statements

from user_api.context import Context
from user_api.delivery import DeliveryWithAttempts, delivery_with_attempts
from user_api.refusals import UnknownDeliveryError

SQL = Statements("user_api")


async def read_delivery(context: Context, delivery_id: UUID) -> DeliveryWithAttempts:
    """Read a delivery with all of its attempts. Raises UnknownDeliveryError."""
    async with context.connection() as connection:
        row = await find_delivery(connection, delivery_id)
        return delivery_with_attempts(row, await connection.fetch(SQL["find_attempts"], delivery_id))


async def find_delivery(connection: Connection, delivery_id: UUID) -> asyncpg.Record:
    """Read a delivery's row. Raises UnknownDeliveryError."""
    row = await connection.fetchrow(SQL["find_delivery"], delivery_id)
    if row is None:
        raise UnknownDeliveryError
    return row
