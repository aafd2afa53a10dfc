"""What is told of messages: how many were handled, how long that took, and which could not be."""

import structlog
from runtime.metric_names import HANDLING
from runtime.metrics import exemplar, histogram

from messaging.queue import MESSAGES_BY_RESULT, OpenQueue
from messaging.received import Received

log = structlog.get_logger()

_HANDLING = histogram(HANDLING)


def measure_handled(open_queue: OpenQueue, messages: int, seconds: float) -> None:
    """Count messages that were handled, and how long that took."""
    MESSAGES_BY_RESULT.labels(open_queue.queue.name, "handled").inc(messages)
    _HANDLING.labels(open_queue.queue.name).observe(seconds, exemplar())


def tell_failed(open_queue: OpenQueue, received: Received, error: Exception) -> None:
    """Log a message that could not be handled even alone, and is left to the queue's redrive."""
    MESSAGES_BY_RESULT.labels(open_queue.queue.name, "failed").inc()
    log.error(
        "message.failed",
        queue=open_queue.queue.name,
        event_id=str(received.event_id),
        event_type=type(received.event).__name__,
        exc_info=error,
    )
