"""Occasions' events: the newest state of each is kept, also while its user is unknown."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from domain.due_dates import planned
from domain.events import OccasionRemoved, OccasionState, UserDeleted
from domain.occasion import LeapDayPolicy
from domain.occasion_rule import rule_of
from runtime.database import Connection
from runtime.statements import Statements

SQL = Statements("scheduler")

OccasionEvent = OccasionState | OccasionRemoved


async def write_occasions(
    connection: Connection, newest: Mapping[UUID, OccasionEvent], made_by: Mapping[UUID, str]
) -> dict[UUID, OccasionEvent]:
    """Write the occasions whose state is newer than the one known, and return those.

    A removal leaves a tombstone without words, also for an occasion never seen. Their users are locked.
    Raises ValueError for a state that no user of any zone could be planned for: stored, it would hold up its
    user's planning too.
    """
    if not newest:
        return {}
    events = [newest[occasion_id] for occasion_id in sorted(newest)]
    states = [event if isinstance(event, OccasionState) else None for event in events]
    for state in filter(None, states):
        require_plannable(state)
    rows = await connection.fetch(
        SQL["write_occasions"],
        [event.occasion_id for event in events],
        [event.user_id for event in events],
        [event.version for event in events],
        [event.occurred_at for event in events],
        [state is None for state in states],
        [state and state.type for state in states],
        [state and state.priority and state.priority.rank for state in states],
        [state and state.first_date for state in states],
        [state and state.name for state in states],
        [state and state.message for state in states],
        [state and state.date for state in states],
        [state and state.send_at_local for state in states],
        [state and state.local_date_time for state in states],
        [state and state.rrule for state in states],
        [state and state.last_date for state in states],
        [state and state.at for state in states],
        [state and state.leap_day_policy for state in states],
        [made_by.get(event.occasion_id) for event in events],
    )
    return {row["id"]: newest[row["id"]] for row in rows}


async def forget_occasions(connection: Connection, deleted: Sequence[UserDeleted]) -> None:
    """Erase what deleted users had, and the words of what rings for them at this moment.

    Their own tombstones keep later events of it out.
    """
    if deleted:
        user_ids = [user.user_id for user in deleted]
        await connection.execute(SQL["forget_occasions"], user_ids)
        await connection.execute(SQL["forget_words"], user_ids)


def require_plannable(state: OccasionState) -> None:
    """Raise ValueError for a state without what its type needs, or with a rule that nobody can read."""
    rule = rule_of(state, timezone="UTC", leap_day_policy=LeapDayPolicy.FEB_28)
    planned(rule, first_date=state.first_date, after_date=None)
