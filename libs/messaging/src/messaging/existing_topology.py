"""What exists of a topology at the endpoint, read back; and deleting of it what nobody declares any more."""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct
from types_aiobotocore_sns import SNSClient
from types_aiobotocore_sqs import SQSClient

from messaging.apply_topology import TAG, at_once
from messaging.topology_state import State, Thing, in_order, listed, subscription_of


class Existing(Struct, frozen=True, kw_only=True):
    """What exists, and by which ARN (topics, subscriptions) or URL (queues) it is reached."""

    state: State
    places: Mapping[Thing, str]


async def read_existing(sns: SNSClient, sqs: SQSClient, environment: str, wanted: State) -> Existing:
    """Read what is wanted and exists, and what else carries the environment's tag: what `apply` made.

    By name alone it would be others' too: carillon-dev-eu-webhook-low is not of the environment `dev`.
    """
    places = {**await topics(sns, environment, wanted), **await queues(sqs, environment, wanted)}
    state: dict[Thing, Mapping[str, str]] = {thing: {} for thing in places if thing.kind == "topic"}
    urls = [(thing, url) for thing, url in places.items() if thing.kind == "queue"]
    state |= dict(await at_once(read_queue(sqs, thing, url) for thing, url in urls))
    subscriptions = await subscriptions_of(sns, places)
    state |= dict(await at_once(read_subscription(sns, thing, arn) for thing, arn in subscriptions.items()))
    return Existing(state=state, places=places | subscriptions)


async def prune(sns: SNSClient, sqs: SQSClient, existing: Existing, wanted: State) -> list[Thing]:
    """Delete what exists and is not wanted, subscriptions first; return it."""
    order = ["subscription", "queue", "topic"]
    gone = sorted(existing.state.keys() - wanted.keys(), key=lambda thing: (order.index(thing.kind), thing))
    for thing in gone:
        place = existing.places[thing]
        match thing.kind:
            case "subscription":
                await sns.unsubscribe(SubscriptionArn=place)
            case "queue":
                await sqs.delete_queue(QueueUrl=place)
            case "topic":
                await sns.delete_topic(TopicArn=place)
    return gone


async def topics(sns: SNSClient, environment: str, wanted: State) -> dict[Thing, str]:
    """Find the topics that are wanted or tagged."""
    arns = [
        topic["TopicArn"]
        async for page in sns.get_paginator("list_topics").paginate()
        for topic in page["Topics"]
        if f":carillon-{environment}-" in topic["TopicArn"]
    ]

    async def ours(arn: str) -> bool:
        answer = await sns.list_tags_for_resource(ResourceArn=arn)
        return {"Key": TAG, "Value": environment} in answer.get("Tags", [])

    things = {Thing("topic", last(arn)): arn for arn in arns}
    return {thing: arn for thing, arn in things.items() if thing in wanted or await ours(arn)}


async def queues(sqs: SQSClient, environment: str, wanted: State) -> dict[Thing, str]:
    """Find the queues that are wanted or tagged."""
    pages = sqs.get_paginator("list_queues").paginate(QueueNamePrefix=f"carillon-{environment}-")
    urls = [url async for page in pages for url in page.get("QueueUrls", [])]

    async def ours(url: str) -> bool:
        return (await sqs.list_queue_tags(QueueUrl=url)).get("Tags", {}).get(TAG) == environment

    things = {Thing("queue", url.rpartition("/")[2]): url for url in urls}
    return {thing: url for thing, url in things.items() if thing in wanted or await ours(url)}


async def subscriptions_of(sns: SNSClient, places: Mapping[Thing, str]) -> dict[Thing, str]:
    """Find the subscriptions of these queues to these topics; others' queues hear them too."""
    return {
        subscription_of(topic, queue): one["SubscriptionArn"]
        async for page in sns.get_paginator("list_subscriptions").paginate()
        for one in page["Subscriptions"]
        for topic, queue in [(last(one["TopicArn"]), last(one["Endpoint"]))]
        if Thing("topic", topic) in places and Thing("queue", queue) in places
    }


async def read_queue(sqs: SQSClient, thing: Thing, url: str) -> tuple[Thing, Mapping[str, str]]:
    """Read what is said of a queue."""
    answer = await sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
    attributes: Mapping[str, str] = {str(name): value for name, value in answer["Attributes"].items()}
    told = {"visibility": attributes["VisibilityTimeout"], "retention": attributes["MessageRetentionPeriod"]}
    if "RedrivePolicy" in attributes:
        redrive = msgspec.json.decode(attributes["RedrivePolicy"])
        told["dead letters"] = (
            f"{last(redrive['deadLetterTargetArn'])} after {redrive['maxReceiveCount']} receives"
        )
    if "Policy" in attributes:
        told["hears"] = listed(last(arn) for arn in source_arns(msgspec.json.decode(attributes["Policy"])))
    return thing, told


async def read_subscription(sns: SNSClient, thing: Thing, arn: str) -> tuple[Thing, Mapping[str, str]]:
    """Read what is said of a subscription."""
    attributes = (await sns.get_subscription_attributes(SubscriptionArn=arn))["Attributes"]
    redrive = msgspec.json.decode(attributes.get("RedrivePolicy", "{}"))
    return thing, {
        "raw": attributes.get("RawMessageDelivery", "false"),
        "filter": in_order(msgspec.json.decode(attributes.get("FilterPolicy", "{}"))),
        "filter scope": attributes.get("FilterPolicyScope", "MessageAttributes"),
        "dead letters": last(redrive.get("deadLetterTargetArn", "nowhere")),
    }


def source_arns(policy: Any) -> list[str]:  # noqa: ANN401 (any policy document)
    """Return the ARNs of the topics that a queue's policy lets send to it."""
    arns: list[str] = []
    for statement in policy.get("Statement", []):
        found = statement.get("Condition", {}).get("ArnEquals", {}).get("aws:SourceArn", [])
        arns += [found] if isinstance(found, str) else found
    return arns


def last(arn: str) -> str:
    """Return the name at the end of an ARN."""
    return arn.rpartition(":")[2]
