import asyncio
import os
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from domain.priority import Priority
from messaging.apply_topology import apply_topology
from messaging.envelope import Outgoing, compose, read
from messaging.publish import Published, publish_all
from messaging.topology import (
    Topology,
    dead_letter_name,
    load_topology,
    queue_name,
    topic_name,
    undelivered_name,
)
from msgspec import structs
from testkit import build
from testkit.broker import Broker
from testkit.engine import ACCOUNT_ID, REGION

CHANGES = {"CreatedTimestamp", "LastModifiedTimestamp"}
COUNTS = "ApproximateNumberOfMessages"


def json(text: str) -> Any:  # noqa: ANN401 (any policy document)
    return msgspec.json.decode(text)


async def queue_attributes(broker: Broker, name: str) -> dict[str, str]:
    url = (await broker.sqs.get_queue_url(QueueName=name))["QueueUrl"]
    answer = await broker.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
    return {
        key: value
        for key, value in answer["Attributes"].items()
        if key not in CHANGES and not key.startswith(COUNTS)
    }


async def subscriptions(broker: Broker) -> dict[tuple[str, str], dict[str, str]]:
    """Return the attributes of each subscription by topic and queue."""
    found = {}
    for kind in broker.topology.event_types.values():
        arn = broker.topic_arn(kind.topic)
        answer = await broker.sns.list_subscriptions_by_topic(TopicArn=arn)
        for each in answer["Subscriptions"]:
            attributes = await broker.sns.get_subscription_attributes(SubscriptionArn=each["SubscriptionArn"])
            key = kind.topic, each["Endpoint"].rpartition(":")[2]
            assert key not in found
            found[key] = dict(attributes["Attributes"])
    return found


async def everything(broker: Broker) -> tuple[object, object]:
    names = [
        name_of(broker.environment, queue)
        for queue in broker.topology.queues
        for name_of in (queue_name, dead_letter_name, undelivered_name)
    ]
    return {name: await queue_attributes(broker, name) for name in names}, await subscriptions(broker)


def arn(name: str) -> str:
    return f"arn:aws:sqs:{REGION}:{ACCOUNT_ID}:{name}"


async def test_the_topology_is_made_as_declared_and_applying_it_again_changes_nothing(
    broker: Broker,
) -> None:
    environment = broker.environment
    made = await subscriptions(broker)
    wanted = [
        (topic, queue, subscription)
        for queue in broker.topology.queues.values()
        for subscription in queue.subscriptions
        for topic in subscription.topics
    ]

    for queue in broker.topology.queues.values():
        attributes = await queue_attributes(broker, queue_name(environment, queue.name))
        assert int(attributes["VisibilityTimeout"]) == queue.visibility_seconds
        assert int(attributes["MessageRetentionPeriod"]) == queue.retention_seconds
        redrive = json(attributes["RedrivePolicy"])
        assert redrive["deadLetterTargetArn"] == arn(dead_letter_name(environment, queue.name))
        assert int(redrive["maxReceiveCount"]) == queue.max_receives
        topics = {topic for topic, hearing, _ in wanted if hearing is queue}
        for name in (queue_name, undelivered_name):
            policy = json((await queue_attributes(broker, name(environment, queue.name)))["Policy"])
            assert policy["Statement"] == [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": "sns.amazonaws.com"},
                    "Action": "sqs:SendMessage",
                    "Resource": arn(name(environment, queue.name)),
                    "Condition": {
                        "ArnEquals": {"aws:SourceArn": sorted(broker.topic_arn(topic) for topic in topics)}
                    },
                }
            ]
        for name in (dead_letter_name, undelivered_name):
            attributes = await queue_attributes(broker, name(environment, queue.name))
            assert attributes["MessageRetentionPeriod"] == "1209600"
    assert set(made) == {(topic, queue_name(environment, queue.name)) for topic, queue, _ in wanted}
    for topic, queue, subscription in wanted:
        attributes = made[topic, queue_name(environment, queue.name)]
        assert attributes["RawMessageDelivery"] == "true"
        assert json(attributes.get("FilterPolicy", "{}")) == (subscription.filter_policy or {})
        assert json(attributes["RedrivePolicy"]) == {
            "deadLetterTargetArn": arn(undelivered_name(environment, queue.name))
        }

    before = await everything(broker)
    await apply_topology(broker.sns, broker.sqs, broker.topology, environment)
    assert await everything(broker) == before


def changed(topology: Topology) -> Topology:
    queue = topology.queues["test"]
    [subscription] = queue.subscriptions
    filtered = structs.replace(subscription, filter_policy={"priority": ["low"]})
    slower = structs.replace(queue, visibility_seconds=77, max_receives=9, subscriptions=(filtered,))
    return structs.replace(topology, queues={"test": slower})


async def test_what_was_changed_in_the_file_is_brought_up_to_date(one_queue: Broker) -> None:
    name = queue_name(one_queue.environment, "test")

    await apply_topology(one_queue.sns, one_queue.sqs, changed(one_queue.topology), one_queue.environment)

    attributes = await queue_attributes(one_queue, name)
    assert attributes["VisibilityTimeout"] == "77"
    assert int(json(attributes["RedrivePolicy"])["maxReceiveCount"]) == 9
    assert {
        topic: json(attributes["FilterPolicy"])
        for (topic, _), attributes in (await subscriptions(one_queue)).items()
    } == {"user-deleted": {"priority": ["low"]}, "birthday-due": {"priority": ["low"]}}

    await apply_topology(one_queue.sns, one_queue.sqs, one_queue.topology, one_queue.environment)

    back = await subscriptions(one_queue)
    assert {json(each.get("FilterPolicy", "{}")) == {} for each in back.values()} == {True}


def choosing(topology: Topology, **policy: Any) -> Topology:  # noqa: ANN401 (any policy)
    queue = topology.queues["test"]
    [subscription] = queue.subscriptions
    chosen = structs.replace(subscription, **policy)
    return structs.replace(topology, queues={"test": structs.replace(queue, subscriptions=(chosen,))})


async def test_a_queue_that_chooses_by_the_body_hears_only_that_and_may_go_back(one_queue: Broker) -> None:
    sns, sqs, topology, environment = (
        one_queue.sns,
        one_queue.sqs,
        one_queue.topology,
        one_queue.environment,
    )
    in_paris = {
        "filter_policy": {"data": {"timezone": ["Europe/Paris"]}},
        "filter_policy_scope": "MessageBody",
    }
    for policy, heard in (
        (in_paris, {"Europe/Paris"}),
        ({"filter_policy": {"priority": ["low"]}}, {"Asia/Tokyo"}),
        (in_paris, {"Europe/Paris"}),
    ):
        await apply_topology(sns, sqs, choosing(topology, **policy), environment)
        due = [
            structs.replace(build.birthday_due(priority=priority), timezone=timezone)
            for timezone, priority in (("Europe/Paris", Priority.CRITICAL), ("Asia/Tokyo", Priority.LOW))
        ]
        outgoing = [Outgoing(event_id=uuid4(), subject=event.user_id, event=event) for event in due]
        messages = compose(topology, "scheduler", build.NOW, outgoing)
        await publish_all(sns, {"BirthdayDue": one_queue.topic_arn("birthday-due")}, messages, at_once=1)

        assert await zones(one_queue, most=2) == heard


async def zones(broker: Broker, *, most: int) -> set[str]:
    """Return the time zones of what waits in the queue, at most so many messages, and remove it."""
    url = await broker.queue_url("test")
    answer = await broker.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=most, WaitTimeSeconds=5)
    for message in answer["Messages"]:
        await broker.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return {json(message["Body"])["data"]["timezone"] for message in answer["Messages"]}


async def test_several_may_apply_it_at_once(one_queue: Broker) -> None:
    fresh = f"{one_queue.environment}x"
    several = structs.replace(one_queue, environment=fresh)

    await asyncio.gather(
        *(apply_topology(one_queue.sns, one_queue.sqs, one_queue.topology, fresh) for _ in range(3))
    )

    assert len(await subscriptions(several)) == 2


async def test_each_priority_reaches_its_own_queue(broker: Broker, contracts: Path) -> None:
    due = [build.birthday_due(priority=priority) for priority in Priority]
    messages = compose(
        load_topology(contracts / "topology.yaml"),
        "scheduler",
        build.NOW,
        [Outgoing(event_id=event.user_id, subject=event.user_id, event=event) for event in due],
    )
    arns = {name: broker.topic_arn(kind.topic) for name, kind in broker.topology.event_types.items()}

    published = await publish_all(broker.sns, arns, messages, at_once=2)

    assert published == Published([0, 1, 2, 3], [], [])
    for event in due:
        url = await broker.queue_url(f"webhook-{event.priority}")
        answer = await broker.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=5)
        assert [read(each["Body"]) for each in answer["Messages"]] == [(event.user_id, event)]


async def run(environment: dict[str, str]) -> tuple[int | None, str, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-W", "error", "-m", "messaging.apply_topology"),
        env={"PATH": os.environ["PATH"], **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate()
    return process.returncode, output.decode(), errors.decode()


async def test_as_a_command_it_says_that_it_is_done(one_queue: Broker, one_queue_file: Path) -> None:
    environment = f"{one_queue.environment}c"

    ended = await run(
        {
            **one_queue.engine.environment(),
            "CARILLON_ENV": environment,
            "TOPOLOGY_FILE": str(one_queue_file),
        }
    )

    assert ended == (0, "apply_topology: done\n", "")
    topics = (await one_queue.sns.list_topics())["Topics"]
    assert any(each["TopicArn"].endswith(topic_name(environment, "birthday-due")) for each in topics)


@pytest.mark.parametrize(
    ("variable", "value", "line"),
    [
        ("AWS_REGION", "", "AWS_REGION is not set"),
        (
            "TOPOLOGY_FILE",
            "/nowhere.yaml",
            "TOPOLOGY_FILE /nowhere.yaml: [Errno 2] No such file or directory: ",
        ),
    ],
)
async def test_as_a_command_it_names_the_variable_that_is_wrong(
    one_queue_file: Path, variable: str, value: str, line: str
) -> None:
    good = {"CARILLON_ENV": "test", "TOPOLOGY_FILE": str(one_queue_file), "AWS_REGION": REGION}

    code, output, errors = await run({**good, variable: value})

    assert (code, output) == (2, "")
    assert errors.startswith(f"apply_topology: {line}")
    assert errors.count("\n") == 1
