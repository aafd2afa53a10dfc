"""A queue's subscription to a topic, made or brought up to date."""

from typing import Any

import msgspec
from types_aiobotocore_sns import SNSClient

from messaging.topology import Subscription

POLICY, SCOPE = "FilterPolicy", "FilterPolicyScope"


async def apply_subscription(
    sns: SNSClient, topic_arn: str, queue_arn: str, subscription: Subscription, undelivered_arn: str
) -> None:
    """Subscribe a queue to a topic, raw, or bring the subscription it has up to date."""
    wanted = {
        "RawMessageDelivery": "true",
        SCOPE: subscription.filter_policy_scope,
        POLICY: encode(subscription.filter_policy or {}),
        "RedrivePolicy": encode({"deadLetterTargetArn": undelivered_arn}),
    }
    arn = await find_subscription(sns, topic_arn, queue_arn)
    if arn is None:
        # With its filter from the first moment: set afterwards, it would let through what came between.
        await sns.subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=queue_arn, Attributes=wanted)
        return
    scope = (await sns.get_subscription_attributes(SubscriptionArn=arn))["Attributes"].get(SCOPE)
    # Held against something else than it was written for, the old policy would let nothing through, and what
    # is not let through is lost: for a moment rather everything.
    unfiltered = [(POLICY, "{}")] if scope not in {None, subscription.filter_policy_scope} else []
    for name, value in (*unfiltered, *wanted.items()):
        await sns.set_subscription_attributes(SubscriptionArn=arn, AttributeName=name, AttributeValue=value)


async def find_subscription(sns: SNSClient, topic_arn: str, queue_arn: str) -> str | None:
    """Return the ARN of the subscription a queue has to a topic, or None."""
    async for page in sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic_arn):
        for subscription in page["Subscriptions"]:
            if subscription["Endpoint"] == queue_arn:
                return subscription["SubscriptionArn"]
    return None


def encode(document: dict[str, Any]) -> str:
    """Return a policy document as the JSON text that AWS takes."""
    return msgspec.json.encode(document).decode()
