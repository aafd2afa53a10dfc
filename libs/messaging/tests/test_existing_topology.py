"""What exists is compared with what is declared; only what was made here is deleted, and only when asked."""

from collections.abc import Awaitable, Callable

import pytest
from messaging.apply_topology import apply_topology
from messaging.existing_topology import Existing, prune, read_existing
from messaging.topology import Queue, Topology, queue_name
from messaging.topology_state import Change, State, Thing, changes, declared
from msgspec import structs
from testkit.broker import Broker

Compare = Callable[..., Awaitable[list[Change]]]


@pytest.fixture
def compare(one_queue: Broker) -> Compare:
    """Compare what exists with a topology, by default the one that was applied."""

    async def differences(topology: Topology = one_queue.topology) -> list[Change]:
        wanted, existing = await read(one_queue, topology)
        return changes(wanted, existing.state)

    return differences


async def read(broker: Broker, topology: Topology) -> tuple[State, Existing]:
    wanted = declared(topology, broker.environment)
    return wanted, await read_existing(broker.sns, broker.sqs, broker.environment, wanted)


def with_audit(topology: Topology) -> Topology:
    """Declare one more event type, and one more queue that hears it and another."""
    news = structs.replace(topology.event_types["BirthdayDue"], topic="nameday-due")
    test = topology.queues["test"]
    hears = structs.replace(test.subscriptions[0], topics=("user-deleted", "nameday-due"))
    audit: Queue = structs.replace(test, name="audit", subscriptions=(hears,))
    return structs.replace(
        topology,
        event_types={**topology.event_types, "NamedayDue": news},
        queues={**topology.queues, "audit": audit},
    )


async def test_what_was_applied_does_not_differ(compare: Compare) -> None:
    assert await compare() == []


async def test_what_is_missing_would_be_made_and_applying_makes_it(
    one_queue: Broker, compare: Compare
) -> None:
    more, environment = with_audit(one_queue.topology), one_queue.environment

    found = await compare(more)
    await apply_topology(one_queue.sns, one_queue.sqs, more, environment)

    audit = queue_name(environment, "audit")
    names = [
        Thing("topic", f"carillon-{environment}-nameday-due"),
        *(Thing("queue", f"{audit}{end}") for end in ("", "-dlq", "-undelivered-dlq")),
        *(
            Thing("subscription", f"carillon-{environment}-{topic} > {audit}")
            for topic in ("nameday-due", "user-deleted")
        ),
    ]
    assert found == [Change(what="make", thing=thing) for thing in names]
    assert await compare(more) == []


async def test_what_somebody_changed_is_told_attribute_by_attribute(
    one_queue: Broker, compare: Compare
) -> None:
    name = queue_name(one_queue.environment, "test")
    await one_queue.sqs.set_queue_attributes(
        QueueUrl=await one_queue.queue_url("test"), Attributes={"VisibilityTimeout": "77"}
    )
    topic = one_queue.topic_arn("user-deleted")
    [subscription] = (await one_queue.sns.list_subscriptions_by_topic(TopicArn=topic))["Subscriptions"]
    for attribute, value in {"RawMessageDelivery": "false", "FilterPolicy": '{"priority":["low"]}'}.items():
        await one_queue.sns.set_subscription_attributes(
            SubscriptionArn=subscription["SubscriptionArn"], AttributeName=attribute, AttributeValue=value
        )

    found = await compare()
    await apply_topology(one_queue.sns, one_queue.sqs, one_queue.topology, one_queue.environment)

    heard = f"carillon-{one_queue.environment}-user-deleted > {name}"
    assert found == [
        Change(what="change", thing=Thing("queue", name), details=("visibility: 77 → 1",)),
        Change(
            what="change",
            thing=Thing("subscription", heard),
            details=("raw: false → true", 'filter: {"priority":["low"]} → {}'),
        ),
    ]
    assert await compare() == []


async def test_what_nobody_declares_is_deleted_only_by_pruning_and_only_if_it_was_made_here(
    one_queue: Broker, compare: Compare
) -> None:
    sns, sqs, environment = one_queue.sns, one_queue.sqs, one_queue.environment
    await apply_topology(sns, sqs, with_audit(one_queue.topology), environment)
    # As another environment's, or Terraform's, whose names begin alike.
    others = f"carillon-{environment}-eu-audit"
    await sns.create_topic(Name=others)
    await sqs.create_queue(QueueName=others, tags={"carillon:environment": f"{environment}-eu"})

    await apply_topology(sns, sqs, one_queue.topology, environment)
    before = await compare()
    wanted, existing = await read(one_queue, one_queue.topology)
    gone = await prune(sns, sqs, existing, wanted)

    assert [change.what for change in before] == ["undeclared"] * 6
    assert set(gone) == {change.thing for change in before}
    assert await compare() == []
    assert [change.what for change in await compare(with_audit(one_queue.topology))] == ["make"] * 6
    assert others in (await sqs.get_queue_url(QueueName=others))["QueueUrl"]
    assert (await sns.get_topic_attributes(TopicArn=one_queue.topic_arn("eu-audit")))["Attributes"]
