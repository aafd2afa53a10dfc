"""GET /endpoint: endpoints, the oldest first."""

from uuid import UUID

from msgspec import Struct
from runtime.statements import Statements

from user_api.context import Context
from user_api.endpoint import Endpoint, endpoint_of
from user_api.pages import Page

SQL = Statements("user_api")

NO_ID = UUID(int=0)


class EndpointPosition(Struct, frozen=True, array_like=True):
    """Where an endpoint is in the list."""

    id: UUID


async def list_endpoints(context: Context, page: Page[EndpointPosition]) -> list[Endpoint]:
    """Give up to `page.rows` endpoints from the page's beginning on."""
    async with context.connection() as connection:
        rows = await connection.fetch(
            SQL["list_endpoints"], page.after.id if page.after else NO_ID, page.rows
        )
    return [endpoint_of(row) for row in rows]


def position_of(endpoint: Endpoint) -> EndpointPosition:
    """Tell where an endpoint is in the list."""
    return EndpointPosition(endpoint.id)
