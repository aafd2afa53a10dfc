"""What the statements of every round cost on 200,000 open occurrences, by PostgreSQL's own plans."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import msgspec
import pytest
from runtime.database import Connection
from runtime.statements import Statements
from testkit.explain import explain, nodes

SQL = Statements("scheduler")
NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)

# Two thirds are planned over the year, one row in a hundred is due, one third waits for an answer.
OPEN = """
INSERT INTO schedule.occurrences (
    event_id, occasion_id, occasion_type, user_id, status, priority, nominal_date, local_date, send_at_local,
    timezone, anchor_date, leap_day_policy, first_name, last_name, due_at, user_version, emitted_at, check_at
)
SELECT
    gen_random_uuid(), gen_random_uuid(), 'BIRTHDAY', gen_random_uuid(),
    CASE WHEN n % 3 = 0 THEN 'PROCESSING' ELSE 'PENDING' END, 0, '2026-03-01', '2026-03-01', '09:00', 'UTC',
    '1990-03-01', 'feb_28', 'Ada', 'Lovelace', $1::timestamptz + (n - 2000) * interval '2 min', 1,
    $1, now() + (n % 1000 - 5) * interval '1 min'
FROM generate_series(1, 200000) AS n
"""

USERS = """
INSERT INTO schedule.users (
    id, version, first_name, last_name, date_of_birth, timezone, send_at_local, leap_day_policy, first_date
)
SELECT md5(n::text)::uuid, 1, 'Ada', 'Lovelace', '1990-03-01', 'UTC', '09:00', 'feb_28', '2026-03-01'
FROM generate_series(1, 5000) AS n
"""
OCCASIONS = """
INSERT INTO schedule.occasions (id, user_id, version, occurred_at, removed, type, first_date)
SELECT gen_random_uuid(), md5((n % 5000)::text)::uuid, 1, now(), false, 'REMINDER', '2026-03-01'
FROM generate_series(1, 20000) AS n
"""


@pytest.fixture
async def crowded(admin: Connection) -> Connection:
    await admin.execute(OPEN, NOW)
    await admin.execute("VACUUM ANALYZE schedule.occurrences")
    return admin


async def test_no_statement_of_a_round_reads_the_whole_table(crowded: Connection) -> None:
    ids = await crowded.fetchrow(
        "SELECT array_agg(event_id) AS events, array_agg(occasion_id) AS occasions,"
        " array_agg(user_id) AS users"
        " FROM (SELECT * FROM schedule.occurrences LIMIT 500) AS five_hundred"
    )
    assert ids is not None
    rounds: dict[str, list[object]] = {
        "read_clock": [timedelta(0), timedelta(minutes=1)],
        "claim_due": [NOW, 500, timedelta(minutes=15), None, NOW],
        "claim_unanswered": [500, timedelta(minutes=15), timedelta(0)],
        "lock_pending": [ids["occasions"], ids["users"]],
        "lock_answered": [ids["events"]],
        "finish": [ids["events"], ["COMPLETED"] * 500, [None] * 500],
        "check_later": [ids["events"], [NOW] * 500],
        "expire": [ids["events"], ["too late"] * 500],
        "park": [ids["events"], ["unknown zone"] * 500],
        "forget_words": [ids["users"]],
        "cancel_pending": [ids["occasions"], ["user deleted"] * 500],
        "park_paused": [ids["events"], ids["occasions"], ["BIRTHDAY"]],
        "unpark_occasion": [ids["occasions"][0], NOW],
        "unpark_type": ["BIRTHDAY", NOW, 500],
        "count_open": [10_000],
    }

    touched = {}
    for name, arguments in rounds.items():
        plan = await explain(crowded, SQL[name], *arguments)
        scans = {node["Node Type"] for node in plan if node.get("Relation Name") == "occurrences"}
        touched[name] = "Seq Scan" in scans

    assert touched == dict.fromkeys(rounds, False)

    # The claim reads its partial index in order of due time, and no more of it than it takes.
    plan = await explain(crowded, SQL["claim_due"], NOW, 500, timedelta(minutes=15), None, NOW)

    [scan] = [node for node in plan if node.get("Index Name") == "occurrences_due_by_priority"]
    assert scan["Actual Rows"] == 500
    assert "Sort" not in {node["Node Type"] for node in plan}


async def test_what_follows_a_batch_is_written_in_one_pass_over_it(crowded: Connection) -> None:
    claimed = await crowded.fetch(SQL["claim_due"], NOW, 500, timedelta(minutes=15), None, NOW)
    ids = ",".join(str(row["event_id"]) for row in claimed)
    others = ",".join(str(uuid4()) for _ in claimed)
    rest = ",".join(
        f"array_fill('{value}'::{kind}, '{{500}}')"
        for value, kind in (
            ("2027-03-01", "text"),
            ("2026-03-01", "text"),
            ("2027-03-01", "date"),
            ("2027-03-01T09:00Z", "timestamptz"),
            ("0", "integer"),
            ("2027-03-01T09:00Z", "timestamptz"),
        )
    )
    # As the service has it after some batches: planned once, for arrays of any length.
    await crowded.execute("SET plan_cache_mode = force_generic_plan")
    await crowded.execute(f"PREPARE following AS {SQL['write_following']}")

    [(text,)] = await crowded.fetch(
        f"EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE following('{{{ids}}}', '{{{others}}}', {rest}, '2026a')"
    )

    plan = nodes(msgspec.json.decode(text)[0]["Plan"])
    assert max(node["Actual Rows"] * node["Actual Loops"] for node in plan) == 500
    assert max(node.get("Rows Removed by Join Filter", 0) for node in plan) == 0


async def test_no_statement_about_occasions_reads_them_all(admin: Connection) -> None:
    await admin.execute(USERS)
    await admin.execute(OCCASIONS)
    await admin.execute("VACUUM ANALYZE schedule.users, schedule.occasions")
    [ids] = await admin.fetch(
        "SELECT array_agg(id) AS occasions, array_agg(user_id) AS users, array_agg(nominal_date) AS dates"
        " FROM (SELECT *, '2026-03-01' AS nominal_date FROM schedule.occasions LIMIT 5) AS five"
    )
    rounds: dict[str, list[object]] = {
        "read_occasions": [ids["occasions"], ids["users"]],
        "mark_ended": [ids["occasions"], ids["dates"]],
        "forget_occasions": [ids["users"]],
    }

    touched = {}
    for name, arguments in rounds.items():
        plan = await explain(admin, SQL[name], *arguments)
        scans = {node["Node Type"] for node in plan if node.get("Relation Name") in {"occasions", "users"}}
        touched[name] = "Seq Scan" in scans

    assert touched == dict.fromkeys(rounds, False)
