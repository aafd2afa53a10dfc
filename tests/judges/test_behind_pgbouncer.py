"""Debian's PgBouncer in transaction mode: no session is anybody's, and everything works as without it."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio
from carillon_local.options import read_options
from carillon_local.programs import DATABASE, MODULES
from carillon_local.system import LocalSystem
from domain.events import Event, OccurrenceCompleted
from messaging.consume import Received
from messaging.topology import Topology
from msgspec import structs
from runtime.database import Connection, Pool, make_pool
from runtime.settings import ServiceSettings
from scheduler.emit_due import emit_batch
from scheduler.forget_old import forget_old
from scheduler.keep_history import keep_history
from scheduler.on_outcome import on_outcomes
from scheduler.on_user_event import on_user_events
from scheduler.replan import replan
from testkit import build
from testkit.fresh_database import FreshDatabase
from testkit.pgbouncer import PgBouncer
from testkit.ports import free_port
from testkit.receiver import Receiver
from testkit.wait import eventually
from uuid_utils.compat import uuid7

from tests.running_system import Carillon, posts_for, soon

pytestmark = [pytest.mark.judge, pytest.mark.timeout(180)]

ROLES = [f"carillon_{module}" for module in MODULES.values()]
Bounce = Callable[[int], PgBouncer]

SESSIONS = 2
RING = datetime(2026, 12, 10, 9, tzinfo=UTC)
OPEN_SESSIONS = """
SELECT usename, count(*) FROM pg_stat_activity WHERE datname = $1 AND usename = ANY($2) GROUP BY 1
"""


@pytest.fixture
def bounce() -> Iterator[Bounce]:
    """Start one before the PostgreSQL of a port, with fewer sessions than whoever comes has connections."""
    with ExitStack() as started:
        yield lambda port: started.enter_context(
            PgBouncer(postgres_port=port, roles=ROLES, pool_size=SESSIONS)
        )


@pytest_asyncio.fixture
async def pools(bounce: Bounce, database: FreshDatabase) -> AsyncIterator[list[Pool]]:
    """Open the pools of three schedulers as those open theirs, all over the same two sessions."""
    url = bounce(database.server.port).url("carillon_scheduler", database.name)
    settings = ServiceSettings(
        carillon_env="test", database_url=url, topology_file="", database_statement_cache=0
    )
    opened = [await make_pool("scheduler", url, settings, min_size=4) for _ in range(3)]
    yield opened
    for pool in opened:
        pool.terminate()


async def test_schedulers_plan_emit_hear_answers_and_maintain_at_once_over_two_sessions(
    pools: list[Pool], topology: Topology, admin: Connection, database: FreshDatabase
) -> None:
    users = [build.user_created(first_date="2026-12-10") for _ in range(300)]
    occasions = [build.notification_added(user_id=user.user_id) for user in users]

    async def plan(pool: Pool, version: int) -> None:
        events = [structs.replace(event, version=version) for event in [*users, *occasions]]
        for start in range(0, len(events), 50):
            await on_user_events(pool, topology, [received(event) for event in events[start : start + 50]])

    async def emit(pool: Pool) -> None:
        while await emit_batch(pool, topology, now=RING, batch=20, check_after=timedelta(minutes=15)):
            pass

    async def maintain(pool: Pool) -> None:
        await keep_history(pool, months_kept=13)
        await forget_old(pool, asyncio.Event(), offset=timedelta(0))
        async for _ in replan(pool, topology, offset=timedelta(0)):
            pass

    async def answer(pool: Pool) -> None:
        rows = await pool.fetch(
            "SELECT event_id, user_id FROM schedule.occurrences WHERE status = 'PROCESSING'"
        )
        answers = [
            OccurrenceCompleted(
                due_event_id=row["event_id"], user_id=row["user_id"], occurred_at=RING, results=()
            )
            for row in rows
        ]
        await on_outcomes(pool, [received(each) for each in answers])

    await asyncio.gather(*(plan(pool, version) for version, pool in enumerate(pools, start=1)))
    await admin.execute("UPDATE schedule.occurrences SET tz_database = '1999a'")
    await asyncio.gather(*(emit(pool) for pool in pools * 3), *(maintain(pool) for pool in pools))
    sessions = await admin.fetch(OPEN_SESSIONS, database.name, ROLES)
    await asyncio.gather(*(answer(pool) for pool in pools))

    rung = await admin.fetch("SELECT occasion_type, status, event_id FROM schedule.history")
    assert len({row["event_id"] for row in rung}) == len(rung)
    assert Counter((row["occasion_type"], row["status"]) for row in rung) == {
        ("BIRTHDAY", "COMPLETED"): 300,
        ("NOTIFICATION", "COMPLETED"): 300,
    }
    emitted = await admin.fetch(
        "SELECT event_id FROM outbox.messages WHERE event_type <> 'OccurrenceScheduled'"
    )
    assert sorted(row["event_id"] for row in emitted) == sorted(row["event_id"] for row in rung)
    assert [tuple(row) for row in sessions] == [("carillon_scheduler", SESSIONS)]


async def test_the_whole_system_works_though_no_service_has_a_session(
    bounce: Bounce, receiver: Receiver, tmp_path: Path
) -> None:
    port = free_port()
    through = bounce(port)
    options = read_options(
        {
            "LOCAL_DIR": str(tmp_path),
            "POSTGRES_PORT": str(port),
            "WEBHOOK_URL": receiver.url,
            "WEBHOOK_SECRET": receiver.secret,
        }
    )
    environments = {
        name: {
            "DATABASE_URL": through.url(f"carillon_{module}", DATABASE),
            "DATABASE_STATEMENT_CACHE": "0",
        }
        for name, module in MODULES.items()
    }
    async with (
        LocalSystem(options, fresh=True, durable=False, environments=environments) as system,
        Carillon.to(system) as carillon,
    ):
        receiver.reply_with([503])  # which is tried again after five seconds
        due_at = soon(4)
        users = set(
            await asyncio.gather(*(carillon.create_user_due_at(due_at, name=f"Ada {n}") for n in range(30)))
        )
        await use_the_api(carillon, due_at, next(iter(users)))
        await eventually(
            lambda: len({post.webhook_id for post in posts_for(receiver, users) if post.status == 204}) == 31,
            within=40,
            message="not all of them rang",
        )

        async def all_are_answered() -> bool:
            return await carillon.finished(users) == {"COMPLETED": 31}

        await eventually(all_are_answered, within=20, message="not every outcome was recorded")
        sessions = {
            row["usename"]: row["count"] for row in await carillon.fetch(OPEN_SESSIONS, DATABASE, ROLES)
        }

    assert sessions.keys() == set(ROLES)
    assert max(sessions.values()) <= SESSIONS
    assert Counter(post.status for post in posts_for(receiver, users)) == {503: 1, 204: 31}


async def use_the_api(carillon: Carillon, due_at: datetime, user_id: str) -> None:
    """Give a user a notification and another name; import users, list them, change and delete one."""
    api = carillon.api
    occasion = build.notification_body(at=due_at.isoformat(), message="Doors open")
    key = {"Idempotency-Key": "doors"}
    added = [await api.post(f"/user/{user_id}/occasion", json=occasion, headers=key) for _ in range(2)]
    assert [answer.status_code for answer in added] == [201, 201], added[0].text
    assert added[0].json() == added[1].json()

    lines = [build.user_body(timezone="Asia/Tokyo", key=f"import-{n}") for n in range(200)]
    imported = await api.post(
        "/user/import",
        content=b"\n".join(msgspec.json.encode(line) for line in lines),
        headers={"Content-Type": "application/x-ndjson"},
        timeout=30,
    )
    assert imported.status_code == 200, imported.text
    listed = (await api.get("/user?timezone=Asia/Tokyo&limit=100")).json()
    assert (len(listed["items"]), bool(listed["nextCursor"])) == (100, True)

    one = listed["items"][0]
    match = {"If-Match": '"1"', "Content-Type": "application/merge-patch+json"}
    moved = await api.patch(f"/user/{one['id']}", content=b'{"timezone": "UTC"}', headers=match)
    assert moved.status_code == 200, moved.text
    assert (await api.delete(f"/user/{one['id']}", headers={"If-Match": '"2"'})).status_code == 204
    assert len((await api.get(f"/user/{user_id}/occurrence?next=3")).json()["items"]) == 3


def received(event: Event) -> Received:
    return Received(event_id=uuid7(), event=event, receipt="")
