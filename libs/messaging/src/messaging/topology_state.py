"""What a topology declares, in the words in which what exists is read: so the two can be compared."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

import msgspec
from msgspec import Struct

from messaging.topology import (
    Queue,
    Topology,
    dead_letter_name,
    queue_name,
    topic_name,
    undelivered_name,
)

Kind = Literal["topic", "queue", "subscription"]


class Thing(Struct, frozen=True, order=True):
    """Something in AWS by its name there; a subscription is `topic > queue`."""

    kind: Kind
    name: str


State = Mapping[Thing, Mapping[str, str]]
"""Each thing with what is said of it."""


class Change(Struct, frozen=True, kw_only=True):
    """How a thing differs: `make`, `change`, or `undeclared`, which only pruning deletes."""

    what: Literal["make", "change", "undeclared"]
    thing: Thing
    details: tuple[str, ...] = ()


def declared(topology: Topology, environment: str) -> State:
    """Return what a topology declares, under an environment's names."""
    state: dict[Thing, Mapping[str, str]] = {
        Thing("topic", topic_name(environment, event_type.topic)): {}
        for event_type in topology.event_types.values()
    }
    for queue in topology.queues.values():
        state |= of_queue(topology, environment, queue)
    return state


def of_queue(topology: Topology, environment: str, queue: Queue) -> dict[Thing, Mapping[str, str]]:
    """Return a queue with its dead-letter queues and its subscriptions."""
    name, undelivered = queue_name(environment, queue.name), undelivered_name(environment, queue.name)
    dead_letters = dead_letter_name(environment, queue.name)
    topics = [topic_name(environment, topic) for one in queue.subscriptions for topic in one.topics]
    kept = str(topology.dead_letter_retention_seconds)
    state: dict[Thing, Mapping[str, str]] = {
        Thing("queue", dead_letters): {"retention": kept},
        Thing("queue", undelivered): {"retention": kept, "hears": listed(topics)},
        Thing("queue", name): {
            "visibility": str(queue.visibility_seconds),
            "retention": str(queue.retention_seconds),
            "dead letters": f"{dead_letters} after {queue.max_receives} receives",
            "hears": listed(topics),
        },
    }
    for subscription in queue.subscriptions:
        for topic in subscription.topics:
            state[subscription_of(topic_name(environment, topic), name)] = {
                "raw": "true",
                "filter": in_order(subscription.filter_policy or {}),
                "filter scope": subscription.filter_policy_scope,
                "dead letters": undelivered,
            }
    return state


def changes(wanted: State, existing: State) -> list[Change]:
    """Return what must be done that what exists is what is wanted, topics first."""
    made = [Change(what="make", thing=thing) for thing in wanted.keys() - existing.keys()]
    changed = [
        Change(what="change", thing=thing, details=details)
        for thing in wanted.keys() & existing.keys()
        if (details := differences(wanted[thing], existing[thing]))
    ]
    undeclared = [Change(what="undeclared", thing=thing) for thing in existing.keys() - wanted.keys()]
    order = ["topic", "queue", "subscription"]
    return sorted(
        [*made, *changed, *undeclared], key=lambda change: (order.index(change.thing.kind), change.thing.name)
    )


def differences(wanted: Mapping[str, str], existing: Mapping[str, str]) -> tuple[str, ...]:
    """Say how what is wanted of a thing differs from what is."""
    return tuple(
        f"{name}: {existing.get(name, 'nothing')} → {value}"
        for name, value in wanted.items()
        if existing.get(name) != value
    )


def subscription_of(topic: str, queue: str) -> Thing:
    """Return a queue's subscription to a topic, both by their names in AWS."""
    return Thing("subscription", f"{topic} > {queue}")


def listed(names: Iterable[str]) -> str:
    """Return names as one text, whatever their order."""
    return ", ".join(sorted(names))


def in_order(document: Any) -> str:  # noqa: ANN401 (any policy document)
    """Return a policy document as one text, whatever the order of its fields."""
    return msgspec.json.encode(document, order="sorted").decode()
