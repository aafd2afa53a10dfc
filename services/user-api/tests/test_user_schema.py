"""What the OpenAPI document says of a user is what the reader takes: neither more nor less."""

import json
from datetime import UTC, datetime

import jsonschema_rs
from hypothesis import example, given, settings
from hypothesis import strategies as st
from testkit import build
from testkit.near_texts import near_texts
from user_api.openapi import openapi_document
from user_api.parse_user import parse_user
from user_api.refusals import InvalidInputError
from user_api.user_schemas import FIELDS

NOW = datetime(9999, 12, 30, tzinfo=UTC)  # hardly a date of birth is in the future
VALIDATOR = jsonschema_rs.validator_for(
    {"$ref": "#/components/schemas/NewUser", "components": openapi_document()["components"]},
    validate_formats=True,
)
ODD_WORDS = [
    "Asia/Tokyo",
    "asia/tokyo",
    "Factory",
    "localtime",
    "feb_28",
    "FEB_28",
    "9999-12-29",
    "2023-02-29",
]


values: st.SearchStrategy[tuple[str, object]] = st.sampled_from(sorted(FIELDS)).flatmap(
    lambda field: st.tuples(
        st.just(field),
        near_texts(FIELDS[field]) | st.sampled_from(ODD_WORDS) | st.none() | st.integers() | st.just([]),
    )
)


@settings(max_examples=600, deadline=None)
@given(case=values)
@example(case=("firstName", "a" * 100))
@example(case=("firstName", "a" * 101))
@example(case=("email", f"a@{'b.' * 125}cc"))
@example(case=("email", f"a@{'b.' * 125}ccc"))
@example(case=("email", f"{'a' * 64}@b.cc"))
@example(case=("email", f"{'a' * 65}@b.cc"))
@example(case=("email", f"a@{'b' * 64}.cc"))
def test_a_user_is_valid_under_the_schema_just_when_the_reader_takes_them(
    case: tuple[str, object],
) -> None:
    field, value = case
    body = {**build.user_body(), field: value}

    try:
        parse_user(json.dumps(body).encode(), now=NOW)
        taken = True
    except InvalidInputError:
        taken = False

    assert VALIDATOR.is_valid(body) == taken
