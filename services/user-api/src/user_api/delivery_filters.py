"""What a list of deliveries may be narrowed by."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from user_api.delivery import STATUSES
from user_api.parse_fields import FieldError
from user_api.parse_occasion_fields import instant
from user_api.query import read_filter
from user_api.read_id import read_id
from user_api.refusals import FieldProblem, InvalidInputError

DELIVERY_FILTERS = frozenset({"endpointId", "status", "since", "until", "userId"})


class DeliveryFilters(Struct, frozen=True, kw_only=True):
    """Each narrows the list further, None does not; `since` is in it, `until` is not."""

    endpoint_id: UUID | None
    status: str | None
    since: datetime | None
    until: datetime | None
    user_id: UUID | None


def read_delivery_filters(query: Mapping[str, str]) -> DeliveryFilters:
    """Read the filters. Raises InvalidInputError, which names every parameter at fault."""
    faults: list[FieldProblem] = []
    filters = DeliveryFilters(
        endpoint_id=read_filter(query, "endpointId", some_id, faults),
        status=read_filter(query, "status", _status, faults),
        since=read_filter(query, "since", instant, faults),
        until=read_filter(query, "until", instant, faults),
        user_id=read_filter(query, "userId", some_id, faults),
    )
    if faults:
        raise InvalidInputError(faults)
    return filters


def some_id(text: str) -> UUID:
    """Read an id."""
    id_ = read_id(text)
    if id_ is None:
        raise FieldError("is not a UUID")
    return id_


def _status(text: str) -> str:
    if text not in STATUSES:
        raise FieldError(f"is none of {', '.join(STATUSES)}")
    return text
