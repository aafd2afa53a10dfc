"""Pauses: why something does not ring, since when, and who said so."""

from collections.abc import Collection
from uuid import UUID

import asyncpg
from msgspec import Struct
from runtime.database import Connection
from runtime.statements import Statements

from user_api.user import Instant

SQL = Statements("user_api")


class Pause(Struct, frozen=True, kw_only=True):
    """A pause; `by` is the subject of the token that it was made with."""

    note: str | None
    since: Instant
    by: str


def pause_of(row: asyncpg.Record) -> Pause:
    """Give the pause of a row of schedule.api_pauses."""
    return Pause(note=row["note"], since=row["paused_at"], by=row["paused_by"])


async def find_pause(connection: Connection, occasion_id: UUID) -> Pause | None:
    """Give the pause of an occasion, if it is paused by itself."""
    return (await find_pauses(connection, [occasion_id])).get(occasion_id)


async def find_pauses(connection: Connection, occasion_ids: Collection[UUID]) -> dict[UUID, Pause]:
    """Give the pauses of these occasions, of those that are paused by themselves."""
    rows = await connection.fetch(SQL["find_pauses"], list(occasion_ids))
    return {row["occasion_id"]: pause_of(row) for row in rows}
