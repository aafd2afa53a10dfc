"""What a list of deliveries may be narrowed by."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from msgspec import Struct

from user_api.delivery import STATUSES
from user_api.parse_fields import FieldError
from user_api.parse_occasion_fields import instant
from user_api.read_id import read_id
from user_api.refusals import FieldProblem, InvalidInputError

DELIVERY_FILTERS = frozenset({"endpointId", "status", "since", "until", "userId"})

Value = TypeVar("Value")


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
        endpoint_id=_read(query, "endpointId", some_id, faults),
        status=_read(query, "status", _status, faults),
        since=_read(query, "since", instant, faults),
        until=_read(query, "until", instant, faults),
        user_id=_read(query, "userId", some_id, faults),
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


def _read(
    query: Mapping[str, str], name: str, parse: Callable[[str], Value], faults: list[FieldProblem]
) -> Value | None:
    if name not in query:
        return None
    try:
        return parse(query[name])
    except FieldError as error:
        faults.append(FieldProblem(name, str(error)))
        return None
