import asyncio
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import asyncpg
import pytest
from domain.events import Event, OccurrenceCompleted
from messaging.envelope import Outgoing, compose
from messaging.queue import REASON
from runtime.settings import SettingsError, load_settings
from scheduler.settings import Settings
from testkit import build
from testkit.broker import Broker
from testkit.fresh_database import FreshDatabase
from testkit.service_process import StartService, said
from testkit.wait import eventually
from uuid_utils.compat import uuid7

Rows = Callable[[], Coroutine[Any, Any, list[asyncpg.Record]]]


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("DATABASE_URL", ""),
        ("HEALTH_PORT", "99999"),
        ("CLAIM_BATCH", "0"),
        ("CLAIMERS", "0"),
        ("BACKLOG_PER_SECOND", "-1"),
        ("GIVE_UP_AFTER", "0"),
        ("CHECK_AFTER_SECONDS", "soon"),
        ("CLOCK_OFFSET_SECONDS", "60"),  # not a local system
    ],
)
def test_a_bad_variable_is_refused_by_its_name(
    worker_environment: dict[str, str], variable: str, value: str
) -> None:
    with pytest.raises(SettingsError, match=f"^{variable} "):
        load_settings(Settings, {**worker_environment, variable: value})


async def test_a_bad_variable_ends_the_process_with_one_line_that_names_it(
    start_service: StartService, worker_environment: dict[str, str]
) -> None:
    process = await start_service("scheduler", {**worker_environment, "CLAIM_BATCH": "0"})

    code, lines = await said(process)

    assert code == 2
    assert len(lines) == 1
    assert lines[0].startswith("scheduler: CLAIM_BATCH is not valid")


async def test_a_database_that_does_not_come_ends_it_with_one_line(
    start_service: StartService, worker_environment: dict[str, str]
) -> None:
    process = await start_service("scheduler", worker_environment)

    code, lines = await said(process)

    assert code == 1
    assert len(lines) == 1
    assert lines[0].startswith("scheduler: PostgreSQL at 127.0.0.1:1/none did not come within 1 s")


async def test_it_plans_emits_and_hears_the_answer_and_ends_on_sigterm(
    start_service: StartService,
    worker_environment: dict[str, str],
    database: FreshDatabase,
    broker: Broker,
    outbox: Rows,
    history: Rows,
) -> None:
    process = await start_service(
        "scheduler",
        {
            **worker_environment,
            **broker.engine.environment(),
            "CARILLON_ENV": broker.environment,
            "DATABASE_URL": database.url("carillon_scheduler"),
            "START_TIMEOUT_SECONDS": "20",
        },
    )
    rings_at = (datetime.now(UTC) - timedelta(hours=2)).replace(microsecond=0)  # the queue was slow
    created = build.user_created(
        occurred_at=rings_at - timedelta(hours=1),
        date_of_birth=rings_at.date().replace(year=2000),
        send_at_local=rings_at.time(),
        timezone="UTC",
    )
    users = await broker.queue_url("scheduler-user-events")

    await broker.sqs.send_message(QueueUrl=users, MessageBody="{}")
    await broker.sqs.send_message(QueueUrl=users, MessageBody=envelope(broker, build.birthday_due()))
    await broker.sns.publish(TopicArn=broker.topic_arn("user-created"), Message=envelope(broker, created))
    [ring, *_] = await eventually(outbox, within=20)
    answer = OccurrenceCompleted(
        due_event_id=ring["event_id"], user_id=created.user_id, occurred_at=datetime.now(UTC), results=()
    )
    await broker.sns.publish(
        TopicArn=broker.topic_arn("occurrence-completed"), Message=envelope(broker, answer)
    )
    [over] = await eventually(history)

    assert (over["event_id"], over["status"], over["nominal_date"]) == (
        ring["event_id"],
        "COMPLETED",
        rings_at.date().isoformat(),
    )
    # What nobody can read is apart with its reason; what has no place here is left to the queue's redrive.
    dead = await broker.sqs.receive_message(
        QueueUrl=await broker.dead_letter_url("scheduler-user-events"),
        WaitTimeSeconds=5,
        MessageAttributeNames=["All"],
    )
    [message] = dead["Messages"]
    assert message["MessageAttributes"][REASON]["StringValue"].startswith("not a CloudEvents envelope")
    left = await broker.sqs.get_queue_attributes(QueueUrl=users, AttributeNames=["All"])
    assert left["Attributes"]["ApproximateNumberOfMessagesNotVisible"] == "1"

    async with aiohttp.ClientSession() as session:
        ready = await session.get(f"http://127.0.0.1:{worker_environment['HEALTH_PORT']}/health/ready")
    process.terminate()
    async with asyncio.timeout(5):
        code, lines = await said(process)
    assert (ready.status, code, lines) == (200, 0, [])


def envelope(broker: Broker, event: Event) -> str:
    outgoing = Outgoing(event_id=uuid7(), subject=uuid7(), event=event)
    return compose(broker.topology, "test", datetime.now(UTC), [outgoing])[0].body
