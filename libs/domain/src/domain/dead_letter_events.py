"""What happens to messages that nobody could handle."""

from typing import Literal
from uuid import UUID

from domain.event import Event, Instant, Text


class DeadLettered(Event, frozen=True, kw_only=True):
    """A message was taken from a dead-letter queue, and waits until somebody sends it back to `queue`.

    `source` is whether the queue's consumers could not handle it, or SNS could not bring it to the queue.
    """

    dead_letter_id: UUID
    queue: Text
    source: Literal["consumer", "subscription"]
    message_id: Text
    occurred_at: Instant
    reason: Text
