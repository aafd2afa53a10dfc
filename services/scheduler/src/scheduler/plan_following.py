"""After a claim: the date that follows, by the rule that the row tells; a claim reads nothing else."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import assert_never
from uuid import UUID

import asyncpg
from domain.due_date import DueDate
from domain.due_dates import planned, rung_date
from domain.ids import due_event_id
from domain.kinds import kind_of
from domain.occasion import LeapDayPolicy, Notification, Reminder, Rule, Yearly
from domain.send_window import spread
from domain.zones import TZ_DATABASE_VERSION
from msgspec import Struct
from msgspec.structs import astuple
from runtime.database import Connection
from runtime.statements import Statements

from scheduler.due_event import DueTypes

SQL = Statements("scheduler")


class NextDate(Struct, frozen=True, kw_only=True):
    """What of a claimed row is another at its next date, in the order of `write_following.sql`."""

    claimed_id: UUID
    event_id: UUID
    nominal_date: str
    after_date: str
    local_date: date
    due_at: datetime
    jitter_seconds: int
    ripe_at: datetime


async def plan_following(
    connection: Connection, next_dates: Sequence[tuple[asyncpg.Record, NextDate | None]]
) -> None:
    """Write the dates that follow the ones claimed, which still stand; mark the occasions that have none."""
    if found := [next_date for _, next_date in next_dates if next_date]:
        columns = map(list, zip(*map(astuple, found), strict=True))
        await connection.execute(SQL["write_following"], *columns, TZ_DATABASE_VERSION)
    if ended := [row for row, next_date in next_dates if not next_date]:
        await connection.execute(
            SQL["mark_ended"], [row["occasion_id"] for row in ended], [row["nominal_date"] for row in ended]
        )


def following(row: asyncpg.Record, due_types: DueTypes) -> NextDate | None:
    """Return the date that follows the one claimed; None when its rule has no date after it."""
    rule = claimed_rule(row)
    after_date = rung_date(rule, nominal_date=row["nominal_date"], local_date=row["local_date"])
    due = planned(rule, first_date=row["nominal_date"], after_date=after_date)
    if due is None:
        return None
    due = spread(due, row["occasion_id"], due_types[row["occasion_type"]].send_window_minutes)
    return NextDate(
        claimed_id=row["event_id"],
        event_id=due_event_id(row["occasion_id"], due.nominal_date),
        nominal_date=due.nominal_date,
        after_date=after_date,
        local_date=due.local_date,
        due_at=due.due_at,
        jitter_seconds=due.jitter_seconds,
        # A date that follows one in time is in time too, however long the drain takes.
        ripe_at=max(due.due_at, row["ripe_at"] or due.due_at),
    )


def claimed_rule(row: asyncpg.Record) -> Rule:
    """Return the rule that an occurrence's row is a date of. Raises UnknownKind."""
    rule = kind_of(row["occasion_type"]).rule
    if rule is Yearly:
        return Yearly(
            date=row["anchor_date"],
            send_at_local=row["send_at_local"],
            timezone=row["timezone"],
            leap_day_policy=LeapDayPolicy(row["leap_day_policy"]),
        )
    if rule is Reminder:
        return Reminder(
            local_date_time=datetime.combine(row["anchor_date"], row["send_at_local"]),
            rrule=row["rrule"],
            last_date=row["last_date"],
            timezone=row["timezone"],
        )
    promised_at = row["due_at"] - timedelta(seconds=row["jitter_seconds"])
    return Notification(at=promised_at, timezone=row["timezone"])


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
