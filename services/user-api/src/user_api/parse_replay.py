"""The body of a replay: whose deliveries, of which time, that ended how."""

from collections.abc import Callable, Mapping
from typing import Any, cast, get_args

from user_api.delivery_filters import some_id
from user_api.parse_fields import FieldError
from user_api.parse_occasion_fields import instant
from user_api.read_document import decode_object, foreign_fields, take_text
from user_api.refusals import FieldProblem, InvalidInputError
from user_api.replay import NewReplay, Replayed

STATUSES = get_args(Replayed)


def parse_replay(body: bytes) -> NewReplay:
    """Read a replay. Raises InvalidInputError, which names every field at fault."""
    document = decode_object(body)
    values: dict[str, Any] = {"until": None}
    faults: list[FieldProblem] = []
    for field, parse in PARSERS.items():
        if field not in OPTIONAL or document.get(field) is not None:
            take_text(document, field, parse, values, faults)
    faults += foreign_fields(document.keys() - PARSERS.keys(), whose="a replay", set_by_us=(), made=False)
    if not faults and values["until"] is not None and values["until"] <= values["since"]:
        faults.append(FieldProblem("until", "is not after since"))
    if faults:
        raise InvalidInputError(faults)
    return NewReplay(
        endpoint_id=values["endpointId"],
        since=values["since"],
        until=values["until"],
        status=values["status"],
    )


def _status(text: str) -> Replayed:
    if text not in STATUSES:
        raise FieldError(f"is none of {', '.join(STATUSES)}")
    return cast("Replayed", text)


PARSERS: Mapping[str, Callable[[str], object]] = {
    "endpointId": some_id,
    "since": instant,
    "until": instant,
    "status": _status,
}
OPTIONAL = frozenset({"until"})
