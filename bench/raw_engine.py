"""The SNS/SQS engine by plain HTTP: no client library, nothing signed, publishing requests prepared."""

from collections.abc import Iterator, Sequence
from urllib.parse import urlencode

import aiohttp
import msgspec
from messaging.envelope import Message
from messaging.publish import MOST_ENTRIES
from msgspec import Struct
from testkit.engine import REGION

# Short, because a poll that is abandoned lives on in the engine and takes messages from the next round.
POLL_SECONDS = 1


class Hop(Struct, frozen=True, kw_only=True):
    """Where a hop's messages arrive, how many a receive asks for, and the requests that publish them."""

    queue_url: str
    batch: int
    publishing: list[bytes]


class Receipt(Struct, rename="pascal"):
    """A received message, as far as it matters here."""

    receipt_handle: str


class ReceiveAnswer(Struct, rename="pascal"):
    """What a receive is answered with."""

    messages: list[Receipt] = []


class RawEngine(Struct, frozen=True, kw_only=True):
    """The two APIs at one URL."""

    http: aiohttp.ClientSession
    url: str

    async def publish(self, request: bytes) -> None:
        """Publish a batch."""
        headers = {
            "Authorization": credential("sns"),
            "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
        }
        answer = await self._post(request, headers)
        assert answer.count(b"<MessageId>") == MOST_ENTRIES, answer

    async def sqs(self, action: str, **fields: object) -> bytes:
        """Call SQS."""
        headers = {
            "Authorization": credential("sqs"),
            "Content-Type": "application/x-amz-json-1.0",
            "X-Amz-Target": f"AmazonSQS.{action}",
        }
        return await self._post(msgspec.json.encode(fields), headers)

    async def receive(self, hop: Hop) -> list[str]:
        """Return the receipts of what came within a second."""
        answer = await self.sqs(
            "ReceiveMessage",
            QueueUrl=hop.queue_url,
            MaxNumberOfMessages=hop.batch,
            WaitTimeSeconds=POLL_SECONDS,
            MessageAttributeNames=["All"],
        )
        return [one.receipt_handle for one in msgspec.json.decode(answer, type=ReceiveAnswer).messages]

    async def delete(self, hop: Hop, receipts: Sequence[str]) -> None:
        """Delete at most ten."""
        entries = [{"Id": str(place), "ReceiptHandle": receipt} for place, receipt in enumerate(receipts)]
        answer = await self.sqs("DeleteMessageBatch", QueueUrl=hop.queue_url, Entries=entries)
        assert not msgspec.json.decode(answer).get("Failed"), answer

    async def _post(self, body: bytes, headers: dict[str, str]) -> bytes:
        async with self.http.post(self.url, data=body, headers=headers) as response:
            answer = await response.read()
            assert response.ok, answer
            return answer


def credential(service: str) -> str:
    """Return a header that names service and region, as an engine needs it; nobody checks the signature."""
    scope = f"local/20260101/{REGION}/{service}/aws4_request"
    return f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"


def publishing(topic_arn: str, messages: Sequence[Message]) -> list[bytes]:
    """Return the PublishBatch requests of the messages, ten each, as the AWS clients write them."""
    return [
        urlencode(list(fields(topic_arn, messages[start : start + MOST_ENTRIES]))).encode()
        for start in range(0, len(messages), MOST_ENTRIES)
    ]


def fields(topic_arn: str, ten: Sequence[Message]) -> Iterator[tuple[str, str]]:
    """Give the fields of a PublishBatch."""
    yield from (("Action", "PublishBatch"), ("Version", "2010-03-31"), ("TopicArn", topic_arn))
    for number, message in enumerate(ten, 1):
        entry = f"PublishBatchRequestEntries.member.{number}"
        yield f"{entry}.Id", str(number)
        yield f"{entry}.Message", message.body
        yield f"{entry}.MessageGroupId", message.group_id
        for place, (name, value) in enumerate(message.attributes.items(), 1):
            attribute = f"{entry}.MessageAttributes.entry.{place}"
            yield f"{attribute}.Name", name
            yield f"{attribute}.Value.DataType", "String"
            yield f"{attribute}.Value.StringValue", value
