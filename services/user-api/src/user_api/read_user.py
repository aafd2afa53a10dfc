"""GET /user/{id}."""

from uuid import UUID

from runtime.statements import Statements

from user_api.context import Context
from user_api.refusals import UnknownUserError
from user_api.user import User, user_of

SQL = Statements("user_api")


async def read_user(context: Context, user_id: UUID) -> User:
    """Read a user. Raises UnknownUserError."""
    async with context.connection() as connection:
        row = await connection.fetchrow(SQL["find_user"], user_id)
    if row is None:
        raise UnknownUserError
    return user_of(row)
