"""What PUT, PATCH, enable and disable do alike: an endpoint changed, at the version that was meant."""

from collections.abc import Callable
from uuid import UUID

from msgspec import structs
from runtime.statements import Statements

from user_api.context import Context
from user_api.endpoint import Endpoint, EndpointDetails
from user_api.endpoint_headers import decrypt_headers
from user_api.endpoint_row import columns, find_endpoint
from user_api.entity_tags import Tags
from user_api.lock_endpoint import lock_endpoint

SQL = Statements("user_api")


async def change_endpoint(
    context: Context,
    endpoint_id: UUID,
    if_match: Tags,
    change: Callable[[EndpointDetails], EndpointDetails],
) -> Endpoint:
    """Make of an endpoint what `change` makes of it, headers unmasked; no change keeps the version.

    Raises UnknownEndpointError, StaleVersionError, UndecipherableError, and what `change` raises.
    """
    async with context.connection() as connection, connection.transaction():
        locked = await lock_endpoint(connection, endpoint_id, if_match)
        headers = decrypt_headers(context.keys, endpoint_id, locked.headers)
        old = structs.replace(locked.endpoint.details, headers=headers)
        new = change(old)
        if new == old:
            return locked.endpoint
        await connection.execute(
            SQL["replace_endpoint"], endpoint_id, *columns(context.keys, endpoint_id, new)
        )
        return await find_endpoint(connection, endpoint_id)
