from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import jsonschema_rs
import msgspec
import pytest
from cloudevents.core.bindings.http import HTTPMessage, from_structured_event
from cloudevents.core.formats.json import JSONFormat
from domain.events import EVENT_TYPES, Event
from domain.priority import Priority
from messaging.envelope import Message, Outgoing, UndecodableError, compose, read
from messaging.topology import due_event_type, load_topology
from msgspec import structs
from testkit import build
from testkit.birthday_v2 import BIRTHDAY, BirthdayDueV2

EVENT_ID = UUID("0b7a2a4e-6f0e-5b8e-9a33-3f2f0c2b1d11")
USER_ID = UUID("5f3b5c86-2f0c-4d3c-8a52-0c6f6a1f7a01")
AT = datetime(2026, 12, 10, 9, 0, 0, 250000, tzinfo=UTC)


def example(contracts: Path, event_type: str) -> Event:
    text = (contracts / "events" / event_type / "v1.example.json").read_bytes()
    return msgspec.json.decode(text, type=EVENT_TYPES[event_type])


def composed(contracts: Path, event: Event) -> Message:
    topology = load_topology(contracts / "topology.yaml")
    out = Outgoing(event_id=EVENT_ID, subject=USER_ID, event=event)
    [message] = compose(topology, "scheduler", AT, [out])
    return message


@pytest.mark.parametrize("event_type", sorted(EVENT_TYPES))
def test_what_is_read_is_what_was_composed(contracts: Path, event_type: str) -> None:
    event = example(contracts, event_type)

    assert read(composed(contracts, event).body) == (EVENT_ID, event)


@pytest.mark.parametrize("event_type", sorted(EVENT_TYPES))
def test_a_composed_message_keeps_both_contracts(contracts: Path, event_type: str) -> None:
    document = msgspec.json.decode(composed(contracts, example(contracts, event_type)).body)
    envelope = msgspec.json.decode((contracts / "envelope.schema.json").read_bytes())
    schemas = [msgspec.json.decode(file.read_bytes()) for file in contracts.glob("events/*/v1.schema.json")]
    [data_schema] = [schema for schema in schemas if schema["$id"] == document["dataschema"]]

    jsonschema_rs.validate(envelope, document, validate_formats=True)
    jsonschema_rs.validate(data_schema, document["data"], validate_formats=True)


@pytest.mark.parametrize("event_type", sorted(EVENT_TYPES))
def test_the_cloudevents_sdk_reads_what_we_compose(contracts: Path, event_type: str) -> None:
    message = composed(contracts, example(contracts, event_type))

    event = from_structured_event(
        HTTPMessage({"content-type": "application/cloudevents+json"}, message.body.encode()), JSONFormat()
    )

    assert event.get_attributes() == {
        "specversion": "1.0",
        "id": str(EVENT_ID),
        "source": "carillon/scheduler",
        "type": f"carillon.{event_type}.v1",
        "subject": str(USER_ID),
        "time": AT,
        "datacontenttype": "application/json",
        "dataschema": f"urn:carillon:event:{event_type}:v1",
    }
    assert event.get_data() == msgspec.json.decode(message.body)["data"]


def test_the_broker_routes_and_groups_by_what_the_message_says(contracts: Path) -> None:
    message = composed(contracts, build.birthday_due(user_id=USER_ID, priority=Priority.CRITICAL))

    assert (message.event_id, message.event_type, message.group_id) == (EVENT_ID, "BirthdayDue", str(USER_ID))
    assert message.attributes == {"eventType": "BirthdayDue", "priority": "critical"}


def test_an_occasions_own_priority_wins_over_its_types(contracts: Path) -> None:
    message = composed(contracts, build.birthday_due(priority=Priority.LOW))

    assert (message.priority, message.attributes["priority"]) == (Priority.LOW, "low")


def test_news_of_an_occasion_goes_by_its_types_priority_not_by_the_occasions_own(contracts: Path) -> None:
    message = composed(contracts, build.occasion_added(priority=Priority.CRITICAL))

    assert (message.priority, message.attributes["priority"]) == (Priority.NORMAL, "normal")


@pytest.mark.parametrize("event_type", sorted(EVENT_TYPES))
def test_an_event_type_that_is_switched_off_is_not_composed_and_the_others_are(
    contracts: Path, event_type: str
) -> None:
    topology = load_topology(contracts / "topology.yaml")
    off = structs.replace(topology.event_types[event_type], published=False)
    topology = structs.replace(topology, event_types={**topology.event_types, event_type: off})
    events = [example(contracts, name) for name in EVENT_TYPES]

    messages = compose(
        topology, "test", AT, [Outgoing(event_id=uuid4(), subject=USER_ID, event=event) for event in events]
    )

    assert [message.event_type for message in messages] == [
        name for name in EVENT_TYPES if name != event_type
    ]


@pytest.mark.parametrize(
    ("published", "composed_as"),
    [
        ({"BirthdayDueV2": True, "BirthdayDue": True}, ["BirthdayDueV2", "BirthdayDue"]),
        ({"BirthdayDueV2": True}, ["BirthdayDueV2"]),
        ({"BirthdayDueV2": False, "BirthdayDue": True}, ["BirthdayDue"]),
        ({"BirthdayDueV2": False, "BirthdayDue": False}, []),
    ],
)
def test_each_version_that_has_an_entry_is_composed_under_the_same_id(
    contracts: Path, published: dict[str, bool], composed_as: list[str]
) -> None:
    topology = load_topology(contracts / "topology.yaml")
    due = structs.replace(topology.event_types["BirthdayDue"], schema_version=2)
    entries = {name: structs.replace(due, published=is_on) for name, is_on in published.items()}
    topology = structs.replace(topology, event_types=entries)
    told = structs.asdict(build.birthday_due(user_id=USER_ID))
    outgoing = Outgoing(event_id=EVENT_ID, subject=USER_ID, event=BirthdayDueV2(**told))

    messages = compose(topology, "scheduler", AT, [outgoing])

    assert [message.event_type for message in messages] == composed_as
    assert {message.event_id for message in messages} <= {EVENT_ID}
    assert due_event_type(topology, BIRTHDAY).published == bool(composed_as)


def envelope(**overrides: object) -> str:
    document: dict[str, Any] = {
        "specversion": "1.0",
        "id": str(EVENT_ID),
        "source": "carillon/test",
        "type": "carillon.UserDeleted.v1",
        "subject": str(USER_ID),
        "time": "2026-12-10T09:00:00Z",
        "datacontenttype": "application/json",
        "dataschema": "urn:carillon:event:UserDeleted:v1",
        "data": {"userId": str(USER_ID), "version": 2, "occurredAt": "2026-12-10T09:00:00Z"},
        **overrides,
    }
    return msgspec.json.encode(
        {name: value for name, value in document.items() if value is not None}
    ).decode()


def test_fields_that_a_newer_release_adds_are_ignored() -> None:
    data = {"userId": str(USER_ID), "version": 2, "occurredAt": "2026-12-10T09:00:00Z", "addedLater": [1]}

    assert read(envelope(traceparent="00-1-2-01", data=data)) == read(envelope())


NAIVE = "Expected `datetime` with a timezone component - at `$.occurredAt`"
SURROGATE = "'utf-8' codec can't encode character '\\ud800' in position 0: surrogates not allowed"
NESTED = '{"a":' * 100_000


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("", "not a CloudEvents envelope: Input data was truncated"),
        ("ring!", "not a CloudEvents envelope: JSON is malformed: invalid character (byte 0)"),
        ("[]", "not a CloudEvents envelope: Expected `object`, got `array`"),
        ("{}", "not a CloudEvents envelope: Object missing required field `specversion`"),
        (
            '{"Type": "Notification", "Message": "{}"}',
            "not a CloudEvents envelope: Object missing required field `specversion`",
        ),
        (envelope(data=None), "not a CloudEvents envelope: Object missing required field `data`"),
        (envelope(id="7"), "not a CloudEvents envelope: Invalid UUID - at `$.id`"),
        (envelope(type="carillon.UserDeleted.v2"), "unknown event type 'carillon.UserDeleted.v2'"),
        (envelope(type="two\nlines\0"), r"unknown event type 'two\nlines\x00'"),
        (envelope(type="x" * 1000), f"unknown event type '{'x' * 100}'"),
        (envelope(data=[]), "not a carillon.UserDeleted.v1: Expected `object`, got `array`"),
        (
            envelope(data={"userId": str(USER_ID), "version": 0, "occurredAt": "2026-12-10T09:00:00Z"}),
            "not a carillon.UserDeleted.v1: Expected `int` >= 1 - at `$.version`",
        ),
        (
            envelope(data={"userId": str(USER_ID), "version": 1, "occurredAt": "2026-12-10T09:00:00"}),
            f"not a carillon.UserDeleted.v1: {NAIVE}",
        ),
        (
            f'{{"addedLater": {NESTED}',
            "not a CloudEvents envelope: maximum recursion depth exceeded while deserializing an object",
        ),
        (
            "\ud800",
            f"not a CloudEvents envelope: {SURROGATE}",
        ),
    ],
    ids=lambda value: value[:40],
)
def test_an_unreadable_message_has_one_readable_reason(body: str, reason: str) -> None:
    with pytest.raises(UndecodableError) as unreadable:
        read(body)

    assert str(unreadable.value) == reason
    assert reason.isprintable()


def test_a_choice_that_does_not_exist_does_not_break_the_reasons_line(contracts: Path) -> None:
    data = msgspec.to_builtins(example(contracts, "BirthdayDue")) | {"priority": "two\nlines"}

    with pytest.raises(UndecodableError) as unreadable:
        read(envelope(type="carillon.BirthdayDue.v1", data=data))

    assert str(unreadable.value).isprintable()
