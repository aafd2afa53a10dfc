"""A body, read into a user's details: every field is checked, and everything at fault is told at once."""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime, time
from typing import Any
from uuid import UUID

from domain.occasion import DEFAULT_SEND_AT_LOCAL, LeapDayPolicy

from user_api import parse_fields as read
from user_api.read_document import decode_object, foreign_fields, require_same_ids, take_text
from user_api.refusals import FieldProblem, InvalidInputError
from user_api.user import Details

REQUIRED: Mapping[str, Callable[[str], object]] = {
    "firstName": read.name,
    "lastName": read.name,
    "dateOfBirth": read.date_of_birth,
    "timezone": read.timezone,
}
OPTIONAL: Mapping[str, Callable[[str], object]] = {
    "email": read.email,
    "sendAtLocal": read.send_at_local,
    "leapDayPolicy": read.leap_day_policy,
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


def parse_user(
    body: bytes,
    *,
    now: datetime,
    replaces: UUID | None = None,
    send_at_local: time = DEFAULT_SEND_AT_LOCAL,
) -> Details:
    """Read the details of a new user, or of the one that is replaced.

    `send_at_local` is when the birthday rings if they do not say. Raises InvalidInputError, which names every
    field at fault, OtherIdError. `now` serves only to name a birth in the future beside other faults; where
    it is the only one, the database's clock decides.
    """
    return read_details(decode_object(body), now=now, replaces=replaces, send_at_local=send_at_local)


def parse_patch(
    body: bytes, *, now: datetime, changes: UUID, send_at_local: time = DEFAULT_SEND_AT_LOCAL
) -> dict[str, Any]:
    """Read a JSON Merge Patch (RFC 7396): the attributes of Details that it sets, with their new values.

    What it does not name stays; null takes a field away, and so sets an optional one to its default. Raises
    InvalidInputError, also for null in a required field, OtherIdError.
    """
    document = decode_object(body)
    return _values(document, document.keys(), send_at_local, now=now, of=changes)


def read_details(
    document: Mapping[str, object],
    *,
    now: datetime,
    replaces: UUID | None = None,
    send_at_local: time = DEFAULT_SEND_AT_LOCAL,
) -> Details:
    """Read the details in a decoded body, as `parse_user`."""
    return Details(**_values(document, ALL, send_at_local, now=now, of=replaces))


def _values(
    document: Mapping[str, object],
    fields: Collection[str],
    send_at_local: time,
    *,
    now: datetime,
    of: UUID | None,
) -> dict[str, Any]:
    # The values of what is not given; null is not given, as answers have it.
    defaults = {"email": None, "sendAtLocal": send_at_local, "leapDayPolicy": LeapDayPolicy.FEB_28}
    faults: list[FieldProblem] = []
    values: dict[str, Any] = {}
    for field, parse in REQUIRED.items():
        if field in fields:
            take_text(document, field, parse, values, faults)
    for field, parse in OPTIONAL.items():
        if field in fields:
            if document.get(field) is None:
                values[field] = defaults[field]
            else:
                take_text(document, field, parse, values, faults)
    faults += _foreign(document, of)
    if faults:
        born, timezone = values.get("dateOfBirth"), values.get("timezone", LATEST_ZONE)
        if born is not None and read.is_future_birth(born, timezone, now):
            faults.append(read.FUTURE_BIRTH)
        raise InvalidInputError(faults)
    require_same_ids(document, _ids(of))
    return {ATTRIBUTES.get(field, field): value for field, value in values.items()}


def _foreign(document: Mapping[str, object], of: UUID | None) -> list[FieldProblem]:
    if document.keys() <= ALL:
        return []
    return foreign_fields(document.keys() - ALL, whose="a user", set_by_us=SET_BY_US, made=of is not None)


def _ids(of: UUID | None) -> Mapping[str, UUID]:
    return {} if of is None else {"id": of}
