"""After a claim: the date that follows, by the rule that the row tells; a claim reads nothing else."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import assert_never

import asyncpg
from domain.due_date import DueDate
from domain.due_dates import planned
from domain.occasion import LeapDayPolicy, Notification, OccasionType, Reminder, Rule, Yearly
from msgspec.structs import replace
from runtime.database import Connection
from runtime.statements import Statements

from scheduler.pending import Pending, dated, write_pending

SQL = Statements("scheduler")


async def plan_following(
    connection: Connection, next_dates: Sequence[tuple[asyncpg.Record, Pending | None]]
) -> None:
    """Write the dates that follow the ones claimed, and mark the occasions that have none."""
    await write_pending(connection, [pending for _, pending in next_dates if pending])
    if ended := [row for row, pending in next_dates if not pending]:
        await connection.execute(
            SQL["mark_ended"], [row["occasion_id"] for row in ended], [row["nominal_date"] for row in ended]
        )


def following(row: asyncpg.Record) -> Pending | None:
    """Return the PENDING row that follows the one claimed; None when its rule has no date after it."""
    due = planned(claimed_rule(row), first_date=row["nominal_date"], after_date=row["nominal_date"])
    if due is None:
        return None
    claimed = Pending(**{name: row[name] for name in Pending.__struct_fields__})
    # When it was planned stays: a date that follows one in time is in time too, however long the drain takes.
    ripe_at = max(due.due_at, row["ripe_at"] or due.due_at)
    return replace(claimed, **dated(row["occasion_id"], due), after_date=row["nominal_date"], ripe_at=ripe_at)


def claimed_rule(row: asyncpg.Record) -> Rule:
    """Return the rule that an occurrence's row is a date of."""
    occasion_type = OccasionType(row["occasion_type"])
    match occasion_type:
        case OccasionType.BIRTHDAY | OccasionType.ANNIVERSARY:
            return Yearly(
                date=row["anchor_date"],
                send_at_local=row["send_at_local"],
                timezone=row["timezone"],
                leap_day_policy=LeapDayPolicy(row["leap_day_policy"]),
            )
        case OccasionType.REMINDER:
            return Reminder(
                local_date_time=datetime.combine(row["anchor_date"], row["send_at_local"]),
                rrule=row["rrule"],
                last_date=row["last_date"],
                timezone=row["timezone"],
            )
        case OccasionType.NOTIFICATION:
            return Notification(at=row["due_at"], timezone=row["timezone"])
        case _:
            assert_never(occasion_type)


def anchor_date(rule: Rule, due: DueDate) -> date:
    """Return the date which `claimed_rule`, with the local time of the row, finds the rule by."""
    match rule:
        case Yearly():
            return rule.date
        case Reminder():
            return rule.local_date_time.date()
        case Notification():
            return due.local_date
        case _:
            assert_never(rule)
