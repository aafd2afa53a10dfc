"""What PUT and PATCH do alike: a user changed, and the events that tell what changed, in one transaction."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from domain.due_dates import first_date
from runtime.database import Connection
from runtime.statements import Statements

from user_api.context import Context
from user_api.entity_tags import Tags
from user_api.follow_user import follow_user
from user_api.lock_user import lock_user
from user_api.parse_fields import refuse_future_birth
from user_api.refusals import email_taken
from user_api.user import Details, User
from user_api.user_events import append_changes, changes_between

SQL = Statements("user_api")


async def change_user(
    context: Context, user_id: UUID, if_match: Tags, change: Callable[[Details], Details]
) -> User:
    """Make of a user what `change` makes of them; where nothing differs, nothing happens, the version stays.

    Raises UnknownUserError, StaleVersionError, EmailTakenError, InvalidInputError for a birth in the future.
    """
    async with context.connection() as connection, connection.transaction():
        old, changed_at = await lock_user(context, connection, user_id, if_match)
        details = change(old.details)
        if details == old.details:
            return old
        refuse_future_birth(details, changed_at)
        new = changed(old, details, changed_at)
        with email_taken():
            await _update(connection, new)
        await append_changes(connection, context.topology, new, changes_between(old.details, details))
        await follow_user(connection, context.topology, old, new)
    return new


def changed(old: User, details: Details, at: datetime) -> User:
    """Give the user that a change at an instant makes."""
    return User(
        id=old.id,
        version=old.version + 1,
        details=details,
        first_date=first_date(details.birthday, old.details.birthday, old.first_date, changed_at=at),
        created_at=old.created_at,
        updated_at=at,
    )


async def _update(connection: Connection, user: User) -> None:
    details = user.details
    await connection.execute(
        SQL["update_user"],
        user.id,
        user.version,
        details.first_name,
        details.last_name,
        details.date_of_birth,
        details.timezone,
        details.email,
        details.send_at_local,
        details.leap_day_policy,
        user.first_date,
        user.updated_at,
    )
