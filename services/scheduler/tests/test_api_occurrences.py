"""What the API sees of occurrences: a contract between two services."""

from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
from domain.events import OccurrenceFailed
from domain.ids import birthday_occasion_id
from runtime.database import Connection
from testkit import build
from testkit.fresh_database import FreshDatabase

Plan = Callable[..., Coroutine[Any, Any, None]]
Emit = Callable[..., Awaitable[int]]
Hear = Callable[..., Awaitable[None]]
Rows = Callable[[], Coroutine[Any, Any, list[asyncpg.Record]]]

RING = datetime(2026, 12, 10, 9, tzinfo=UTC)

PAGE = """
SELECT * FROM schedule.api_occurrences
WHERE user_id = $1 AND due_at >= $2 AND (due_at, event_id) > ($2, $3)
ORDER BY due_at, event_id
LIMIT 50
"""

# 200 users with 100 past occurrences each, and as many still open; every tenth is the busy one's.
PAST = """
INSERT INTO schedule.history (
    event_id, finished_at, occasion_id, occasion_type, user_id, status, priority, nominal_date, local_date,
    send_at_local, timezone, due_at, emitted_at
)
SELECT
    gen_random_uuid(), $1, gen_random_uuid(), 'REMINDER',
    CASE WHEN n % 10 = 0 THEN $2::uuid ELSE md5((n % 200)::text)::uuid END, 'COMPLETED', 2, '2026-03-01',
    '2026-03-01', '09:00', 'UTC', $1::timestamptz + n * interval '1 min', $1
FROM generate_series(1, 20000) AS n
"""
OPEN = """
INSERT INTO schedule.occurrences (
    event_id, occasion_id, occasion_type, user_id, status, priority, nominal_date, local_date, send_at_local,
    timezone, anchor_date, leap_day_policy, first_name, last_name, due_at, user_version
)
SELECT
    gen_random_uuid(), gen_random_uuid(), occasion_type, user_id, 'PENDING', priority, nominal_date,
    local_date, send_at_local, timezone, local_date, 'feb_28', 'Ada', 'Lovelace', due_at + interval '30 s', 1
FROM schedule.history
"""


async def test_open_and_past_occurrences_have_one_shape(
    plan: Plan, emit: Emit, hear: Hear, processing: Rows, database: FreshDatabase
) -> None:
    user = build.user_created(timezone="Asia/Tokyo", send_at_local=time(8, 30))
    await plan(user)
    due_at = datetime(2026, 12, 9, 23, 30, tzinfo=UTC)
    await emit(due_at + timedelta(seconds=1))
    [ring] = await processing()
    await hear(
        OccurrenceFailed(
            due_event_id=ring["event_id"],
            user_id=user.user_id,
            occurred_at=RING,
            results=(),
            reason="HTTP 404",
        )
    )
    api = await database.connect("carillon_user_api")

    past, coming = await api.fetch(PAGE, user.user_id, RING - timedelta(days=1), UUID(int=0))

    completed_at = past["completed_at"]
    assert abs(await api.fetchval("SELECT now()") - completed_at) < timedelta(minutes=1)
    assert dict(past) == {
        "id": ring["event_id"],
        "event_id": ring["event_id"],
        "occasion_id": birthday_occasion_id(user.user_id),
        "occasion_type": "BIRTHDAY",
        "user_id": user.user_id,
        "status": "FAILED",
        "local_date": date(2026, 12, 10),
        "local_time": time(8, 30),
        "timezone": "Asia/Tokyo",
        "due_at": due_at,
        "emitted_at": due_at + timedelta(seconds=1),
        "completed_at": completed_at,
        "failure_reason": "HTTP 404",
        "nominal_date": "2026-12-10",
        "after_date": None,
        "jitter_seconds": 0,
    }
    assert list(coming.keys()) == list(past.keys())
    assert (coming["status"], coming["local_date"], coming["emitted_at"], coming["completed_at"]) == (
        "PENDING",
        date(2027, 12, 10),
        None,
        None,
    )
    assert (coming["nominal_date"], coming["after_date"]) == ("2027-12-10", "2026-12-10")


async def test_a_page_of_a_user_with_thousands_is_read_in_order_from_each_tables_index(
    admin: Connection, database: FreshDatabase
) -> None:
    busy = UUID("0192d5f0-5b1e-7c3a-9f1d-3a5e8c2b4d61")
    await admin.execute(PAST, RING, busy)
    await admin.execute(OPEN)
    await admin.execute("VACUUM ANALYZE schedule.occurrences, schedule.history")
    api = await database.connect("carillon_user_api")

    [(text,)] = await api.fetch(
        f"EXPLAIN (ANALYZE, FORMAT JSON) {PAGE}", busy, RING + timedelta(days=1), UUID(int=0)
    )

    nodes = walk(msgspec.json.decode(text)[0]["Plan"])
    scans = {node["Index Name"]: node["Actual Rows"] for node in nodes if "Index Name" in node}
    months = {name for name in scans if name.endswith("_user_id_due_at_event_id_idx")}
    assert scans.keys() == {"occurrences_by_user"} | months
    assert len(months) == 5  # this month's, three ahead, the default
    assert sum(scans.values()) <= 52  # the page, and the one that each index with rows of theirs is ahead
    assert {node["Node Type"] for node in nodes}.isdisjoint({"Sort", "Incremental Sort", "Seq Scan"})


def walk(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(node for part in plan.get("Plans", []) for node in walk(part))]
