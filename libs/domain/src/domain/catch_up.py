"""Catching up: what fell due while nobody looked is sent late, or, too late, is missed."""

from datetime import UTC, datetime, timedelta

DEFAULT_CATCH_UP = timedelta(hours=24)
"""How late an occurrence may be sent whose event type says nothing."""

NEVER = datetime(1970, 1, 1, tzinfo=UTC)
"""When a scheduler returned that was never away."""


def is_missed(
    *,
    now: datetime,
    ripe_at: datetime,
    planned_at: datetime | None,
    returned_at: datetime,
    catch_up: timedelta,
) -> bool:
    """Tell whether an occurrence, ripe since `ripe_at`, is too late to be sent. All by the business clock.

    Lateness is judged once: when the scheduler returned, or when the date was planned, if that was later. So
    what is in time then is sent however long the queue before it takes. A clock set back makes nothing late:
    it is never judged by a moment that has yet to come.
    """
    judged_at = min(now, max(returned_at, planned_at or returned_at))
    return judged_at - ripe_at > catch_up
