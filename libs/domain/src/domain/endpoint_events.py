"""What happens to endpoints."""

from typing import Literal
from uuid import UUID

from domain.event import Event, Instant, Version


class EndpointDisabled(Event, frozen=True, kw_only=True):
    """An endpoint is sent nothing until somebody enables it; its deliveries wait. `version` is since then."""

    endpoint_id: UUID
    version: Version
    occurred_at: Instant
    reason: Literal["gone", "failing"]
