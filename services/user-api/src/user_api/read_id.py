"""Ids as text: a UUID in its usual form, and in no other that Python would take as well."""

import re
from uuid import UUID

from user_api.refusals import FieldProblem, InvalidInputError

_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def read_id(text: str) -> UUID | None:
    """Read an id; None for what is none."""
    return UUID(text) if _UUID.fullmatch(text) else None


def path_id(text: str, field: str = "id") -> UUID:
    """Read an id of an address. Raises InvalidInputError."""
    id_ = read_id(text)
    if id_ is None:
        raise InvalidInputError([FieldProblem(field, "is not a UUID")])
    return id_
