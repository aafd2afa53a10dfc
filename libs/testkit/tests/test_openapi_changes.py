"""The gate: what breaks clients is told, what does not is let through."""

import copy
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from testkit.openapi_changes import breaking_changes
from testkit.schema_changes import losses

Json = dict[str, Any]

DOCUMENT: Json = {
    "components": {
        "schemas": {
            "Kind": {"enum": ["a", "b", None]},
            "New": {
                "type": "object",
                "properties": {
                    "name": {"type": "string", "maxLength": 9, "pattern": "^a"},
                    "note": {"type": ["string", "null"]},
                    "kind": {"$ref": "#/components/schemas/Kind"},
                },
                "required": ["name"],
                "additionalProperties": False,
            },
            "Thing": {
                "type": "object",
                "properties": {
                    "id": {"type": "string", "format": "uuid"},
                    "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
                    "items": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "properties": {"at": {"type": "string"}},
                            "required": ["at"],
                        },
                    },
                    "kind": {"enum": ["a", "b"]},
                },
                "required": ["id", "note", "items"],
            },
        }
    },
    "paths": {
        "/thing": {
            "post": {
                "operationId": "createThing",
                "parameters": [
                    {
                        "in": "query",
                        "name": "limit",
                        "required": False,
                        "schema": {"type": "integer", "maximum": 50},
                    }
                ],
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/New"}}},
                },
                "responses": {
                    "201": {
                        "headers": {"ETag": {"required": True, "schema": {"type": "string"}}},
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}},
                    },
                    "400": {},
                },
            },
            "get": {"operationId": "listThings", "parameters": [], "responses": {"200": {}}},
        }
    },
}

SCHEMAS = "components.schemas"
POST = "paths./thing.post"
BREAKS: list[tuple[str, object, str]] = [
    ("paths./thing.get", None, "GET /thing: is gone; breaks whoever calls it"),
    (
        f"{POST}.operationId",
        "makeThing",
        "POST /thing: operationId createThing is now makeThing; breaks generated clients",
    ),
    (f"{POST}.security", [{"bearer": []}], "POST /thing: a token is needed now"),
    (f"{POST}.parameters", [], "POST /thing: query parameter limit is gone"),
    (f"{POST}.parameters.0.required", True, "query parameter limit must be sent now"),
    (f"{POST}.parameters.0.schema.maximum", 40, "limit: maximum 50 is now 40; breaks whoever sends"),
    (f"{POST}.requestBody", None, "takes no body now"),
    (f"{POST}.requestBody.content", {"text/csv": {"schema": {}}}, "body application/json is gone"),
    (
        f"{SCHEMAS}.New.required",
        ["name", "note"],
        "body field note must be sent now; breaks whoever leaves it out",
    ),
    (f"{SCHEMAS}.New.properties.note", None, "body note: type"),
    (
        f"{SCHEMAS}.New.properties.note.type",
        "string",
        "body note: type null is now string; breaks whoever sends what was taken",
    ),
    (f"{SCHEMAS}.New.properties.name.maxLength", 8, "body name: maxLength 9 is now 8"),
    (f"{SCHEMAS}.New.properties.name.minLength", 1, "body name: minLength None is now 1"),
    (f"{SCHEMAS}.New.properties.name.pattern", "^b", "body name: pattern ^a is now ^b"),
    (f"{SCHEMAS}.New.properties.name.format", "date", "body name: format None is now date"),
    (f"{SCHEMAS}.New.properties.name.not", {"const": "x"}, "body name: not None is now"),
    (f"{SCHEMAS}.Kind.enum", ["a", None], "body kind: enum ['b']"),
    (f"{POST}.responses.201", None, "answer 201 is gone; breaks whoever waits for it"),
    (f"{POST}.responses.201.headers", {}, "answer 201, header ETag is gone"),
    (f"{POST}.responses.201.content", {}, "answer 201 is no application/json any more"),
    (f"{SCHEMAS}.Thing.properties.kind", None, "answer 201, field kind is gone; breaks whoever reads it"),
    (f"{SCHEMAS}.Thing.properties.items.items.properties", {}, "answer 201, field items[].at is gone"),
    (f"{SCHEMAS}.Thing.required", ["id", "items"], "answer 201, field note is not always there now"),
    (
        f"{SCHEMAS}.Thing.properties.id.type",
        ["string", "null"],
        "answer 201, id: type string is now null",
    ),
    (f"{SCHEMAS}.Thing.properties.id.format", None, "answer 201, id: format uuid is now None"),
    (f"{SCHEMAS}.Thing.properties.kind.enum", ["a", "b", "c"], "answer 201, kind: enum"),
]
FINE: list[tuple[str, object]] = [
    ("paths./other", {"get": {"operationId": "other", "parameters": [], "responses": {}}}),
    (f"{POST}.parameters.0.schema.maximum", 60),
    (f"{POST}.parameters.1", {"in": "query", "name": "cursor", "required": False, "schema": {}}),
    (f"{POST}.requestBody.required", False),
    (f"{SCHEMAS}.New.required", []),
    (f"{SCHEMAS}.New.properties.more", {"type": "string"}),
    (f"{SCHEMAS}.New.properties.name.maxLength", 10),
    (f"{SCHEMAS}.New.properties.name.pattern", None),
    (f"{SCHEMAS}.New.properties.name.description", "A name."),
    (f"{SCHEMAS}.New.additionalProperties", True),
    (f"{SCHEMAS}.Kind.enum", ["a", "b", "c", None]),
    (f"{POST}.responses.400", None),
    (f"{POST}.responses.409", {}),
    (f"{SCHEMAS}.Thing.properties.more", {"type": "string"}),
    (f"{SCHEMAS}.Thing.properties.note", {"type": "string"}),
    (f"{SCHEMAS}.Thing.properties.kind.enum", ["a"]),
    (f"{SCHEMAS}.Thing.required", ["id", "note", "items", "kind"]),
]


def _changed(path: str, value: object) -> Json:
    document: Any = copy.deepcopy(DOCUMENT)
    place = document
    *steps, last = path.split(".")
    for step in steps:
        place = place[int(step)] if isinstance(place, list) else place[step]
    if isinstance(place, list):
        place[int(last) :] = [value]
    elif value is None:
        del place[last]
    else:
        place[last] = value
    return dict(document)


@pytest.mark.parametrize(
    ("path", "value", "told"), BREAKS, ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_change_that_breaks_is_told(path: str, value: object, told: str) -> None:
    lines = breaking_changes(DOCUMENT, _changed(path, value))

    assert any(told in line for line in lines), lines


@pytest.mark.parametrize(("path", "value"), FINE, ids=str)
def test_a_change_that_only_adds_is_let_through(path: str, value: object) -> None:
    assert breaking_changes(DOCUMENT, _changed(path, value)) == []


texts: st.SearchStrategy[Json] = st.fixed_dictionaries(
    {"type": st.just("string")},
    optional={
        "minLength": st.integers(0, 2),
        "maxLength": st.integers(1, 3),
        "pattern": st.sampled_from(["^a", "b$"]),
        "format": st.just("date"),
    },
)
numbers: st.SearchStrategy[Json] = st.fixed_dictionaries(
    {"type": st.sampled_from(["integer", "number"])},
    optional={"minimum": st.integers(0, 2), "maximum": st.integers(0, 3)},
)
scalars: st.SearchStrategy[Json] = (
    texts
    | numbers
    | st.sampled_from([{"type": "boolean"}, {"type": "null"}, {}])
    | st.builds(
        lambda values: {"enum": values},
        st.lists(st.sampled_from(["a", "b", 1, None]), min_size=1, unique=True),
    )
    | st.just({"type": ["string", "null"]})
)
schemas: st.SearchStrategy[Json] = st.recursive(
    scalars,
    lambda inner: (
        st.fixed_dictionaries(
            {
                "type": st.just("object"),
                "properties": st.dictionaries(st.sampled_from("xy"), inner, max_size=2),
            },
            optional={
                "required": st.lists(st.sampled_from("xy"), unique=True),
                "additionalProperties": st.booleans(),
            },
        )
        | st.builds(
            lambda items, most: {"type": "array", "items": items, "maxItems": most}, inner, st.integers(0, 2)
        )
        | st.builds(lambda choices: {"anyOf": choices}, st.lists(inner, min_size=1, max_size=2))
    ),
    max_leaves=4,
)
values = st.recursive(
    st.sampled_from(["", "a", "ab", "b", "abc", "2000-01-01", 0, 1, 2, 0.5, True, None]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("xyz"), inner, max_size=3),
    max_leaves=4,
)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Json, Json]:
    """A schema, and one that is near it: two drawn at random would hardly ever take the same."""
    schema = draw(schemas)
    return schema, draw(_near(schema))


@st.composite
def _near(draw: st.DrawFn, schema: Json) -> Json:
    near = dict(schema)
    match draw(st.sampled_from(["same", "drop", "choice", "inside", "other"])):
        case "drop" if len(near) > 1:
            del near[draw(st.sampled_from(sorted(near)))]
        case "choice":
            near = {"anyOf": draw(st.permutations([schema, draw(schemas)]))}
        case "inside" if near.get("properties"):
            field = draw(st.sampled_from(sorted(near["properties"])))
            near["properties"] = {**near["properties"], field: draw(_near(near["properties"][field]))}
        case "inside" if "items" in near:
            near["items"] = draw(_near(near["items"]))
        case "inside":
            near |= {"maxLength": draw(st.integers(0, 4)), "minimum": draw(st.integers(0, 4))}
        case "other":
            near = draw(schemas)
        case _:
            pass
    return near


def _closed(schema: Any) -> Any:  # noqa: ANN401 - JSON
    """Take only fields that are named: others are not what a sender can know."""
    match schema:
        case {"type": "object"}:
            return {key: _closed(inner) for key, inner in schema.items()} | {"additionalProperties": False}
        case dict():
            return {key: _closed(inner) for key, inner in schema.items()}
        case list():
            return [_closed(inner) for inner in schema]
        case _:
            return schema


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(pair=pairs(), some=st.lists(values, min_size=10, max_size=10))
def test_where_no_loss_is_told_whatever_is_valid_stays_so(
    pair: tuple[Json, Json], some: list[object]
) -> None:
    wide, narrow = pair
    assume(not losses(wide, narrow))
    before, after = (
        jsonschema_rs.validator_for(schema, validate_formats=True) for schema in (_closed(wide), narrow)
    )

    for value in some:
        assert after.is_valid(value) or not before.is_valid(value), value
