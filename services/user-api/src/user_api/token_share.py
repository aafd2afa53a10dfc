"""What a process may still admit of a client between two leases; instants are monotonic seconds."""

import math

from msgspec import Struct

LEASE_SECONDS = 0.2  # how long a lease should do, at the client's own pace in this process
# After a lease that got less than it asked for: the time of a token within these bounds.
ASK_AGAIN_SECONDS = 0.05
ASK_AGAIN_AT_MOST_SECONDS = 1.0
LEAST_SECONDS = 0.001


class Limit(Struct, frozen=True):
    """How much a client may ask: requests a second, and how many at once after a pause."""

    rate: float
    burst: int

    @property
    def fills_within(self) -> float:
        """Seconds in which an empty bucket is full again."""
        return self.burst / self.rate

    @property
    def ask_again_within(self) -> float:
        """Seconds after which it is worth asking an empty bucket again."""
        return max(ASK_AGAIN_SECONDS, min(1 / self.rate, ASK_AGAIN_AT_MOST_SECONDS))


class Share:
    """A client's share in this process.

    It begins with a hundredth of the burst on credit, which the first lease pays for. A client that does not
    come so far before an empty bucket would be full again is never counted. What is held for longer than that
    is forgotten: the bucket has it by then.
    """

    __slots__ = (
        "_asked_at",
        "_credit",
        "_expires_at",
        "_had",
        "_limit",
        "ask_again_at",
        "left",
        "low",
        "tokens",
    )

    def __init__(self, limit: Limit, now: float) -> None:
        self._limit = limit
        self.begin(now)

    def begin(self, now: float) -> None:
        """Begin anew, as with a client whose bucket is full."""
        self.tokens = self._credit = self._had = self._limit.burst // 100
        self.left = self._limit.burst - self.tokens
        self.low = self.tokens // 2
        self.ask_again_at = 0.0
        self._asked_at = now
        self._expires_at = now + self._limit.fills_within

    def is_over(self, now: float) -> bool:
        """Tell whether what is held is to be forgotten."""
        return now >= self._expires_at

    def wanted(self, now: float) -> int:
        """Size the next lease by the pace since the last, 1 % to 10 % of the burst; add what is on credit."""
        pace = (self._had - self.tokens) / max(now - self._asked_at, LEAST_SECONDS)
        burst = self._limit.burst
        size = min(max(math.ceil(pace * LEASE_SECONDS), burst // 100, 1), max(burst // 10, 1))
        return size + self._credit

    def receive(self, granted: int, left: int, now: float, *, ask_again_at: float = 0.0) -> None:
        """Take a lease in; `left` is what is in the bucket after it."""
        self.tokens += granted - self._credit
        self._credit = 0
        self.left = left
        self.low = max(self.tokens, 0) // 2
        self.ask_again_at = ask_again_at
        self._had, self._asked_at = self.tokens, now
        self._expires_at = now + self._limit.fills_within
