"""Labels for the busiest: few enough for a metrics' store, however many endpoints there are."""

from collections import Counter
from uuid import UUID

OTHER = "other"
FIRST = 50
BUSY = 50
# One attempt in a hundred of so many makes an endpoint a busy one.
WINDOW = 1_000
SHARE = 100


class TopLabels:
    """Gives an endpoint its id as a label, or `other`; a label once given is kept, as sums never go back.

    The first 50 endpoints have one, and 50 of those that later get one attempt in a hundred.
    """

    def __init__(self) -> None:
        self._labels: dict[UUID, str] = {}
        self._others: Counter[UUID] = Counter()
        self._seen = 0

    def label(self, endpoint_id: UUID) -> str:
        """Count an attempt at an endpoint, and return its label."""
        self._seen += 1
        known = self._labels.get(endpoint_id)
        if known is not None:
            return known
        if len(self._labels) < FIRST:
            return self._give(endpoint_id)
        self._others[endpoint_id] += 1
        if self._others[endpoint_id] >= WINDOW // SHARE and len(self._labels) < FIRST + BUSY:
            return self._give(endpoint_id)
        if self._seen >= WINDOW:
            self._seen = 0
            self._others.clear()
        return OTHER

    def _give(self, endpoint_id: UUID) -> str:
        return self._labels.setdefault(endpoint_id, str(endpoint_id))
