"""What new contracts break for whoever subscribed under the last release.

They only grow. What is sent now must be valid under the released schema, or consumers of today break; and
what was sent then under the new one, for queues keep it up to 14 days. As each release takes what the next
one sends, it takes what any later one does.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from messaging.topology import Topology, load_topology

from testkit.schema_changes import losses, unread_changes

Json = Mapping[str, Any]
EVENT, WEBHOOK, ENVELOPE = "events", "webhooks", "envelope.schema.json"
SCHEMAS = f"{EVENT}/*/*.schema.json", f"{WEBHOOK}/*.schema.json", ENVELOPE
GONE = "is gone; breaks whoever hears it"


def broken_contracts(released: Path, contracts: Path) -> list[str]:
    """Say in a line each what breaks, whom and how; `released` is the folder that the last release kept.

    Raises TopologyError.
    """
    before, topology = load_topology(released / "topology.yaml"), load_topology(contracts / "topology.yaml")
    told = []
    for file, schema in read_schemas(released).items():
        path = contracts / file
        changes = breaking_changes(schema, read_schema(path)) if path.exists() else [GONE]
        told += [f"{file}: {change}: {consumers(file, schema, topology)}" for change in changes]
    return told + moved_topics(before, topology)


def breaking_changes(old: Json, new: Json) -> Iterator[str]:
    """Say what of a new schema breaks readers of the old one, and what of the old one readers of the new."""
    told = list(unread_changes(old, new))
    yield from told
    for loss in losses(old, new):
        if loss.keyword == "required":
            yield (
                f"field {loss.at} is required now, which messages of the last release do not have; breaks"
                " whoever reads those, kept up to 14 days, by the new schema"
            )
        elif not told:
            change = f"{loss.keyword} {loss.wide} is narrower now, {loss.narrow}"
            yield f"{loss.at or 'as a whole'}: {change}; breaks whoever reads by it what was sent before"


def moved_topics(before: Topology, after: Topology) -> list[str]:
    """Say which event types are published elsewhere now, or nowhere."""
    told = []
    for name, event_type in before.event_types.items():
        now = after.event_types.get(name)
        if now is None or now.topic != event_type.topic:
            gone = f"topic {event_type.topic} is now {now.topic if now else 'gone'}"
            who = listeners(before, event_type.topic)
            told.append(f"topology.yaml: eventTypes.{name}: {gone}; breaks whoever hears it: {who}")
    return told


def consumers(file: str, schema: Json, topology: Topology) -> str:
    """Say who reads what a schema describes."""
    folder, _, rest = file.partition("/")
    if folder == WEBHOOK:
        return f"every endpoint that wants {schema['properties']['type']['const']}"
    if folder != EVENT:
        return f"every queue, {', '.join(sorted(topology.queues))}"
    name, version = rest.split("/")[0], int(rest.split("/v")[1].split(".")[0])
    topics = [
        event_type.topic
        for entry, event_type in topology.event_types.items()
        if entry in {name, f"{name}V{version}"} and event_type.schema_version == version
    ]
    return listeners(topology, topics[0]) if topics else "nobody whom the topology knows"


def listeners(topology: Topology, topic: str) -> str:
    """Name the queues that hear a topic, as far as this file knows them."""
    queues = sorted(
        queue.name
        for queue in topology.queues.values()
        if any(topic in subscription.topics for subscription in queue.subscriptions)
    )
    named = f"{', '.join(queues)} and " if queues else ""
    return f"{named}any other account's queue on {topic}"


def read_schemas(folder: Path) -> dict[str, Json]:
    """Read the schemas of messages in a folder of contracts, by their path in it."""
    paths = sorted(path for pattern in SCHEMAS for path in folder.glob(pattern))
    return {path.relative_to(folder).as_posix(): read_schema(path) for path in paths}


def read_schema(path: Path) -> Json:
    """Read one schema."""
    schema: Json = json.loads(path.read_text(encoding="utf-8"))
    return schema
