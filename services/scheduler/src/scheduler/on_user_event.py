"""Planning: users' and occasions' newest states become the one PENDING row of each occasion."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg
import structlog
from domain.events import OccasionRemoved, OccasionState, UserDeleted, UserState
from messaging.consume import Received
from messaging.envelope import compose
from messaging.outbox import append
from messaging.topology import Topology
from runtime.database import Connection, Pool
from runtime.statements import Statements

from scheduler.due_event import SOURCE, DueTypes, due_types
from scheduler.forget_pauses import forget_pauses
from scheduler.made_by import makers
from scheduler.measure import OCCURRENCES
from scheduler.on_occasion_event import OccasionEvent, forget_occasions, write_occasions
from scheduler.pending import Pending, cancel_pending, lock_pending, write_pending
from scheduler.plan_occasions import birthday, plan, read_occasions
from scheduler.scheduled_event import told_of_plans

log = structlog.get_logger()

SQL = Statements("scheduler")

UserEvent = UserState | UserDeleted
Users = Mapping[UUID, UserEvent]
Occasions = Mapping[UUID, OccasionEvent]
Locked = Mapping[UUID, asyncpg.Record]
Plans = Mapping[UUID, Pending | None]


async def on_user_events(
    pool: Pool, topology: Topology, batch: Sequence[Received], *, offset: timedelta = timedelta(0)
) -> None:
    """Bring users, occasions and PENDING rows to the newest state the batch tells of, in one transaction.

    Repeated and reordered events change nothing: each carries the whole state of its user or occasion and
    that one's version, and of a user's event and their occasion's the second plans.

    Locks go users, pauses, PENDING rows, occasions, what rang for deleted users, each in order of id, so two
    schedulers with the same ones wait instead of deadlocking. Occasions are written only under their user's
    lock, but for a claim, which holds the PENDING row.

    The business clock, the database's now() plus `offset`, tells when a date was planned and nothing else.
    """
    users, occasions = newest_states(received.event for received in batch)
    made_by = makers(batch)
    async with pool.acquire() as connection, connection.transaction():
        now = await connection.fetchval(SQL["read_now"], offset)
        owners = {event.user_id for event in occasions.values()}
        written, met_before = await write_users(connection, users, owners, made_by)
        await forget_pauses(connection, [*users.values(), *occasions.values()])
        # Who is new has no PENDING row: looking for it, twice, was a fifth of what planning a new user cost.
        pending = await lock_pending(connection, occasions, met_before)
        changed_occasions = await write_occasions(connection, occasions, made_by)
        changed_users = {user_id: users[user_id] for user_id in written}
        plans = await plan_all(
            connection,
            due_types(topology),
            changed_users,
            changed_occasions,
            pending,
            now=now,
            made_by=written,
        )
        planned = [row for row in plans.values() if row]
        await write_pending(connection, planned)
        news = told_of_plans(topology, planned, pending, now=now)
        await append(connection, compose(topology, SOURCE, now, news))
        await cancel_pending(connection, cancelled(pending, changed_users, changed_occasions, plans))
    OCCURRENCES.labels("planned").inc(len(planned))
    log.info(
        "users.planned",
        events=len(batch),
        users=len(changed_users),
        occasions=len(changed_occasions),
        planned=len(planned),
    )


def newest_states(events: Iterable[object]) -> tuple[dict[UUID, UserEvent], dict[UUID, OccasionEvent]]:
    """Return each user's and each occasion's event of the highest version, by id.

    Raises TypeError for an event that has no place in this queue, which leaves it to the queue's redrive.
    """
    users: dict[UUID, UserEvent] = {}
    occasions: dict[UUID, OccasionEvent] = {}
    for event in events:
        match event:
            case UserState() | UserDeleted():
                user = users.setdefault(event.user_id, event)
                users[event.user_id] = max(user, event, key=version)
            case OccasionState() | OccasionRemoved():
                occasion = occasions.setdefault(event.occasion_id, event)
                occasions[event.occasion_id] = max(occasion, event, key=version)
            case _:
                raise TypeError(f"not an event of a user or an occasion: {type(event).__name__}")
    return users, occasions


def version(event: UserEvent | OccasionEvent) -> int:
    """Return an event's place in the life of its user or occasion."""
    return event.version


async def write_users(
    connection: Connection, newest: Users, owners: Collection[UUID], made_by: Mapping[UUID, str]
) -> tuple[Mapping[UUID, str | None], Collection[UUID]]:
    """Write the users whose state is newer than the one known; return those, and who of them is not new.

    With each comes the `traceparent` of the call that made them, which is the first one heard of.

    Users of occasions are only locked; for one not known yet a row of version 0 holds the lock. A deletion
    leaves a tombstone without a name, also for a user never seen.
    """
    user_ids = sorted(newest.keys() | owners)
    events = [newest.get(user_id) for user_id in user_ids]
    states = [event if isinstance(event, UserState) else None for event in events]
    rows = await connection.fetch(
        SQL["write_users"],
        user_ids,
        [event.version if event else 0 for event in events],
        [state and state.first_name for state in states],
        [state and state.last_name for state in states],
        [state and state.date_of_birth for state in states],
        [state and state.timezone for state in states],
        [state and state.send_at_local for state in states],
        [state and state.leap_day_policy.value for state in states],
        [state and state.first_date for state in states],
        [event.occurred_at if isinstance(event, UserDeleted) else None for event in events],
        [event.occurred_at if event else None for event in events],
        [made_by.get(user_id) for user_id in user_ids],
    )
    # Those of owners are only locked.
    written = {row["id"]: row for row in rows if row["id"] in newest}
    return (
        {user_id: row["traceparent"] for user_id, row in written.items()},
        [user_id for user_id, row in written.items() if row["met_before"]],
    )


async def plan_all(
    connection: Connection,
    types: DueTypes,
    users: Users,
    occasions: Occasions,
    pending: Locked,
    *,
    now: datetime,
    made_by: Mapping[UUID, str | None],
) -> Plans:
    """Plan every occasion of the users that changed, and the occasions that did; None: no date is left."""
    await forget_occasions(connection, [event for event in users.values() if isinstance(event, UserDeleted)])
    known = [
        birthday(event, made_by[event.user_id]) for event in users.values() if isinstance(event, UserState)
    ]
    known += await read_occasions(connection, occasions.keys(), users.keys())
    return {
        one.state.occasion_id: plan(one, pending.get(one.state.occasion_id), types, now=now) for one in known
    }


def cancelled(pending: Locked, users: Users, occasions: Occasions, plans: Plans) -> list[tuple[UUID, str]]:
    """Return the occasions whose PENDING row nothing rings for any more, each with the reason."""
    reasons = []
    for occasion_id, row in pending.items():
        if isinstance(users.get(row["user_id"]), UserDeleted):
            reasons.append((occasion_id, "user deleted"))
        elif isinstance(occasions.get(occasion_id), OccasionRemoved):
            reasons.append((occasion_id, "occasion removed"))
        elif occasion_id in plans and plans[occasion_id] is None:
            reasons.append((occasion_id, "no date is left"))
    return reasons
