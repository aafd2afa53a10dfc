"""A body, read into a user's details: every field is checked, and everything at fault is told at once."""

import json
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from domain.occasion import DEFAULT_SEND_AT_LOCAL, LeapDayPolicy

from user_api import parse_fields as read
from user_api.refusals import FieldProblem, InvalidInputError
from user_api.user import Details

REQUIRED: Mapping[str, Callable[[str], object]] = {
    "firstName": read.name,
    "lastName": read.name,
    "dateOfBirth": read.date_of_birth,
    "timezone": read.timezone,
}
# With the value of one that is not given; null is not given, as answers have it.
OPTIONAL: Mapping[str, tuple[Callable[[str], object], object]] = {
    "email": (read.email, None),
    "sendAtLocal": (read.send_at_local, DEFAULT_SEND_AT_LOCAL),
    "leapDayPolicy": (read.leap_day_policy, LeapDayPolicy.FEB_28),
}
ALL = frozenset({*REQUIRED, *OPTIONAL})
# In every answer, so that what was read can be changed and sent back.
SET_BY_US = frozenset({"id", "version", "createdAt", "updatedAt"})
ATTRIBUTES = {
    "firstName": "first_name",
    "lastName": "last_name",
    "dateOfBirth": "date_of_birth",
    "sendAtLocal": "send_at_local",
    "leapDayPolicy": "leap_day_policy",
}
LATEST_ZONE = "Pacific/Kiritimati"
MOST_UNKNOWN_FIELDS = 20
MOST_FIELD_NAME = 100


def parse_user(body: bytes, *, now: datetime, replaces: UUID | None = None) -> Details:
    """Read the details of a new user, or of the one that is replaced.

    Raises InvalidInputError, which names every field at fault. `now` serves only to name a birth in the
    future beside other faults; where it is the only one, the database's clock decides.
    """
    return read_details(decode_object(body), now=now, replaces=replaces)


def parse_patch(body: bytes, *, now: datetime, changes: UUID) -> dict[str, Any]:
    """Read a JSON Merge Patch (RFC 7396): the attributes of Details that it sets, with their new values.

    What it does not name stays; null takes a field away, and so sets an optional one to its default. Raises
    InvalidInputError, also for null in a required field.
    """
    document = decode_object(body)
    return _values(document, document.keys(), now=now, of=changes)


def read_details(document: Mapping[str, object], *, now: datetime, replaces: UUID | None = None) -> Details:
    """Read the details in a decoded body, as `parse_user`."""
    return Details(**_values(document, ALL, now=now, of=replaces))


def _values(
    document: Mapping[str, object], fields: Collection[str], *, now: datetime, of: UUID | None
) -> dict[str, Any]:
    faults: list[FieldProblem] = []
    values: dict[str, Any] = {}
    for field, parse in REQUIRED.items():
        if field in fields:
            _take(document, field, parse, values, faults)
    for field, (parse, default) in OPTIONAL.items():
        if field in fields:
            if document.get(field) is None:
                values[field] = default
            else:
                _take(document, field, parse, values, faults)
    faults += _foreign(document, of)
    if faults:
        born, timezone = values.get("dateOfBirth"), values.get("timezone", LATEST_ZONE)
        if born is not None and read.is_future_birth(born, timezone, now):
            faults.append(read.FUTURE_BIRTH)
        raise InvalidInputError(faults)
    return {ATTRIBUTES.get(field, field): value for field, value in values.items()}


def _take(
    document: Mapping[str, object],
    field: str,
    parse: Callable[[str], object],
    values: dict[str, Any],
    faults: list[FieldProblem],
) -> None:
    match document.get(field):
        case None:
            faults.append(FieldProblem(field, "is missing"))
        case str() as text:
            try:
                values[field] = parse(text)
            except read.FieldError as error:
                faults.append(FieldProblem(field, str(error)))
        case _:
            faults.append(FieldProblem(field, "is not text"))


def _foreign(document: Mapping[str, object], replaces: UUID | None) -> list[FieldProblem]:
    faults = []
    for field in document.keys() - REQUIRED.keys() - OPTIONAL.keys():
        if field not in SET_BY_US:
            shown = field[:MOST_FIELD_NAME].encode("utf-8", "replace").decode()
            faults.append(FieldProblem(shown, "is not a field of a user"))
        elif replaces is None:
            faults.append(FieldProblem(field, "is set by Carillon"))
        elif field == "id" and str(document["id"]).lower() != str(replaces):
            faults.append(FieldProblem("id", "is another id than the address has"))
    return sorted(faults, key=lambda fault: fault.field)[:MOST_UNKNOWN_FIELDS]


def decode_object(body: bytes) -> dict[str, object]:
    """Read a JSON object. Raises InvalidInputError for anything else."""
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        document = _decode_for_its_faults(body)
    if not isinstance(document, dict):
        raise InvalidInputError([FieldProblem("body", "is not a JSON object")])
    return document


def _decode_for_its_faults(body: bytes) -> object:
    # The standard library reads what msgspec refuses, lone surrogates and huge numbers, so that the field at
    # fault can be named. No field takes either.
    try:
        return json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError):
        raise InvalidInputError(
            [FieldProblem("body", "is not JSON in UTF-8" if body else "is empty")]
        ) from None
