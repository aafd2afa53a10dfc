"""Planning again: what was planned under another release of the tz database, by the rules of this one."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg
import structlog
from domain.due_dates import planned
from domain.zones import TZ_DATABASE_VERSION
from messaging.envelope import compose
from messaging.outbox import append
from messaging.topology import Topology
from msgspec import Struct
from msgspec.structs import replace
from runtime.database import Pool
from runtime.statements import Statements
from runtime.stopping import Stop, describe

from scheduler.due_event import SOURCE
from scheduler.pending import Pending, dated, lock_pending, write_pending
from scheduler.plan_following import claimed_rule
from scheduler.scheduled_event import told_of_plans

log = structlog.get_logger()

SQL = Statements("scheduler")

BATCH = 500
BEFORE_ALL = UUID(int=0)


class Replanned(Struct, frozen=True, kw_only=True):
    """What planning a row again came to: when (UTC) it was and is due, or why it stays as it is."""

    occasion_id: UUID
    timezone: str
    was_due_at: datetime
    due_at: datetime
    refused: str | None = None

    @property
    def moved(self) -> bool:
        """Tell whether it rings at another instant now."""
        return self.due_at != self.was_due_at


async def replan(
    pool: Pool, topology: Topology, *, offset: timedelta, dry_run: bool = False
) -> AsyncIterator[Sequence[Replanned]]:
    """Plan every PENDING row of another tz release again, and yield what became of each batch.

    A batch is a transaction and what is done is done, so it may be cut off and started again, beside running
    schedulers. An older version's may claim behind it and leave such a row once more, so it looks until
    nothing is left but what this release cannot plan. `offset` makes the business clock of the database's.
    """
    written = True
    while written:
        written, last = False, BEFORE_ALL
        while ids := [
            row["occasion_id"]
            for row in await pool.fetch(SQL["page_other_releases"], TZ_DATABASE_VERSION, last, BATCH)
        ]:
            last = ids[-1]
            batch = await replan_batch(pool, topology, ids, offset=offset, dry_run=dry_run)
            written = written or not (dry_run or all(one.refused for one in batch))
            yield batch


async def replan_batch(
    pool: Pool, topology: Topology, occasion_ids: Sequence[UUID], *, offset: timedelta, dry_run: bool
) -> list[Replanned]:
    """Plan the PENDING rows of these occasions again, in one transaction; a dry run locks and writes none."""
    async with pool.acquire() as connection, connection.transaction():
        if not dry_run:
            await lock_pending(connection, occasion_ids, [])
        rows = await connection.fetch(SQL["read_other_releases"], TZ_DATABASE_VERSION, occasion_ids)
        now = await connection.fetchval(SQL["read_now"], offset)
        answers = [planned_again(row, now=now) for row in rows]
        if not dry_run:
            written = [row for row in answers if isinstance(row, Pending)]
            await write_pending(connection, written)
            news = told_of_plans(topology, written, {row["occasion_id"]: row for row in rows}, now=now)
            await append(connection, compose(topology, SOURCE, now, news))
    return [told(row, answer) for row, answer in zip(rows, answers, strict=True)]


def planned_again(row: asyncpg.Record, *, now: datetime) -> Pending | str:
    """Return a PENDING row as this release's rules have it, of the same date; or why they cannot.

    What had yet to come and is past now is ripe from `now` on: it was this change that set its instant.
    """
    try:
        due = planned(claimed_rule(row), first_date=row["nominal_date"], after_date=row["after_date"])
    except Exception as error:  # noqa: BLE001 (whatever one row does must not hold up the others)
        return describe(error)
    if due is None:
        return "no date is left"
    before = Pending(**{name: row[name] for name in Pending.__struct_fields__})
    due_at = due.due_at + timedelta(seconds=before.jitter_seconds)
    return replace(
        before,
        **dated(before.occasion_id, due)
        | {"due_at": due_at, "jitter_seconds": before.jitter_seconds, "planned_at": now},
        ripe_at=max(due_at, min(row["ripe_at"] or before.due_at, now)),
    )


def told(row: asyncpg.Record, answer: Pending | str) -> Replanned:
    """Return what became of a row."""
    refused = answer if isinstance(answer, str) else None
    return Replanned(
        occasion_id=row["occasion_id"],
        timezone=row["timezone"],
        was_due_at=row["due_at"],
        due_at=row["due_at"] if isinstance(answer, str) else answer.due_at,
        refused=refused,
    )


async def warn_of_other_release(pool: Pool, _: Stop) -> None:
    """Say so once if rows were planned under another release: until `replan` they ring by its rules."""
    release = await pool.fetchval(SQL["find_other_release"], TZ_DATABASE_VERSION)
    if release is not None:
        log.warning(
            "tz_database.changed", planned_under=release, now=TZ_DATABASE_VERSION, to_do="scheduler replan"
        )
