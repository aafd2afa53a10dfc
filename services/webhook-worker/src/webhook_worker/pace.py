"""Pace: how many attempts a second an endpoint with a rate limit gets from this worker."""


class Pace:
    """A token bucket that starts full: `per_second` at once, then as many a second, by a monotonic clock."""

    def __init__(self, per_second: int, now: float) -> None:
        self.per_second = per_second
        self._tokens = float(per_second)
        self._filled_at = now

    def free(self, now: float) -> int:
        """Return how many may go now."""
        self._tokens = min(self.per_second, self._tokens + (now - self._filled_at) * self.per_second)
        self._filled_at = now
        return int(self._tokens)

    def take(self) -> None:
        """Spend one."""
        self._tokens -= 1
