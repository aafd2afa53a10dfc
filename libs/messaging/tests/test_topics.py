import asyncio

import pytest
from messaging.apply_topology import apply_topology
from messaging.topics import open_topics
from runtime.waiting import StartFailedError
from testkit.broker import Broker
from testkit.engine import ACCOUNT_ID, REGION


async def test_topics_are_found_by_event_type(broker: Broker) -> None:
    arns = await open_topics(
        broker.sns,
        broker.topology,
        region=REGION,
        account_id=ACCOUNT_ID,
        environment=broker.environment,
        stop=asyncio.Event(),
        within=5,
    )

    assert arns.keys() == broker.topology.event_types.keys()
    assert arns["BirthdayDue"] == broker.topic_arn("birthday-due")


async def test_topics_that_do_not_come_in_time_are_named(broker: Broker) -> None:
    with pytest.raises(StartFailedError) as failed:
        await open_topics(
            broker.sns,
            broker.topology,
            region=REGION,
            account_id=ACCOUNT_ID,
            environment=f"{broker.environment}x",
            stop=asyncio.Event(),
            within=0.5,
        )

    assert f"topics carillon-{broker.environment}x-* did not come within 0.5 s" in str(failed.value)


async def test_topics_made_while_a_service_waits_let_it_start(broker: Broker) -> None:
    environment = f"{broker.environment}-late"
    waiting = asyncio.create_task(
        open_topics(
            broker.sns,
            broker.topology,
            region=REGION,
            account_id=ACCOUNT_ID,
            environment=environment,
            stop=asyncio.Event(),
            within=20,
        )
    )
    await apply_topology(broker.sns, broker.sqs, broker.topology, environment)

    assert len(await waiting) == len(broker.topology.event_types)
