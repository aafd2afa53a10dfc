"""POST /user/{id}/occasion: an occasion and the event that tells of it, in one transaction."""

from uuid import UUID

from runtime.statements import Statements
from uuid_utils.compat import uuid7

from user_api.context import Context
from user_api.decide_dates import UNDECIDED, ends_at, rule_in, settled, with_first_date
from user_api.lock_occasion import lock_owner
from user_api.occasion import Occasion, OccasionDetails
from user_api.occasion_events import append_added
from user_api.refusals import MOST_OCCASIONS, TooManyOccasionsError

SQL = Statements("user_api")


async def create_occasion(context: Context, user_id: UUID, described: OccasionDetails) -> Occasion:
    """Create an occasion of a user.

    Raises UnknownUserError, TooManyOccasionsError, InvalidInputError for one that would never ring.
    """
    async with context.connection() as connection, connection.transaction():
        owner, now = await lock_owner(context, connection, user_id)
        details, last_date = settled(described, owner, now)
        undecided = Occasion(
            id=uuid7(),
            user_id=user_id,
            version=1,
            details=details,
            last_date=last_date,
            first_date=UNDECIDED,
            created_at=now,
            updated_at=now,
        )
        occasion = with_first_date(undecided, None, owner)
        inserted = await connection.fetchval(
            SQL["insert_occasion"],
            occasion.id,
            user_id,
            details.type,
            details.name,
            details.message,
            details.date,
            details.send_at_local,
            details.local_date_time,
            details.rrule,
            last_date,
            details.at,
            None if details.priority is None else details.priority.rank,
            occasion.first_date,
            ends_at(rule_in(occasion, owner)),
            now,
            MOST_OCCASIONS,
        )
        if inserted is None:
            raise TooManyOccasionsError
        await append_added(connection, context.topology, occasion, owner)
    return occasion
