"""DELETE /endpoint/{id}: nothing goes there any more, and its secrets are forgotten."""

from uuid import UUID

from runtime.statements import Statements

from user_api.context import Context
from user_api.entity_tags import Tags
from user_api.lock_endpoint import lock_endpoint

SQL = Statements("user_api")


async def delete_endpoint(context: Context, endpoint_id: UUID, if_match: Tags) -> None:
    """Remove an endpoint; what it was stays, for its deliveries.

    Raises UnknownEndpointError, StaleVersionError.
    """
    async with context.connection() as connection, connection.transaction():
        await lock_endpoint(connection, endpoint_id, if_match)
        await connection.execute(SQL["remove_endpoint"], endpoint_id)
