"""What the OpenAPI document says of an occasion is what the reader takes: neither more nor less."""

import json
from datetime import UTC, datetime, time
from typing import Any

import jsonschema_rs
from domain.kinds import KINDS
from hypothesis import example, given, settings
from hypothesis import strategies as st
from testkit.near_texts import near_texts
from user_api.openapi import openapi_document
from user_api.parse_occasion import parse_occasion
from user_api.refusals import InvalidInputError

NOW = datetime(1, 1, 2, tzinfo=UTC)  # nothing is in the past
COMPONENTS: dict[str, Any] = openapi_document()["components"]


def is_local(text: str) -> bool:
    """Tell whether a text is of the format date-time-local, which the validator does not know."""
    try:
        return datetime.fromisoformat(text).tzinfo is None
    except ValueError:
        return False


VALIDATOR = jsonschema_rs.validator_for(
    {"$ref": "#/components/schemas/NewOccasion", "components": COMPONENTS},
    validate_formats=True,
    formats={"date-time-local": is_local},
)
OCCASIONS: dict[str, dict[str, object]] = {
    "NewAnniversary": {"type": "ANNIVERSARY", "name": "wedding", "date": "2020-02-29"},
    "NewReminder": {"type": "REMINDER", "message": "Tea", "localDateTime": "2030-01-02T03:04"},
    "NewNotification": {"type": "NOTIFICATION", "message": "Tea", "at": "2030-01-02T03:04:05Z"},
}
ODD_WORDS = [
    "ANNIVERSARY",
    "REMINDER",
    "now",
    "NOW",
    "critical",
    "Critical",
    "2023-02-29",
    "9999-12-31",
    "2030-01-02T03:04:05.123Z",
    "2030-01-02T24:00:00Z",
    "2030-01-02t03:04:05z",
]
# What a rule may say no pattern can; its own tests say what the reader takes.
FIELDS = sorted(
    {field for name in OCCASIONS for field in COMPONENTS["schemas"][name]["properties"]} - {"rrule"}
)


def _case(name: str) -> st.SearchStrategy[tuple[str, str, object]]:
    properties = COMPONENTS["schemas"][name]["properties"]
    return st.sampled_from([*FIELDS, "colour"]).flatmap(
        lambda field: st.tuples(
            st.just(name),
            st.just(field),
            near_texts(properties.get(field)) | st.sampled_from(ODD_WORDS) | st.none() | st.integers(),
        )
    )


@settings(max_examples=600, deadline=None)
@given(case=st.sampled_from(sorted(OCCASIONS)).flatmap(_case))
@example(case=("NewAnniversary", "name", "a" * 101))
@example(case=("NewReminder", "message", "a" * 1001))
@example(case=("NewReminder", "at", "now"))
@example(case=("NewNotification", "at", "now"))
@example(case=("NewNotification", "sendAtLocal", "10:00"))
def test_an_occasion_is_valid_under_the_schema_just_when_the_reader_takes_it(
    case: tuple[str, str, object],
) -> None:
    name, field, value = case
    body = {**OCCASIONS[name], field: value}

    try:
        parse_occasion(json.dumps(body).encode(), now=NOW, send_at_local=dict.fromkeys(KINDS, time(9)))
        taken = True
    except InvalidInputError:
        taken = False

    assert VALIDATOR.is_valid(body) == taken
