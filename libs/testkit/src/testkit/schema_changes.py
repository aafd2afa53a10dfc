"""What one JSON Schema takes and another does not, for schemas without references.

What senders cannot know does not count: a new optional field beside which an older schema took anything.
Otherwise it tells a loss when in doubt: patterns are compared as text, and a keyword it does not know must be
the same.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

Schema = Mapping[str, Any]

UPPER_LIMITS = ("maxLength", "maximum", "maxItems")
LOWER_LIMITS = ("minLength", "minimum", "minItems")
SAYS_NOTHING = {"title", "description", "default", "example", "examples", "deprecated"}
COMPARED = {
    *("type", "enum", "pattern", "format", "properties", "required", "additionalProperties", "items"),
    *(*UPPER_LIMITS, *LOWER_LIMITS),
}
JSON_TYPES: Mapping[type, str] = {
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    list: "array",
    dict: "object",
    type(None): "null",
}


class Loss(Struct, frozen=True):
    """Values of the field `at` are lost by a keyword: as the wide schema has it, as the narrow one."""

    at: str
    keyword: str
    wide: object
    narrow: object


def losses(wide: object, narrow: object, at: str = "") -> list[Loss]:
    """Tell what `wide` takes and `narrow` does not; none: what is valid under `wide` is under `narrow`."""
    told: list[Loss] = []
    if wide == narrow:
        return told
    choices = _alternatives(narrow)
    for alternative in _alternatives(wide):
        tries = [[*_losses(alternative, choice, at)] for choice in choices]
        if all(tries):
            alike = [
                tried for tried in tries if all(loss.at != at or loss.keyword != "type" for loss in tried)
            ]
            types = " or ".join(sorted({_types(choice) for choice in choices})) or "nothing"
            fewest: list[Loss] = min(alike, key=len, default=[Loss(at, "type", _types(alternative), types)])
            told += fewest
    return told


def unread_changes(old: Schema, new: Schema) -> Iterator[str]:
    """Say what of a new schema whoever reads by the old one does not know, or misses."""
    gone = _fields(old) - _fields(new)
    for field in sorted(gone):
        yield f"field {field} is gone; breaks whoever reads it"
    for loss in losses(new, old):
        if loss.at not in gone:
            yield unread_change(loss)


def unread_change(loss: Loss) -> str:
    """Say what of a field whoever reads by the old schema does not know: `wide` is the new one."""
    if loss.keyword == "required":
        return f"field {loss.at} is not always there now; breaks whoever reads it"
    change = f"{loss.keyword} {loss.narrow} is now {loss.wide}"
    return f"{loss.at or 'as a whole'}: {change}; breaks whoever knows only what there was"


def _alternatives(schema: Any) -> list[Schema]:  # noqa: ANN401 - JSON, where a schema may be true or false
    """Spread a schema into such as have one type at most."""
    if isinstance(schema, bool):
        return [{}] if schema else []
    for keyword in ("anyOf", "oneOf"):
        if keyword in schema:
            rest = {key: value for key, value in schema.items() if key != keyword}
            return [
                one
                for choice in schema[keyword]
                for inner in _alternatives(choice)
                for one in _alternatives(_both(rest, inner))
            ]
    if "enum" in schema:
        return [{**schema, "enum": [value], "type": JSON_TYPES[type(value)]} for value in schema["enum"]]
    if isinstance(types := schema.get("type"), list):
        return [{**schema, "type": one} for one in types]
    return [schema]


def _both(rest: Schema, choice: Schema) -> Schema:
    # What is said twice, and differently, is kept where only the same compares as equal.
    twice = {key: value for key, value in rest.items() if choice.get(key, value) != value}
    return {**rest, **choice} | ({"allOf": twice} if twice.keys() - SAYS_NOTHING else {})


def _losses(wide: Schema, narrow: Schema, at: str) -> Iterator[Loss]:
    if "type" in narrow and wide.get("type") != narrow["type"] and not _is_integer_in_number(wide, narrow):
        yield Loss(at, "type", wide.get("type"), narrow["type"])
    if "enum" in narrow and wide.get("enum") != narrow["enum"]:
        yield Loss(at, "enum", wide.get("enum"), narrow["enum"])
    yield from _by_limit(wide, narrow, at)
    yield from _by_field(wide, narrow, at)
    if "items" in narrow:
        yield from losses(wide.get("items", True), narrow["items"], f"{at}[]")
    same = {"pattern", "format"} & narrow.keys() | (wide.keys() | narrow.keys()) - COMPARED - SAYS_NOTHING
    for keyword in sorted(same):
        if wide.get(keyword) != narrow.get(keyword):
            yield Loss(at, keyword, wide.get(keyword), narrow.get(keyword))


def _is_integer_in_number(wide: Schema, narrow: Schema) -> bool:
    return (wide.get("type"), narrow["type"]) == ("integer", "number")


def _by_limit(wide: Schema, narrow: Schema, at: str) -> Iterator[Loss]:
    for keyword in (*UPPER_LIMITS, *LOWER_LIMITS):
        sign = 1 if keyword in UPPER_LIMITS else -1
        if keyword in narrow and not sign * wide.get(keyword, sign * float("inf")) <= sign * narrow[keyword]:
            yield Loss(at, keyword, wide.get(keyword), narrow[keyword])


def _by_field(wide: Schema, narrow: Schema, at: str) -> Iterator[Loss]:
    known, taken = wide.get("properties", {}), narrow.get("properties", {})
    others = narrow.get("additionalProperties", True)
    for field in sorted(set(narrow.get("required", ())) - set(wide.get("required", ()))):
        yield Loss(_field(at, field), "required", wide=False, narrow=True)
    for field, schema in known.items():
        yield from losses(schema, taken.get(field, others), _field(at, field))
    if others is not True:
        yield from losses(wide.get("additionalProperties", True), others, _field(at, "*"))


def _field(at: str, field: str) -> str:
    return f"{at}.{field}".removeprefix(".")


def _types(schema: Schema) -> str:
    return str(schema.get("type", "anything"))


def _fields(schema: Any, at: str = "") -> set[str]:  # noqa: ANN401 - JSON
    if not isinstance(schema, dict):
        return set()
    found: set[str] = set()
    for field, inner in schema.get("properties", {}).items():
        found |= {f"{at}.{field}".removeprefix("."), *_fields(inner, f"{at}.{field}".removeprefix("."))}
    for choice in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
        found |= _fields(choice, at)
    return found | _fields(schema.get("items"), f"{at}[]")
