"""POST /user: a user and the event that tells of them, in one transaction."""

from datetime import UTC, datetime

from domain.due_dates import first_date
from runtime.statements import Statements
from uuid_utils.compat import uuid7

from user_api.context import Context
from user_api.parse_fields import refuse_future_birth
from user_api.refusals import email_taken
from user_api.user import Details, User
from user_api.user_events import append_created

SQL = Statements("user_api")


async def create_user(context: Context, details: Details) -> User:
    """Create a user. Raises InvalidInputError for a birth in the future, EmailTakenError."""
    user_id = uuid7()
    # The database's clock decides, and the row is written before it is known: this machine's clock gives what
    # it nearly always decides, which saves a query. A moment that lies between the two is put right below.
    likely = first_date(details.birthday, None, None, changed_at=datetime.now(UTC) + context.clock_offset)
    async with context.connection() as connection, connection.transaction():
        with email_taken():
            created_at: datetime = await connection.fetchval(
                SQL["insert_user"],
                user_id,
                details.first_name,
                details.last_name,
                details.date_of_birth,
                details.timezone,
                details.email,
                details.send_at_local,
                details.leap_day_policy,
                likely,
                context.clock_offset,
            )
        refuse_future_birth(details, created_at)
        decided = first_date(details.birthday, None, None, changed_at=created_at)
        if decided != likely:
            await connection.execute(SQL["correct_first_date"], user_id, decided)
        user = User(
            id=user_id,
            version=1,
            details=details,
            first_date=decided,
            created_at=created_at,
            updated_at=created_at,
        )
        await append_created(connection, context.topology, user)
    return user
