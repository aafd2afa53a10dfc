"""What becomes of claimed occurrences: rung, missed or parked, and what follows each."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

import asyncpg
from messaging.envelope import Outgoing
from msgspec import Struct, field

from scheduler.due_event import DueTypes, due_event, unheard_event
from scheduler.expire import expired_event, missed_because
from scheduler.park import faulty
from scheduler.plan_following import NextDate, following


class Claimed(Struct, kw_only=True):
    """A sorted batch: what to append, what follows each; by event id, what is missed or faulty, and why."""

    outgoing: list[Outgoing] = field(default_factory=list)
    next_dates: list[tuple[asyncpg.Record, NextDate | None]] = field(default_factory=list)
    missed: list[tuple[UUID, str]] = field(default_factory=list)
    faults: list[tuple[UUID, str]] = field(default_factory=list)


def sort_claimed(
    rows: Iterable[asyncpg.Record],
    due_types: DueTypes,
    *,
    now: datetime,
    returned_at: datetime,
) -> Claimed:
    """Sort a batch by what each row allows; a row that raises is faulty, and the others go on."""
    claimed = Claimed()
    for row in rows:
        try:
            next_date = following(row, due_types)
            due_type = due_types[row["occasion_type"]]
            reason = missed_because(row, due_type, now=now, returned_at=returned_at)
            if reason:
                outgoing = expired_event(row, reason, now=now)
            elif due_type.published:
                outgoing = due_event(row)
            else:
                outgoing = unheard_event(row, now=now)
        except Exception as error:  # noqa: BLE001 (whatever one row does must not hold up the other 499)
            claimed.faults.append(faulty(row, error))
            continue
        claimed.outgoing.append(outgoing)
        claimed.next_dates.append((row, next_date))
        if reason:
            claimed.missed.append((row["event_id"], reason))
    return claimed
