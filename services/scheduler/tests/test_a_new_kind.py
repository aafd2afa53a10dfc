from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest
from domain.events import Event
from messaging.envelope import Outgoing, compose
from runtime.database import Connection
from testkit import build
from testkit.broker import Broker
from testkit.fresh_database import FreshDatabase
from testkit.new_kind import release_with_nameday
from testkit.repository import find_topology
from testkit.service_process import StartService, said
from testkit.wait import eventually
from uuid_utils.compat import uuid7

Plan = Callable[..., Coroutine[Any, Any, None]]
Emit = Callable[..., Awaitable[int]]
Rows = Callable[[], Coroutine[Any, Any, list[asyncpg.Record]]]


@pytest.fixture
def release(tmp_path: Path, pytestconfig: pytest.Config) -> dict[str, str]:
    """Give the environment of a release that knows name days."""
    return release_with_nameday(tmp_path, find_topology(pytestconfig.rootpath))


async def test_a_kind_that_is_one_module_and_one_entry_is_planned_and_emitted(
    start_service: StartService,
    worker_environment: dict[str, str],
    release: dict[str, str],
    database: FreshDatabase,
    broker: Broker,
    outbox: Rows,
    pending: Rows,
) -> None:
    await start_service(
        "scheduler",
        {
            **worker_environment,
            **broker.engine.environment(),
            **release,
            "CARILLON_ENV": broker.environment,
            "DATABASE_URL": database.url("carillon_scheduler"),
            "START_TIMEOUT_SECONDS": "20",
        },
    )
    now = datetime.now(UTC)
    today = now.date()
    user = build.user_created(first_date="2100-12-10", timezone="UTC")
    name_day = build.occasion_added(
        user_id=user.user_id,
        type="NAMEDAY",
        occurred_at=now,
        first_date=today.isoformat(),
        name=None,
        date=today.replace(year=2000),
        send_at_local=time(0),
    )

    for topic, event in (("user-created", user), ("occasion-added", name_day)):
        await broker.sns.publish(TopicArn=broker.topic_arn(topic), Message=envelope(broker, event))
    [ring] = await eventually(outbox, within=20)

    data = msgspec.json.decode(ring["body"])["data"]
    assert (ring["event_type"], ring["priority"]) == ("NamedayDue", 1)
    assert (data["message"], data["localDate"]) == ("Hey, Ada, happy name day", today.isoformat())
    planned = {row["occasion_type"]: row["nominal_date"] for row in await pending()}
    next_year = f"{today.year + 1}{today.isoformat()[4:]}"
    assert planned == {"BIRTHDAY": "2100-12-10", "NAMEDAY": next_year}


async def test_a_kind_without_its_entry_in_the_topology_is_named_at_the_start(
    start_service: StartService, worker_environment: dict[str, str], release: dict[str, str]
) -> None:
    process = await start_service("scheduler", {**worker_environment, "PYTHONPATH": release["PYTHONPATH"]})

    code, lines = await said(process)

    assert (code, lines) == (2, ["scheduler: TOPOLOGY_FILE: eventTypes: a name day needs NamedayDue"])


def envelope(broker: Broker, event: Event) -> str:
    outgoing = Outgoing(event_id=uuid7(), subject=uuid7(), event=event)
    return compose(broker.topology, "test", datetime.now(UTC), [outgoing])[0].body


async def test_a_row_of_a_kind_that_this_release_does_not_know_is_parked_and_holds_up_nobody(
    plan: Plan, emit: Emit, admin: Connection, outbox: Rows, pending: Rows
) -> None:
    stranger, user = build.user_created(), build.user_created()
    await plan(stranger, user)
    await admin.execute(
        "UPDATE schedule.occurrences SET occasion_type = 'NAMEDAY' WHERE user_id = $1", stranger.user_id
    )

    await emit(datetime(2026, 12, 10, 9, tzinfo=UTC))

    assert [message["group_id"] for message in await outbox()] == [str(user.user_id)]
    parked = {row["user_id"]: row["parked"] for row in await pending()}
    assert parked == {
        stranger.user_id: "UnknownKind: unknown kind of occasion: 'NAMEDAY'",
        user.user_id: None,
    }
