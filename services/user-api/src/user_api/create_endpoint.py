"""POST /endpoint: where webhooks go from now on, and the secret that signs them."""

from runtime.statements import Statements
from uuid_utils.compat import uuid7

from user_api.context import Context
from user_api.endpoint import Endpoint, EndpointDetails
from user_api.endpoint_headers import unmasked
from user_api.endpoint_row import columns, find_endpoint
from user_api.endpoint_secret import encrypt_secret, make_secret
from user_api.name_actor import name_actor

SQL = Statements("user_api")


async def create_endpoint(context: Context, described: EndpointDetails) -> tuple[Endpoint, str]:
    """Create an endpoint; give it with its secret, which nobody can read afterwards.

    Raises InvalidInputError for a mask: there is no value yet that it could stand for.
    """
    endpoint_id, secret = uuid7(), make_secret()
    unmasked(described.headers, {})
    async with context.connection() as connection, connection.transaction():
        await name_actor(connection)
        await connection.execute(
            SQL["create_endpoint"],
            endpoint_id,
            encrypt_secret(context.keys, endpoint_id, secret),
            *columns(context.keys, endpoint_id, described),
        )
        return await find_endpoint(connection, endpoint_id), secret
