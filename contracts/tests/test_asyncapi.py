"""asyncapi.yaml says what the topology and the schemas say; its page needs nothing from elsewhere."""

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml
from domain.events import EVENT_TYPES
from messaging.topology import load_topology
from testkit.asyncapi import asyncapi_document, asyncapi_file

CONTRACTS = Path(__file__).parents[1]
TOPOLOGY = load_topology(CONTRACTS / "topology.yaml")
DOCUMENT = asyncapi_document(CONTRACTS)


def test_the_file_is_what_is_generated() -> None:
    assert (CONTRACTS / "asyncapi.yaml").read_text() == asyncapi_file(CONTRACTS), "make contracts"


def resolved(value: Any) -> Any:  # noqa: ANN401 - JSON
    match value:
        case {"$ref": str(reference)}:
            found: Any = DOCUMENT
            for step in reference.removeprefix("#/").split("/"):
                found = found[step]
            return resolved(found)
        case dict():
            return {key: resolved(inner) for key, inner in value.items()}
        case list():
            return [resolved(inner) for inner in value]
        case _:
            return value


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_each_event_type_has_a_topic_and_its_example_is_a_valid_message(name: str) -> None:
    channel = resolved(DOCUMENT["channels"][f"topic-{TOPOLOGY.event_types[name].topic}"])
    message = channel["messages"][name]
    [example] = message["examples"]

    jsonschema_rs.validate(message["payload"], example["payload"], validate_formats=True)
    jsonschema_rs.validate(message["headers"], example["headers"])
    assert not jsonschema_rs.is_valid(message["payload"], {**example["payload"], "type": "carillon.Other.v1"})


def test_each_subscription_of_the_topology_is_told_with_its_filter() -> None:
    told = {
        (operation["bindings"]["sns"]["topic"]["name"], consumer["endpoint"]["name"]): consumer.get(
            "filterPolicy"
        )
        for operation in DOCUMENT["operations"].values()
        if "bindings" in operation
        for consumer in operation["bindings"]["sns"]["consumers"]
    }
    assert told == {
        (f"carillon-{{env}}-{topic}", f"carillon-{{env}}-{queue.name}"): subscription.filter_policy
        for queue in TOPOLOGY.queues.values()
        for subscription in queue.subscriptions
        for topic in subscription.topics
    }


def test_each_queue_tells_what_it_hears() -> None:
    outcomes = DOCUMENT["channels"]["queue-scheduler-outcomes"]
    assert list(outcomes["messages"]) == ["OccurrenceProgress", "OccurrenceCompleted", "OccurrenceFailed"]


def test_it_is_plain_yaml_that_json_tools_read_too() -> None:
    document = yaml.safe_load((CONTRACTS / "asyncapi.yaml").read_text())
    assert json.loads(json.dumps(document)) == DOCUMENT
