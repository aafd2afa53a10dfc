"""What the statements of every round read among 50,000 deliveries, by PostgreSQL's own plans."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from runtime.database import Connection, open_pool
from runtime.settings import ServiceSettings
from runtime.statements import Statements
from testkit.explain import explain
from testkit.fresh_database import FreshDatabase

SQL = Statements("webhook_worker")
NOW = datetime(2026, 12, 10, 9, tzinfo=UTC)

EVENTS = """
INSERT INTO delivery.events (event_id, user_id, event_type, priority, body, open)
SELECT gen_random_uuid(), gen_random_uuid(), 'BirthdayDue', 0, repeat('x', 400), 1
FROM generate_series(1, 50000)
"""
ENDPOINTS = """
INSERT INTO delivery.endpoints (id, url, secret, deleted_at)
SELECT gen_random_uuid(), 'https://example.com', CASE WHEN number > 10 THEN '\\x00'::bytea END,
    CASE WHEN number <= 10 THEN now() END
FROM generate_series(1, 50) AS number
"""
DELIVERIES = """
WITH endpoints AS (SELECT array_agg(id) AS ids FROM delivery.endpoints)
INSERT INTO delivery.deliveries (id, created_at, event_id, endpoint_id, status, next_attempt_at)
SELECT
    gen_random_uuid(), $1, event_id, endpoints.ids[1 + (row_number() OVER ()) / 1000 % 50],
    CASE WHEN row_number() OVER () % 1000 = 0 THEN 'pending' ELSE 'delivered' END, now()
FROM delivery.events CROSS JOIN endpoints
"""
ATTEMPTS = """
INSERT INTO delivery.attempts (
    delivery_id, attempt, at, event_id, endpoint_id, status, latency_ms, lease_token
)
SELECT id, 1, $1, event_id, endpoint_id, 204, 5, id FROM delivery.deliveries WHERE status = 'delivered'
"""
TOMBSTONES = """
INSERT INTO delivery.deleted_users (user_id, erase_at)
SELECT gen_random_uuid(), NULL FROM generate_series(1, 50000)
"""
SETTLED = """
INSERT INTO delivery.deliveries (id, event_id, endpoint_id, status, settled_at, next_attempt_at)
SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'delivered', now(), now()
FROM generate_series(1, 10000)
"""
BUSY = """
INSERT INTO delivery.deliveries (id, event_id, endpoint_id, next_attempt_at)
SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), now()
FROM generate_series(1, 5000);
UPDATE delivery.deliveries SET status = 'delivered', settled_at = now()
WHERE status = 'pending';
INSERT INTO delivery.deliveries (id, event_id, endpoint_id, next_attempt_at)
SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), now()
FROM generate_series(1, 200);
"""
# Some tens of rows: whoever fans out, or looks after what was removed, reads them all.
SMALL = {"endpoints", "failing_endpoints"}


async def test_no_statement_of_a_round_reads_a_whole_table(admin: Connection) -> None:
    await admin.execute(EVENTS)
    await admin.execute(ENDPOINTS)
    await admin.execute("INSERT INTO delivery.failing_endpoints SELECT id FROM delivery.endpoints LIMIT 5")
    await admin.execute(DELIVERIES, NOW)
    await admin.execute(ATTEMPTS, NOW)
    await admin.execute(TOMBSTONES)
    await admin.execute(
        "ANALYZE delivery.events, delivery.deliveries, delivery.attempts, delivery.endpoints,"
        " delivery.failing_endpoints, delivery.deleted_users"
    )
    rows = await admin.fetch("SELECT id, event_id FROM delivery.deliveries LIMIT 200")
    ids, event_ids = [row["id"] for row in rows], [row["event_id"] for row in rows]
    user_ids = [row["user_id"] for row in await admin.fetch("SELECT user_id FROM delivery.events LIMIT 20")]
    endpoint_ids = [row["id"] for row in await admin.fetch("SELECT id FROM delivery.endpoints")]
    token = uuid4()
    rounds: dict[str, list[object]] = {
        "lease_due": [endpoint_ids, [10] * len(endpoint_ids), 100, token, timedelta(seconds=45)],
        "put_back": [ids, [NOW] * 200, [token] * 200],
        "cancel_removed": [500],
        "miss_overdue": [500, timedelta(hours=76), [uuid4()]],
        "claim_deleted": [20],
        "cancel_deleted": [user_ids],
        "erase_events": [user_ids],
        "erase_attempts": [user_ids],
        "forget_deleted": [timedelta(days=30), 1000],
        "accept_events": accepted(token),
        "read_answers": [event_ids, timedelta(0)],
        "settle_deliveries": [
            ids,
            [NOW] * 200,
            [token] * 200,
            [1] * 200,
            ["delivered"] * 200,
            [None] * 200,
            [None] * 200,
            NOW,
            NOW,
        ],
        "count_open": [10_000],
        "lock_events": [event_ids, timedelta(0)],
        "read_results": [event_ids, NOW, NOW],
        "find_replayable": [endpoint_ids[0], UUID(int=0), NOW, NOW + timedelta(hours=1), ["failed"], 50],
        "settle_events": [
            event_ids,
            [1] * 200,
            [NOW] * 200,
            ["OccurrenceCompleted"] * 200,
            ["{}"] * 200,
            *[[]] * 6,
        ],
    }

    whole = {name: await reads_whole(admin, name, arguments) for name, arguments in rounds.items()}

    assert whole == {name: set() for name in rounds}


@pytest.mark.parametrize("analysed", [False, True])
async def test_a_batch_is_settled_by_its_keys_whatever_is_known_of_a_table_that_was_just_busy(
    database: FreshDatabase, admin: Connection, *, analysed: bool
) -> None:
    """Nobody has cleared the index of what is pending of what was so a moment ago."""
    await admin.execute(SETTLED)
    if analysed:
        await admin.execute("ANALYZE delivery.deliveries")
    await admin.execute(BUSY)
    pending = await admin.fetch("SELECT id, created_at FROM delivery.deliveries WHERE status = 'pending'")
    ids, created = [row["id"] for row in pending], [row["created_at"] for row in pending]
    url = database.url("carillon_webhook_worker")
    settings = ServiceSettings(carillon_env="test", database_url=url, topology_file="none")
    async with open_pool("webhook-worker", settings, asyncio.Event()) as pool:
        plan = await explain(
            pool,
            SQL["settle_deliveries"],
            ids,
            created,
            ids,
            [1] * 200,
            ["delivered"] * 200,
            [None] * 200,
            [None] * 200,
            min(created),
            max(created),
        )

    assert max(map(handled, plan)) == 200, plan


def handled(node: dict[str, Any]) -> float:
    """Return how many rows a node of a plan went over."""
    removed = sum(count for key, count in node.items() if key.startswith("Rows Removed"))
    return float(node["Actual Loops"] * (node["Actual Rows"] + removed))


def accepted(token: UUID) -> list[object]:
    fresh = [uuid4() for _ in range(200)]
    return [
        fresh,
        fresh,
        ["BirthdayDue"] * 200,
        ["birthday.due"] * 200,
        [0] * 200,
        ["{}"] * 200,
        uuid4(),
        token,
        timedelta(seconds=45),
        [None] * 200,
    ]


async def reads_whole(connection: Connection, name: str, arguments: list[object]) -> set[str]:
    """Return the tables that a statement reads from end to end, empty ones left out."""
    plan = await explain(connection, SQL[name], *arguments)
    return {
        node["Relation Name"]
        for node in plan
        if node["Node Type"] == "Seq Scan" and node["Actual Rows"] + node.get("Rows Removed by Filter", 0) > 0
    } - SMALL
