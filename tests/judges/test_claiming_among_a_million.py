"""What a claim reads, by PostgreSQL's own plan: no more among a million open occurrences than among few.

It judges a plan and pages, no times: those are in `bench/`. A million rows take half a minute to make.
"""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec import Struct
from runtime.database import Connection
from runtime.statements import Statements
from testkit.explain import explain

pytestmark = [pytest.mark.judge, pytest.mark.timeout(300)]

SQL = Statements("scheduler")
NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
BATCH = 500

# Of every 20, one waits for its answer and one is due; the others are to come, in four priorities.
OPEN = """
INSERT INTO schedule.occurrences (
    event_id, occasion_id, occasion_type, user_id, status, priority, nominal_date, local_date, send_at_local,
    timezone, anchor_date, leap_day_policy, first_name, last_name, due_at, user_version, emitted_at, check_at
)
SELECT
    gen_random_uuid(), gen_random_uuid(), 'BIRTHDAY', gen_random_uuid(),
    CASE WHEN n % 20 = 0 THEN 'PROCESSING' ELSE 'PENDING' END, n % 4, '2026-03-01', '2026-03-01', '09:00',
    'UTC', '1990-03-01', 'feb_28', 'Ada', 'Lovelace',
    $1::timestamptz + CASE WHEN n % 20 < 2 THEN -1 ELSE 1 END * n * interval '25 s', 1, $1,
    now() + (n % 200 - 100) * interval '1 min'
FROM generate_series(1, $2) AS n
"""
FINISHED = """
INSERT INTO schedule.history (
    event_id, finished_at, occasion_id, occasion_type, user_id, status, priority, nominal_date, local_date,
    send_at_local, timezone, due_at, emitted_at
)
SELECT
    gen_random_uuid(), now(), gen_random_uuid(), 'BIRTHDAY', gen_random_uuid(), 'COMPLETED', 0, '2026-03-01',
    '2026-03-01', '09:00', 'UTC', $1, $1
FROM generate_series(1, 200000) AS n
"""
ROUND: dict[str, list[object]] = {
    "read_clock": [timedelta(0), timedelta(minutes=1)],
    "claim_due": [NOW, BATCH, timedelta(minutes=15), None, NOW],
    "claim_unanswered": [BATCH, timedelta(minutes=15), timedelta(0)],
}


class Cost(Struct, frozen=True):
    """How a statement reads occurrences, by which index; how many rows, and how many pages in all."""

    access: set[tuple[str, str | None]]
    rows: int
    pages: int


async def cost(connection: Connection, name: str) -> Cost:
    """Run a statement under EXPLAIN, and roll it back."""
    transaction = connection.transaction()
    await transaction.start()
    plan = await explain(connection, SQL[name], *ROUND[name])
    await transaction.rollback()
    scans = [node for node in plan if node["Node Type"].endswith("Scan") and "Relation Name" in node]
    return Cost(
        access={
            (node["Node Type"], node.get("Index Name"))
            for node in scans
            if node["Relation Name"] == "occurrences"
        },
        rows=sum(node["Actual Rows"] * node["Actual Loops"] for node in scans),
        pages=plan[0]["Shared Hit Blocks"] + plan[0]["Shared Read Blocks"],
    )


async def costs(connection: Connection) -> dict[str, Cost]:
    await connection.execute("VACUUM ANALYZE schedule.occurrences, schedule.history")
    return {name: await cost(connection, name) for name in ROUND}


async def test_a_round_reads_as_little_among_a_million_and_whatever_is_in_history(admin: Connection) -> None:
    await admin.execute(OPEN, NOW, 100_000)
    among_few = await costs(admin)
    await admin.execute(OPEN, NOW, 900_000)
    among_a_million = await costs(admin)
    await admin.execute(FINISHED, NOW)
    after_a_while = await costs(admin)

    due, awaited = "occurrences_due_by_priority", "one_answer_awaited_an_event"
    assert {name: one.access for name, one in among_a_million.items()} == {
        "read_clock": {("Index Only Scan", due)},
        "claim_due": {("Index Scan", due), ("Index Scan", "one_pending_an_occasion")},
        "claim_unanswered": {("Index Scan", "occurrences_by_check_at"), ("Index Scan", awaited)},
    }
    for name, one in among_a_million.items():
        # Found by one index and written by the other; the clock, by a probe or two a priority.
        assert one.rows <= 2 * BATCH, name
        assert one.pages <= 1.25 * among_few[name].pages, name
        assert after_a_while[name].access == one.access, name
        assert after_a_while[name].pages <= 1.05 * one.pages, name
    assert among_a_million["claim_due"].rows == 2 * BATCH
