"""Who made what: the API calls that users and occasions come from, which their due events link to."""

from collections.abc import Sequence
from uuid import UUID

from domain.events import OccasionState, UserState
from messaging.consume import Received
from runtime.active_tracing import active, traceparent_of


def makers(batch: Sequence[Received]) -> dict[UUID, str]:
    """Return by its id, for each user and occasion, the span in which the first event of it here was made.

    Empty where tracing is off; without those whose trace nobody keeps.
    """
    if active() is None:
        return {}
    made: dict[UUID, tuple[int, str]] = {}
    for received in batch:
        event, parent = received.event, received.parent
        if parent is None or not parent.trace_flags.sampled:
            continue
        if isinstance(event, UserState | OccasionState):
            made_id = event.user_id if isinstance(event, UserState) else event.occasion_id
            told = event.version, traceparent_of(parent)
            made[made_id] = min(made.get(made_id, told), told)
    return {made_id: traceparent for made_id, (_, traceparent) in made.items()}
