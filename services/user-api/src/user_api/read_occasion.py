"""GET /user/{id}/occasion/{id}: an occasion, or the user's birthday as one."""

from uuid import UUID

from domain.ids import birthday_occasion_id
from runtime.statements import Statements

from user_api.context import Context
from user_api.occasion import occasion_of
from user_api.occasion_answer import OccasionAnswer, birthday_answer, occasion_answer
from user_api.pause import find_pause
from user_api.read_user import read_user
from user_api.refusals import UnknownOccasionError, UnknownUserError

SQL = Statements("user_api")


async def read_occasion(context: Context, user_id: UUID, occasion_id: UUID) -> OccasionAnswer:
    """Read an occasion of a user. Raises UnknownUserError, UnknownOccasionError."""
    if occasion_id == birthday_occasion_id(user_id):
        user = await read_user(context, user_id)
        async with context.connection() as connection:
            return birthday_answer(user, await find_pause(connection, occasion_id))
    async with context.connection() as connection:
        row = await connection.fetchrow(SQL["find_occasion"], user_id, occasion_id)
        paused = await find_pause(connection, occasion_id)
    if row is None:
        raise UnknownUserError
    if row["id"] is None:
        raise UnknownOccasionError
    return occasion_answer(occasion_of(row), paused)
