"""GET /dead-letter: messages that nobody could handle, the newest first."""

from collections.abc import Mapping
from uuid import UUID

import asyncpg
from domain.event import Instant
from msgspec import Struct
from runtime.statements import Statements

from user_api.context import Context
from user_api.dead_letter import STATUSES, DeadLetterAnswer, dead_letter_answer
from user_api.pages import Page
from user_api.parse_fields import FieldError
from user_api.parse_redrive import queue_name
from user_api.query import read_filter
from user_api.refusals import FieldProblem, InvalidInputError

SQL = Statements("user_api")

DEAD_LETTER_FILTERS = frozenset({"queue", "status"})


class DeadLetterFilters(Struct, frozen=True, kw_only=True):
    """Each narrows the list further; None does not."""

    queue: str | None
    status: str | None


class DeadLetterPosition(Struct, frozen=True, array_like=True):
    """Where a dead letter is in the list."""

    received_at: Instant
    id: UUID


def read_dead_letter_filters(query: Mapping[str, str]) -> DeadLetterFilters:
    """Read the filters. Raises InvalidInputError, which names every parameter at fault."""
    faults: list[FieldProblem] = []
    filters = DeadLetterFilters(
        queue=read_filter(query, "queue", queue_name, faults),
        status=read_filter(query, "status", _status, faults),
    )
    if faults:
        raise InvalidInputError(faults)
    return filters


async def list_dead_letters(
    context: Context, filters: DeadLetterFilters, page: Page[DeadLetterPosition]
) -> list[DeadLetterAnswer]:
    """Give up to `page.rows` dead letters from the page's beginning on, without what they say."""
    after = page.after
    async with context.connection() as connection:
        rows: list[asyncpg.Record] = await connection.fetch(
            SQL["list_dead_letters"],
            after and after.received_at,
            after and after.id,
            filters.queue,
            filters.status,
            page.rows,
        )
    return [dead_letter_answer(row) for row in rows]


def position_of(dead: DeadLetterAnswer) -> DeadLetterPosition:
    """Tell where a dead letter is in the list."""
    return DeadLetterPosition(dead.received_at, dead.id)


def _status(text: str) -> str:
    if text not in STATUSES:
        raise FieldError(f"is none of {', '.join(STATUSES)}")
    return text
