"""The AsyncAPI 3.0 document: each topic, who publishes and who hears it, each queue, each message."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from domain.priority import Priority
from messaging.topology import (
    EventType,
    Queue,
    Subscription,
    Topology,
    dead_letter_name,
    load_topology,
    queue_name,
    topic_name,
    undelivered_name,
)

Json = dict[str, Any]

WRITTEN = "# Written by `make contracts` from topology.yaml and the schemas; change those.\n"
# In the place of an environment: names in the document are carillon-{env}-birthday-due.
ENV = "{env}"
NOT_IN_ASYNCAPI = {"$schema", "$id"}
EXAMPLE_ID = "181bc5ae-e3e5-599f-a95d-3320e48d4cf9"
DESCRIPTION = (
    "Carillon tells what happens, and what falls due, as CloudEvents 1.0 in structured JSON: one SNS topic an"
    " event type. Subscribe an SQS queue, raw, and read the event from the message's body. Delivery is at"
    " least once and in any order: `id` is the same whenever an event comes again, and of two events of one"
    " user or occasion the higher `version` is the newer. Contracts only grow: ignore fields that you do not"
    " know. Filter by the attributes `eventType` and `priority`, or by the body."
)
DELIVERY = "At least once, in any order; after {receives} receives in the dead-letter queue, for {days} days."


def asyncapi_document(contracts: Path) -> Json:
    """Return the document of the contracts in a folder. Raises TopologyError."""
    topology = load_topology(contracts / "topology.yaml")
    version = read(contracts / "openapi.json")["info"]["version"]
    published = {
        name: kind for name, kind in topology.event_types.items() if schema_file(contracts, name, kind)
    }
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Carillon", "version": version, "description": DESCRIPTION},
        "defaultContentType": "application/cloudevents+json",
        "servers": {name: server(name) for name in ("sns", "sqs")},
        "channels": {
            **{f"topic-{kind.topic}": topic_channel(name, kind) for name, kind in published.items()},
            **{f"queue-{name}": queue_channel(topology, published, name) for name in topology.queues},
        },
        "operations": {
            **{f"publish-{name}": publishing(topology, name, kind) for name, kind in published.items()},
            **{f"receive-{name}": receiving(name) for name in topology.queues},
        },
        "components": {
            "parameters": {"env": {"description": "The environment, such as production."}},
            "messages": {name: message(contracts, name, kind) for name, kind in published.items()},
            "schemas": {name: schema(contracts, name, kind) for name, kind in published.items()},
        },
    }


def asyncapi_file(contracts: Path) -> str:
    """Give the document as it is checked in."""
    document = asyncapi_document(contracts)
    return WRITTEN + yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=110)


def server(protocol: str) -> Json:
    """Describe where topics, or queues, are."""
    return {
        "host": protocol + ".{region}.amazonaws.com",
        "protocol": protocol,
        "description": "Or whatever AWS_ENDPOINT_URL names.",
        "variables": {"region": {"default": "eu-west-1"}},
    }


def topic_channel(name: str, kind: EventType) -> Json:
    """Describe a topic."""
    address = topic_name(ENV, kind.topic)
    return {
        "address": address,
        "title": kind.topic,
        "description": f"Every {name}, of priority {kind.priority.value} unless the event says otherwise.",
        "servers": [{"$ref": "#/servers/sns"}],
        "parameters": {"env": {"$ref": "#/components/parameters/env"}},
        "messages": {name: {"$ref": f"#/components/messages/{name}"}},
        "bindings": {"sns": {"name": address}},
    }


def queue_channel(topology: Topology, published: Mapping[str, EventType], name: str) -> Json:
    """Describe a queue, with all that it can hear."""
    queue = topology.queues[name]
    topics = {topic for subscription in queue.subscriptions for topic in subscription.topics}
    heard = [event for event, kind in published.items() if kind.topic in topics]
    days = topology.dead_letter_retention_seconds // 86_400
    dead_letters = {"name": dead_letter_name(ENV, name), "fifoQueue": False}
    return {
        "address": queue_name(ENV, name),
        "title": name,
        "description": DELIVERY.format(receives=queue.max_receives, days=days),
        "servers": [{"$ref": "#/servers/sqs"}],
        "parameters": {"env": {"$ref": "#/components/parameters/env"}},
        "messages": {event: {"$ref": f"#/components/messages/{event}"} for event in heard},
        "bindings": {
            "sqs": {
                "queue": {
                    "name": queue_name(ENV, name),
                    "fifoQueue": False,
                    "visibilityTimeout": queue.visibility_seconds,
                    "messageRetentionPeriod": queue.retention_seconds,
                    "redrivePolicy": {
                        "deadLetterQueue": {"name": dead_letters["name"]},
                        "maxReceiveCount": queue.max_receives,
                    },
                },
                "deadLetterQueue": {
                    **dead_letters,
                    "messageRetentionPeriod": topology.dead_letter_retention_seconds,
                },
            }
        },
    }


def publishing(topology: Topology, name: str, kind: EventType) -> Json:
    """Describe what Carillon sends to a topic, and which of its queues hear it."""
    channel = f"#/channels/topic-{kind.topic}"
    consumers = [
        heard_by(queue, subscription)
        for queue in topology.queues.values()
        for subscription in queue.subscriptions
        if kind.topic in subscription.topics
    ]
    binding = {"sns": {"topic": {"name": topic_name(ENV, kind.topic)}, "consumers": consumers}}
    return {
        "action": "send",
        "title": f"{name} is published" if kind.published else f"{name} is switched off",
        "channel": {"$ref": channel},
        "messages": [{"$ref": f"{channel}/messages/{name}"}],
        **({"bindings": binding} if consumers else {}),
    }


def heard_by(queue: Queue, subscription: Subscription) -> Json:
    """Describe a queue's subscription to a topic."""
    policy = subscription.filter_policy
    filtered = (
        {"filterPolicy": policy, "filterPolicyScope": subscription.filter_policy_scope} if policy else {}
    )
    return {
        "protocol": "sqs",
        "endpoint": {"name": queue_name(ENV, queue.name)},
        "rawMessageDelivery": True,
        **filtered,
        "redrivePolicy": {"deadLetterQueue": {"name": undelivered_name(ENV, queue.name)}},
    }


def receiving(queue: str) -> Json:
    """Describe what consumes a queue."""
    return {
        "action": "receive",
        "title": f"{queue} is consumed",
        "channel": {"$ref": f"#/channels/queue-{queue}"},
    }


def message(contracts: Path, name: str, kind: EventType) -> Json:
    """Describe a message: its attributes, its envelope and the event in it, with an example."""
    event, version = name.removesuffix(f"V{kind.schema_version}"), kind.schema_version
    type_name = f"carillon.{event}.v{version}"
    envelope = plain(read(contracts / "envelope.schema.json"))
    envelope["properties"] |= {
        "type": {**envelope["properties"]["type"], "const": type_name},
        "dataschema": {
            **envelope["properties"]["dataschema"],
            "const": f"urn:carillon:event:{event}:v{version}",
        },
        "data": {"$ref": f"#/components/schemas/{name}"},
    }
    data = schema(contracts, name, kind)
    example = read(contracts / "events" / event / f"v{version}.example.json")
    return {
        "name": type_name,
        "title": name,
        "summary": data["description"],
        "headers": headers(event),
        "payload": envelope,
        "examples": [
            {
                "name": name,
                "headers": {"eventType": event, "priority": example.get("priority", kind.priority.value)},
                "payload": {
                    "specversion": "1.0",
                    "id": EXAMPLE_ID,
                    "source": f"carillon/{source(event)}",
                    "type": type_name,
                    "subject": example.get("userId", EXAMPLE_ID),
                    "time": example.get("occurredAt") or example["emittedAt"],
                    "datacontenttype": "application/json",
                    "dataschema": f"urn:carillon:event:{event}:v{version}",
                    "data": example,
                },
            }
        ],
    }


def headers(event: str) -> Json:
    """Describe the message attributes."""
    return {
        "type": "object",
        "required": ["eventType", "priority"],
        "properties": {
            "eventType": {"const": event, "description": "For filter policies."},
            "priority": {
                "enum": [priority.value for priority in Priority],
                "description": "For filter policies.",
            },
            "actor": {
                "type": "string",
                "description": "Who asked for it: a role and a token's subject. Absent where nobody did.",
            },
            "traceparent": {
                "type": "string",
                "description": "The trace it happened in, if any (W3C).",
            },
            "tracestate": {"type": "string", "description": "What vendors add to it."},
        },
    }


def source(event: str) -> str:
    """Name the service that an event comes from, as a rule."""
    if event.startswith(("User", "Occasion")):
        return "user-api"
    if event.endswith("Due") or event in {"OccurrenceScheduled", "OccurrenceExpired"}:
        return "scheduler"
    return "webhook-worker"


def schema(contracts: Path, name: str, kind: EventType) -> Json:
    """Return the schema of an event."""
    file = schema_file(contracts, name, kind)
    return plain(read(file)) if file else {}


def schema_file(contracts: Path, name: str, kind: EventType) -> Path | None:
    """Find the schema of an entry of the topology; none where the entry came first."""
    event = name.removesuffix(f"V{kind.schema_version}")
    file = contracts / "events" / event / f"v{kind.schema_version}.schema.json"
    return file if file.exists() else None


def plain(document: Json) -> Json:
    """Leave out what only a JSON Schema file has."""
    return {key: value for key, value in document.items() if key not in NOT_IN_ASYNCAPI}


def read(path: Path) -> Json:
    """Read a JSON file."""
    document: Json = json.loads(path.read_text(encoding="utf-8"))
    return document
