"""DELETE /user/{id}/occasion/{id}: the row goes, and the event that tells of it, in one transaction."""

from uuid import UUID

from msgspec.structs import replace
from runtime.statements import Statements

from user_api.context import Context
from user_api.entity_tags import Tags
from user_api.lock_occasion import lock_occasion
from user_api.occasion_events import append_removed

SQL = Statements("user_api")


async def delete_occasion(context: Context, user_id: UUID, occasion_id: UUID, if_match: Tags) -> None:
    """Delete an occasion; it rings no more.

    Raises UnknownUserError, UnknownOccasionError, StaleVersionError, BirthdayOccasionError.
    """
    async with context.connection() as connection, connection.transaction():
        locked = await lock_occasion(context, connection, user_id, occasion_id, if_match)
        await connection.execute(SQL["delete_occasion"], occasion_id)
        last = replace(locked.occasion, version=locked.occasion.version + 1, updated_at=locked.at)
        await append_removed(connection, context.topology, last)
