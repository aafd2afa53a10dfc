"""The body of a redrive: which dead letters, by their ids or all of a queue."""

import re
from typing import Any
from uuid import UUID

from msgspec import Struct

from user_api.parse_fields import FieldError
from user_api.read_document import decode_object, foreign_fields, take_text
from user_api.read_id import read_id
from user_api.refusals import FieldProblem, InvalidInputError

MOST_IDS = 1000
QUEUE_PATTERN = r"^[a-z][a-z0-9-]{0,79}$"

_QUEUE = re.compile(QUEUE_PATTERN)


class Redrive(Struct, frozen=True, kw_only=True):
    """What is asked back: either these, or all that are open of a queue."""

    ids: tuple[UUID, ...] = ()
    queue: str | None = None


class RedriveAnswer(Struct, frozen=True):
    """How many are on their way back."""

    count: int


def parse_redrive(body: bytes) -> Redrive:
    """Read what is asked back. Raises InvalidInputError, which names every field at fault."""
    document = decode_object(body)
    given = [field for field in ("ids", "queue") if field in document]
    values: dict[str, Any] = {}
    faults: list[FieldProblem] = []
    if len(given) != 1:
        faults += [FieldProblem(field, "is needed, or the other one") for field in ("ids", "queue")]
    elif given == ["queue"]:
        take_text(document, "queue", queue_name, values, faults)
    else:
        try:
            values["ids"] = _ids(document["ids"])
        except FieldError as error:
            faults.append(FieldProblem("ids", str(error)))
    faults += foreign_fields(document.keys() - {"ids", "queue"}, whose="a redrive", set_by_us=(), made=False)
    if faults:
        raise InvalidInputError(faults)
    return Redrive(**values)


def queue_name(text: str) -> str:
    """Read the name of a queue as the topology has it."""
    if _QUEUE.fullmatch(text) is None:
        raise FieldError("is not the name of a queue, such as webhook-critical")
    return text


def _ids(value: object) -> tuple[UUID, ...]:
    if not isinstance(value, list) or not 1 <= len(value) <= MOST_IDS:
        raise FieldError(f"is not a list of 1 to {MOST_IDS} ids")
    ids = [read_id(one) if isinstance(one, str) else None for one in value]
    found = tuple(id_ for id_ in ids if id_ is not None)
    if len(found) < len(ids):
        raise FieldError(f"has {len(ids) - len(found)} that are no UUIDs")
    return found
