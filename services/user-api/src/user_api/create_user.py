"""POST /user: a user and the event that tells of them, in one statement."""

import time
from datetime import datetime

from domain.due_dates import first_date
from domain.events import UserCreated
from messaging.outbox import columns
from runtime.database import Connection
from runtime.statements import Statements
from uuid_utils.compat import uuid7

from user_api.context import Context
from user_api.parse_fields import is_future_birth, refuse_future_birth
from user_api.refusals import email_taken
from user_api.user import Details, User
from user_api.user_events import messages_of

SQL = Statements("user_api")


async def create_user(context: Context, details: Details) -> User:
    """Create a user. Raises InvalidInputError for a birth in the future, EmailTakenError."""
    async with context.connection() as connection:
        return await insert_user(context, connection, details)


async def insert_user(context: Context, connection: Connection, details: Details) -> User:
    """Create a user as part of the caller's transaction, or in one of its own. Raises as `create_user`.

    The database's clock decides, and it is known well enough to leave it only the check: one round trip.
    Where the estimate does not hold, or would refuse, the clock is asked.
    """
    likely = context.clock.now()
    if likely is not None and not is_future_birth(details.date_of_birth, details.timezone, likely):
        user = _created(details, likely)
        if await _is_inserted(context, connection, user):
            return user
    async with connection.transaction():  # in which now() stands still
        now = await connection.fetchval(SQL["business_now"], context.clock_offset)
        refuse_future_birth(details, now)
        user = _created(details, now)
        if not await _is_inserted(context, connection, user):
            raise RuntimeError("the database's now() moved within a transaction")
    return user


def _created(details: Details, at: datetime) -> User:
    return User(
        id=uuid7(),
        version=1,
        details=details,
        first_date=first_date(details.birthday, None, None, changed_at=at),
        created_at=at,
        updated_at=at,
    )


async def _is_inserted(context: Context, connection: Connection, user: User) -> bool:
    details = user.details
    messages = messages_of(context.topology, user, [UserCreated])
    asked = time.monotonic()
    with email_taken():
        (row,) = await connection.fetch(
            SQL["insert_user"],
            user.id,
            details.first_name,
            details.last_name,
            details.date_of_birth,
            details.timezone,
            details.email,
            details.send_at_local,
            details.leap_day_policy,
            user.first_date,
            user.created_at,
            context.clock_offset,
            *columns(messages),
        )
    context.clock.learn(row["shown_at"], asked=asked, answered=time.monotonic())
    return bool(row["is_inserted"])
