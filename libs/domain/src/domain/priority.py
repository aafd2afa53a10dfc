"""How urgent an event is, from its topic's attribute down to the queue that delivers it."""

from enum import StrEnum


class Priority(StrEnum):
    """The four priorities, most urgent first."""

    CRITICAL = "critical"
    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"

    @property
    def rank(self) -> int:
        """Tell the order: 0 (critical) to 3 (low)."""
        return _RANKS[self]


_RANKS = {priority: rank for rank, priority in enumerate(Priority)}
