"""GET /user/{id}."""

from uuid import UUID

from runtime.statements import Statements

from user_api.desk import Desk
from user_api.refusals import UnknownUserError
from user_api.user import User, user_of

SQL = Statements("user_api")


async def read_user(desk: Desk, user_id: UUID) -> User:
    """Read a user. Raises UnknownUserError."""
    async with desk.connection() as connection:
        row = await connection.fetchrow(SQL["find_user"], user_id)
    if row is None:
        raise UnknownUserError
    return user_of(row)
