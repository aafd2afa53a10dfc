import json

import asyncpg
import pytest
from messaging.topology import queue_name
from testkit import build
from testkit.broker import Broker, delete_topology
from testkit.fresh_database import FreshDatabase


async def test_a_database_is_migrated_and_reached_as_a_service_reaches_it(database: FreshDatabase) -> None:
    connection = await database.connect("carillon_dispatcher")

    assert await connection.fetchval("SELECT current_user") == "carillon_dispatcher"
    assert await connection.fetchval("SELECT current_database()") == database.name


@pytest.mark.parametrize("run", [1, 2])
async def test_each_test_has_a_database_of_its_own(database: FreshDatabase, run: int) -> None:
    connection = await database.connect()

    await connection.execute("CREATE TABLE only_here ()")

    assert run in {1, 2}


async def test_a_role_cannot_do_what_was_not_granted_to_it(database: FreshDatabase) -> None:
    connection = await database.connect("carillon_dispatcher")

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.fetch("SELECT * FROM users.users")


async def test_what_is_published_on_a_topic_reaches_its_queue(broker: Broker) -> None:
    await broker.sns.publish(
        TopicArn=broker.topic_arn("birthday-due"),
        Message="ring",
        MessageAttributes={"priority": {"DataType": "String", "StringValue": "critical"}},
    )

    received = await broker.sqs.receive_message(
        QueueUrl=await broker.queue_url("webhook-critical"), WaitTimeSeconds=5
    )

    assert [message["Body"] for message in received["Messages"]] == ["ring"]


async def test_nothing_of_an_environment_is_left_once_it_is_deleted(broker: Broker) -> None:
    await delete_topology(broker.sns, broker.sqs, broker.environment)

    queues = await broker.sqs.list_queues(QueueNamePrefix=queue_name(broker.environment, ""))
    topics = await broker.sns.list_topics()

    assert queues.get("QueueUrls", []) == []
    assert broker.environment not in json.dumps(topics["Topics"])


def test_a_built_users_first_date_follows_from_the_rest() -> None:
    assert build.user_created().first_date == "2026-12-10"
    assert build.user_created(date_of_birth=build.birthday().date.replace(month=1)).first_date == "2027-01-10"
    assert build.user_created(first_date="2030-01-01").first_date == "2030-01-01"


def test_a_built_body_leaves_out_what_is_none() -> None:
    assert "timezone" not in build.user_body(timezone=None)
    assert build.user_body(firstName="Grace")["firstName"] == "Grace"
