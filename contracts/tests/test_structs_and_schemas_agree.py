from pathlib import Path
from typing import Any

import jsonschema_rs
import msgspec
import pytest
from domain.events import EVENT_TYPES
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import inspect
from testkit.documents import INSTANTS, documents

EVENTS = Path(__file__).parents[1] / "events"
SCHEMAS: dict[str, dict[str, Any]] = {
    name: msgspec.json.decode((EVENTS / of.event_type / f"v{of.schema_version}.schema.json").read_bytes())
    for name, of in EVENT_TYPES.items()
}
VALIDATORS = {
    name: jsonschema_rs.Draft202012Validator(schema, validate_formats=True)
    for name, schema in SCHEMAS.items()
}
MOST = 2**53 - 1  # the contract's integers are exact in every language


def instances(of: inspect.Type) -> st.SearchStrategy[Any]:  # noqa: C901, PLR0911, PLR0912 - a line a type
    """Give any value the type allows."""
    match of:
        case inspect.StructType(cls=struct, fields=fields):
            return st.builds(struct, **{field.name: instances(field.type) for field in fields})
        case inspect.UnionType(types=types):
            return st.one_of(*map(instances, types))
        case inspect.VarTupleType(item_type=item):
            return st.lists(instances(item), max_size=3).map(tuple)
        case inspect.EnumType(cls=enum):
            return st.sampled_from(enum)
        case inspect.LiteralType(values=values):
            return st.sampled_from(values)
        case inspect.StrType(pattern=str(pattern)):
            return st.from_regex(pattern, fullmatch=True)
        case inspect.StrType(min_length=least):
            return st.text(min_size=least or 0)
        case inspect.IntType(ge=int(least)):
            return st.integers(least, MOST)
        case inspect.UUIDType():
            return st.uuids()
        case inspect.DateTimeType(tz=True):
            return INSTANTS
        case inspect.DateTimeType(tz=False):
            return st.datetimes().map(lambda at: at.replace(microsecond=0))
        case inspect.DateType():
            return st.dates()
        case inspect.TimeType(tz=False):
            return st.times().map(lambda at: at.replace(microsecond=0))
        case inspect.NoneType():
            return st.none()
        case _:
            raise NotImplementedError(of)


def fields_of(of: inspect.Type) -> tuple[set[str], set[str]]:
    """Give the names, on the wire, of all fields and of the required ones."""
    assert isinstance(of, inspect.StructType)
    names = {field.encode_name for field in of.fields}
    return names, {field.encode_name for field in of.fields if field.required}


@pytest.mark.parametrize("event", EVENT_TYPES)
def test_fields_and_required_fields_are_the_same(event: str) -> None:
    schema, struct = SCHEMAS[event], inspect.type_info(EVENT_TYPES[event])
    assert (set(schema["properties"]), set(schema["required"])) == fields_of(struct)


@pytest.mark.parametrize("event", ["OccurrenceCompleted", "OccurrenceFailed"])
def test_fields_and_required_fields_of_a_result_are_the_same(event: str) -> None:
    schema, struct = SCHEMAS[event]["properties"]["results"]["items"], inspect.type_info(EVENT_TYPES[event])
    assert isinstance(struct, inspect.StructType)
    (results,) = (field.type for field in struct.fields if field.name == "results")
    assert isinstance(results, inspect.VarTupleType)
    assert (set(schema["properties"]), set(schema["required"])) == fields_of(results.item_type)


@pytest.mark.parametrize("event", EVENT_TYPES)
@given(data=st.data())
@settings(max_examples=60)
def test_what_is_written_follows_the_schema_and_reads_back_the_same(event: str, data: st.DataObject) -> None:
    struct = EVENT_TYPES[event]
    instance = data.draw(instances(inspect.type_info(struct)))
    wire = msgspec.json.encode(instance)
    VALIDATORS[event].validate(msgspec.json.decode(wire))
    assert instance == msgspec.json.decode(wire, type=struct)


@pytest.mark.parametrize("event", EVENT_TYPES)
@given(data=st.data())
@settings(max_examples=60)
def test_what_follows_the_schema_is_read(event: str, data: st.DataObject) -> None:
    document = data.draw(documents(SCHEMAS[event]))
    VALIDATORS[event].validate(document)
    read = msgspec.json.decode(msgspec.json.encode(document), type=EVENT_TYPES[event])
    VALIDATORS[event].validate(msgspec.to_builtins(read))


@pytest.mark.parametrize("event", EVENT_TYPES)
def test_an_example_reads_and_writes_back_unchanged(event: str) -> None:
    of = EVENT_TYPES[event]
    wire = (EVENTS / of.event_type / f"v{of.schema_version}.example.json").read_bytes()
    read = msgspec.json.decode(wire, type=EVENT_TYPES[event])
    assert msgspec.json.decode(wire) == msgspec.json.decode(msgspec.json.encode(read))
