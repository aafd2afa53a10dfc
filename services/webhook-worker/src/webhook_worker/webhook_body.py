"""The body of a webhook, as contracts/webhooks describes it."""

from datetime import date, datetime
from uuid import UUID

import msgspec
from domain.events import DueEvent
from domain.webhook_types import webhook_type
from msgspec import Struct

ENDPOINT_TEST = "endpoint.test"


class WebhookBody(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """What a partner receives; instants are UTC, `local_date` is the user's.

    `scheduled_for` has its place in a send window in it already, `jitter_seconds`; none is left out.
    """

    type: str
    message: str
    user_id: UUID
    event_id: UUID
    timestamp: datetime
    scheduled_for: datetime
    late_by_seconds: int
    jitter_seconds: int = 0
    local_date: date
    timezone: str


class EndpointTestBody(Struct, frozen=True, kw_only=True, rename="camel"):
    """What an endpoint receives when it is tested."""

    type: str = ENDPOINT_TEST
    message: str = "This is a test of your endpoint"
    endpoint_id: UUID
    event_id: UUID
    timestamp: datetime


def endpoint_test_body(event_id: UUID, endpoint_id: UUID, at: datetime) -> str:
    """Return the JSON text that tests an endpoint; `at` is when that was asked for, by the business clock."""
    body = EndpointTestBody(event_id=event_id, endpoint_id=endpoint_id, timestamp=at)
    return msgspec.json.encode(body).decode()


def webhook_body(event_id: UUID, event: DueEvent) -> str:
    """Return the JSON text that every attempt for this event sends, byte for byte."""
    body = WebhookBody(
        type=body_type(event),
        message=event.message,
        user_id=event.user_id,
        event_id=event_id,
        timestamp=event.emitted_at,
        scheduled_for=event.due_at,
        late_by_seconds=event.late_by_seconds,
        jitter_seconds=event.jitter_seconds,
        local_date=event.local_date,
        timezone=event.timezone,
    )
    return msgspec.json.encode(body).decode()


def body_type(event: DueEvent) -> str:
    """Return the type as partners know it, dotted: `birthday.due` for a BirthdayDue."""
    return webhook_type(event.event_type)
