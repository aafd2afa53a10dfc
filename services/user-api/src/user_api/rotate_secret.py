"""POST /endpoint/{id}/rotate-secret: another secret, beside which the one before signs for a day more."""

from datetime import timedelta
from uuid import UUID

from runtime.statements import Statements

from user_api.context import Context
from user_api.endpoint import Endpoint
from user_api.endpoint_row import find_endpoint
from user_api.endpoint_secret import encrypt_secret, make_secret
from user_api.entity_tags import ANY
from user_api.lock_endpoint import lock_endpoint

SQL = Statements("user_api")

OVERLAP = timedelta(hours=24)


async def rotate_secret(context: Context, endpoint_id: UUID) -> tuple[Endpoint, str]:
    """Give an endpoint another secret, and that secret, which nobody can read afterwards.

    Of two rotations within a day, the first one's secret becomes the one before. Raises UnknownEndpointError.
    """
    secret = make_secret()
    async with context.connection() as connection, connection.transaction():
        await lock_endpoint(connection, endpoint_id, ANY)
        encrypted = encrypt_secret(context.keys, endpoint_id, secret)
        await connection.execute(SQL["rotate_endpoint_secret"], endpoint_id, encrypted, OVERLAP)
        return await find_endpoint(connection, endpoint_id), secret
