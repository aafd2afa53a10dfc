"""What the OpenAPI document says of an endpoint is what the reader takes, but for what no schema can say."""

import json

import jsonschema_rs
from hypothesis import example, given, settings
from hypothesis import strategies as st
from testkit import build
from testkit.near_texts import near_texts
from user_api.endpoint_schemas import FIELDS
from user_api.openapi import openapi_document
from user_api.parse_endpoint import parse_endpoint
from user_api.parse_headers import HEADER_NAME_PATTERN, HEADER_VALUE_PATTERN, OWN_HEADERS, OWN_PREFIXES
from user_api.refusals import InvalidInputError

VALIDATOR = jsonschema_rs.validator_for(
    {"$ref": "#/components/schemas/NewEndpoint", "components": openapi_document()["components"]},
    validate_formats=True,
)
header_names = near_texts({"pattern": HEADER_NAME_PATTERN}).filter(
    lambda name: name.lower() not in OWN_HEADERS and not name.lower().startswith(OWN_PREFIXES)
)
# IPv6 has no short pattern, and a host's length none at all.
urls = near_texts(FIELDS["url"]).filter(lambda text: "[" not in text and len(text) < 250)
near: dict[str, st.SearchStrategy[object]] = {
    "url": urls,
    "description": near_texts(FIELDS["description"]),
    "eventTypes": st.lists(st.sampled_from(["birthday.due", "reminder.due", "BirthdayDue", 7]), max_size=3),
    "headers": st.dictionaries(
        header_names,
        near_texts({"pattern": HEADER_VALUE_PATTERN, "maxLength": 2000}),
        max_size=11,
    ).filter(lambda headers: len({name.lower() for name in headers}) == len(headers)),
    **dict.fromkeys(
        ("rateLimit", "concurrency", "timeoutSeconds"),
        st.integers(-1, 10_001) | st.sampled_from([1.0, 1.5, 30.0]),
    ),
    "enabled": st.booleans(),
}
cases: st.SearchStrategy[tuple[str, object]] = st.sampled_from(sorted(near)).flatmap(
    lambda field: st.tuples(
        st.just(field), near[field] | st.none() | st.integers(0, 1) | st.just([]) | st.just("1")
    )
)


@settings(max_examples=300, deadline=None)
@given(case=cases)
@example(case=("url", f"http://a.example/{'x' * 1983}"))
@example(case=("url", f"http://a.example/{'x' * 1984}"))
@example(case=("url", "http://a.example:65535"))
@example(case=("url", "http://a.example:65536"))
@example(case=("description", "x" * 501))
@example(case=("headers", {"X-A": "v" * 2001}))
@example(case=("headers", {f"X-{place}": "v" for place in range(11)}))
@example(case=("rateLimit", True))
@example(case=("colour", "red"))
def test_an_endpoint_is_valid_under_the_schema_just_when_the_reader_takes_it(
    case: tuple[str, object],
) -> None:
    field, value = case
    body = {**build.endpoint_body(), field: value}

    try:
        parse_endpoint(json.dumps(body).encode())
        taken = True
    except InvalidInputError:
        taken = False

    assert VALIDATOR.is_valid(body) == taken
