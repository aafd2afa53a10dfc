"""What the scheduler needs of the topology, asked once at the start: no silence because of an entry."""

from messaging.topology import Topology, TopologyError

from scheduler.due_event import due_types
from scheduler.open_queues import OUTCOMES, USER_EVENTS


def check_topology(topology: Topology) -> None:
    """Raise TopologyError for a kind without its entry, and for what planning needs and nobody publishes."""
    due_types(topology)
    unpublished = {kind.topic: name for name, kind in topology.event_types.items() if not kind.published}
    for name in (USER_EVENTS, OUTCOMES):
        heard = [
            topic for subscription in topology.queues[name].subscriptions for topic in subscription.topics
        ]
        if missing := ", ".join(unpublished[topic] for topic in heard if topic in unpublished):
            raise TopologyError(f"TOPOLOGY_FILE: eventTypes: {name} needs {missing}, which is not published")
