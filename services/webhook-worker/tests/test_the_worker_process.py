import asyncio
import json
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

import aiohttp
import asyncpg
import pytest
from domain.events import OccurrenceCompleted
from domain.priority import Priority
from messaging.consume import Received
from messaging.envelope import Outgoing, compose, read
from runtime.aws import open_ssm
from runtime.database import Connection
from runtime.settings import SettingsError, load_settings
from testkit import build
from testkit.broker import Broker
from testkit.engine import REGION
from testkit.fresh_database import FreshDatabase
from testkit.ports import free_port
from testkit.receiver import Receiver, Reply, new_secret
from testkit.service_process import StartService, said
from testkit.wait import eventually
from uuid_utils.compat import uuid7
from webhook_worker.settings import Settings

Due = Callable[..., Received]
Register = Callable[..., Coroutine[Any, Any, UUID]]
Rows = Callable[[], Coroutine[Any, Any, list[asyncpg.Record]]]


@pytest.fixture
def environment(worker_environment: dict[str, str], encryption_keys: str) -> dict[str, str]:
    return {
        **worker_environment,
        "WEBHOOK_URL": "http://127.0.0.1:1/hook",
        "WEBHOOK_SECRET": new_secret(),
        "WEBHOOK_ALLOW_NETWORKS": "127.0.0.0/8",
        "ENCRYPTION_KEYS": encryption_keys,
    }


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("WEBHOOK_SECRET", ""),
        ("WEBHOOK_SECRET", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
        ("WEBHOOK_SECRET", "whsec_not-base-64-at-all"),
        ("WEBHOOK_SECRET", "whsec_c2hvcnQ="),
        ("WEBHOOK_URL", "ftp://example.com/"),
        ("WEBHOOK_URL", "http://127.0.0.1:eighty/"),
        ("WEBHOOK_URL", "http://127.0.0.1:99999/"),
        ("WEBHOOK_URL", "http://:8002/"),
        ("WEBHOOK_URL", "http://0xa.1:2/"),
        ("WEBHOOK_URL", "http://[::1]:2/"),
        ("WEBHOOK_ALLOW_NETWORKS", "127.0.0.1/8"),
        ("WEBHOOK_ALLOW_NETWORKS", "all of them"),
        ("DELIVERY_LEASE_SECONDS", "30"),
        ("RETRY_SLOTS", "0"),
        ("ENCRYPTION_KEYS", ""),
        ("ENCRYPTION_KEYS", "one:c2hvcnQ="),
        ("ENDPOINTS_REFRESH_SECONDS", "0"),
    ],
)
def test_a_bad_variable_is_refused_by_its_name_and_not_its_value(
    environment: dict[str, str], variable: str, value: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        load_settings(Settings, {**environment, variable: value})

    assert str(refused.value).startswith(variable)
    assert "\n" not in str(refused.value)
    assert len(value) < 3 or value not in str(refused.value)


async def test_a_bad_secret_ends_the_process_with_one_line_that_names_it(
    start_service: StartService, environment: dict[str, str]
) -> None:
    process = await start_service("webhook_worker", {**environment, "WEBHOOK_SECRET": "whsec_c2hvcnQ="})

    assert await said(process) == (
        2,
        ["webhook-worker: WEBHOOK_SECRET holds 5 bytes, it must hold 24 to 64"],
    )


@pytest.fixture
def on_broker(
    environment: dict[str, str], broker: Broker, database: FreshDatabase, receiver: Receiver
) -> Callable[..., dict[str, str]]:
    """Give the environment of a service with everything it needs."""

    def make(role: str, **overrides: str) -> dict[str, str]:
        return {
            **environment,
            **broker.engine.environment(),
            "CARILLON_ENV": broker.environment,
            "DATABASE_URL": database.url(role),
            "START_TIMEOUT_SECONDS": "20",
            "WEBHOOK_URL": receiver.url,
            "WEBHOOK_SECRET": receiver.secret,
            "DEAD_LETTERS_EVERY_SECONDS": "1",
            **overrides,
        }

    return make


async def publish(broker: Broker, ring: Received, *, topic: str = "birthday-due") -> None:
    [message] = compose(
        broker.topology,
        "test",
        datetime.now(UTC),
        [Outgoing(event_id=ring.event_id, subject=uuid7(), event=ring.event)],
    )
    await broker.sns.publish(
        TopicArn=broker.topic_arn(topic),
        Message=message.body,
        MessageAttributes={
            name: {"DataType": "String", "StringValue": value} for name, value in message.attributes.items()
        },
    )


async def test_what_is_published_arrives_signed_and_its_outcome_reaches_the_schedulers_queue(
    start_service: StartService,
    on_broker: Callable[..., dict[str, str]],
    broker: Broker,
    receiver: Receiver,
    due: Due,
    deliveries: Rows,
    admin: Connection,
) -> None:
    await start_service("webhook_worker", on_broker("carillon_webhook_worker"))
    await start_service("dispatcher", on_broker("carillon_dispatcher", HEALTH_PORT=str(free_port())))
    critical = await broker.queue_url("webhook-critical")
    rings = [due(), due(priority=Priority.HIGH), due(priority=Priority.NORMAL), due(priority=Priority.LOW)]
    stranger = json.dumps({"specversion": "1.0", "type": "someone.elses.v1"})

    # One nobody can read, one that has no place here, and neighbours that must not wait for them.
    await broker.sqs.send_message(QueueUrl=critical, MessageBody=stranger)
    [misplaced] = compose(
        broker.topology,
        "test",
        build.NOW,
        [Outgoing(event_id=uuid7(), subject=uuid7(), event=build.user_created())],
    )
    await broker.sqs.send_message(QueueUrl=critical, MessageBody=misplaced.body)
    for ring in rings:
        await publish(broker, ring)
    arrived = await receiver.wait_for(4, within=30)
    outcomes = await receive(broker, "scheduler-outcomes", 4)

    assert {one.webhook_id for one in arrived} == {str(ring.event_id) for ring in rings}
    assert all(one.valid for one in arrived)
    assert {event_id for event_id, _ in outcomes} == {
        uuid5(ring.event_id, "OccurrenceCompleted") for ring in rings
    }
    assert {type(event) for _, event in outcomes} == {OccurrenceCompleted}
    assert [row["status"] for row in await deliveries()] == ["delivered"] * 4

    async def buried() -> list[asyncpg.Record]:
        return await admin.fetch("SELECT * FROM delivery.dead_letters")

    [dead] = await eventually(buried, within=15, message="no dead letter was kept")
    assert (dead["queue"], dead["body"]) == ("webhook-critical", stranger)
    assert dead["reason"].startswith("not a CloudEvents envelope")
    deletion = build.user_deleted(rings[0].event.user_id)  # type: ignore[attr-defined]
    await publish(broker, Received(event_id=uuid7(), event=deletion, receipt=""), topic="user-deleted")

    async def erased() -> bool:
        return len(await admin.fetch("SELECT FROM delivery.events WHERE body = ''")) == 1

    await eventually(erased)
    left = await broker.sqs.get_queue_attributes(QueueUrl=critical, AttributeNames=["All"])
    assert left["Attributes"]["ApproximateNumberOfMessagesNotVisible"] == "1"


async def test_two_partners_are_each_sent_what_they_registered_for_and_a_missing_one_is_tried_again(  # noqa: PLR0913, PLR0917 (fixtures)
    start_service: StartService,
    on_broker: Callable[..., dict[str, str]],
    broker: Broker,
    register: Register,
    receiver: Receiver,
    other: Receiver,
    due: Due,
    deliveries: Rows,
) -> None:
    variables = on_broker("carillon_webhook_worker", WEBHOOK_URL="", WEBHOOK_SECRET="")
    await start_service("webhook_worker", variables)
    await start_service("dispatcher", on_broker("carillon_dispatcher", HEALTH_PORT=str(free_port())))
    first, second = await register(receiver), await register(other, headers={"X-Team": "birthdays"})
    await register(other, event_types=["anniversary.due"])
    other.reply_with([503])
    rings = [due() for _ in range(30)]  # more at once than an endpoint takes

    for ring in rings:
        await publish(broker, ring)
    await receiver.wait_for(30, within=30)
    arrived = await other.wait_for(31, within=30)
    outcomes = await receive(broker, "scheduler-outcomes", 30)

    expected = {str(ring.event_id) for ring in rings}
    assert {one.webhook_id for one in receiver.deliveries} == {one.webhook_id for one in arrived} == expected
    assert all(one.valid for one in (*receiver.deliveries, *arrived))
    assert {one.headers["x-team"] for one in arrived} == {"birthdays"}
    assert receiver.tally.duplicates == other.tally.duplicates == 0
    assert {type(event) for _, event in outcomes} == {OccurrenceCompleted}
    assert sorted(result.attempts for _, event in outcomes for result in event.results) == [1] * 59 + [2]
    assert {(row["endpoint_id"], row["status"]) for row in await deliveries()} == {
        (first, "delivered"),
        (second, "delivered"),
    }


async def receive(broker: Broker, queue: str, count: int) -> list[tuple[UUID, Any]]:
    url = await broker.queue_url(queue)
    events: list[tuple[UUID, Any]] = []
    async with asyncio.timeout(20):
        while len(events) < count:
            answer = await broker.sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5, MaxNumberOfMessages=10)
            events += [read(message["Body"]) for message in answer.get("Messages", [])]
    return events


async def test_sigterm_finishes_what_is_under_way_and_ends_with_0(
    start_service: StartService,
    on_broker: Callable[..., dict[str, str]],
    broker: Broker,
    receiver: Receiver,
    due: Due,
    deliveries: Rows,
) -> None:
    variables = on_broker("carillon_webhook_worker")
    health = f"http://127.0.0.1:{variables['HEALTH_PORT']}/health"
    receiver.reply_with([Reply(after_seconds=1)])
    process = await start_service("webhook_worker", variables)
    await publish(broker, due())
    await receiver.wait_for(1, within=30)
    async with aiohttp.ClientSession() as session:
        before = await status(session, f"{health}/ready")

    process.terminate()
    async with asyncio.timeout(5):
        code, lines = await said(process)

    assert (before, code, lines) == (200, 0, [])
    assert [row["status"] for row in await deliveries()] == ["delivered"]
    assert receiver.tally.received == 1


async def status(session: aiohttp.ClientSession, url: str) -> int:
    async with session.get(url) as answer:
        return answer.status


async def test_killed_with_a_webhook_under_way_another_worker_sends_it_again_under_the_same_id(
    start_service: StartService,
    on_broker: Callable[..., dict[str, str]],
    broker: Broker,
    receiver: Receiver,
    due: Due,
    deliveries: Rows,
) -> None:
    variables = on_broker(
        "carillon_webhook_worker", WEBHOOK_TIMEOUT_SECONDS="1", DELIVERY_LEASE_SECONDS="1.5"
    )
    receiver.reply_with([Reply(status=503, after_seconds=1)])
    process = await start_service("webhook_worker", variables)
    ring = due()
    await publish(broker, ring)
    await receiver.wait_for(1, within=30)

    process.kill()
    await start_service("webhook_worker", variables | {"HEALTH_PORT": str(free_port())})
    arrived = await receiver.wait_for(2, within=30)

    assert [one.webhook_id for one in arrived] == [str(ring.event_id)] * 2

    async def settled() -> bool:
        return [row["status"] for row in await deliveries()] == ["delivered"]

    await eventually(settled)


async def test_a_name_that_leads_into_our_own_network_is_not_followed_and_tried_again_later(
    start_service: StartService,
    on_broker: Callable[..., dict[str, str]],
    broker: Broker,
    receiver: Receiver,
    due: Due,
    deliveries: Rows,
) -> None:
    url = receiver.url.replace("127.0.0.1", "localhost")
    await start_service(
        "webhook_worker", on_broker("carillon_webhook_worker", WEBHOOK_URL=url, WEBHOOK_ALLOW_NETWORKS="")
    )
    await publish(broker, due())

    async def attempted() -> bool:
        return [row["attempts"] for row in await deliveries()] == [1]

    await eventually(attempted, within=30)

    [delivery] = await deliveries()
    assert (delivery["status"], delivery["reason"]) == ("pending", "address not allowed: loopback")
    assert receiver.tally.received == 0


async def test_the_default_endpoint_moves_with_its_parameter_while_the_worker_runs(
    start_service: StartService,
    on_broker: Callable[..., dict[str, str]],
    broker: Broker,
    receiver: Receiver,
    due: Due,
) -> None:
    async with (
        Receiver(secret=receiver.secret) as moved,
        open_ssm(REGION, connections=1) as store,
    ):
        name = f"/carillon/{broker.environment}/webhook-url"
        await store.put_parameter(Name=name, Value=receiver.url, Type="String", Overwrite=True)
        variables = on_broker("carillon_webhook_worker", WEBHOOK_URL="", WEBHOOK_URL_REFRESH_SECONDS="0.1")
        process = await start_service("webhook_worker", variables)
        await publish(broker, due())
        await receiver.wait_for(1, within=30)

        await store.put_parameter(Name=name, Value=moved.url, Type="String", Overwrite=True)

        async def arrives_there() -> bool:
            await publish(broker, due())
            return moved.tally.accepted > 0

        await eventually(arrives_there, within=30)
        process.terminate()
        assert await said(process) == (0, [])
        assert receiver.tally.invalid == moved.tally.invalid == 0
