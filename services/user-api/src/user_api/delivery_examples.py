"""Examples of deliveries and replays, as they are answered."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec

from user_api.delivery import AttemptAnswer, DeliveryAnswer, DeliveryWithAttempts
from user_api.endpoint_examples import ENDPOINT_ID
from user_api.operation_parts import USER_ID
from user_api.replay import ReplayAnswer

DELIVERY_ID = "0198c0de-ad4e-7f60-8172-8d9e0f1a2b3c"
REPLAY_ID = "0198c0de-be5f-7071-9283-9e0f1a2b3c4d"
_DUE_AT = datetime(2026, 6, 20, 9, tzinfo=UTC)
_FAILED = DeliveryAnswer(
    id=UUID(DELIVERY_ID),
    event_id=UUID("181bc5ae-e3e5-599f-a95d-3320e48d4cf9"),
    event_type="birthday.due",
    user_id=UUID(USER_ID),
    endpoint_id=UUID(ENDPOINT_ID),
    status="failed",
    reason="HTTP 404",
    attempt_count=2,
    next_attempt_at=None,
    created_at=_DUE_AT,
    settled_at=_DUE_AT + timedelta(seconds=6),
)
_NO_ANSWER = AttemptAnswer(
    attempt=1,
    at=_DUE_AT,
    status=None,
    latency_ms=5000.4,
    resolve_ms=1.5,
    read_ms=None,
    error="connect timeout",
    error_kind="connect_timeout",
    response_headers=None,
    response_body=None,
    trace_id="0af7651916cd43dd8448eb211c80319c",
)
FAILED_EXAMPLE = msgspec.to_builtins(_FAILED)
RETRIED_EXAMPLE = FAILED_EXAMPLE | {
    "status": "pending",
    "nextAttemptAt": "2026-06-20T11:30:00Z",
    "settledAt": None,
}
WITH_ATTEMPTS_EXAMPLE = msgspec.to_builtins(
    DeliveryWithAttempts(
        **msgspec.structs.asdict(_FAILED),
        attempts=[
            _NO_ANSWER,
            msgspec.structs.replace(
                _NO_ANSWER,
                attempt=2,
                at=_DUE_AT + timedelta(seconds=6),
                status=404,
                latency_ms=31.9,
                read_ms=0.2,
                error=None,
                error_kind=None,
                response_headers={"content-type": "text/plain"},
                response_body="no such hook",
            ),
        ],
    )
)
REPLAY_EXAMPLE = msgspec.to_builtins(
    ReplayAnswer(
        id=UUID(REPLAY_ID),
        endpoint_id=UUID(ENDPOINT_ID),
        since=_DUE_AT,
        until=_DUE_AT + timedelta(hours=2),
        status="failed",
        count=1200,
        reopened=450,
        requested_at=_DUE_AT + timedelta(hours=2),
        finished_at=None,
    )
)
