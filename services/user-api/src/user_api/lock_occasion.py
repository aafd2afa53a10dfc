"""What every change of an occasion begins with: its owner, locked, then the occasion, at its version."""

from datetime import datetime
from uuid import UUID

from domain.ids import birthday_occasion_id
from msgspec import Struct
from runtime.database import Connection
from runtime.statements import Statements

from user_api.context import Context
from user_api.entity_tags import Tags
from user_api.occasion import Occasion, Owner, occasion_of, owner_of
from user_api.refusals import (
    BirthdayOccasionError,
    StaleVersionError,
    UnknownOccasionError,
    UnknownUserError,
)

SQL = Statements("user_api")


class Locked(Struct, frozen=True, kw_only=True):
    """An occasion that nobody else changes until the transaction ends, and the instant of the change."""

    occasion: Occasion
    has_ended: bool
    owner: Owner
    at: datetime


async def lock_owner(context: Context, connection: Connection, user_id: UUID) -> tuple[Owner, datetime]:
    """Give what a user decides about their occasions, and the instant of the change.

    Nobody else changes the user or their occasions until the transaction ends. Raises UnknownUserError.
    """
    row = await connection.fetchrow(SQL["lock_owner"], user_id, context.clock_offset)
    if row is None:
        raise UnknownUserError
    return owner_of(user_id, row), row["changed_at"]


async def lock_occasion(
    context: Context, connection: Connection, user_id: UUID, occasion_id: UUID, if_match: Tags
) -> Locked:
    """Lock an occasion of a user.

    Raises UnknownUserError, UnknownOccasionError, StaleVersionError; BirthdayOccasionError for the one that
    is not changed here.
    """
    owner, at = await lock_owner(context, connection, user_id)
    if occasion_id == birthday_occasion_id(user_id):
        raise BirthdayOccasionError
    row = await connection.fetchrow(SQL["lock_occasion"], user_id, occasion_id, at)
    if row is None:
        raise UnknownOccasionError
    occasion = occasion_of(row)
    if not if_match.match_strongly(occasion.version):
        raise StaleVersionError(occasion.version, "occasion")
    return Locked(occasion=occasion, has_ended=row["has_ended"], owner=owner, at=row["changed_at"])
