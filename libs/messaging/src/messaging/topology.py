"""The topology: event types, queues and subscriptions, read from the one file that everybody reads."""

from pathlib import Path
from typing import Any, Literal

import jsonschema_rs
import msgspec
import yaml
from domain.kind import Kind
from domain.priority import Priority
from msgspec import Struct, structs
from runtime.settings import SettingsError


class TopologyError(SettingsError):
    """The topology file is missing or not valid; the message is one line that says where and why."""


class EventType(Struct, frozen=True, kw_only=True, rename="camel"):
    """One event type and its topic; `catch_up_hours` is how late a due one may still be sent.

    Due ones are spread over the `send_window_minutes` that begin at the instant promised.
    """

    topic: str
    priority: Priority
    schema_version: int
    published: bool = True
    send_at_local: str | None = None
    catch_up_hours: float | None = None
    send_window_minutes: int = 0


class Subscription(Struct, frozen=True, kw_only=True, rename="camel"):
    """What a queue hears: some topics, all of their messages or those its filter policy lets through.

    The policy is held against what its scope names: the message's attributes or its body, the CloudEvent.
    """

    topics: tuple[str, ...]
    filter_policy: dict[str, Any] | None = None
    filter_policy_scope: Literal["MessageAttributes", "MessageBody"] = "MessageAttributes"


class Queue(Struct, frozen=True, kw_only=True, rename="camel"):
    """One queue, its file entry merged over the file's defaults."""

    name: str
    visibility_seconds: int
    retention_seconds: int
    max_receives: int
    batch: int
    concurrency: int
    priority: Priority | None = None
    subscriptions: tuple[Subscription, ...] = ()


class Topology(Struct, frozen=True, kw_only=True):
    """Every event type and queue, by name."""

    event_types: dict[str, EventType]
    queues: dict[str, Queue]
    dead_letter_retention_seconds: int


def load_topology(path: Path) -> Topology:
    """Read and check the topology file; its schema stands beside it. Raises TopologyError."""
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        schema = msgspec.json.decode(path.with_name("topology.schema.json").read_bytes())
        faults = [
            f"{'.'.join(map(str, error.instance_path))}: {error.message}"
            for error in jsonschema_rs.validator_for(schema).iter_errors(document)
        ]
    # ValueError: not UTF-8, or what YAML has and JSON has not, such as a date or a number as a key.
    except (OSError, ValueError, yaml.YAMLError, msgspec.DecodeError) as error:
        raise TopologyError(f"TOPOLOGY_FILE {path}: {' '.join(str(error).split())}") from None
    if faults:
        raise TopologyError(f"TOPOLOGY_FILE {path}: {'; '.join(faults)}")
    queues = {
        name: msgspec.convert({**document["defaults"], **entry, "name": name}, Queue)
        for name, entry in document["queues"].items()
    }
    event_types = msgspec.convert(document["eventTypes"], dict[str, EventType])
    check_topics(path, event_types, queues)
    return Topology(
        event_types=event_types,
        queues=queues,
        dead_letter_retention_seconds=document["deadLetter"]["retentionSeconds"],
    )


def check_topics(path: Path, event_types: dict[str, EventType], queues: dict[str, Queue]) -> None:
    """Raise TopologyError when a queue subscribes to a topic that no event type has."""
    known = {event_type.topic for event_type in event_types.values()}
    for queue in queues.values():
        heard = {topic for subscription in queue.subscriptions for topic in subscription.topics}
        if unknown := ", ".join(sorted(heard - known)):
            raise TopologyError(f"TOPOLOGY_FILE {path}: queues.{queue.name}: no event type has {unknown}")


def due_event_type(topology: Topology, kind: Kind) -> EventType:
    """Return the entry of what a kind of occasion emits, published if any of its versions is.

    Raises TopologyError where there is none.
    """
    name = kind.due_event.__name__
    if name not in topology.event_types:
        raise TopologyError(f"TOPOLOGY_FILE: eventTypes: {kind.called} needs {name}")
    entry, version = topology.event_types[name], kind.due_event.before
    published = entry.published
    while version is not None:
        older = topology.event_types.get(version.__name__)
        published, version = published or (older is not None and older.published), version.before
    return structs.replace(entry, published=published)


def topic_name(environment: str, topic: str) -> str:
    """Return the name of a topic in AWS, `carillon-production-birthday-due`."""
    return f"carillon-{environment}-{topic}"


def queue_name(environment: str, queue: str) -> str:
    """Return the name of a queue in AWS, `carillon-production-webhook-critical`."""
    return f"carillon-{environment}-{queue}"


def dead_letter_name(environment: str, queue: str) -> str:
    """Return the name of the queue that takes what consumers of `queue` could not handle."""
    return f"{queue_name(environment, queue)}-dlq"


def undelivered_name(environment: str, queue: str) -> str:
    """Return the name of the queue that takes what SNS could not deliver to `queue`."""
    return f"{queue_name(environment, queue)}-undelivered-dlq"


def topic_arn(region: str, account_id: str, environment: str, topic: str) -> str:
    """Return a topic's ARN; derived, so that nothing need be listed or created to publish."""
    return f"arn:aws:sns:{region}:{account_id}:{topic_name(environment, topic)}"
