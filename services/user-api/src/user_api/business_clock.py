"""The business clock without a question: what the database's would show now, as its answers so far tell."""

import time
from datetime import UTC, datetime


class BusinessClock:
    """An estimate; the database checks it wherever something is stored by it (ADR 0009)."""

    def __init__(self) -> None:
        # Its distance from this process's monotonic clock, in seconds: that one is never set.
        self._ahead: float | None = None

    def now(self) -> datetime | None:
        """Return what it shows, in UTC; None before the database's first answer."""
        return None if self._ahead is None else datetime.fromtimestamp(self._ahead + time.monotonic(), UTC)

    def learn(self, shown: datetime, *, asked: float, answered: float) -> None:
        """Take in that it showed `shown` at some instant between two readings of the monotonic clock.

        A guess that agrees with that stays: answers come late by chance, and the clock has not moved.
        """
        least, most = shown.timestamp() - answered, shown.timestamp() - asked
        guess = (least + most) / 2 if self._ahead is None else self._ahead
        self._ahead = min(max(guess, least), most)
