"""What came of things that were to be picked up when due: how many a second, and how late each was."""

from msgspec import Struct


class PickedUp(Struct, frozen=True, kw_only=True):
    """When the picking up started and, of each, when it was due and picked up; seconds since the epoch.

    What was due before the start counts from the start.
    """

    started: float
    picked: list[tuple[float, float]]

    @property
    def per_second(self) -> float:
        """How many a second, from the first that could be picked up to the last that was."""
        first = min(max(due, self.started) for due, _ in self.picked)
        return len(self.picked) / (max(at for _, at in self.picked) - first)

    @property
    def lags_ms(self) -> list[float]:
        """How late each was."""
        return [(at - max(due, self.started)) * 1000 for due, at in self.picked]
