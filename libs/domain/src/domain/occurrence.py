"""The states of an occurrence, and the only ways from one to another."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class OccurrenceStatus(StrEnum):
    """Where an occurrence stands."""

    PENDING = "PENDING"
    PROCESSING = "PROCESSING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    EXPIRED = "EXPIRED"

    @property
    def is_final(self) -> bool:
        """Tell whether nothing can change it any more."""
        return not TRANSITIONS[self]


TRANSITIONS: Mapping[OccurrenceStatus, frozenset[OccurrenceStatus]] = MappingProxyType(
    {
        OccurrenceStatus.PENDING: frozenset(
            {OccurrenceStatus.PROCESSING, OccurrenceStatus.CANCELLED, OccurrenceStatus.EXPIRED}
        ),
        OccurrenceStatus.PROCESSING: frozenset({OccurrenceStatus.COMPLETED, OccurrenceStatus.FAILED}),
        OccurrenceStatus.COMPLETED: frozenset(),
        OccurrenceStatus.FAILED: frozenset(),
        OccurrenceStatus.CANCELLED: frozenset(),
        OccurrenceStatus.EXPIRED: frozenset(),
    }
)


def may_become(before: OccurrenceStatus, after: OccurrenceStatus) -> bool:
    """Tell whether that step is allowed; staying is not a step."""
    return after in TRANSITIONS[before]
