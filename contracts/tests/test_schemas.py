from pathlib import Path
from typing import Any
from uuid import UUID

import jsonschema_rs
import msgspec
import pytest
from domain.due_dates import first_date, planned
from domain.events import EVENT_TYPES, DueEvent, OccasionState, schema_id
from domain.ids import birthday_occasion_id, due_event_id
from domain.kinds import KINDS
from domain.message_text import message_text
from domain.occasion import LeapDayPolicy
from domain.occasion_rule import rule_of
from domain.recurrence import recurrence

DUE = [occasion_type.lower() for occasion_type in KINDS]
TOLD = {
    "message": "message",
    "userId": "userId",
    "emittedAt": "timestamp",
    "dueAt": "scheduledFor",
    "lateBySeconds": "lateBySeconds",
    "jitterSeconds": "jitterSeconds",
    "localDate": "localDate",
    "timezone": "timezone",
}
CONTRACTS = Path(__file__).parents[1]
SCHEMAS = {
    str(path.relative_to(CONTRACTS)): msgspec.json.decode(path.read_bytes())
    for path in sorted(CONTRACTS.rglob("*.schema.json"))
    if "released" not in path.parts
}


def file(event: str, kind: str) -> str:
    """Give the place of an event type's schema or example; `BirthdayDueV2` has that of version 2."""
    of = EVENT_TYPES[event]
    return f"events/{of.event_type}/v{of.schema_version}.{kind}.json"


def read(name: str) -> Any:  # noqa: ANN401 - any JSON
    return msgspec.json.decode((CONTRACTS / name).read_bytes())


def validator(name: str) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(SCHEMAS[name], validate_formats=True)


def messages(name: str, document: object) -> list[str]:
    return [error.message for error in validator(name).iter_errors(document)]


def test_there_is_a_schema_and_an_example_for_every_event_type_of_the_code() -> None:
    files = sorted(str(path.relative_to(CONTRACTS)) for path in (CONTRACTS / "events").rglob("*.json"))
    expected = sorted(file(name, kind) for name in EVENT_TYPES for kind in ("example", "schema"))
    assert expected == files


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_json_schema_2020_12_with_an_id_and_a_description(name: str) -> None:
    schema = SCHEMAS[name]
    jsonschema_rs.meta.validate(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"].startswith("urn:carillon:")
    assert schema["description"]


@pytest.mark.parametrize("name", [name for name in SCHEMAS if name != "topology.schema.json"])
def test_every_field_is_described_and_unknown_ones_are_let_through(name: str) -> None:
    schema = SCHEMAS[name]
    fixed = {"specversion", "datacontenttype"}  # a constant says it all
    undescribed = {field for field, rule in schema["properties"].items() if "description" not in rule} - fixed
    assert (set(), False) == (undescribed, "additionalProperties" in schema)


@pytest.mark.parametrize("event", EVENT_TYPES)
def test_a_schemas_id_is_the_one_that_messages_name(event: str) -> None:
    assert schema_id(EVENT_TYPES[event]) == SCHEMAS[file(event, "schema")]["$id"]


@pytest.mark.parametrize("event", EVENT_TYPES)
def test_an_example_is_valid(event: str) -> None:
    assert messages(file(event, "schema"), read(file(event, "example"))) == []


@pytest.mark.parametrize("event", EVENT_TYPES)
def test_an_example_without_any_one_required_field_is_not(event: str) -> None:
    example = read(file(event, "example"))
    schema = validator(file(event, "schema"))
    accepted = [
        field for field in example if schema.is_valid({key: example[key] for key in example if key != field})
    ]
    assert set(accepted) == set(example) - set(SCHEMAS[file(event, "schema")]["required"])


@pytest.mark.parametrize(
    ("event", "field", "value"),
    [
        ("UserCreated", "userId", "not-a-uuid"),
        ("UserCreated", "dateOfBirth", "1990-02-30"),
        ("UserCreated", "dateOfBirth", "19900214"),
        ("UserCreated", "sendAtLocal", "09:00"),
        ("UserCreated", "sendAtLocal", "24:00:00"),
        ("UserCreated", "occurredAt", "2026-11-22T14:05:09"),
        ("UserCreated", "occurredAt", "2026-11-22T14:05:09+00:00"),
        ("UserCreated", "occurredAt", "2026-13-22T14:05:09Z"),
        ("UserCreated", "firstDate", "2027-2-29"),
        ("UserCreated", "version", 0),
        ("UserCreated", "firstName", ""),
        ("BirthdayDue", "lateBySeconds", -1),
        ("BirthdayDue", "lateBySeconds", 1.5),
        ("BirthdayDue", "priority", "urgent"),
        ("OccasionAdded", "type", "NAMEDAY"),
        ("OccasionAdded", "firstDate", None),
        ("OccasionAdded", "name", ""),
        ("OccasionAdded", "date", "2019-02-29"),
        ("OccasionChanged", "localDateTime", "2026-11-23T18:00:00Z"),
        ("OccasionChanged", "localDateTime", "2026-11-23T18:00"),
        ("OccasionChanged", "lastDate", "2026-12-31T00:00:00"),
        ("OccasionChanged", "at", "2026-11-23T18:00:00"),
        ("OccasionAdded", "leapDayPolicy", "feb_30"),
        ("OccasionChanged", "leapDayPolicy", None),
        ("AnniversaryDue", "name", ""),
        ("OccurrenceCompleted", "results", [{"endpointId": "x", "status": "delivered", "attempts": 1}]),
    ],
)
def test_units_and_formats_are_enforced(event: str, field: str, value: object) -> None:
    example = read(file(event, "example")) | {field: value}
    assert not validator(file(event, "schema")).is_valid(example)


@pytest.mark.parametrize(("source", "event"), [("user-api", "UserCreated"), ("scheduler", "BirthdayDue")])
def test_an_envelope_around_an_example_is_valid(source: str, event: str) -> None:
    envelope = {
        "specversion": "1.0",
        "id": "181bc5ae-e3e5-599f-a95d-3320e48d4cf9",
        "source": f"carillon/{source}",
        "type": f"carillon.{event}.v1",
        "subject": "0192d5f0-5b1e-7c3a-9f1d-3a5e8c2b4d61",
        "time": "2027-03-14T13:00:00.041382Z",
        "datacontenttype": "application/json",
        "dataschema": f"urn:carillon:event:{event}:v1",
        "data": read(file(event, "example")),
    }
    schema = validator("envelope.schema.json")
    incomplete = [schema.is_valid({k: v for k, v in envelope.items() if k != field}) for field in envelope]
    assert (messages("envelope.schema.json", envelope), incomplete) == ([], [False] * 9)


@pytest.mark.parametrize("kind", DUE)
def test_a_webhooks_example_is_valid_and_complete(kind: str) -> None:
    example = read(f"webhooks/{kind}-due.example.json")
    schema = SCHEMAS[f"webhooks/{kind}-due.schema.json"]
    expected = [
        "type",
        "message",
        "userId",
        "eventId",
        "timestamp",
        "scheduledFor",
        "lateBySeconds",
        "localDate",
        "timezone",
    ]
    assert (expected, expected) == (list(example), schema["required"])
    assert messages(f"webhooks/{kind}-due.schema.json", example) == []
    assert (f"{kind}.due", f"urn:carillon:webhook:{kind}.due:v1") == (example["type"], schema["$id"])
    other = {**example, "type": "nameday.due"}
    assert not validator(f"webhooks/{kind}-due.schema.json").is_valid(other)


@pytest.mark.parametrize("kind", DUE)
def test_a_webhook_tells_what_its_due_event_tells(kind: str) -> None:
    due = read(f"events/{kind.capitalize()}Due/v1.example.json")
    webhook = read(f"webhooks/{kind}-due.example.json")
    named_for = due["dueAt"][:10] if kind == "notification" else due["localDate"]
    event_id = due_event_id(UUID(due["occasionId"]), named_for)
    assert [str(event_id), *map(due.get, TOLD)] == [webhook["eventId"], *map(webhook.get, TOLD.values())]


def test_the_example_of_an_endpoints_test_is_valid_and_complete() -> None:
    example = read("webhooks/endpoint-test.example.json")
    schema = SCHEMAS["webhooks/endpoint-test.schema.json"]
    assert messages("webhooks/endpoint-test.schema.json", example) == []
    assert (list(example), "urn:carillon:webhook:endpoint.test:v1") == (schema["required"], schema["$id"])
    other = {**example, "type": "birthday.due"}
    assert not validator("webhooks/endpoint-test.schema.json").is_valid(other)


@pytest.mark.parametrize("kind", ["Added", "Changed"])
def test_an_occasions_example_is_what_the_rules_decide(kind: str) -> None:
    state = msgspec.convert(read(f"events/Occasion{kind}/v1.example.json"), OccasionState)
    rule = rule_of(state, timezone="America/New_York", leap_day_policy=LeapDayPolicy.FEB_28)
    assert state.first_date == first_date(rule, None, None, changed_at=state.occurred_at)
    if state.rrule and state.local_date_time:
        expected = recurrence(state.rrule, state.local_date_time, "America/New_York")
        assert expected == (state.rrule, state.last_date)
    due = "AnniversaryDue" if kind == "Added" else "ReminderDue"
    planned_date = planned(rule, first_date=state.first_date, after_date=None)
    assert planned_date is not None
    example = msgspec.convert(read(f"events/{due}/v1.example.json"), DueEvent)
    assert (example.local_date, example.local_time, example.due_at) == (
        planned_date.local_date,
        planned_date.local_time,
        planned_date.due_at,
    )


def test_the_examples_tell_one_story() -> None:
    user, due = read("events/UserCreated/v1.example.json"), read("events/BirthdayDue/v1.example.json")
    webhook, done = (
        read("webhooks/birthday-due.example.json"),
        read("events/OccurrenceCompleted/v1.example.json"),
    )
    created = msgspec.convert(user, EVENT_TYPES["UserCreated"])
    occasion_id = birthday_occasion_id(created.user_id)  # type: ignore[attr-defined] # a UserCreated
    event_id = str(due_event_id(occasion_id, user["firstDate"]))
    assert (str(occasion_id), event_id, event_id) == (
        due["occasionId"],
        webhook["eventId"],
        done["dueEventId"],
    )
    words = message_text(
        "BIRTHDAY", first_name=user["firstName"], last_name=user["lastName"], name=None, message=None
    )
    assert words == due["message"] == webhook["message"]
