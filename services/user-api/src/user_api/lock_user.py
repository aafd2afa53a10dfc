"""What every change of a user begins with: the row, locked, at the version that the change was made for."""

from datetime import datetime
from uuid import UUID

from runtime.database import Connection
from runtime.statements import Statements

from user_api.context import Context
from user_api.entity_tags import Tags
from user_api.refusals import StaleVersionError, UnknownUserError
from user_api.user import User, user_of

SQL = Statements("user_api")


async def lock_user(
    context: Context, connection: Connection, user_id: UUID, if_match: Tags
) -> tuple[User, datetime]:
    """Give the user and the instant of the change; the row stays locked until the transaction ends.

    Raises UnknownUserError, StaleVersionError.
    """
    row = await connection.fetchrow(SQL["lock_user"], user_id, context.clock_offset)
    if row is None:
        raise UnknownUserError
    user = user_of(row)
    if not if_match.match_strongly(user.version):
        raise StaleVersionError(user.version)
    return user, row["changed_at"]
