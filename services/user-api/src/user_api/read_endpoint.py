"""GET /endpoint/{id}: an endpoint without its secrets."""

from uuid import UUID

from user_api.context import Context
from user_api.endpoint import Endpoint
from user_api.endpoint_row import find_endpoint


async def read_endpoint(context: Context, endpoint_id: UUID) -> Endpoint:
    """Read an endpoint. Raises UnknownEndpointError."""
    async with context.connection() as connection:
        return await find_endpoint(connection, endpoint_id)
