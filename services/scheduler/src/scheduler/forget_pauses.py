"""Pauses go with what they are of: a removed occasion, a deleted user; their notes too."""

from collections.abc import Iterable

from domain.events import OccasionRemoved, UserDeleted
from runtime.database import Connection
from runtime.statements import Statements

SQL = Statements("scheduler")


async def forget_pauses(connection: Connection, events: Iterable[object]) -> None:
    """Erase the pauses of the users and occasions that are gone by these events; others are passed over."""
    gone = [event for event in events if isinstance(event, UserDeleted | OccasionRemoved)]
    if gone:
        await connection.execute(
            SQL["forget_pauses"],
            [event.user_id for event in gone if isinstance(event, UserDeleted)],
            [event.occasion_id for event in gone if isinstance(event, OccasionRemoved)],
        )
