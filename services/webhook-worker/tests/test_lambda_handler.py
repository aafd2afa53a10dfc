"""The worker as Lambda functions, by AWS's own runtime client and with events as Lambda makes them."""

import json
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any

import asyncpg
from messaging.envelope import Outgoing, compose
from messaging.received import Received
from runtime.database import Connection
from testkit import build
from testkit.broker import Broker
from testkit.engine import ACCOUNT_ID, REGION
from testkit.fresh_database import FreshDatabase
from testkit.lambda_runtime import LambdaRuntime
from testkit.receiver import Receiver
from testkit.service_process import StartService
from types_aiobotocore_sqs.type_defs import MessageTypeDef
from uuid_utils.compat import uuid7

Due = Callable[..., Received]
Rows = Callable[[], Coroutine[Any, Any, list[asyncpg.Record]]]

HANDLER = "webhook_worker.lambda_handler.handler"
QUEUE = "webhook-critical"
A_MINUTE = {"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}
# A call is told to stop five seconds before its time is over, and a round lasts at most until then.
A_SHORT_ROUND = 8.0


def sqs_event(environment: str, messages: list[MessageTypeDef]) -> dict[str, Any]:
    """Return what Lambda calls a function with (docs.aws.amazon.com/lambda/latest/dg/with-sqs.html)."""
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT_ID}:carillon-{environment}-{QUEUE}"
    return {
        "Records": [
            {
                "messageId": message["MessageId"],
                "receiptHandle": message["ReceiptHandle"],
                "body": message["Body"],
                "attributes": {
                    "ApproximateReceiveCount": "1",
                    "SentTimestamp": "1545082649183",
                    "SenderId": "AIDAIENQZJOLO23YVJ4VO",
                    "ApproximateFirstReceiveTimestamp": "1545082649185",
                },
                "messageAttributes": {
                    name: {
                        "stringValue": value["StringValue"],
                        "stringListValues": [],
                        "binaryListValues": [],
                        "dataType": value["DataType"],
                    }
                    for name, value in message.get("MessageAttributes", {}).items()
                },
                "md5OfBody": message["MD5OfBody"],
                "eventSource": "aws:sqs",
                "eventSourceARN": arn,
                "awsRegion": REGION,
            }
            for message in messages
        ]
    }


async def queued(broker: Broker, *bodies: str) -> list[MessageTypeDef]:
    """Send messages to the queue and receive them, in the order in which they were sent."""
    url = await broker.queue_url(QUEUE)
    received: dict[str, MessageTypeDef] = {}
    for body in bodies:
        await broker.sqs.send_message(
            QueueUrl=url,
            MessageBody=body,
            MessageAttributes={"priority": {"DataType": "String", "StringValue": "critical"}},
        )
    while len(received) < len(bodies):
        answer = await broker.sqs.receive_message(
            QueueUrl=url, WaitTimeSeconds=5, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        )
        received |= {message["Body"]: message for message in answer.get("Messages", [])}
    return [received[body] for body in bodies]


async def test_a_batch_is_delivered_what_failed_is_answered_and_a_round_tries_again(  # noqa: PLR0913, PLR0917 (fixtures)
    start_service: StartService,
    worker_environment: dict[str, str],
    encryption_keys: str,
    broker: Broker,
    database: FreshDatabase,
    admin: Connection,
    receiver: Receiver,
    due: Due,
    deliveries: Rows,
) -> None:
    environment = {
        **worker_environment,
        **broker.engine.environment(),
        "CARILLON_ENV": broker.environment,
        "DATABASE_URL": database.url("carillon_webhook_worker"),
        "START_TIMEOUT_SECONDS": "20",
        "ENCRYPTION_KEYS": encryption_keys,
        "WEBHOOK_URL": receiver.url,
        "WEBHOOK_SECRET": receiver.secret,
        "WEBHOOK_ALLOW_NETWORKS": "127.0.0.0/8",
    }
    rings = [due(), due()]
    stranger = json.dumps({"specversion": "1.0", "type": "someone.elses.v1"})
    misplaced, *bodies = [
        one.body
        for one in compose(
            broker.topology,
            "test",
            datetime.now(UTC),
            [
                Outgoing(event_id=uuid7(), subject=uuid7(), event=build.user_created()),
                *(Outgoing(event_id=ring.event_id, subject=uuid7(), event=ring.event) for ring in rings),
            ],
        )
    ]
    messages = await queued(broker, stranger, misplaced, *bodies)
    receiver.reply_with([503])

    async with LambdaRuntime() as runtime:
        await runtime.start(start_service, HANDLER, environment)

        answer = await runtime.call(sqs_event(broker.environment, messages))

        assert answer == {"batchItemFailures": [{"itemIdentifier": messages[1]["MessageId"]}]}
        assert {one.webhook_id for one in receiver.deliveries} == {str(ring.event_id) for ring in rings}
        assert sorted(row["status"] for row in await deliveries()) == ["delivered", "pending"]
        url = await broker.dead_letter_url(QUEUE)
        dead = await broker.sqs.receive_message(
            QueueUrl=url, MessageAttributeNames=["All"], VisibilityTimeout=0
        )
        assert [one["Body"] for one in dead["Messages"]] == [stranger]
        assert "deadLetterReason" in dead["Messages"][0]["MessageAttributes"]

        await admin.execute("UPDATE delivery.deliveries SET next_attempt_at = now() WHERE status = 'pending'")
        assert await runtime.call(A_MINUTE, within=A_SHORT_ROUND) is None

    assert [row["status"] for row in await deliveries()] == ["delivered"] * 2
    assert receiver.tally.received == 3
