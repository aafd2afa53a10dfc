"""One line of an import: what it asks for, and what became of it."""

from collections.abc import Sequence
from datetime import datetime, time
from typing import Literal
from uuid import UUID

from msgspec import Struct

from user_api import parse_fields as read
from user_api.parse_user import read_details
from user_api.read_document import decode_object
from user_api.refusals import FieldProblem, InvalidInputError
from user_api.split_lines import MOST_LINE_BYTES, Line
from user_api.user import Details


# gc=False here, in Line, Details and User: none is in a cycle, and walking the thousands that wait for their
# batch was nearly half of what the collector cost an import, 8 µs a line.
class Blank(Struct, frozen=True, gc=False):
    """A line of nothing but spaces: it is counted, and has no result."""

    line: int


class Wanted(Struct, frozen=True, gc=False):
    """A line that describes a user; `key` is the client's own name for them."""

    line: int
    key: str | None
    details: Details


class LineResult(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What became of a line; an `id` unless it is invalid, and then `errors`."""

    line: int
    status: Literal["created", "exists", "invalid"]
    id: UUID | None = None
    errors: tuple[FieldProblem, ...] = ()


Entry = Wanted | LineResult | Blank

UNKNOWABLE = FieldProblem(
    "key", "is missing, and so is email: without either, repeating the import would create the user twice"
)
TOO_LONG = FieldProblem("line", f"is longer than {MOST_LINE_BYTES // 1024} KiB")


def read_line(line: Line, *, now: datetime, send_at_local: time) -> Entry:
    """Read a line: a user as in POST /user, and `key`. `now` and `send_at_local` as in parse_user."""
    if line.text is None:
        return invalid(line.number, [TOO_LONG])
    if not line.text or line.text.isspace():
        return Blank(line.number)
    try:
        document = decode_object(line.text)
        faults, key = _read_key(document.pop("key", None))
        try:
            details = read_details(document, now=now, send_at_local=send_at_local)
        except InvalidInputError as error:
            faults += error.problems
        else:
            if not faults and key is None and details.email is None:
                faults = [UNKNOWABLE]
            if not faults:
                return Wanted(line.number, key, details)
    except InvalidInputError as error:
        # The line is no object at all; elsewhere that is said of the body.
        faults = [FieldProblem("line", fault.reason) for fault in error.problems]
    return invalid(line.number, faults)


def invalid(line: int, errors: Sequence[FieldProblem]) -> LineResult:
    """Say what is wrong with a line."""
    return LineResult(line=line, status="invalid", errors=tuple(errors))


def _read_key(value: object) -> tuple[list[FieldProblem], str | None]:
    match value:
        case None:
            return [], None
        case str() as text:
            try:
                return [], read.import_key(text)
            except read.FieldError as error:
                return [FieldProblem("key", str(error))], None
        case _:
            return [FieldProblem("key", "is not text")], None
