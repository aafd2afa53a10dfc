"""Planning: an occasion's and its user's newest states come to the one PENDING row of the occasion."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

import asyncpg
from domain.due_dates import planned
from domain.events import OccasionState, UserState
from domain.ids import birthday_occasion_id
from domain.kinds.birthday import BIRTHDAY
from domain.occasion import LeapDayPolicy
from domain.occasion_rule import policy_of, rule_of
from domain.send_window import spread
from msgspec import Struct
from runtime.database import Connection
from runtime.statements import Statements

from scheduler.due_event import PRIORITIES, DueTypes
from scheduler.pending import Pending, dated
from scheduler.plan_following import anchor_date

SQL = Statements("scheduler")


class Occasion(Struct, frozen=True, kw_only=True):
    """An occasion's newest state, what planning needs of its user's, and the nominal date emitted last."""

    state: OccasionState
    user_version: int
    user_occurred_at: datetime
    first_name: str
    last_name: str
    timezone: str
    user_leap_day_policy: LeapDayPolicy
    after_date: str | None
    traceparent: str | None


def birthday(user: UserState, traceparent: str | None) -> Occasion:
    """Return a user's birthday, the occasion that has no events of its own."""
    state = OccasionState(
        occasion_id=birthday_occasion_id(user.user_id),
        user_id=user.user_id,
        version=user.version,
        occurred_at=user.occurred_at,
        type=BIRTHDAY.occasion_type,
        first_date=user.first_date,
        date=user.date_of_birth,
        send_at_local=user.send_at_local,
    )
    return Occasion(
        state=state,
        user_version=user.version,
        user_occurred_at=user.occurred_at,
        first_name=user.first_name,
        last_name=user.last_name,
        timezone=user.timezone,
        user_leap_day_policy=user.leap_day_policy,
        after_date=None,
        traceparent=traceparent,
    )


async def read_occasions(
    connection: Connection, occasion_ids: Collection[UUID], user_ids: Collection[UUID]
) -> list[Occasion]:
    """Read these occasions and all of these users' that can be planned: not removed, and the user known."""
    if not occasion_ids and not user_ids:
        return []
    rows = await connection.fetch(SQL["read_occasions"], list(occasion_ids), list(user_ids))
    return [
        Occasion(
            state=state_of(row),
            user_version=row["user_version"],
            user_occurred_at=row["user_occurred_at"] or row["occurred_at"],
            first_name=row["first_name"],
            last_name=row["last_name"],
            timezone=row["timezone"],
            user_leap_day_policy=LeapDayPolicy(row["user_leap_day_policy"]),
            after_date=row["after_date"],
            traceparent=row["traceparent"],
        )
        for row in rows
    ]


def state_of(row: asyncpg.Record) -> OccasionState:
    """Return the state that the newest event of an occasion told."""
    told = {name: row[name] for name in OccasionState.__struct_fields__}
    priority = None if row["priority"] is None else PRIORITIES[row["priority"]]
    policy = None if row["leap_day_policy"] is None else LeapDayPolicy(row["leap_day_policy"])
    return OccasionState(**told | {"priority": priority, "leap_day_policy": policy})


def plan(
    occasion: Occasion, pending: asyncpg.Record | None, due_types: DueTypes, *, now: datetime
) -> Pending | None:
    """Return an occasion's PENDING row, never on or before the date emitted last; None if no date is left.

    Raises ValueError for a state that cannot be planned.
    """
    state = occasion.state
    leap_day_policy = policy_of(state, occasion.user_leap_day_policy)
    rule = rule_of(state, timezone=occasion.timezone, leap_day_policy=leap_day_policy)
    after_date = max(filter(None, (occasion.after_date, pending and pending["after_date"])), default=None)
    due = planned(rule, first_date=state.first_date, after_date=after_date)
    if due is None:
        return None
    due = spread(due, state.occasion_id, due_types[state.type].send_window_minutes)
    return Pending(
        **dated(state.occasion_id, due),
        occasion_id=state.occasion_id,
        occasion_type=state.type,
        user_id=state.user_id,
        priority=(state.priority or due_types[state.type].priority).rank,
        after_date=after_date,
        timezone=occasion.timezone,
        anchor_date=anchor_date(rule, due),
        leap_day_policy=leap_day_policy.value,
        rrule=state.rrule,
        last_date=state.last_date,
        first_name=occasion.first_name,
        last_name=occasion.last_name,
        name=state.name,
        message=state.message,
        user_version=occasion.user_version,
        occasion_version=None if state.type == BIRTHDAY.occasion_type else state.version,
        planned_at=now,
        ripe_at=max(due.due_at, state.occurred_at, occasion.user_occurred_at),
        traceparent=occasion.traceparent,
    )
