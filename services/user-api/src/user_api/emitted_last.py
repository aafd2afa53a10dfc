"""What an occasion rang on last, from what the scheduler shows of its occurrences."""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

import asyncpg
from domain.due_dates import rung_date
from domain.occasion import Rule
from domain.occurrence import OccurrenceStatus


def by_occasion(occurrences: Iterable[asyncpg.Record]) -> Mapping[UUID, Sequence[asyncpg.Record]]:
    """Give occurrences by the occasion they are of."""
    found: dict[UUID, list[asyncpg.Record]] = {}
    for row in occurrences:
        found.setdefault(row["occasion_id"], []).append(row)
    return found


def emitted_last(rule: Rule, occurrences: Iterable[asyncpg.Record]) -> str | None:
    """Give the date of an occasion beyond which the next is planned, as planning has it; None if none rang.

    What is planned knows it, however long ago; what rang tells it too, as nothing may be planned any more.
    """
    dates = (
        row["after_date"]
        if row["status"] == OccurrenceStatus.PENDING
        else rung_date(rule, nominal_date=row["nominal_date"], local_date=row["local_date"])
        for row in occurrences
    )
    return max(filter(None, dates), default=None)
