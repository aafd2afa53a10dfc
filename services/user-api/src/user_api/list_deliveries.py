"""GET /delivery: deliveries, the newest first."""

from uuid import UUID

import asyncpg
from msgspec import Struct
from runtime.statements import Statements

from user_api.context import Context
from user_api.delivery_filters import DeliveryFilters
from user_api.pages import Page

SQL = Statements("user_api")

AFTER_EVERY_ID = UUID(int=2**128 - 1)


class DeliveryPosition(Struct, frozen=True, array_like=True):
    """Where a delivery is in the list: ids are made in the order of time."""

    id: UUID


async def list_deliveries(
    context: Context, filters: DeliveryFilters, page: Page[DeliveryPosition]
) -> list[asyncpg.Record]:
    """Give up to `page.rows` deliveries from the page's beginning on."""
    async with context.connection() as connection:
        rows: list[asyncpg.Record] = await connection.fetch(
            SQL["list_deliveries"],
            page.after.id if page.after else AFTER_EVERY_ID,
            filters.endpoint_id,
            filters.status,
            filters.since,
            filters.until,
            filters.user_id,
            page.rows,
        )
    return rows


def position_of(row: asyncpg.Record) -> DeliveryPosition:
    """Tell where a delivery is in the list."""
    return DeliveryPosition(row["id"])
