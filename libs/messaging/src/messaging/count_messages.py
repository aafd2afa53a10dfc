"""Counting what a queue and its dead-letter queue hold, every few seconds."""

from typing import Final

from runtime.metric_names import QUEUE_MESSAGES
from runtime.metrics import gauge
from runtime.stopping import Stop, pause

from messaging.queue import OpenQueue

EVERY_SECONDS = 15.0
VISIBLE: Final = "ApproximateNumberOfMessages"
IN_FLIGHT: Final = "ApproximateNumberOfMessagesNotVisible"
DELAYED: Final = "ApproximateNumberOfMessagesDelayed"
_MESSAGES = gauge(QUEUE_MESSAGES)


async def count_messages(queue: OpenQueue, stop: Stop) -> None:
    """Count until `stop` is set."""
    while not stop.is_set():
        await count_once(queue)
        await pause(stop, EVERY_SECONDS)


async def count_once(queue: OpenQueue) -> None:
    """Ask SQS for both queues' attributes and set the gauges by them."""
    for name, url in ((queue.queue.name, queue.url), (f"{queue.queue.name}-dlq", queue.dead_letter_url)):
        answer = await queue.sqs.get_queue_attributes(
            QueueUrl=url, AttributeNames=[VISIBLE, IN_FLIGHT, DELAYED]
        )
        counts = answer["Attributes"]
        _MESSAGES.labels(name, "visible").set(int(counts.get(VISIBLE, 0)))
        _MESSAGES.labels(name, "in_flight").set(int(counts.get(IN_FLIGHT, 0)))
        _MESSAGES.labels(name, "delayed").set(int(counts.get(DELAYED, 0)))
