"""A topic can be followed, and nothing is left of it afterwards."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from messaging.tail import ALIVE_UNTIL, clean, follow, temporary_queue
from testkit.broker import Broker
from testkit.wait import eventually


async def tails(broker: Broker) -> set[str]:
    """Return the names of the temporary queues that exist, or that a topic would still send to."""
    answer = await broker.sqs.list_queues(QueueNamePrefix=f"carillon-{broker.environment}-tail_")
    subscribed = await broker.sns.list_subscriptions_by_topic(TopicArn=broker.topic_arn("user-deleted"))
    heard = {one["Endpoint"].rpartition(":")[2] for one in subscribed["Subscriptions"]}
    queues = {url.rpartition("/")[2] for url in answer.get("QueueUrls", [])}
    return queues | {name for name in heard if "tail_" in name}


async def test_what_is_published_is_shown_until_the_end_and_then_the_queue_is_gone(one_queue: Broker) -> None:
    topic, stop, shown = one_queue.topic_arn("user-deleted"), asyncio.Event(), list[str]()

    async with temporary_queue(one_queue.sns, one_queue.sqs, one_queue.environment, topic) as url:
        following = asyncio.create_task(follow(one_queue.sqs, url, stop, shown.append))
        assert len(await tails(one_queue)) == 1
        for body in ("one", "two"):
            await one_queue.sns.publish(TopicArn=topic, Message=body)

        async def both() -> bool:
            return sorted(shown) == ["one", "two"]

        await eventually(both, within=20)
        stop.set()
        await asyncio.wait_for(following, 5)

    assert await tails(one_queue) == set()


async def test_a_failure_leaves_no_queue(one_queue: Broker) -> None:
    topic = one_queue.topic_arn("user-deleted")

    with pytest.raises(RuntimeError, match="cut"):
        async with temporary_queue(one_queue.sns, one_queue.sqs, one_queue.environment, topic):
            raise RuntimeError("cut")

    assert await tails(one_queue) == set()


async def test_what_a_killed_one_left_is_removed_and_what_another_still_uses_is_not(
    one_queue: Broker,
) -> None:
    sns, sqs, environment = one_queue.sns, one_queue.sqs, one_queue.environment
    topic, now = one_queue.topic_arn("user-deleted"), datetime.now(UTC)
    left = f"carillon-{environment}-tail_left"
    url = (await sqs.create_queue(QueueName=left, tags={ALIVE_UNTIL: now.isoformat()}))["QueueUrl"]
    answer = await sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    await sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=answer["Attributes"]["QueueArn"])

    async with temporary_queue(sns, sqs, environment, topic) as used:
        name = used.rpartition("/")[2]
        assert await tails(one_queue) == {name}
        assert await clean(sns, sqs, environment, now=now + timedelta(minutes=1)) == []
