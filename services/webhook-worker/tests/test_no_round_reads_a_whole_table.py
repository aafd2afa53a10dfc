"""What the statements of every round read among 50,000 deliveries, by PostgreSQL's own plans."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec
from runtime.database import Connection
from runtime.statements import Statements

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
# Some tens of rows: whoever fans out, or looks after what was removed, reads them all.
SMALL = {"endpoints", "failing_endpoints"}


def nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(node for part in plan.get("Plans", []) for node in nodes(part))]


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
        "settle_attempts": [
            ids,
            [NOW] * 200,
            [token] * 200,
            [1] * 200,
            ["delivered"] * 200,
            [None] * 200,
            [None] * 200,
            *[[]] * 15,
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
    """Run a statement under EXPLAIN; return the tables that it reads from end to end, empty ones left out."""
    [(text,)] = await connection.fetch(f"EXPLAIN (ANALYZE, FORMAT JSON) {SQL[name]}", *arguments)
    plan = nodes(msgspec.json.decode(text)[0]["Plan"])
    return {
        node["Relation Name"]
        for node in plan
        if node["Node Type"] == "Seq Scan" and node["Actual Rows"] + node.get("Rows Removed by Filter", 0) > 0
    } - SMALL
