"""A body that is a JSON object, and its fields; every fault is kept, so that all are told at once."""

import json
from collections.abc import Callable, Collection, Mapping
from typing import Any
from uuid import UUID

import msgspec

from user_api.parse_fields import FieldError
from user_api.refusals import FieldProblem, InvalidInputError, OtherIdError

MOST_UNKNOWN_FIELDS = 20
MOST_FIELD_NAME = 100


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


def take_text(
    document: Mapping[str, object],
    field: str,
    parse: Callable[[str], object],
    values: dict[str, Any],
    faults: list[FieldProblem],
) -> None:
    """Parse the text of a field into `values`, or name the fault."""
    match document.get(field):
        case None:
            faults.append(FieldProblem(field, "is missing"))
        case str() as text:
            try:
                values[field] = parse(text)
            except FieldError as error:
                faults.append(FieldProblem(field, str(error)))
        case _:
            faults.append(FieldProblem(field, "is not text"))


def foreign_fields(
    fields: Collection[str], *, whose: str, set_by_us: Collection[str], made: bool
) -> list[FieldProblem]:
    """Name what is wrong with `fields`, at most 20; what has been `made` may be sent back with all it has."""
    faults = []
    for field in fields:
        if field not in set_by_us:
            shown = field[:MOST_FIELD_NAME].encode("utf-8", "replace").decode()
            faults.append(FieldProblem(shown, f"is not a field of {whose}"))
        elif not made:
            faults.append(FieldProblem(field, "is set by Carillon"))
    return sorted(faults, key=lambda fault: fault.field)[:MOST_UNKNOWN_FIELDS]


def require_same_ids(document: Mapping[str, object], ids: Mapping[str, UUID]) -> None:
    """Raise OtherIdError for an id in the body that differs from the one that the address has."""
    others = [field for field in ids if str(document.get(field, ids[field])).lower() != str(ids[field])]
    if others:
        raise OtherIdError(others)
