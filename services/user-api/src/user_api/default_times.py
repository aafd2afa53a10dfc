"""When an occasion rings whose user does not say: its event type's time, which the topology has."""

from datetime import time

from domain.kinds import KINDS
from domain.occasion import DEFAULT_SEND_AT_LOCAL
from messaging.topology import Topology, due_event_type

from user_api.parse_fields import send_at_local


def default_times(topology: Topology) -> dict[str, time]:
    """Give the local time of each type, 09:00 where its event type has none. Raises TopologyError."""
    times = {}
    for occasion_type, kind in KINDS.items():
        at = due_event_type(topology, kind).send_at_local
        times[occasion_type] = DEFAULT_SEND_AT_LOCAL if at is None else send_at_local(at)
    return times
