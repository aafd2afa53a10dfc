"""An endpoint's row: the API reads it by a view and writes it by functions, both of schema delivery."""

from uuid import UUID

from runtime.database import Connection
from runtime.encrypt import Keys
from runtime.statements import Statements

from user_api.endpoint import Endpoint, EndpointDetails, endpoint_of
from user_api.endpoint_headers import encrypt_headers
from user_api.refusals import UnknownEndpointError

SQL = Statements("user_api")


def columns(keys: Keys, endpoint_id: UUID, details: EndpointDetails) -> tuple[object, ...]:
    """Give what a client says of an endpoint as it is written, its headers encrypted."""
    return (
        details.url,
        details.event_types,
        details.description,
        encrypt_headers(keys, endpoint_id, details.headers),
        list(details.headers),
        details.rate_limit,
        details.concurrency,
        details.timeout_seconds,
        details.enabled,
    )


async def find_endpoint(connection: Connection, endpoint_id: UUID) -> Endpoint:
    """Read an endpoint. Raises UnknownEndpointError."""
    row = await connection.fetchrow(SQL["find_endpoint"], endpoint_id)
    if row is None:
        raise UnknownEndpointError
    return endpoint_of(row)
