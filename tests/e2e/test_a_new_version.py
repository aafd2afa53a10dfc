"""A new major version of an event runs beside the old one: each consumer goes on hearing its own."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import jsonschema_rs
import msgspec
import pytest
import pytest_asyncio
from domain.events import BirthdayDue
from domain.ids import birthday_occasion_id, due_event_id
from messaging.envelope import Outgoing, compose, read
from testkit import build
from testkit.broker import Broker, open_broker
from testkit.engine import Engine
from testkit.fresh_database import FreshDatabase
from testkit.new_version import release_with_birthday_v2
from testkit.ports import free_port
from testkit.repository import find_topology
from testkit.service_process import StartService
from uuid_utils.compat import uuid7


@pytest.fixture
def release(tmp_path: Path, pytestconfig: pytest.Config) -> dict[str, str]:
    """Give the environment of a release with BirthdayDue in two versions."""
    return release_with_birthday_v2(tmp_path, find_topology(pytestconfig.rootpath))


@pytest_asyncio.fixture
async def both(engine: Engine, release: dict[str, str]) -> AsyncIterator[Broker]:
    """Make that release's topics and queues."""
    async with open_broker(engine, Path(release["TOPOLOGY_FILE"]), f"t{secrets.token_hex(4)}") as broker:
        yield broker


async def received(broker: Broker, queue: str) -> dict[str, Any]:
    """Wait for a queue's message."""
    url = await broker.queue_url(queue)
    async with asyncio.timeout(30):
        while True:
            answer = await broker.sqs.receive_message(
                QueueUrl=url, WaitTimeSeconds=5, MessageAttributeNames=["All"]
            )
            if messages := answer.get("Messages"):
                return dict(messages[0])


async def test_both_versions_are_published_and_old_and_new_consumers_each_hear_theirs(
    both: Broker,
    release: dict[str, str],
    database: FreshDatabase,
    start_service: StartService,
    worker_environment: dict[str, str],
    pytestconfig: pytest.Config,
) -> None:
    for service in ("scheduler", "dispatcher"):
        environment = {
            **worker_environment,
            **both.engine.environment(),
            **release,
            "CARILLON_ENV": both.environment,
            "DATABASE_URL": database.url(f"carillon_{service}"),
            "HEALTH_PORT": str(free_port()),
            "START_TIMEOUT_SECONDS": "20",
        }
        await start_service(service, environment)
    now = datetime.now(UTC)
    user = build.user_created(
        occurred_at=now - timedelta(minutes=1),
        date_of_birth=now.date().replace(year=2000),
        first_date=now.date().isoformat(),
        timezone="UTC",
        send_at_local=time(0),
    )
    outgoing = Outgoing(event_id=uuid7(), subject=user.user_id, event=user)
    [created] = compose(both.topology, "user-api", now, [outgoing])
    await both.sns.publish(TopicArn=both.topic_arn("user-created"), Message=created.body)

    old, new = await asyncio.gather(received(both, "old-consumer"), received(both, "new-consumer"))

    first, second = (msgspec.json.decode(message["Body"]) for message in (old, new))
    assert (first["type"], second["type"]) == ("carillon.BirthdayDue.v1", "carillon.BirthdayDue.v2")
    assert second["dataschema"] == "urn:carillon:event:BirthdayDue:v2"
    ring = due_event_id(birthday_occasion_id(user.user_id), now.date().isoformat())
    assert first["id"] == second["id"] == str(ring)
    assert {message["MessageAttributes"]["eventType"]["StringValue"] for message in (old, new)} == {
        "BirthdayDue"
    }
    # The old one to the letter: its released schema takes it, and the consumers of today read it.
    schema = find_topology(pytestconfig.rootpath).parent / "released/events/BirthdayDue/v1.schema.json"
    jsonschema_rs.validate(msgspec.json.decode(schema.read_bytes()), first["data"], validate_formats=True)
    _, event = read(old["Body"])
    assert isinstance(event, BirthdayDue)
    assert (first["data"].pop("message"), first["data"]) == (second["data"].pop("text"), second["data"])
