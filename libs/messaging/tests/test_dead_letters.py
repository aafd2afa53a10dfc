from uuid import UUID

import pytest
from messaging.dead_letters import Attribute, find_dead_letter_queue, receive_dead_letters, send_back
from messaging.envelope import Outgoing, compose
from testkit import build
from testkit.broker import Broker

USER = UUID("0198c0de-0000-7000-8000-000000000001")


async def test_a_dead_letter_is_sent_back_as_it_came_whatever_its_attributes_hold(one_queue: Broker) -> None:
    dead = await find_dead_letter_queue(
        one_queue.sqs, one_queue.environment, one_queue.topology.queues["test"], "consumer"
    )
    assert dead is not None
    event = build.user_deleted(USER)
    out = Outgoing(event_id=USER, subject=USER, event=event)
    [message] = compose(one_queue.topology, "test", event.occurred_at, [out])
    attributes = {
        "eventType": Attribute(type="String", value="UserDeleted"),
        "count": Attribute(type="Number", value="7"),
        "picture": Attribute(type="Binary", binary=b"\x00\xff"),
    }

    assert await send_back(one_queue.sqs, dead.url, message.body, attributes, message.group_id) is None
    [letter] = await receive_dead_letters(dead)

    assert (letter.body, letter.attributes) == (message.body, attributes)
    assert (letter.subject, letter.event_type) == (USER, "UserDeleted")
    assert (letter.reason, letter.source) == ("received 2 times and not handled", "consumer")


async def test_what_is_no_message_of_ours_is_read_all_the_same(one_queue: Broker) -> None:
    dead = await find_dead_letter_queue(
        one_queue.sqs, one_queue.environment, one_queue.topology.queues["test"], "subscription"
    )
    assert dead is not None
    await one_queue.sqs.send_message(QueueUrl=dead.url, MessageBody='{"id": 7}')

    [letter] = await receive_dead_letters(dead)

    assert (letter.body, letter.subject, letter.event_type) == ('{"id": 7}', None, None)
    assert letter.reason == "not delivered by SNS"


async def test_what_sqs_refuses_for_good_is_told_and_what_may_pass_is_raised(one_queue: Broker) -> None:
    url = await one_queue.queue_url("test")

    refused = await send_back(one_queue.sqs, url, "body", {"": Attribute(type="String", value="x")}, None)

    assert refused is not None
    assert refused.startswith("MessageAttributesInvalid: ")
    with pytest.raises(Exception, match=r"NonExistentQueue|QueueDoesNotExist"):
        await send_back(one_queue.sqs, f"{url}-gone", "body", {}, None)
