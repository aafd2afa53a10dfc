"""A body, read into an endpoint's details: every field is checked, all that is at fault is told at once."""

from collections.abc import Callable, Collection, Mapping
from typing import Any
from uuid import UUID

from user_api import parse_endpoint_fields as read
from user_api.endpoint import EndpointDetails
from user_api.parse_fields import FieldError
from user_api.parse_headers import header_changes, headers
from user_api.read_document import decode_object, foreign_fields, require_same_ids
from user_api.refusals import FieldProblem, InvalidInputError

Parse = Callable[[object], object]

PARSERS: Mapping[str, Parse] = {
    "url": read.url,
    "eventTypes": read.event_types,
    "description": read.description,
    "headers": headers,
    "rateLimit": read.rate_limit,
    "concurrency": read.concurrency,
    "timeoutSeconds": read.timeout_seconds,
    "enabled": read.enabled,
}
REQUIRED = frozenset({"url"})
# Of what is not given; null is not given, as answers have it.
DEFAULTS: Mapping[str, object] = {
    "eventTypes": None,
    "description": None,
    "headers": {},
    "rateLimit": None,
    "concurrency": 10,
    "timeoutSeconds": 30,
    "enabled": True,
}
ATTRIBUTES = {"eventTypes": "event_types", "rateLimit": "rate_limit", "timeoutSeconds": "timeout_seconds"}
# In every answer, so that what was read can be changed and sent back.
SET_BY_US = frozenset({"id", "version", "disabledReason", "previousSecretUntil", "createdAt", "updatedAt"})
NO_SECRET = FieldProblem("secret", "is made by Carillon; POST to rotate-secret for another")


def parse_endpoint(body: bytes, *, replaces: UUID | None = None) -> EndpointDetails:
    """Read the details of a new endpoint, or of the one that is replaced; values of headers may be masks.

    Raises InvalidInputError, which names every field at fault, OtherIdError.
    """
    return EndpointDetails(**_values(decode_object(body), PARSERS, PARSERS.keys(), of=replaces))


def parse_endpoint_patch(body: bytes, *, changes: UUID) -> dict[str, Any]:
    """Read a JSON Merge Patch (RFC 7396): the attributes of EndpointDetails that it sets.

    What it does not name stays; null sets the default. `headers` are changes themselves, None takes one away;
    null in their place takes all, and is None here. Raises InvalidInputError, OtherIdError.
    """
    document = decode_object(body)
    parsers = {**PARSERS, "headers": header_changes}
    values = _values(document, parsers, [field for field in PARSERS if field in document], of=changes)
    if "headers" in document and document["headers"] is None:
        values["headers"] = None
    return values


def _values(
    document: Mapping[str, object], parsers: Mapping[str, Parse], fields: Collection[str], *, of: UUID | None
) -> dict[str, Any]:
    faults: list[FieldProblem] = []
    values: dict[str, Any] = {}
    for field in fields:
        given = document.get(field)
        if given is not None:
            try:
                values[ATTRIBUTES.get(field, field)] = parsers[field](given)
            except FieldError as error:
                faults.append(FieldProblem(field, str(error)))
        elif field in REQUIRED:
            faults.append(FieldProblem(field, "is missing"))
        else:
            values[ATTRIBUTES.get(field, field)] = DEFAULTS[field]
    if "secret" in document:
        faults.append(NO_SECRET)
    unknown = document.keys() - PARSERS.keys() - {NO_SECRET.field}
    faults += foreign_fields(unknown, whose="an endpoint", set_by_us=SET_BY_US, made=of is not None)
    if faults:
        raise InvalidInputError(faults)
    require_same_ids(document, {} if of is None else {"id": of})
    return values
