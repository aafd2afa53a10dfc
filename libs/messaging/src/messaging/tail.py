"""Following a topic: a queue of one's own for as long as one looks, and nothing left of it afterwards."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from runtime.stopping import Stop
from types_aiobotocore_sns import SNSClient
from types_aiobotocore_sqs import SQSClient

from messaging.apply_subscription import encode
from messaging.apply_topology import sending_policy

# No queue of a topology has an underscore in its name.
PREFIX = "carillon-{environment}-tail_"
# Until when whoever made it is surely there: what is older was left behind by a process that was killed.
ALIVE_UNTIL = "carillon:alive-until"
ALIVE_FOR = timedelta(minutes=2)
REFRESH_SECONDS = 30.0
POLL_SECONDS = 10


async def follow(sqs: SQSClient, url: str, stop: Stop, show: Callable[[str], None]) -> None:
    """Show the body of each message of a queue until `stop` is set. Raises what the client raises."""
    stopped = asyncio.create_task(stop.wait())
    refreshing = asyncio.create_task(stay_alive(sqs, url))
    try:
        while not stop.is_set():
            receiving = asyncio.create_task(receive(sqs, url, show))
            await asyncio.wait({receiving, stopped, refreshing}, return_when=asyncio.FIRST_COMPLETED)
            if refreshing.done():
                refreshing.result()
            if receiving.done():
                receiving.result()
            else:
                receiving.cancel()
    finally:
        stopped.cancel()
        refreshing.cancel()


async def receive(sqs: SQSClient, url: str, show: Callable[[str], None]) -> None:
    """Wait for messages, show them and delete them."""
    answer = await sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=POLL_SECONDS)
    messages = answer.get("Messages", [])
    for message in messages:
        show(message["Body"])
    if messages:
        await sqs.delete_message_batch(
            QueueUrl=url,
            Entries=[
                {"Id": str(place), "ReceiptHandle": message["ReceiptHandle"]}
                for place, message in enumerate(messages)
            ],
        )


@asynccontextmanager
async def temporary_queue(
    sns: SNSClient, sqs: SQSClient, environment: str, topic_arn: str
) -> AsyncIterator[str]:
    """Make a queue that hears a topic, raw, and give its URL; remove it and its subscription at the end.

    What processes that were killed left behind is removed first. Raises what the clients raise.
    """
    await clean(sns, sqs, environment, now=datetime.now(UTC))
    name = PREFIX.format(environment=environment) + secrets.token_hex(6)
    url = (await sqs.create_queue(QueueName=name, tags=alive(datetime.now(UTC))))["QueueUrl"]
    subscription = None
    try:
        answer = await sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        arn = answer["Attributes"]["QueueArn"]
        policy = encode(sending_policy(arn, [topic_arn]))
        await sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
        subscribed = await sns.subscribe(
            TopicArn=topic_arn,
            Protocol="sqs",
            Endpoint=arn,
            Attributes={"RawMessageDelivery": "true"},
            ReturnSubscriptionArn=True,
        )
        subscription = subscribed["SubscriptionArn"]
        yield url
    finally:
        if subscription:
            await sns.unsubscribe(SubscriptionArn=subscription)
        await sqs.delete_queue(QueueUrl=url)


async def stay_alive(sqs: SQSClient, url: str) -> None:
    """Say again and again that somebody still looks."""
    while True:
        await asyncio.sleep(REFRESH_SECONDS)
        await sqs.tag_queue(QueueUrl=url, Tags=alive(datetime.now(UTC)))


def alive(now: datetime) -> dict[str, str]:
    """Return the tag that says so."""
    return {ALIVE_UNTIL: (now + ALIVE_FOR).isoformat()}


async def clean(sns: SNSClient, sqs: SQSClient, environment: str, *, now: datetime) -> list[str]:
    """Remove what killed ones left behind, with its subscriptions; return the names."""
    prefix = PREFIX.format(environment=environment)
    pages = sqs.get_paginator("list_queues").paginate(QueueNamePrefix=prefix)
    urls = [url async for page in pages for url in page.get("QueueUrls", [])]
    left = [url for url in urls if await is_left_behind(sqs, url, now)]
    names = {url.rpartition("/")[2] for url in left}
    if names:
        async for page in sns.get_paginator("list_subscriptions").paginate():
            for one in page["Subscriptions"]:
                if one["Endpoint"].rpartition(":")[2] in names:
                    await sns.unsubscribe(SubscriptionArn=one["SubscriptionArn"])
    for url in left:
        await sqs.delete_queue(QueueUrl=url)
    return sorted(names)


async def is_left_behind(sqs: SQSClient, url: str, now: datetime) -> bool:
    """Tell whether nobody has said for long that they still look."""
    tags = (await sqs.list_queue_tags(QueueUrl=url)).get("Tags", {})
    until = tags.get(ALIVE_UNTIL)
    return until is not None and datetime.fromisoformat(until) < now
