"""DELETE /user/{id}: the row goes, and the event that tells of it, in one transaction."""

from uuid import UUID

from runtime.statements import Statements

from user_api.context import Context
from user_api.entity_tags import Tags
from user_api.lock_user import lock_user
from user_api.user_events import append_deleted

SQL = Statements("user_api")


async def delete_user(context: Context, user_id: UUID, if_match: Tags) -> None:
    """Delete a user; the e-mail address is free again. Raises UnknownUserError, StaleVersionError."""
    async with context.connection() as connection, connection.transaction():
        user, deleted_at = await lock_user(context, connection, user_id, if_match)
        await connection.execute(SQL["delete_user"], user_id)
        await append_deleted(connection, context.topology, user_id, user.version + 1, deleted_at)
