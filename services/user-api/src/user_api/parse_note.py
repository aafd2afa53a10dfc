"""The body of a pause: a note, or nothing."""

from user_api import parse_fields as read
from user_api.read_document import decode_object, foreign_fields, take_text
from user_api.refusals import FieldProblem, InvalidInputError

MOST_NOTE = 500


def parse_note(body: bytes) -> str | None:
    """Read the note, a line of up to 500 characters. Raises InvalidInputError."""
    document = decode_object(body) if body else {}
    values: dict[str, str] = {}
    faults: list[FieldProblem] = []
    if document.get("note") is not None:
        take_text(document, "note", _note, values, faults)
    faults += foreign_fields(document.keys() - {"note"}, whose="a pause", set_by_us=(), made=False)
    if faults:
        raise InvalidInputError(faults)
    return values.get("note")


def _note(text: str) -> str:
    return read.line(text, MOST_NOTE)
