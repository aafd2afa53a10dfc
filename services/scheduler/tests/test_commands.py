"""`python -m scheduler once` and `replan`, as cron and an operator run them."""

from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from domain.events import Event, OccurrenceCompleted
from domain.zones import TZ_DATABASE_VERSION
from messaging.envelope import Outgoing, compose
from runtime.database import Connection
from scheduler.read_command import read_command
from testkit import build
from testkit.broker import Broker
from testkit.fresh_database import FreshDatabase
from testkit.service_process import StartService
from uuid_utils.compat import uuid7

Plan = Callable[..., Coroutine[Any, Any, None]]
Rows = Callable[[], Coroutine[Any, Any, list[asyncpg.Record]]]
Run = Callable[..., Coroutine[Any, Any, tuple[int | None, str, str]]]

LONG_DELETED = """
INSERT INTO schedule.users (id, version, deleted_at) VALUES (gen_random_uuid(), 2, now() - interval '36 days')
"""


@pytest.fixture
def run(start_service: StartService, worker_environment: dict[str, str], database: FreshDatabase) -> Run:
    """Run a command on this test's database to its end; return exit code, output and errors."""

    async def to_the_end(*arguments: str, **variables: str) -> tuple[int | None, str, str]:
        found = {"DATABASE_URL": database.url("carillon_scheduler"), "START_TIMEOUT_SECONDS": "20"}
        process = await start_service("scheduler", {**worker_environment, **found, **variables}, *arguments)
        output, errors = await process.communicate()
        return process.returncode, output.decode(), errors.decode()

    return to_the_end


@pytest_asyncio.fixture
async def at_broker(broker: Broker) -> dict[str, str]:
    return {**broker.engine.environment(), "CARILLON_ENV": broker.environment}


async def tell(broker: Broker, topic: str, event: Event) -> None:
    out = Outgoing(event_id=uuid7(), subject=uuid7(), event=event)
    body = compose(broker.topology, "test", datetime.now(UTC), [out])[0].body
    await broker.sns.publish(TopicArn=broker.topic_arn(topic), Message=body)


async def test_a_round_plans_and_emits_and_looks_after_the_tables_and_the_next_hears_the_answer(
    run: Run, broker: Broker, at_broker: dict[str, str], admin: Connection, outbox: Rows, history: Rows
) -> None:
    now = datetime.now(UTC)
    user = build.user_created(first_date=f"{now.year + 1}-12-10")
    rings = [
        build.notification_added(
            user_id=user.user_id, occurred_at=now, at=now, first_date=now.date().isoformat()
        )
        for _ in range(2)
    ]
    await tell(broker, "user-created", user)
    for ring in rings:
        await tell(broker, "occasion-added", ring)
    this_month = f"schedule.history_{now:%Y_%m}"
    await admin.execute(f"DROP TABLE {this_month}")
    await admin.execute(LONG_DELETED)

    assert (await run("once", **at_broker))[::2] == (0, "")
    answered, unanswered = [row["event_id"] for row in await outbox()]
    assert await admin.fetchval("SELECT to_regclass($1) IS NOT NULL", this_month)
    assert [row["id"] for row in await admin.fetch("SELECT id FROM schedule.users")] == [user.user_id]

    completed = OccurrenceCompleted(due_event_id=answered, user_id=user.user_id, occurred_at=now, results=())
    await tell(broker, "occurrence-completed", completed)
    await admin.execute("UPDATE schedule.occurrences SET check_at = now() WHERE status = 'PROCESSING'")
    assert (await run("once", **at_broker))[::2] == (0, "")
    assert [row["event_id"] for row in await history()] == [answered]
    assert [row["event_id"] for row in await outbox()][2:] == [unanswered]


async def test_a_round_that_cannot_be_finished_ends_with_1_and_the_reason_in_one_line(
    run: Run, at_broker: dict[str, str], admin: Connection
) -> None:
    await admin.execute("REVOKE EXECUTE ON FUNCTION schedule.extend_history FROM carillon_scheduler")

    code, _, errors = await run("once", **at_broker)

    assert code == 1
    assert errors == (
        "scheduler: the round was not finished: "
        "InsufficientPrivilegeError: permission denied for function extend_history\n"
    )


async def test_a_round_takes_of_the_backlog_what_its_rate_allows_since_the_last_and_all_that_is_on_time(
    run: Run, at_broker: dict[str, str], plan: Plan, admin: Connection, outbox: Rows
) -> None:
    users = [build.user_created() for _ in range(303)]
    await plan(*users)
    await admin.execute("UPDATE schedule.occurrences SET due_at = now() - interval '5 min', ripe_at = NULL")
    on_time = [str(user.user_id) for user in users[:3]]
    await admin.execute(
        "UPDATE schedule.occurrences SET due_at = now() WHERE user_id = ANY($1::uuid[])", on_time
    )

    assert (await run("once", **at_broker, BACKLOG_PER_SECOND="1"))[0] == 0

    rung = [row["group_id"] for row in await outbox()]
    assert (len(rung), set(rung[:3])) == (63, set(on_time))  # nobody was ever seen: a minute's worth

    await admin.execute("UPDATE schedule.pulse SET last_seen_at = now() - interval '100 s'")
    assert (await run("once", **at_broker, BACKLOG_PER_SECOND="1"))[0] == 0
    assert 163 <= len(await outbox()) < 203


async def test_replan_prints_what_moved_and_the_totals(run: Run, plan: Plan, admin: Connection) -> None:
    moved, stays = build.user_created(timezone="Europe/Kyiv"), build.user_created(timezone="Asia/Tokyo")
    await plan(moved, stays)
    await admin.execute("UPDATE schedule.occurrences SET tz_database = '1999a'")
    occasion_id = await admin.fetchval(
        "UPDATE schedule.occurrences SET due_at = due_at + interval '1 hour'"
        " WHERE timezone = 'Europe/Kyiv' RETURNING occasion_id"
    )

    would, done, nothing = [await run("replan", *options) for options in (["--dry-run"], [], [])]

    moving = f"{occasion_id}  Europe/Kyiv  2026-12-10T08:00:00Z → 2026-12-10T07:00:00Z\n"
    total = f"Europe/Kyiv          1 moved\n2 {{}} again under tz database {TZ_DATABASE_VERSION}: "
    ending = "1 moved, 0 cannot be planned\n"
    assert would == (0, moving + total.format("would be planned") + ending, "")
    assert done == (0, moving + total.format("planned") + ending, "")
    assert nothing[1].startswith("0 planned again")


async def test_replan_ends_with_1_where_some_cannot_be_planned(
    run: Run, plan: Plan, admin: Connection
) -> None:
    await plan(build.user_created())
    occasion_id = await admin.fetchval(
        "UPDATE schedule.occurrences SET tz_database = '1999a', timezone = 'Mars/Base' RETURNING occasion_id"
    )

    code, output, errors = await run("replan")

    assert (code, errors) == (1, "")
    assert output.splitlines()[0] == (
        f"{occasion_id}  Mars/Base  cannot be planned: UnknownZone: unknown time zone: 'Mars/Base'"
    )


async def test_replan_without_a_database_ends_with_one_line(run: Run) -> None:
    code, _, errors = await run(
        "replan", DATABASE_URL="postgresql://nobody@127.0.0.1:1/none", START_TIMEOUT_SECONDS="0"
    )

    assert code == 1
    assert errors.startswith("scheduler: StartFailedError: PostgreSQL at 127.0.0.1:1/none did not come")
    assert errors.count("\n") == 1


@pytest.mark.parametrize(("arguments", "code"), [(["--help"], 0), (["replan", "--help"], 0), (["ring"], 2)])
def test_the_help_tells_all_commands_and_others_are_refused(
    capsys: pytest.CaptureFixture[str], arguments: list[str], code: int
) -> None:
    with pytest.raises(SystemExit) as ended:
        read_command(arguments)

    assert ended.value.code == code
    said = capsys.readouterr()
    words = {"--help": "once", "replan": "--dry-run", "ring": "invalid choice: 'ring'"}
    assert words[arguments[0]] in said.out + said.err
