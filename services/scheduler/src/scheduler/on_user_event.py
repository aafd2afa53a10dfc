"""Planning: a user's newest state becomes the one PENDING row of each of their occasions."""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

import asyncpg
import structlog
from domain.due_dates import planned
from domain.events import UserDeleted, UserState
from domain.ids import birthday_occasion_id
from domain.occasion import OccasionType
from domain.occasion_rule import birthday_of
from domain.priority import Priority
from messaging.consume import Received
from runtime.database import Connection, Pool
from runtime.statements import Statements

from scheduler.pending import Pending, dated, write_pending

log = structlog.get_logger()

SQL = Statements("scheduler")

UserEvent = UserState | UserDeleted


async def on_user_events(pool: Pool, birthday_priority: Priority, batch: Sequence[Received]) -> None:
    """Bring users and their PENDING rows to the newest state the batch tells of, in one transaction.

    Repeated and reordered events change nothing: each carries the whole state and the user's version.
    """
    newest = newest_by_user(received.event for received in batch)
    async with pool.acquire() as connection, connection.transaction():
        changed = await write_users(connection, newest)
        pending = await lock_pending(connection, [birthday_occasion_id(user_id) for user_id in changed])
        plans = []
        for event in changed.values():
            row = pending.get(birthday_occasion_id(event.user_id))
            if isinstance(event, UserState) and (plan := plan_birthday(event, row, birthday_priority)):
                plans.append(plan)
        await write_pending(connection, plans)
        await cancel_pending(connection, changed)
    log.info("users.planned", events=len(batch), users=len(changed), planned=len(plans))


def newest_by_user(events: Iterable[object]) -> dict[UUID, UserEvent]:
    """Return each user's event of the highest version; other events have no place in this queue.

    Raises TypeError for one of them, which leaves it to the queue's redrive.
    """
    newest: dict[UUID, UserEvent] = {}
    for event in events:
        if not isinstance(event, UserState | UserDeleted):
            raise TypeError(f"not an event of a user: {type(event).__name__}")
        if event.user_id not in newest or newest[event.user_id].version < event.version:
            newest[event.user_id] = event
    return newest


async def write_users(connection: Connection, newest: Mapping[UUID, UserEvent]) -> dict[UUID, UserEvent]:
    """Write the users whose state is newer than the one known, and return those, in order of id.

    The order is the order of locks, so two schedulers with the same users wait instead of deadlocking.
    A deletion leaves a tombstone without a name, also for a user never seen.
    """
    events = [newest[user_id] for user_id in sorted(newest)]
    states = [event if isinstance(event, UserState) else None for event in events]
    rows = await connection.fetch(
        SQL["write_users"],
        [event.user_id for event in events],
        [event.version for event in events],
        [state and state.first_name for state in states],
        [state and state.last_name for state in states],
        [state and state.date_of_birth for state in states],
        [state and state.timezone for state in states],
        [state and state.send_at_local for state in states],
        [state and state.leap_day_policy.value for state in states],
        [state and state.first_date for state in states],
        [None if isinstance(event, UserState) else event.occurred_at for event in events],
    )
    written = {row["id"] for row in rows}
    return {event.user_id: event for event in events if event.user_id in written}


async def lock_pending(connection: Connection, occasion_ids: Sequence[UUID]) -> dict[UUID, asyncpg.Record]:
    """Lock the PENDING rows of occasions and return them as they are once locked, by occasion.

    A claim that holds a row is waited for; it leaves another PENDING row, which only a new statement sees.
    So the rows are the right ones when two statements in a row saw the same, and "none" is no exception.
    """
    before: set[UUID] | None = None
    while True:
        rows = await connection.fetch(SQL["lock_pending"], occasion_ids)
        seen = {row["event_id"] for row in rows}
        if seen == before:
            return {row["occasion_id"]: row for row in rows}
        before = seen


def plan_birthday(state: UserState, pending: asyncpg.Record | None, priority: Priority) -> Pending | None:
    """Return the PENDING row of a user's birthday, never on or before the date emitted last."""
    after_date = pending["after_date"] if pending else None
    due = planned(birthday_of(state), first_date=state.first_date, after_date=after_date)
    if due is None:
        return None
    occasion_id = birthday_occasion_id(state.user_id)
    return Pending(
        **dated(occasion_id, due),
        occasion_id=occasion_id,
        occasion_type=OccasionType.BIRTHDAY.value,
        user_id=state.user_id,
        priority=priority.rank,
        after_date=after_date,
        send_at_local=state.send_at_local,
        timezone=state.timezone,
        anchor_date=state.date_of_birth,
        leap_day_policy=state.leap_day_policy.value,
        first_name=state.first_name,
        last_name=state.last_name,
        user_version=state.version,
    )


async def cancel_pending(connection: Connection, changed: Mapping[UUID, UserEvent]) -> None:
    """Move the PENDING rows of deleted users to history, as CANCELLED."""
    deleted = [user_id for user_id, event in changed.items() if isinstance(event, UserDeleted)]
    if deleted:
        occasions = [birthday_occasion_id(user_id) for user_id in deleted]
        await connection.execute(SQL["cancel_pending"], occasions)
