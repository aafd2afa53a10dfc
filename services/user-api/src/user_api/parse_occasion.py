"""A body, read into an occasion's details: every field is checked, all that is at fault is told at once."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, time, timedelta
from types import MappingProxyType
from typing import Any
from uuid import UUID

from user_api import parse_fields
from user_api import parse_occasion_fields as read
from user_api.occasion import OccasionDetails
from user_api.occasion_fields import FIELDS, Fields
from user_api.read_document import decode_object, foreign_fields, require_same_ids, take_text
from user_api.refusals import FieldProblem, InvalidInputError

PARSERS: Mapping[str, Callable[[str], object]] = {
    "name": parse_fields.name,
    "message": read.message,
    "date": parse_fields.calendar_date,
    "sendAtLocal": parse_fields.send_at_local,
    "localDateTime": read.local_date_time,
    "rrule": str,  # read once it is known from when on
    "at": read.at,
    "priority": read.priority,
}
OF_ANY_TYPE = Fields("an occasion", frozenset(), frozenset(PARSERS))
ATTRIBUTES = {"sendAtLocal": "send_at_local", "localDateTime": "local_date_time"}
# In every answer, so that what was read can be changed and sent back.
SET_BY_US = frozenset({"id", "userId", "version", "paused", "createdAt", "updatedAt"})
NO_IDS: Mapping[str, UUID] = MappingProxyType({})
# To check a rule whose own start is at fault: a leap year, before any UNTIL that is meant.
SOME_START = datetime(2000, 1, 1)  # noqa: DTZ001 (local, in whatever zone)
# Where an UNTIL in UTC is the latest on the clock: what ends too early there does so everywhere.
LATEST_UNTIL = "Pacific/Kiritimati"
# The last zone's: a local time that is past there is past everywhere.
LATEST_OFFSET = timedelta(hours=12)
PAST_INSTANT = FieldProblem("at", "is in the past")
PAST_LOCAL_TIME = FieldProblem("localDateTime", "is in the past")


def parse_occasion(
    body: bytes, *, now: datetime, send_at_local: Mapping[str, time], ids: Mapping[str, UUID] = NO_IDS
) -> OccasionDetails:
    """Read the details of a new occasion, or of the one with these `ids`: its `id` and `userId`.

    `send_at_local` is when an occasion rings that does not say, by its type. Raises InvalidInputError, which
    names every field at fault, and OtherIdError. `now` serves only to name a moment in the past beside other
    faults; where it is the only one, the database's clock and the user's zone decide.
    """
    document = decode_object(body)
    faults: list[FieldProblem] = []
    values: dict[str, Any] = {}
    take_text(document, "type", read.occasion_type, values, faults)
    fields = FIELDS.get(values.get("type", ""), OF_ANY_TYPE)
    for field, parse in PARSERS.items():
        if field in fields.required or (field in fields.optional and document.get(field) is not None):
            take_text(document, field, parse, values, faults)
        elif document.get(field) is not None:
            faults.append(FieldProblem(field, _why_not(field, fields)))
    _check_rule(values, faults)
    unknown = document.keys() - PARSERS.keys() - {"type"}
    faults += foreign_fields(unknown, whose="an occasion", set_by_us=SET_BY_US, made=bool(ids))
    if faults:
        raise InvalidInputError([*faults, *_past(document, values, now)])
    require_same_ids(document, ids)
    if "sendAtLocal" in fields.optional:
        values.setdefault("sendAtLocal", send_at_local[values["type"]])
    return OccasionDetails(**{ATTRIBUTES.get(field, field): value for field, value in values.items()})


def _why_not(field: str, fields: Fields) -> str:
    reason = f"is not a field of {fields.called}"
    return f"{reason}, which has a time of its own" if field == "sendAtLocal" else reason


def _check_rule(values: Mapping[str, Any], faults: list[FieldProblem]) -> None:
    # It stays as it was sent: what its UNTIL means depends on the user's zone, which is read with their row.
    if "rrule" in values:
        try:
            read.rrule(values["rrule"], values.get("localDateTime", SOME_START), LATEST_UNTIL)
        except parse_fields.FieldError as error:
            faults.append(FieldProblem("rrule", str(error)))


def _past(document: Mapping[str, object], values: Mapping[str, Any], now: datetime) -> list[FieldProblem]:
    at, local = values.get("at"), values.get("localDateTime")
    if at is not None and at < now:
        return [PAST_INSTANT]
    once = document.get("rrule") is None
    if once and local is not None and local.replace(tzinfo=UTC) < now - LATEST_OFFSET:
        return [PAST_LOCAL_TIME]
    return []
