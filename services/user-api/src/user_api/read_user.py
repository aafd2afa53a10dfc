"""GET /user/{id}: users that are asked for at once are read in one statement."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from uuid import UUID

from msgspec.structs import replace
from runtime.merge import Merge
from runtime.statements import Statements

from user_api.context import Context
from user_api.refusals import UnknownUserError
from user_api.user import User, user_of

SQL = Statements("user_api")

ReadUser = Callable[[Context, UUID], Awaitable[User]]


def user_reader(context: Context) -> ReadUser:
    """Give `read_user` for routes that need nothing else of the database."""
    merged = {late: Merge(partial(find_users, replace(context, reads_late=late))) for late in (False, True)}

    async def read(context: Context, user_id: UUID) -> User:
        user = await merged[context.reads_late].put(user_id)
        if user is None:
            raise UnknownUserError
        return user

    return read


async def read_user(context: Context, user_id: UUID) -> User:
    """Read a user. Raises UnknownUserError."""
    (user,) = await find_users(context, [user_id])
    if user is None:
        raise UnknownUserError
    return user


async def find_users(context: Context, user_ids: Sequence[UUID]) -> list[User | None]:
    """Read users, in that order; None for one that is unknown."""
    async with context.connection() as connection:
        rows = await connection.fetch(SQL["find_users"], user_ids)
    known = {row["id"]: row for row in rows}
    return [user_of(known[user_id]) if user_id in known else None for user_id in user_ids]
