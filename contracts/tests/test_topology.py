from pathlib import Path
from typing import Any

import jsonschema_rs
import msgspec
import pytest
import yaml
from domain.events import EVENT_TYPES
from domain.kinds import KINDS
from domain.priority import Priority

CONTRACTS = Path(__file__).parents[1]
TOPOLOGY: dict[str, Any] = yaml.safe_load((CONTRACTS / "topology.yaml").read_text())
SCHEMA: dict[str, Any] = msgspec.json.decode((CONTRACTS / "topology.schema.json").read_bytes())
VALIDATOR = jsonschema_rs.Draft202012Validator(SCHEMA, validate_formats=True)
QUEUES = {name: {**TOPOLOGY["defaults"], **entry} for name, entry in TOPOLOGY["queues"].items()}
DUE_TOPICS = {TOPOLOGY["eventTypes"][kind.due_event.event_type]["topic"] for kind in KINDS.values()}


def with_queue(name: str, **entry: object) -> dict[str, Any]:
    return {**TOPOLOGY, "queues": {**TOPOLOGY["queues"], name: entry}}


def with_event_type(name: str, **entry: object) -> dict[str, Any]:
    return {**TOPOLOGY, "eventTypes": {**TOPOLOGY["eventTypes"], name: entry}}


def topics_of(queue: str) -> list[str]:
    return [topic for subscription in QUEUES[queue]["subscriptions"] for topic in subscription["topics"]]


def test_the_topology_follows_its_schema() -> None:
    jsonschema_rs.meta.validate(SCHEMA)
    assert [error.message for error in VALIDATOR.iter_errors(TOPOLOGY)] == []


def test_a_consumer_is_one_entry() -> None:
    assert VALIDATOR.is_valid(with_queue("analytics", subscriptions=[{"topics": ["birthday-due"]}]))


def test_an_event_type_is_one_entry_and_can_be_switched_off() -> None:
    entry = {"topic": "anniversary-due", "priority": "high", "schemaVersion": 2, "published": False}
    assert VALIDATOR.is_valid(with_event_type("NamedayDue", **entry))


HEARS = [{"topics": ["birthday-due"]}]


def by_body(policy: dict[str, object]) -> dict[str, object]:
    return {"topics": ["birthday-due"], "filterPolicy": policy, "filterPolicyScope": "MessageBody"}


@pytest.mark.parametrize(
    "policy",
    [
        {"subject": ["0192d5f0-5b1e-7c3a-9f1d-3a5e8c2b4d61"]},
        {"data": {"timezone": ["Europe/Paris", {"prefix": "America/"}], "lateBySeconds": [0]}},
        {
            "type": [{"anything-but": ["carillon.BirthdayDue.v2"]}],
            "data": {"jitterSeconds": [{"exists": False}]},
        },
    ],
)
def test_a_consumer_may_choose_by_what_the_body_says(policy: dict[str, object]) -> None:
    assert VALIDATOR.is_valid(with_queue("analytics", subscriptions=[by_body(policy)]))


@pytest.mark.parametrize(
    ("name", "entry"),
    [
        ("analytics", {}),
        ("analytics", {"subscriptions": []}),
        ("analytics", {"subscriptions": [{"topics": []}]}),
        ("analytics", {"subscriptions": [{"topics": ["birthday-due", "birthday-due"]}]}),
        ("analytics", {"subscriptions": [{"topics": ["BirthdayDue"]}]}),
        ("analytics", {"subscriptions": [{"topics": ["birthday-due"], "filterPolicy": {"colour": ["red"]}}]}),
        ("analytics", {"subscriptions": [{"topics": ["birthday-due"], "filterPolicy": {"priority": "low"}}]}),
        ("analytics", {"subscriptions": [{"topics": ["birthday-due"], "rawDelivery": False}]}),
        ("analytics", {"subscriptions": [{"topics": ["birthday-due"], "filterPolicyScope": "MessageBody"}]}),
        ("analytics", {"subscriptions": [by_body({})]}),
        ("analytics", {"subscriptions": [by_body({"data": {}})]}),
        ("analytics", {"subscriptions": [by_body({"data": {"timezone": "Europe/Paris"}})]}),
        ("analytics", {"subscriptions": [by_body({"data": {"timezone": []}})]}),
        ("analytics", {"subscriptions": [by_body({"data": {"timezone": [["Europe/Paris"]]}})]}),
        (
            "analytics",
            {"subscriptions": [by_body({"data": {"timezone": ["UTC"]}}) | {"filterPolicyScope": "Body"}]},
        ),
        ("analytics", {"subscriptions": HEARS, "visibility": 30}),
        ("analytics", {"subscriptions": HEARS, "visibilitySeconds": 43201}),
        ("analytics", {"subscriptions": HEARS, "visibilitySeconds": 0}),
        ("analytics", {"subscriptions": HEARS, "retentionSeconds": 59}),
        ("analytics", {"subscriptions": HEARS, "retentionSeconds": 1209601}),
        ("analytics", {"subscriptions": HEARS, "maxReceives": 0}),
        ("analytics", {"subscriptions": HEARS, "maxReceives": 1001}),
        ("analytics", {"subscriptions": HEARS, "batch": 0}),
        ("analytics", {"subscriptions": HEARS, "batch": 11}),
        ("analytics", {"subscriptions": HEARS, "concurrency": 0}),
        ("analytics", {"subscriptions": HEARS, "priority": "urgent"}),
        ("Analytics", {"subscriptions": HEARS}),
        ("analytics.fifo", {"subscriptions": HEARS}),
        ("a" * 35, {"subscriptions": HEARS}),
    ],
)
def test_a_queue_that_sns_or_sqs_would_refuse_is_refused_here(name: str, entry: dict[str, object]) -> None:
    assert not VALIDATOR.is_valid(with_queue(name, **entry))


@pytest.mark.parametrize(
    "changed",
    [
        {"topic": "Nameday"},
        {"priority": "urgent"},
        {"schemaVersion": 0},
        {"sendAtLocal": "9:00"},
        {"sendAtLocal": "24:00"},
        {"catchUpHours": 0},
        {"catchUpHours": 721},
        {"publish": False},
    ],
)
def test_a_senseless_event_type_is_refused(changed: dict[str, object]) -> None:
    entry = {"topic": "nameday-due", "priority": "low", "schemaVersion": 1}
    accepted = [
        VALIDATOR.is_valid(with_event_type("NamedayDue", **it)) for it in (entry, {**entry, **changed})
    ]
    assert accepted == [True, False]


def test_every_event_type_of_the_design_is_there() -> None:
    expected = {
        "UserCreated": ("user-created", "normal"),
        "UserBirthdayChanged": ("user-birthday-changed", "normal"),
        "UserTimezoneChanged": ("user-timezone-changed", "normal"),
        "UserNameChanged": ("user-name-changed", "normal"),
        "UserDeleted": ("user-deleted", "normal"),
        "OccasionAdded": ("occasion-added", "normal"),
        "OccasionChanged": ("occasion-changed", "normal"),
        "OccasionRemoved": ("occasion-removed", "normal"),
        "BirthdayDue": ("birthday-due", "critical"),
        "AnniversaryDue": ("anniversary-due", "high"),
        "ReminderDue": ("reminder-due", "normal"),
        "NotificationDue": ("notification-due", "low"),
        "OccurrenceScheduled": ("occurrence-scheduled", "low"),
        "OccurrenceProgress": ("occurrence-progress", "high"),
        "OccurrenceCompleted": ("occurrence-completed", "high"),
        "OccurrenceFailed": ("occurrence-failed", "high"),
        "OccurrenceExpired": ("occurrence-expired", "high"),
        "EndpointDisabled": ("endpoint-disabled", "high"),
        "DeadLettered": ("dead-lettered", "high"),
    }
    actual = {name: (entry["topic"], entry["priority"]) for name, entry in TOPOLOGY["eventTypes"].items()}
    assert expected == {name: actual.get(name) for name in expected}


def test_every_event_type_has_a_topic_of_its_own() -> None:
    topics = [entry["topic"] for entry in TOPOLOGY["eventTypes"].values()]
    assert len(topics) == len(set(topics))


def test_the_code_writes_the_versions_that_the_topology_declares() -> None:
    declared = {name: TOPOLOGY["eventTypes"][name]["schemaVersion"] for name in EVENT_TYPES}
    assert declared == {name: event.schema_version for name, event in EVENT_TYPES.items()}


@pytest.mark.parametrize(
    ("queue", "visibility", "retention", "receives", "batch", "concurrency"),
    [
        ("webhook-critical", 30, 24 * 3600, 3, 5, 400),
        ("webhook-high", 30, 48 * 3600, 3, 10, 200),
        ("webhook-normal", 60, 72 * 3600, 5, 10, 400),
        ("webhook-low", 120, 7 * 24 * 3600, 5, 10, 200),
        ("webhook-user-deleted", 60, 14 * 24 * 3600, 5, 10, 10),
        ("scheduler-user-events", 60, 14 * 24 * 3600, 5, 10, 10),
        ("scheduler-outcomes", 60, 14 * 24 * 3600, 5, 10, 10),
    ],
)
def test_a_queue_has_the_numbers_it_was_designed_with(
    queue: str, visibility: int, retention: int, receives: int, batch: int, concurrency: int
) -> None:
    entry = QUEUES[queue]
    actual = tuple(
        entry[key] for key in ("visibilitySeconds", "retentionSeconds", "maxReceives", "batch", "concurrency")
    )
    assert (visibility, retention, receives, batch, concurrency) == actual


def test_low_bursts_and_takes_twenty_under_lambda() -> None:
    low = QUEUES["webhook-low"]
    assert (low["lambdaBatch"], low["burstable"]) == (20, True)


def test_dead_letters_are_kept_for_fourteen_days() -> None:
    assert TOPOLOGY["deadLetter"]["retentionSeconds"] == 14 * 24 * 3600


@pytest.mark.parametrize("priority", Priority)
def test_each_due_topic_reaches_each_priority_through_a_filter(priority: Priority) -> None:
    queue = TOPOLOGY["queues"][f"webhook-{priority}"]
    [subscription] = queue["subscriptions"]
    assert (priority, {"priority": [priority.value]}) == (queue["priority"], subscription["filterPolicy"])
    assert set(subscription["topics"]) == DUE_TOPICS


def test_the_scheduler_hears_all_that_changes_what_it_plans() -> None:
    expected = [
        entry["topic"]
        for name, entry in TOPOLOGY["eventTypes"].items()
        if name.startswith(("User", "Occasion"))
    ]
    assert (8, expected) == (len(expected), topics_of("scheduler-user-events"))


def test_the_scheduler_hears_what_became_of_its_occurrences() -> None:
    expected = ["occurrence-completed", "occurrence-failed", "occurrence-progress"]
    assert expected == topics_of("scheduler-outcomes")


@pytest.mark.parametrize("queue", QUEUES)
def test_a_queue_hears_topics_that_exist_each_once(queue: str) -> None:
    # SNS holds one subscription a topic and queue: a second entry would overwrite the first one's filter.
    heard = topics_of(queue)
    known = {entry["topic"] for entry in TOPOLOGY["eventTypes"].values()}
    assert (set(), len(heard)) == (set(heard) - known, len(set(heard)))


def test_the_longest_name_fits_into_what_sqs_allows() -> None:
    longest = SCHEMA["$defs"]["queueName"]["maxLength"]
    assert len(f"carillon-{'e' * 20}-{'q' * longest}-undelivered-dlq") == 80
