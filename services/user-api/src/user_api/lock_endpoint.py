"""What every change of an endpoint begins with: the row, locked, at the version that was meant."""

from uuid import UUID

from msgspec import Struct
from runtime.database import Connection
from runtime.statements import Statements

from user_api.endpoint import Endpoint
from user_api.endpoint_row import find_endpoint
from user_api.entity_tags import Tags
from user_api.name_actor import name_actor
from user_api.refusals import StaleVersionError, UnknownEndpointError

SQL = Statements("user_api")


class Locked(Struct, frozen=True, kw_only=True):
    """An endpoint that nobody else changes until the transaction ends, and its headers as they are stored."""

    endpoint: Endpoint
    headers: bytes | None


async def lock_endpoint(connection: Connection, endpoint_id: UUID, if_match: Tags) -> Locked:
    """Lock an endpoint, and name who does for the audit. Raises UnknownEndpointError, StaleVersionError."""
    await name_actor(connection)
    row = await connection.fetchrow(SQL["lock_endpoint"], endpoint_id)
    if row is None:
        raise UnknownEndpointError
    # A statement of its own: it sees what was committed before the lock was ours.
    endpoint = await find_endpoint(connection, endpoint_id)
    if not if_match.match_strongly(endpoint.version):
        raise StaleVersionError(endpoint.version, "endpoint")
    return Locked(endpoint=endpoint, headers=row["headers"])
