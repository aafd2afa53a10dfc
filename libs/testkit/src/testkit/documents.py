"""Documents that a schema of the contracts accepts, for property tests."""

from datetime import UTC, date
from typing import Any

from hypothesis import strategies as st

INSTANTS = st.datetimes(timezones=st.just(UTC))
# No format of JSON Schema is a date and time without a zone, and no pattern knows how long a month is.
LOCAL_DATE_TIME = (
    "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]$"
)
FORMATS = {
    "uuid": st.uuids().map(str).flatmap(lambda text: st.sampled_from([text, text.upper()])),
    "date": st.dates().map(date.isoformat),
    "date-time": INSTANTS.map(lambda at: at.isoformat().replace("+00:00", "Z")),
}


# Not hypothesis-jsonschema: 0.23.1 fails on every object with today's Hypothesis, whose internals it uses.
def documents(schema: dict[str, Any]) -> st.SearchStrategy[Any]:  # noqa: PLR0911 - a line a keyword
    """Give any document the schema accepts, fields it does not name included."""
    match schema:
        case {"type": "object"}:
            known = {field: documents(rule) for field, rule in schema.get("properties", {}).items()}
            required = schema.get("required", [])
            unknown = {"addedLater": st.none() | st.integers() | st.lists(st.text())}
            optional = {field: rule for field, rule in known.items() if field not in required} | unknown
            return st.fixed_dictionaries({field: known[field] for field in required}, optional=optional)
        case {"type": "array", "items": items}:
            return st.lists(documents(items), max_size=3)
        case {"const": value}:
            return st.just(value)
        case {"enum": values}:
            return st.sampled_from(values)
        case {"type": "integer"}:
            return st.integers(schema.get("minimum"), schema.get("maximum"))
        case {"type": "string", "format": name} if name in FORMATS:
            return FORMATS[name]
        case {"type": "string", "pattern": pattern} if pattern == LOCAL_DATE_TIME:
            return st.datetimes().map(lambda at: at.replace(microsecond=0).isoformat())
        case {"type": "string", "pattern": pattern}:
            return st.from_regex(pattern, fullmatch=True)
        case {"type": "string"}:
            return st.text(min_size=schema.get("minLength", 0), max_size=schema.get("maxLength"))
        case _:
            raise NotImplementedError(schema)
