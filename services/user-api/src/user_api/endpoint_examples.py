"""Examples of endpoints: as clients describe them, and as they are answered."""

from datetime import UTC, datetime
from uuid import UUID

import msgspec
from msgspec import structs

from user_api.endpoint import (
    Endpoint,
    EndpointDetails,
    endpoint_answer,
    endpoint_made_answer,
    rotated_secret_answer,
)
from user_api.endpoint_headers import masked

ENDPOINT_ID = "0198c0de-9c3d-7e5f-a061-7c8d9e0f1a2b"
EXAMPLES = {
    "in full": {
        "url": "https://partner.example.com/hooks/carillon",
        "eventTypes": ["birthday.due", "anniversary.due"],
        "description": "Greeting cards",
        "headers": {"Authorization": "Bearer partners-own-token"},
        "rateLimit": 50,
        "concurrency": 5,
        "timeoutSeconds": 10,
        "enabled": True,
    },
    "in short": {"url": "https://example.com/hooks?from=carillon"},
}
PATCH_EXAMPLES = {
    "slower": {"rateLimit": 10, "concurrency": 1},
    "other headers": {"headers": {"X-Api-Key": "partners-new-key", "Authorization": None}},
    "everything": {"eventTypes": None},
}
_CREATED_AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
_EXAMPLE = Endpoint(
    id=UUID(ENDPOINT_ID),
    version=1,
    details=EndpointDetails(
        url="https://partner.example.com/hooks/carillon",
        event_types=("birthday.due", "anniversary.due"),
        description="Greeting cards",
        headers=masked(["Authorization"]),
        rate_limit=50,
        concurrency=5,
        timeout_seconds=10,
        enabled=True,
    ),
    disabled_reason=None,
    previous_secret_until=None,
    created_at=_CREATED_AT,
    updated_at=_CREATED_AT,
)
# That of the standard's examples.
_SECRET = "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ANSWER_EXAMPLE = msgspec.to_builtins(endpoint_answer(_EXAMPLE))
MADE_EXAMPLE = msgspec.to_builtins(endpoint_made_answer(_EXAMPLE, _SECRET))
ROTATED_EXAMPLE = msgspec.to_builtins(
    rotated_secret_answer(
        structs.replace(_EXAMPLE, previous_secret_until=datetime(2026, 3, 2, 12, tzinfo=UTC)), _SECRET
    )
)
