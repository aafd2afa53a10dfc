"""POST /user/{id}/occasion/{id}/pause and /resume: it rings no more, and rings again."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from uuid import UUID

from domain.ids import birthday_occasion_id
from runtime.database import Connection
from runtime.statements import Statements

from user_api.context import Context, hold
from user_api.lock_occasion import lock_owner
from user_api.name_actor import name_actor
from user_api.occasion_answer import OccasionAnswer
from user_api.read_occasion import read_occasion

SQL = Statements("user_api")

# What is done at the instant of the change; it tells whether anything changed.
Change = Callable[[Connection, datetime], Awaitable[bool]]


async def pause_occasion(
    context: Context, user_id: UUID, occasion_id: UUID, *, note: str | None, by: str
) -> OccasionAnswer:
    """Hold back an occasion, a birthday too, from now on; one that is paused stays as it is.

    What is being emitted meanwhile is waited for: once this returns, nothing of it is emitted. Raises
    UnknownUserError, UnknownOccasionError.
    """

    async def pause(connection: Connection, at: datetime) -> bool:
        return bool(await connection.fetchval(SQL["pause_occasion"], occasion_id, user_id, note, at, by))

    return await _change(context, user_id, occasion_id, pause)


async def resume_occasion(context: Context, user_id: UUID, occasion_id: UUID) -> OccasionAnswer:
    """Let an occasion ring again, what was held back as well, if its catch-up window still allows.

    Raises UnknownUserError, UnknownOccasionError.
    """

    async def resume(connection: Connection, at: datetime) -> bool:
        await name_actor(connection)
        return bool(await connection.fetchval(SQL["resume_occasion"], occasion_id, at))

    return await _change(context, user_id, occasion_id, resume)


async def _change(context: Context, user_id: UUID, occasion_id: UUID, change: Change) -> OccasionAnswer:
    async with context.connection() as connection, connection.transaction():
        _, at = await lock_owner(context, connection, user_id)
        with hold(connection):
            await read_occasion(context, user_id, occasion_id)  # it is known, or refused
            if await change(connection, at):
                # Answers tell of the pause, so it is a version of theirs.
                await connection.execute(*_next_version(user_id, occasion_id), at)
            return await read_occasion(context, user_id, occasion_id)


def _next_version(user_id: UUID, occasion_id: UUID) -> tuple[str, UUID]:
    if occasion_id == birthday_occasion_id(user_id):
        return SQL["count_user_version"], user_id
    return SQL["count_occasion_version"], occasion_id
