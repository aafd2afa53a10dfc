"""A crash, and another scheduler's work, at every statement that a scheduler sends, whatever they are."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import partial
from uuid import UUID

import pytest
from domain.events import (
    Event,
    OccasionChanged,
    OccasionState,
    OccurrenceCompleted,
    OccurrenceFailed,
    OccurrenceProgress,
    UserBirthdayChanged,
    UserNameChanged,
    UserState,
    UserTimezoneChanged,
)
from domain.ids import birthday_occasion_id, due_event_id
from messaging.consume import Received
from messaging.topology import Topology
from msgspec import structs
from runtime.database import Connection, Pool
from scheduler.emit_again import emit_unanswered
from scheduler.emit_due import emit_batch
from scheduler.on_outcome import on_outcomes
from scheduler.on_user_event import on_user_events
from scheduler.replan import replan
from testkit import build
from testkit.fresh_database import FreshDatabase
from testkit.stepped_pool import Work, crash_after, meet_after, statements_of

OpenPool = Callable[[], Awaitable[Pool]]

RING = datetime(2026, 12, 10, 9, tzinfo=UTC)
DAY = date(2026, 12, 10)
AT_ONCE = timedelta(0)
QUARTER = timedelta(minutes=15)

STAYS, MOVES, BORN_ANEW, DELETED, RENAMED, LATECOMER = (UUID(int=number << 64) for number in range(1, 7))
DAILY, ONCE, ENDED, REMOVED, WEDDING, EARLY = (UUID(int=number << 32) for number in range(1, 7))

CREATED = [build.user_created(user_id=one) for one in (STAYS, MOVES, BORN_ANEW, DELETED, RENAMED)]
DAILY_ADDED = build.reminder_added(user_id=STAYS, occasion_id=DAILY)
NOTIFICATION_ADDED = build.notification_added(user_id=STAYS, occasion_id=ONCE)
ENDED_ADDED = build.reminder_added(user_id=STAYS, occasion_id=ENDED)
REMOVED_ADDED = build.reminder_added(user_id=RENAMED, occasion_id=REMOVED)
FIRST = [
    *CREATED,
    DAILY_ADDED,
    NOTIFICATION_ADDED,
    ENDED_ADDED,
    REMOVED_ADDED,
    build.reminder_added(user_id=LATECOMER, occasion_id=EARLY),  # of a user that nobody knows yet
]


def changed(kind: type[UserState], before: UserState, **changes: object) -> UserState:
    return kind(**structs.asdict(before) | {"version": before.version + 1} | changes)


def occasion_changed(before: OccasionState, **changes: object) -> OccasionChanged:
    return OccasionChanged(**structs.asdict(before) | {"version": before.version + 1} | changes)


EAST = changed(UserTimezoneChanged, CREATED[1], timezone="Asia/Tokyo")
LATER_BORN = changed(
    UserBirthdayChanged, CREATED[2], date_of_birth=date(1990, 12, 12), first_date="2026-12-12"
)
AUGUSTA = changed(UserNameChanged, CREATED[4], first_name="Augusta")
REWORDED = occasion_changed(DAILY_ADDED, message="Water them now")
CHANGES = [
    EAST,
    LATER_BORN,
    build.user_deleted(DELETED),
    AUGUSTA,
    REWORDED,
    build.occasion_removed(REMOVED_ADDED),
    build.occasion_added(user_id=RENAMED, occasion_id=WEDDING),
]
# Most of them tell of what has rung.
LATER_CHANGES = [
    changed(UserTimezoneChanged, EAST, timezone="America/Los_Angeles"),
    changed(UserNameChanged, LATER_BORN, last_name="King"),
    build.user_deleted(RENAMED, version=3),
    build.user_created(user_id=LATECOMER),
    occasion_changed(REWORDED, rrule="FREQ=WEEKLY", first_date="2026-12-10"),
    occasion_changed(NOTIFICATION_ADDED, message="Your trial ended"),
    occasion_changed(ENDED_ADDED, last_date=DAY),
]
RUNG = [
    *(birthday_occasion_id(user) for user in (STAYS, MOVES, RENAMED)),
    DAILY,
    ONCE,
    ENDED,
]


def answers() -> list[Event]:
    """One is still in delivery, one has failed."""
    asked, bad, *good = (due_event_id(occasion, DAY.isoformat()) for occasion in RUNG)
    later = RING + timedelta(days=9999)
    return [
        OccurrenceProgress(due_event_id=asked, user_id=STAYS, occurred_at=RING, check_at=later),
        OccurrenceFailed(due_event_id=bad, user_id=STAYS, occurred_at=RING, results=(), reason="HTTP 404"),
        *(OccurrenceCompleted(due_event_id=one, user_id=STAYS, occurred_at=RING, results=()) for one in good),
    ]


def received(events: Sequence[Event]) -> list[Received]:
    return [Received(event_id=UUID(int=0), event=event, receipt="") for event in events]


@pytest.fixture
def work(topology: Topology) -> dict[str, Work]:
    """Give what schedulers do, by name, in an order that has a life in it; all of it may be done again."""

    async def plan(events: Sequence[Event], pool: Pool) -> None:
        await on_user_events(pool, topology, received(events))

    async def emit(pool: Pool) -> None:
        await emit_batch(pool, topology, now=RING, batch=500, check_after=AT_ONCE)

    async def expire(pool: Pool) -> None:
        late = RING + timedelta(days=2)
        while await emit_batch(pool, topology, now=late, batch=500, check_after=AT_ONCE, returned_at=late):
            pass  # a daily reminder has missed more than one day

    async def emit_again(pool: Pool, *, give_up_after: int = 9) -> None:
        await emit_unanswered(pool, topology, batch=500, check_after=QUARTER, give_up_after=give_up_after)

    async def hear(pool: Pool) -> None:
        await on_outcomes(pool, received(answers()))

    async def age(pool: Pool) -> None:
        await pool.execute(OTHER_RELEASE)

    async def plan_again(pool: Pool) -> None:
        async for _ in replan(pool, topology, offset=AT_ONCE):
            pass

    return {
        "plan": partial(plan, FIRST),
        "plan users": partial(plan, CREATED),
        "plan occasions": partial(plan, [event for event in FIRST if isinstance(event, OccasionState)]),
        "plan anew": partial(plan, CHANGES),
        "emit": emit,
        "plan after the ring": partial(plan, LATER_CHANGES),
        "expire": expire,
        "emit again": emit_again,
        "give up": partial(emit_again, give_up_after=0),
        "hear": hear,
        "new tz database": age,
        "replan": plan_again,
    }


LIFE = ["plan", "plan anew", "emit", "plan after the ring", "emit again", "hear"]
PLANNED, CHANGED, RUNG_AND_CHANGED = LIFE[:1], LIFE[:2], LIFE[:4]
AGED = [*CHANGED, "new tz database"]
# Each piece of work, after what.
PASTS = {name: LIFE[:number] for number, name in enumerate(LIFE)} | {
    "expire": CHANGED,
    "give up": RUNG_AND_CHANGED,
    "replan": AGED,
}

# As a release had it in which clocks were an hour behind.
OTHER_RELEASE = """
    UPDATE schedule.occurrences
    SET tz_database = '1999a', due_at = due_at + interval '1 hour', ripe_at = ripe_at + interval '1 hour'
    WHERE status = 'PENDING' AND tz_database <> '1999a'
"""
FORGET = """
    DELETE FROM schedule.users; DELETE FROM schedule.occasions; DELETE FROM schedule.occurrences;
    DELETE FROM schedule.history; DELETE FROM outbox.messages
"""
# All that is kept, but for the database's own times.
READ = """
    SELECT 'user' AS place, id::text AS owner, to_jsonb(kept)::text AS kept FROM schedule.users AS kept
    UNION ALL
    SELECT 'occasion', user_id::text, to_jsonb(kept)::text FROM schedule.occasions AS kept
    UNION ALL
    SELECT 'open', user_id::text, (to_jsonb(kept) - '{check_at,planned_at}'::text[])::text
    FROM schedule.occurrences AS kept
    UNION ALL
    SELECT 'over', user_id::text, (to_jsonb(kept) - 'finished_at')::text FROM schedule.history AS kept
    UNION ALL
    SELECT 'message', group_id, concat_ws(' ', event_id, event_type, body::jsonb -> 'data' -> 'message')
    FROM outbox.messages
    ORDER BY 1, 2, 3
"""
# What was emitted has its message, and will be asked about: in a quarter of an hour, or as progress said.
SILENT = """
    SELECT count(*) FROM schedule.occurrences AS occurrence
    WHERE status = 'PROCESSING' AND NOT (
        check_at IS NOT NULL
        AND EXISTS (SELECT FROM outbox.messages AS message WHERE message.event_id = occurrence.event_id)
    )
"""


async def everything(admin: Connection) -> list[tuple[str, ...]]:
    return [tuple(row) for row in await admin.fetch(READ)]


async def live(admin: Connection, pool: Pool, past: list[Work]) -> None:
    """Have all this happen and nothing else."""
    await admin.execute(FORGET)
    for one in past:
        await one(pool)


@pytest.mark.parametrize("name", PASTS)
async def test_a_crash_at_any_statement_loses_nothing_and_repeats_nothing(
    work: dict[str, Work], database: FreshDatabase, open_pool: OpenPool, admin: Connection, name: str
) -> None:
    others = [await open_pool() for _ in range(2)]
    url = database.url("carillon_scheduler")
    past = [work[earlier] for earlier in PASTS[name]]
    await live(admin, others[0], past)
    statements = await statements_of(work[name], url)
    undisturbed = await everything(admin)

    for number in range(statements + 1):  # from before the first to after the last, a COMMIT
        await live(admin, others[0], past)
        await crash_after(
            number,
            work=work[name],
            url=url,
            admin=admin,
            others=[(work[name], pool) for pool in others],
        )
        assert await admin.fetchval(SILENT) == 0
        await work[name](others[0])
        assert (number, undisturbed) == (number, await everything(admin))


def by_owner(kept: list[tuple[str, ...]]) -> dict[str, list[tuple[str, ...]]]:
    return {owner: [row for row in kept if row[1] == owner] for _, owner, _ in kept}


@pytest.mark.parametrize(
    ("past", "one", "other"),
    [
        ([], "plan users", "plan occasions"),
        ([], "plan occasions", "plan users"),
        (PLANNED, "emit", "plan anew"),
        (PLANNED, "plan anew", "emit"),
        (PLANNED, "plan anew", "plan after the ring"),
        (PLANNED, "plan after the ring", "plan anew"),
        (CHANGED, "emit", "plan after the ring"),
        (CHANGED, "plan after the ring", "emit"),
        (CHANGED, "emit", "emit"),
        (RUNG_AND_CHANGED, "give up", "hear"),
        (RUNG_AND_CHANGED, "hear", "give up"),
        (RUNG_AND_CHANGED, "emit again", "hear"),
        (RUNG_AND_CHANGED, "hear", "emit again"),
        (AGED, "emit", "replan"),
        (AGED, "replan", "emit"),
        (AGED, "plan after the ring", "replan"),
        (AGED, "replan", "plan after the ring"),
    ],
)
async def test_met_at_any_statement_two_schedulers_do_what_they_do_one_after_the_other(
    work: dict[str, Work],
    database: FreshDatabase,
    open_pool: OpenPool,
    admin: Connection,
    past: list[str],
    one: str,
    other: str,
) -> None:
    pool, url = await open_pool(), database.url("carillon_scheduler")
    before = [work[name] for name in past]
    in_turn = []
    for names in ((one, other), (other, one)):
        await live(admin, pool, [*before, *(work[name] for name in names), work[one], work[other]])
        in_turn.append(by_owner(await everything(admin)))
    await live(admin, pool, before)
    statements = await statements_of(work[one], url)

    for number in range(statements + 1):
        await live(admin, pool, before)
        await meet_after(number, one=work[one], other=work[other], url=url, pool=pool, admin=admin)
        for name in (one, other):  # what one had to pass over while the other held it
            await work[name](pool)
        met = by_owner(await everything(admin))
        # Which of the two comes first may differ from user to user.
        for owner in met.keys() | in_turn[0].keys():
            assert (number, met.get(owner)) in [(number, turn.get(owner)) for turn in in_turn]
