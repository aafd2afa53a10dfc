"""PUT /user/{id}/occasion/{id}: the whole of an occasion anew, and the event of it, in one transaction."""

from uuid import UUID

from msgspec.structs import replace
from runtime.database import Connection
from runtime.statements import Statements

from user_api.context import Context
from user_api.decide_dates import ends_at, rule_in, settled, with_first_date
from user_api.entity_tags import Tags
from user_api.lock_occasion import lock_occasion
from user_api.occasion import Occasion, OccasionDetails, Owner
from user_api.occasion_answer import OccasionAnswer, occasion_answer
from user_api.occasion_events import append_changed
from user_api.pause import find_pause
from user_api.refusals import FieldProblem, InvalidInputError, OccasionEndedError

SQL = Statements("user_api")
OTHER_TYPE = FieldProblem("type", "is another than the occasion's, which never changes")


async def replace_occasion(
    context: Context, user_id: UUID, occasion_id: UUID, described: OccasionDetails, if_match: Tags
) -> OccasionAnswer:
    """Replace what an occasion is; where nothing differs, nothing happens and the version stays.

    Raises UnknownUserError, UnknownOccasionError, StaleVersionError, BirthdayOccasionError,
    OccasionEndedError; InvalidInputError for one that would never ring, and for another type.
    """
    async with context.connection() as connection, connection.transaction():
        locked = await lock_occasion(context, connection, user_id, occasion_id, if_match)
        old = locked.occasion
        if described.type != old.details.type:
            raise InvalidInputError([OTHER_TYPE])
        paused = await find_pause(connection, occasion_id)
        details, last_date = settled(described, locked.owner, locked.at)
        if details == old.details:
            return occasion_answer(old, paused)
        if locked.has_ended and old.details.is_one_off:
            raise OccasionEndedError
        changed = replace(
            old, version=old.version + 1, details=details, last_date=last_date, updated_at=locked.at
        )
        new = with_first_date(changed, old, locked.owner)
        await _update(connection, new, locked.owner)
        await append_changed(connection, context.topology, [new], locked.owner)
    return occasion_answer(new, paused)


async def _update(connection: Connection, occasion: Occasion, owner: Owner) -> None:
    details = occasion.details
    await connection.execute(
        SQL["update_occasion"],
        occasion.id,
        occasion.version,
        details.name,
        details.message,
        details.date,
        details.send_at_local,
        details.local_date_time,
        details.rrule,
        occasion.last_date,
        details.at,
        None if details.priority is None else details.priority.rank,
        occasion.first_date,
        ends_at(rule_in(occasion, owner)),
        occasion.updated_at,
    )
