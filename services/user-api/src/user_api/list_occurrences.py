"""GET /user/{id}/occurrence?since=…: what was planned and what became of it, the earliest first."""

from datetime import datetime
from uuid import UUID

import asyncpg
from domain.event import Instant
from msgspec import Struct
from runtime.statements import Statements

from user_api.context import Context
from user_api.pages import Page
from user_api.read_user import read_user

SQL = Statements("user_api")

BEFORE_EVERY_ID = UUID(int=0)


class OccurrencePosition(Struct, frozen=True, array_like=True):
    """An occurrence's place in the list: an event can be in it twice, ended differently."""

    due_at: Instant
    id: UUID
    completed_at: Instant | None


async def list_occurrences(
    context: Context, user_id: UUID, since: datetime, page: Page[OccurrencePosition]
) -> list[asyncpg.Record]:
    """Read a page of what fell due, or will, from an instant on; and one more if there is one.

    Raises UnknownUserError.
    """
    await read_user(context, user_id)
    after = page.after or OccurrencePosition(since, BEFORE_EVERY_ID, None)
    async with context.connection() as connection:
        rows: list[asyncpg.Record] = await connection.fetch(
            SQL["list_occurrences"], user_id, after.due_at, after.id, after.completed_at, page.rows
        )
    return rows


def position_of(row: asyncpg.Record) -> OccurrencePosition:
    """Tell where an occurrence is in the list."""
    return OccurrencePosition(row["due_at"], row["id"], row["completed_at"])
