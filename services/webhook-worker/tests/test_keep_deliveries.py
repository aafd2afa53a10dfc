from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from runtime.database import Connection, Pool
from structlog.testing import capture_logs
from testkit.fresh_database import FreshDatabase
from webhook_worker.keep_deliveries import keep_deliveries
from webhook_worker.maintain import forget

TABLES = ("attempts", "deliveries")
EVENT = """
INSERT INTO delivery.events (event_id, user_id, event_type, priority, body, open, received_at)
VALUES ($1, gen_random_uuid(), 'BirthdayDue', 0, '{}', $3, $2)
"""
DELIVERY = """
INSERT INTO delivery.deliveries (id, event_id, endpoint_id, status, next_attempt_at, created_at)
VALUES ($1, $1, gen_random_uuid(), $3, $2, $2)
"""
ATTEMPT = """
INSERT INTO delivery.attempts (delivery_id, attempt, at, event_id, endpoint_id, latency_ms, lease_token)
VALUES ($1, 1, $2, $1, gen_random_uuid(), 1, gen_random_uuid())
"""
PARTITIONS = """
SELECT inhrelid::regclass::text AS partition FROM pg_inherits
WHERE inhparent IN ('delivery.deliveries'::regclass, 'delivery.attempts'::regclass) ORDER BY 1
"""
WHERE_ROWS_ARE = """
SELECT tableoid::regclass::text AS partition FROM delivery.deliveries
UNION ALL
SELECT tableoid::regclass::text FROM delivery.attempts ORDER BY 1
"""


def month(ahead: int) -> datetime:
    """Return the beginning of the month that is so many after this one, in UTC."""
    now = datetime.now(UTC)
    year, index = divmod(now.year * 12 + now.month - 1 + ahead, 12)
    return datetime(year, index + 1, 1, tzinfo=UTC)


def partition(table: str, ahead: int) -> str:
    return f"delivery.{table}_{month(ahead):%Y_%m}"


async def partitions(admin: Connection) -> list[str]:
    return [row["partition"] for row in await admin.fetch(PARTITIONS)]


async def deliver(admin: Connection, at: datetime, status: str = "delivered") -> UUID:
    """Store an event with a delivery and an attempt, all of one moment."""
    id_ = uuid4()
    await admin.execute(EVENT, id_, at, int(status == "pending"))
    await admin.execute(DELIVERY, id_, at, status)
    await admin.execute(ATTEMPT, id_, at)
    return id_


async def test_a_new_database_has_this_month_and_three_ahead_of_both_tables(admin: Connection) -> None:
    expected = [f"delivery.{table}_default" for table in TABLES]
    expected += [partition(table, ahead) for table in TABLES for ahead in range(4)]
    assert await partitions(admin) == sorted(expected)


async def test_what_is_delivered_lands_in_its_month_and_what_came_before_it_was_made_moves_there(
    pool: Pool, admin: Connection
) -> None:
    await deliver(admin, month(1))
    await deliver(admin, month(1) - timedelta(microseconds=1))
    old = await deliver(admin, month(-1))
    assert [row["partition"] for row in await admin.fetch(WHERE_ROWS_ARE)] == sorted(
        [partition(table, ahead) for table in TABLES for ahead in (0, 1)]
        + [f"delivery.{table}_default" for table in TABLES]
    )

    await keep_deliveries(pool, months_kept=3)

    assert [row["partition"] for row in await admin.fetch(WHERE_ROWS_ARE)] == sorted(
        partition(table, ahead) for table in TABLES for ahead in (-1, 0, 1)
    )
    assert await admin.fetchval("SELECT status FROM delivery.deliveries WHERE id = $1", old) == "delivered"
    before = await partitions(admin)
    await keep_deliveries(pool, months_kept=3)
    assert await partitions(admin) == before


async def test_what_is_older_than_it_is_kept_is_dropped_with_its_events_but_not_what_still_waits(
    pool: Pool, admin: Connection
) -> None:
    await deliver(admin, month(-6))
    waiting = await deliver(admin, month(-5), "pending")
    await deliver(admin, month(-4))
    kept = await deliver(admin, month(-3))

    await keep_deliveries(pool, months_kept=3)

    left = await admin.fetch("SELECT id FROM delivery.deliveries ORDER BY created_at")
    events = await admin.fetch("SELECT event_id FROM delivery.events ORDER BY received_at")
    assert [row["id"] for row in left] == [row["event_id"] for row in events] == [waiting, kept]
    assert await admin.fetchval("SELECT count(*) FROM delivery.attempts") == 1
    await admin.execute("UPDATE delivery.deliveries SET status = 'failed'")
    await admin.execute("UPDATE delivery.events SET open = 0")
    await keep_deliveries(pool, months_kept=3)
    assert await admin.fetchval("SELECT array_agg(id) FROM delivery.deliveries") == [kept]


async def test_while_somebody_holds_the_table_nobody_who_delivers_waits_behind_us(
    pool: Pool, admin: Connection, database: FreshDatabase
) -> None:
    await deliver(admin, month(-6))
    backup = await database.connect()
    async with backup.transaction():
        await backup.fetch("SELECT FROM delivery.deliveries")
        with capture_logs() as logs:
            await keep_deliveries(pool, months_kept=3)
    assert {line["event"] for line in logs} >= {"deliveries.held_elsewhere"}

    await keep_deliveries(pool, months_kept=3)
    assert await admin.fetchval("SELECT count(*) FROM delivery.deliveries") == 0


@pytest.mark.parametrize(
    ("ends", "left"), [("now() - interval '1 second'", 0), ("now() + interval '1 hour'", 1)]
)
async def test_a_secret_is_erased_once_its_overlap_has_ended(
    pool: Pool, admin: Connection, ends: str, left: int
) -> None:
    await admin.execute(
        f"""
        INSERT INTO delivery.endpoints (id, url, secret, previous_secret, previous_secret_until)
        VALUES (gen_random_uuid(), 'https://example.com', 'new', 'old', {ends})
        """  # noqa: S608 (our own words)
    )
    shown = "SELECT count(previous_secret_until) FROM delivery.api_endpoints"
    assert await admin.fetchval(shown) == left

    await forget(pool)

    assert await admin.fetchval("SELECT count(previous_secret) FROM delivery.endpoints") == left
    assert await admin.fetchval(shown) == left
    assert await admin.fetchval("SELECT convert_from(secret, 'UTF8') FROM delivery.endpoints") == "new"


async def test_what_ended_long_ago_is_forgotten_and_an_open_dead_letter_never(
    pool: Pool, admin: Connection
) -> None:
    await admin.execute(
        """
        INSERT INTO delivery.dead_letters (
            id, queue, source, message_id, reason, attributes, body, received_at, status, redriven_at
        )
        SELECT
            gen_random_uuid(), 'q', 'consumer', gen_random_uuid()::text, 'r', '{}', '', now() - age, status,
            CASE status WHEN 'redriven' THEN now() END
        FROM unnest('{open,redriven}'::text[]) AS status,
            unnest('{91 days,89 days}'::interval[]) AS age
        """
    )
    await admin.execute(
        """
        INSERT INTO delivery.replays (
            id, endpoint_id, since, until, statuses, requested_by, deliveries, requested_at, finished_at
        )
        SELECT gen_random_uuid(), gen_random_uuid(), now(), now(), '{failed}', 'me', 0, now() - age,
            CASE WHEN finished THEN now() - age END
        FROM unnest('{31 days,29 days}'::interval[]) AS age, unnest('{true,false}'::boolean[]) AS finished
        """
    )

    await forget(pool)

    rows = await admin.fetch("SELECT status FROM delivery.dead_letters ORDER BY status")
    assert [row["status"] for row in rows] == ["open", "open", "redriven"]
    assert await admin.fetchval("SELECT count(*) FROM delivery.replays") == 3
