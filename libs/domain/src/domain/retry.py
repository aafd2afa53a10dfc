"""Whether an attempt was the last one, and when the next is; a pure function of what came back.

The schedule and the reading of status codes follow Standard Webhooks 1.0.0.
"""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Literal, assert_never

import msgspec

SCHEDULE = (
    timedelta(0),
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""The wait before each attempt, the first included: ten attempts over three days."""

RETRY_AFTER_LIMIT = timedelta(hours=10)
"""The longest wait an endpoint can ask for."""

UNSENT_WAIT = timedelta(seconds=30)
"""The wait after an attempt that failed on our own side."""

_JITTER = 0.1  # additive, so that a thousand deliveries that failed together do not return together
_TRANSIENT = frozenset({408, 425, 429})
_READS_RETRY_AFTER = frozenset({429, 503})

Failure = Literal[
    "name_not_resolved",
    "not_allowed",
    "proxy_failed",
    "connect_timeout",
    "connection_failed",
    "tls_failed",
    "connection_lost",
    "timeout",
    "unexpected",
]
"""How an attempt can end without an answer; whoever reads attempts may rely on there being no others."""


class Response(msgspec.Struct, frozen=True):
    """The endpoint answered: its status, and its Retry-After where it sent one."""

    status: int
    retry_after: timedelta | None = None


class NoResponse(msgspec.Struct, frozen=True):
    """The endpoint did not answer; `said` is there where its kind does not say all."""

    kind: Failure
    said: str = ""

    @property
    def reason(self) -> str:
        """Why there was no answer, in words."""
        return self.said or self.kind.replace("_", " ")


class Forbidden(msgspec.Struct, frozen=True):
    """Nothing was sent and nothing may ever be sent there; `reason` says why."""

    reason: str


class Delivered(msgspec.Struct, frozen=True):
    """The endpoint has it."""


class RetryAt(msgspec.Struct, frozen=True):
    """Another attempt is due at `at`."""

    at: datetime
    reason: str


class PutBack(msgspec.Struct, frozen=True):
    """The endpoint was not asked: another attempt is due at `at`, and this one does not count."""

    at: datetime
    reason: str


class GaveUp(msgspec.Struct, frozen=True):
    """No further attempt is made."""

    reason: str


Outcome = Response | NoResponse | Forbidden
Decision = Delivered | RetryAt | PutBack | GaveUp


def is_delivered(result: Outcome) -> bool:
    """Tell whether the endpoint has it: any 2xx."""
    return isinstance(result, Response) and 200 <= result.status < 300  # noqa: PLR2004 (2xx)


def is_unsent(result: Outcome) -> bool:
    """Tell whether it failed on our own side: the endpoint was not asked, and nothing is said of it."""
    return isinstance(result, NoResponse) and result.kind == "proxy_failed"


def decide_retry(result: Outcome, *, attempt: int, now: datetime, jitter: float) -> Decision:
    """Judge the attempt just made, the `attempt`-th (from 1), at `now`.

    `jitter`, 0 to 1, adds up to a tenth of the wait. Retry-After is read on 429 and 503 only; it can only
    lengthen the wait, to at most ten hours, and never changes how many attempts there are. Raises ValueError
    for a naive `now`, an attempt before the first, a jitter out of range.
    """
    if attempt < 1 or not 0 <= jitter <= 1 or now.utcoffset() is None:
        raise ValueError("attempts count from 1, jitter is 0 to 1, now is aware")
    match result:
        case Response() if is_delivered(result):
            return Delivered()
        case Response(status=status, retry_after=retry_after):
            reason = f"HTTP {status}"
            # A status that HTTP does not know says nothing final: it is tried again, like a 5xx.
            if 300 <= status < 500 and status not in _TRANSIENT:  # noqa: PLR2004 - 3xx and 4xx
                return GaveUp(reason)
            asked = retry_after if status in _READS_RETRY_AFTER else None
        case NoResponse(reason=reason) if is_unsent(result):
            return PutBack(now + UNSENT_WAIT + UNSENT_WAIT * (_JITTER * jitter), reason)
        case NoResponse(reason=reason):
            asked = None
        case Forbidden(reason=reason):
            return GaveUp(reason)
        case _:
            assert_never(result)
    if attempt >= len(SCHEDULE):
        return GaveUp(f"{reason} after {attempt} attempts")
    wait = max(SCHEDULE[attempt], min(asked or timedelta(0), RETRY_AFTER_LIMIT))
    return RetryAt(now + wait + wait * (_JITTER * jitter), reason)


def parse_retry_after(value: str, now: datetime) -> timedelta | None:
    """Read a Retry-After header, seconds or an HTTP date (RFC 9110 §10.2.3); None if it is neither.

    A date in the past is no wait. `now` is aware; a date without a zone is UTC, as HTTP has it.
    """
    text = value.strip()
    if text.isascii() and text.isdigit():
        digits = text.lstrip("0") or "0"
        return timedelta(seconds=int(digits)) if len(digits) <= 12 else timedelta.max  # noqa: PLR2004
    try:
        until = parsedate_to_datetime(text)
        if until.utcoffset() is None:
            until = until.replace(tzinfo=UTC)
        return max(until - now, timedelta(0))
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
